package store

import (
	"context"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Mailbox keeps what the built-in sink receives. It implements deliver.Mailbox.
type Mailbox struct {
	store *Store
	now   func() time.Time
}

// NewMailbox gives the mailbox of s.
func NewMailbox(s *Store, now func() time.Time) *Mailbox { return &Mailbox{store: s, now: now} }

// Put implements deliver.Mailbox.
func (m *Mailbox) Put(ctx context.Context, _, to string, raw []byte) error {
	head := deliver.ReadHead(raw)
	message, _ := m.store.InternalID(MessageKind, head.ID)
	packed := compressor.EncodeAll(raw, nil)
	return m.store.Update(ctx, func(c *Conn) error {
		campaign := ""
		if message != 0 {
			if _, err := c.One(`SELECT campaign FROM messages WHERE id = $1`, []any{message}, func(r Row) error { campaign = r.Text(0); return nil }); err != nil {
				return err
			}
		}
		_, err := c.Insert(`INSERT INTO mailbox (sender, recipient, subject, message_id, campaign, received_at, raw) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			head.From, strings.ToLower(to), head.Subject, message, campaign, m.now().UnixMicro(), packed)
		return err
	})
}

// Mails gives a page of mails, newest first and without Raw, and the cursor of the next one. Empty filters ask for all.
func (s *Store) Mails(ctx context.Context, to, campaign, cursor string, limit int) (list []deliver.StoredMail, next string, err error) {
	before := int64(1<<63 - 1)
	if cursor != "" {
		var ok bool
		if before, ok = s.InternalID(MailKind, cursor); !ok {
			return nil, "", fault.Field("query.cursor", "is none that a list gave; pass next_cursor as it came")
		}
	}
	query, args := `SELECT id, sender, recipient, subject, received_at, message_id, campaign FROM mailbox WHERE id < $1`, []any{before, limit + 1}
	if to != "" {
		args = append(args, strings.ToLower(strings.TrimSpace(to)))
		query += ` AND recipient = $3`
	}
	if campaign != "" {
		args = append(args, campaign)
		query += ` AND campaign = $` + string(rune('0'+len(args)))
	}
	err = s.read(ctx, func(c *Conn) error {
		return c.Query(query+` ORDER BY id DESC LIMIT $2`, args, func(r Row) error {
			list = append(list, s.storedMail(r))
			return nil
		})
	})
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, err
}

func (s *Store) storedMail(r Row) deliver.StoredMail {
	m := deliver.StoredMail{ID: s.PublicID(MailKind, r.Int(0)), From: r.Text(1), To: r.Text(2), Subject: r.Text(3), ReceivedAt: timeOf(r.Int(4)), Campaign: r.Text(6)}
	if id := r.Int(5); id != 0 {
		m.MessageID = s.PublicID(MessageKind, id)
	}
	return m
}

// Mail gives one mail by its public id, with Raw; NotFound where there is none.
func (s *Store) Mail(ctx context.Context, id string) (mail deliver.StoredMail, err error) {
	internal, ok := s.InternalID(MailKind, id)
	if ok {
		err = s.read(ctx, func(c *Conn) error {
			ok, err = c.One(`SELECT id, sender, recipient, subject, received_at, message_id, campaign, raw FROM mailbox WHERE id = $1`, []any{internal},
				func(r Row) error {
					mail = s.storedMail(r)
					mail.Raw, err = decompressor.DecodeAll(r.Bytes(7), nil)
					return err
				})
			return err
		})
	}
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such mail")
	}
	return mail, err
}
