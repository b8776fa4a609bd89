package store

import (
	"context"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Outbox is the queue of messages in the database. It implements deliver.Outbox; a process has one.
type Outbox struct {
	store     *Store
	transport string // what gets the messages
	mu        sync.Mutex
	claimed   map[int64]bool // given to a worker and not finished
}

// What gets messages.
const (
	toRelay = "relay" // a mail server that cannot be asked what it got
	toSink  = "sink"  // the built-in one, whose mailbox tells
)

// NewOutbox gives the queue of s before a mail server that cannot be asked what it got: after a crash, messages that
// were in sending are in doubt.
func NewOutbox(s *Store) *Outbox {
	return &Outbox{store: s, transport: toRelay, claimed: map[int64]bool{}}
}

// NewSinkOutbox gives the queue of s before the built-in sink, whose mailbox tells what it got: after a crash, messages
// that were on their way to it are sent, or queued again. Only those that were handed to a mail server before are in
// doubt.
func NewSinkOutbox(s *Store) *Outbox {
	return &Outbox{store: s, transport: toSink, claimed: map[int64]bool{}}
}

// Recover implements deliver.Outbox.
func (o *Outbox) Recover(ctx context.Context) (doubtful int, err error) {
	err = o.store.Update(ctx, func(c *Conn) error {
		var left []deliver.Outcome
		handed := map[int64]string{}
		if err := c.Query(`SELECT id, transport FROM messages WHERE status = 'sending'`, nil, func(r Row) error {
			left = append(left, deliver.Outcome{ID: r.Int(0), Status: deliver.StatusInDoubt})
			handed[r.Int(0)] = r.Text(1)
			return nil
		}); err != nil {
			return err
		}
		doubtful = 0
		for _, outcome := range left {
			if o.transport == toSink && handed[outcome.ID] == toSink {
				if err := askMailbox(c, &outcome); err != nil {
					return err
				}
			}
			if outcome.Status == deliver.StatusInDoubt {
				doubtful++
			}
			if err := finish(c, outcome); err != nil {
				return err
			}
		}
		return nil
	})
	return doubtful, err
}

// askMailbox settles a message that was on its way to the sink: sent if it is there, queued otherwise.
func askMailbox(c *Conn, outcome *deliver.Outcome) error {
	outcome.Status = deliver.StatusQueued
	_, err := c.One(`SELECT received_at FROM mailbox WHERE message_id = $1`, []any{outcome.ID}, func(r Row) error {
		outcome.Status, outcome.At = deliver.StatusSent, timeOf(r.Int(0))
		return nil
	})
	return err
}

// Claim implements deliver.Outbox. Campaigns that are being sent take turns by the order of their beginning.
func (o *Outbox) Claim(ctx context.Context, now time.Time, limit int) (jobs []deliver.Job, next time.Time, err error) {
	o.mu.Lock() // through the whole reading: a message that is finished meanwhile must still be seen as claimed
	defer o.mu.Unlock()
	err = o.store.read(ctx, func(c *Conn) error {
		runs := []int64{0}
		if err := c.Query(`SELECT id FROM campaign_runs WHERE status = 'sending' AND queued > 0 ORDER BY id`, nil, func(r Row) error {
			runs = append(runs, r.Int(0))
			return nil
		}); err != nil {
			return err
		}
		for _, runID := range runs {
			if err := o.claimFrom(c, runID, now, limit, &jobs, &next); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	for _, job := range jobs {
		o.claimed[job.ID] = true
	}
	return jobs, next, nil
}

// claimFrom adds the due messages of a run, up to limit in all, and notes when the first one after those is due.
func (o *Outbox) claimFrom(c *Conn, runID int64, now time.Time, limit int, jobs *[]deliver.Job, next *time.Time) error {
	if len(*jobs) >= limit {
		return nil
	}
	return c.Query(`SELECT id, profile_id, campaign, email, attempts, first_attempt_at, next_attempt_at FROM messages
		WHERE run_id = $1 AND status = 'queued' ORDER BY next_attempt_at LIMIT $2`, []any{runID, limit + len(o.claimed) + 1},
		func(r Row) error {
			id, due := r.Int(0), timeOf(r.Int(6))
			switch {
			case o.claimed[id]:
			case due.After(now):
				if next.IsZero() || due.Before(*next) {
					*next = due
				}
			case len(*jobs) < limit:
				job := deliver.Job{
					ID: id, PublicID: o.store.PublicID(MessageKind, id), ProfileID: r.Int(1), Campaign: r.Text(2), RunID: runID, To: r.Text(3),
					Attempts: int(r.Int(4)),
				}
				if !r.Null(5) {
					job.FirstAttemptAt = timeOf(r.Int(5))
				}
				*jobs = append(*jobs, job)
			}
			return nil
		})
}

// MarkSending implements deliver.Outbox. The suppression list and the profile's own preference are read in the same
// transaction, so that whoever was told "you are unsubscribed" gets nothing any more.
func (o *Outbox) MarkSending(ctx context.Context, id int64, subject string) (reason deliver.Reason, err error) {
	err = o.store.Update(ctx, func(c *Conn) error {
		reason = ""
		var runID, profileID int64
		var email string
		if _, err := c.One(`SELECT run_id, profile_id, email FROM messages WHERE id = $1`, []any{id}, func(r Row) error {
			runID, profileID, email = r.Int(0), r.Int(1), r.Text(2)
			return nil
		}); err != nil {
			return err
		}
		var err error
		if reason, err = suppressedFor(c, email); err != nil || reason != "" {
			return err
		}
		if runID > 0 {
			subscribed, err := subscribed(c, profileID)
			if err != nil {
				return err
			}
			if !subscribed {
				reason = deliver.Unsubscribed
				return nil
			}
		}
		n, err := c.Exec(`UPDATE messages SET status = 'sending', subject = $2, transport = $3 WHERE id = $1 AND status = 'queued'`, id, subject, o.transport)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "message %d is not queued", id)
		}
		return err
	})
	return reason, err
}

// subscribed reads the preference of a profile, or of the one that it was merged into.
func subscribed(c *Conn, profileID int64) (bool, error) {
	wanted := true
	for profileID != 0 {
		id := profileID
		profileID = 0
		if _, err := c.One(`SELECT subscribed, merged_into FROM profiles WHERE id = $1`, []any{id}, func(r Row) error {
			wanted, profileID = r.Int(0) != 0, r.Int(1)
			return nil
		}); err != nil {
			return false, err
		}
	}
	return wanted, nil
}

// Finish implements deliver.Outbox.
func (o *Outbox) Finish(ctx context.Context, outcome deliver.Outcome) error {
	err := o.store.Update(ctx, func(c *Conn) error { return finish(c, outcome) })
	if err == nil {
		o.mu.Lock()
		delete(o.claimed, outcome.ID)
		o.mu.Unlock()
	}
	return err
}

// counters names the count of a run that a message in a status belongs to.
var counters = map[deliver.Status]string{
	deliver.StatusSent: "sent", deliver.StatusBounced: "bounced", deliver.StatusFailed: "failed",
	deliver.StatusSkipped: "skipped", deliver.StatusInDoubt: "in_doubt",
}

func finish(c *Conn, o deliver.Outcome) error {
	var runID int64
	var email string
	open, err := c.One(`SELECT run_id, email FROM messages WHERE id = $1 AND status IN ('queued', 'sending')`, []any{o.ID}, func(r Row) error {
		runID, email = r.Int(0), r.Text(1)
		return nil
	})
	if err != nil || !open {
		return err
	}
	at := o.At.UnixMicro()
	var attemptedAt, sentAt, untoldSince any
	if !o.At.IsZero() {
		attemptedAt = at
	}
	if o.Status == deliver.StatusSent {
		sentAt = at
	}
	if runID > 0 && (o.Status == deliver.StatusSent || o.Status == deliver.StatusBounced) {
		untoldSince = at
	}
	if _, err := c.Exec(`UPDATE messages SET status = $2, reason = $3, detail = $4, attempts = attempts + 1, next_attempt_at = $5, sent_at = $6,
			first_attempt_at = coalesce(first_attempt_at, $7), untold_since = $8 WHERE id = $1`,
		o.ID, string(o.Status), string(o.Reason), o.Detail, max(o.Next.UnixMicro(), 0), sentAt, attemptedAt, untoldSince); err != nil {
		return err
	}
	if o.Suppress {
		if err := suppress(c, deliver.Suppression{Email: email, Reason: deliver.Bounced, Since: o.At}); err != nil {
			return err
		}
	}
	counter, done := counters[o.Status]
	if !done {
		return nil
	}
	if o.Status == deliver.StatusSent {
		if err := count(c, "sent", at, 1); err != nil {
			return err
		}
	}
	if _, err := c.Exec(`UPDATE campaign_runs SET queued = queued - 1, `+counter+` = `+counter+` + 1 WHERE id = $1`, runID); err != nil {
		return err
	}
	return finishRun(c, runID, o.At)
}

// count adds to a figure of the day of at.
func count(c *Conn, name string, at int64, n float64) error {
	_, err := c.Exec(`INSERT INTO daily_counts (day, name, value) VALUES ($1, $2, $3)
		ON CONFLICT (day, name) DO UPDATE SET value = daily_counts.value + excluded.value`, at/(24*time.Hour).Microseconds(), name, n)
	return err
}

// Untold implements deliver.News.
func (o *Outbox) Untold(ctx context.Context, limit int) (list []deliver.Settled, err error) {
	err = o.store.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT id, profile_id, campaign, run_id, email, status, reason, detail, untold_since FROM messages
			WHERE untold_since IS NOT NULL ORDER BY id LIMIT $1`, []any{limit}, func(r Row) error {
			id := r.Int(0)
			list = append(list, deliver.Settled{
				Job: deliver.Job{ID: id, PublicID: o.store.PublicID(MessageKind, id), ProfileID: r.Int(1), Campaign: r.Text(2), RunID: r.Int(3), To: r.Text(4)},
				Outcome: deliver.Outcome{
					ID: id, Status: deliver.Status(r.Text(5)), Reason: deliver.Reason(r.Text(6)), Detail: r.Text(7), At: timeOf(r.Int(8)),
				},
			})
			return nil
		})
	})
	return list, err
}

// Told implements deliver.News.
func (o *Outbox) Told(ctx context.Context, ids []int64) error {
	return o.store.Update(ctx, func(c *Conn) error {
		for _, id := range ids {
			if _, err := c.Exec(`UPDATE messages SET untold_since = NULL WHERE id = $1`, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Requeue puts a message in doubt back into the queue: an operator's decision that the server did not get it.
func (o *Outbox) Requeue(ctx context.Context, id int64, now time.Time) error {
	return o.store.Update(ctx, func(c *Conn) error {
		n, err := c.Exec(`UPDATE messages SET status = 'queued', next_attempt_at = $2, first_attempt_at = NULL WHERE id = $1 AND status = 'in_doubt'`, id, now.UnixMicro())
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "the message is not in doubt")
		}
		_, err = c.Exec(`UPDATE campaign_runs SET in_doubt = in_doubt - 1, queued = queued + 1, status = CASE status WHEN 'sent' THEN 'sending' ELSE status END,
			finished_at = NULL WHERE id = (SELECT run_id FROM messages WHERE id = $1)`, id)
		return err
	})
}

// EnqueueTest queues one test message of a campaign to an address, filled in for a profile (0: none). It counts in no
// report.
func (o *Outbox) EnqueueTest(ctx context.Context, campaign string, profileID int64, to string, now time.Time) (id int64, err error) {
	err = o.store.Update(ctx, func(c *Conn) error {
		id, err = c.Insert(`INSERT INTO messages (run_id, campaign, profile_id, email, status, next_attempt_at, created_at) VALUES (0, $1, $2, $3, 'queued', $4, $4)`,
			campaign, profileID, to, now.UnixMicro())
		return err
	})
	return id, err
}

// QueueLength counts the messages that are to be sent.
func (s *Store) QueueLength(ctx context.Context) (n int64, err error) {
	err = s.read(ctx, func(c *Conn) error {
		n, err = c.Int(`SELECT count(*) FROM messages WHERE run_id = 0 AND status = 'queued'`)
		if err != nil {
			return err
		}
		runs, err := c.Int(`SELECT coalesce(sum(queued), 0) FROM campaign_runs`)
		n += runs
		return err
	})
	return n, err
}
