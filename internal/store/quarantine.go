package store

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// QuarantineKind is the kind of the public ids of messages in quarantine.
const QuarantineKind = "held"

// Quarantine keeps messages that could not become events. One that the source has there already stays as it is.
func (s *Store) Quarantine(ctx context.Context, messages []source.Quarantined) error {
	return s.Update(ctx, func(c *Conn) error {
		for _, q := range messages {
			headers, err := json.Marshal(q.Message.Headers)
			if err != nil {
				return err
			}
			m := q.Message
			if _, err := c.Exec(`INSERT INTO quarantine
				(source, topic, topic_id, "partition", "offset", key, value, size, headers, sent_at, reason, at, attempts)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
				ON CONFLICT (source, topic, topic_id, "partition", "offset") DO NOTHING`,
				q.Source, m.Topic, m.TopicID, int64(m.Partition), m.Offset, blob(m.Key), blob(m.Value), int64(q.Size), string(headers),
				m.Timestamp.UnixMicro(), q.Reason, q.At.UnixMicro(), int64(q.Attempts)); err != nil {
				return err
			}
		}
		return nil
	})
}

// blob is bytes for the database, NULL for none at all.
func blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

const quarantineColumns = `id, source, topic, topic_id, "partition", "offset", key, value, size, headers, sent_at, reason, at, attempts`

func quarantinedOf(r Row) source.Quarantined {
	q := source.Quarantined{
		ID: r.Int(0), Source: r.Text(1), Size: int(r.Int(8)), Reason: r.Text(11), At: timeOf(r.Int(12)), Attempts: int(r.Int(13)),
		Message: source.Message{
			Topic: r.Text(2), TopicID: r.Text(3), Partition: int32(r.Int(4)), Offset: r.Int(5),
			Key: r.Bytes(6), Value: r.Bytes(7), Timestamp: timeOf(r.Int(10)),
		},
	}
	if !r.Null(7) && q.Message.Value == nil {
		q.Message.Value = []byte{}
	}
	_ = json.Unmarshal([]byte(r.Text(9)), &q.Message.Headers) // we wrote it
	return q
}

// Quarantined gives a page of the messages in quarantine, oldest first, and the cursor of the next one; those of one
// source, or of all where it is "".
func (s *Store) Quarantined(ctx context.Context, of, cursor string, limit int) (list []source.Quarantined, next string, err error) {
	after := int64(0)
	if cursor != "" {
		if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return nil, "", fault.Field("query.cursor", "is none that a list gave; pass next_cursor as it came")
		}
	}
	where, args := `id > $1`, []any{after, int64(limit + 1)}
	if of != "" {
		where, args = `id > $1 AND source = $3`, append(args, of)
	}
	err = s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT `+quarantineColumns+` FROM quarantine WHERE `+where+` ORDER BY id LIMIT $2`, args, func(r Row) error {
			list = append(list, quarantinedOf(r))
			return nil
		})
	})
	if len(list) > limit {
		list = list[:limit]
		next = strconv.FormatInt(list[limit-1].ID, 10)
	}
	return list, next, err
}

// QuarantinedMessage gives one message in quarantine; NotFound where there is none of that public id.
func (s *Store) QuarantinedMessage(ctx context.Context, public string) (q source.Quarantined, err error) {
	id, ok := s.InternalID(QuarantineKind, public)
	if ok {
		err = s.read(ctx, func(c *Conn) error {
			ok, err = c.One(`SELECT `+quarantineColumns+` FROM quarantine WHERE id = $1`, []any{id}, func(r Row) error {
				q = quarantinedOf(r)
				return nil
			})
			return err
		})
	}
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such message in quarantine; was it discarded, or tried again?")
	}
	return q, err
}

// PublicQuarantineID is how the outside calls a message in quarantine.
func (s *Store) PublicQuarantineID(id int64) string { return s.PublicID(QuarantineKind, id) }

// QuarantineSize counts the messages of a source that are in quarantine.
func (s *Store) QuarantineSize(ctx context.Context, of string) (int, error) {
	sizes, err := s.QuarantineSizes(ctx)
	return sizes[of], err
}

// QuarantineSizes counts the messages in quarantine by source.
func (s *Store) QuarantineSizes(ctx context.Context) (map[string]int, error) {
	sizes := map[string]int{}
	err := s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT source, count(*) FROM quarantine GROUP BY source`, nil, func(r Row) error {
			sizes[r.Text(0)] = int(r.Int(1))
			return nil
		})
	})
	return sizes, err
}

// DropQuarantined removes a message from quarantine, because it became an event or was discarded.
func (s *Store) DropQuarantined(ctx context.Context, id int64) error {
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`DELETE FROM quarantine WHERE id = $1`, id)
		return err
	})
}

// Discard removes all messages of a source from quarantine and tells how many there were.
func (s *Store) Discard(ctx context.Context, of string) (n int64, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		n, err = c.Exec(`DELETE FROM quarantine WHERE source = $1`, of)
		return err
	})
	return n, err
}

// NoteAttempt keeps why another attempt at a message has failed.
func (s *Store) NoteAttempt(ctx context.Context, id int64, reason string) error {
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`UPDATE quarantine SET reason = $2, attempts = attempts + 1 WHERE id = $1`, id, reason)
		return err
	})
}
