package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/report"
)

// Recipient gives whom a message went to, or NotFound. A test message has no ProfileID: whoever gets it is no customer.
func (s *Store) Recipient(ctx context.Context, message int64) (to report.Recipient, err error) {
	err = s.View(ctx, func(c *Conn) error {
		found, err := c.One(`SELECT run_id, campaign, profile_id, email, sent_at FROM messages WHERE id = $1`, []any{message}, func(r Row) error {
			to = report.Recipient{MessageID: s.PublicID(MessageKind, message), Campaign: r.Text(1), Email: r.Text(3)}
			if test := r.Int(0) == 0; !test {
				to.ProfileID = r.Int(2)
			}
			if !r.Null(4) {
				to.SentAt = timeOf(r.Int(4))
			}
			return nil
		})
		if err == nil && !found {
			err = fault.New(fault.NotFound, "there is no such message")
		}
		return err
	})
	return to, err
}

// CampaignReport gives the report of a campaign; one that was never sent has only zeros.
func (s *Store) CampaignReport(ctx context.Context, campaign string) (report.Campaign, error) {
	tally := report.NewTally(campaign)
	err := s.View(ctx, func(c *Conn) error {
		var run int64
		found, err := c.One(`SELECT id, started_at FROM campaign_runs WHERE campaign = $1`, []any{campaign}, func(r Row) error {
			run = r.Int(0)
			tally.Began(timeOf(r.Int(1)))
			return nil
		})
		if err != nil || !found {
			return err
		}
		return tallyRun(c, run, tally)
	})
	return tally.Report(), err
}

// tallyRun reads what became of a run's messages.
func tallyRun(c *Conn, run int64, tally *report.Tally) error {
	err := c.Query(`SELECT status, reason, count(*) FROM messages WHERE run_id = $1 AND run_id > 0 GROUP BY status, reason`, []any{run},
		func(r Row) error {
			tally.Messages(r.Text(0), r.Text(1), int(r.Int(2)))
			return nil
		})
	if err != nil {
		return err
	}
	err = c.Query(`SELECT r.message_id, r.name, r.machine, min(r.at), m.status FROM messages m JOIN responses r ON r.message_id = m.id
		WHERE m.run_id = $1 AND m.run_id > 0 GROUP BY r.message_id, r.name, r.machine, m.status`, []any{run},
		func(r Row) error {
			tally.Response(r.Text(1), r.Int(2) != 0, timeOf(r.Int(3)), r.Text(4))
			return nil
		})
	if err != nil {
		return err
	}
	err = c.Query(`SELECT r.link, count(DISTINCT r.message_id) FROM messages m JOIN responses r ON r.message_id = m.id
		WHERE m.run_id = $1 AND m.run_id > 0 AND r.machine = 0 AND r.link <> '' GROUP BY r.link ORDER BY 2 DESC, 1 LIMIT 100`, []any{run},
		func(r Row) error {
			tally.Link(r.Text(0), int(r.Int(1)))
			return nil
		})
	if err != nil {
		return err
	}
	return c.Query(`SELECT v.message_id, v.at, v.revenue FROM messages m JOIN conversions v ON v.message_id = m.id
		WHERE m.run_id = $1 AND m.run_id > 0`, []any{run},
		func(r Row) error {
			tally.Conversion(r.Int(0), timeOf(r.Int(1)), r.Float(2))
			return nil
		})
}

// Messages gives a page of messages, newest first, and the cursor of the next one. Those of profiles that merged into
// the one asked for are its own.
func (s *Store) Messages(ctx context.Context, q report.Messages) (list []report.Message, next string, err error) {
	before, err := beforeCursor(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	where, args := "m.id < $1", []any{before, q.Limit + 1}
	if q.Campaign != "" {
		args = append(args, q.Campaign)
		where += " AND m.campaign = $" + strconv.Itoa(len(args))
	}
	if q.Profile != 0 {
		p, err := s.Profile(ctx, q.Profile)
		if err != nil {
			return nil, "", err
		}
		marks := []string{}
		for _, id := range append([]int64{q.Profile}, p.Absorbed...) {
			args = append(args, id)
			marks = append(marks, "$"+strconv.Itoa(len(args)))
		}
		where += " AND m.run_id > 0 AND m.profile_id IN (" + strings.Join(marks, ", ") + ")"
	}
	var last int64
	err = s.View(ctx, func(c *Conn) error {
		profiles := []int64{}
		err := c.Query(messagesQuery(where), args, func(r Row) error {
			if len(list) == q.Limit {
				next = strconv.FormatInt(last, 36)
				return errEnough
			}
			last = r.Int(0)
			list, profiles = append(list, s.message(r)), append(profiles, r.Int(2))
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		return s.nameRecipients(c, list, profiles)
	})
	return list, next, err
}

func messagesQuery(where string) string {
	first := func(name string) string {
		return `(SELECT min(r.at) FROM responses r WHERE r.message_id = m.id AND r.machine = 0 AND r.name = '` + name + `')`
	}
	return `SELECT m.id, m.campaign, m.profile_id, m.email, m.status, m.reason, m.created_at, m.sent_at, m.subject, ` +
		first("Email Opened") + `, ` + first("Email Link Clicked") + `, ` + first("Unsubscribed") + `,
		(SELECT sum(v.revenue) FROM conversions v WHERE v.message_id = m.id)
		FROM messages m WHERE ` + where + ` ORDER BY m.id DESC LIMIT $2`
}

func (s *Store) message(r Row) report.Message {
	moment := func(i int) *time.Time {
		if r.Null(i) {
			return nil
		}
		at := timeOf(r.Int(i))
		return &at
	}
	return report.Message{
		ID: s.PublicID(MessageKind, r.Int(0)), Campaign: r.Text(1), To: r.Text(3), Status: r.Text(4), Reason: r.Text(5),
		CreatedAt: timeOf(r.Int(6)), SentAt: moment(7), Subject: r.Text(8),
		OpenedAt: moment(9), ClickedAt: moment(10), UnsubscribedAt: moment(11), Revenue: r.Float(12),
	}
}

// nameRecipients fills in the profiles as they are called now; a test message may have none.
func (s *Store) nameRecipients(c *Conn, list []report.Message, profiles []int64) error {
	for i, id := range profiles {
		living, err := survivor(c, id)
		if err != nil {
			return err
		}
		if living != 0 {
			list[i].ProfileID = s.PublicID(ProfileKind, living)
		}
	}
	return nil
}
