package store

import (
	"context"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Outbox is the queue of messages in the database. It implements deliver.Outbox.
type Outbox struct {
	store     *Store
	transport string // what gets the messages
}

// What gets messages.
const (
	toRelay = "relay" // a mail server that cannot be asked what it got
	toSink  = "sink"  // the built-in one, whose mailbox tells
)

// NewOutbox gives the queue of s before a mail server that cannot be asked what it got: after a crash, messages that
// were in sending are in doubt.
func NewOutbox(s *Store) *Outbox { return &Outbox{store: s, transport: toRelay} }

// NewSinkOutbox gives the queue of s before the built-in sink, whose mailbox tells what it got: after a crash, messages
// that were on their way to it are sent, or queued again. Only those that were handed to a mail server before are in
// doubt.
func NewSinkOutbox(s *Store) *Outbox { return &Outbox{store: s, transport: toSink} }

// notGone is a condition on node_id: that the node is still there.
const notGone = `node_id IN (SELECT id FROM nodes)`

// Recover implements deliver.Outbox.
func (o *Outbox) Recover(ctx context.Context) (doubtful int, err error) {
	var left int64
	err = o.store.read(ctx, func(c *Conn) error {
		left, err = c.Int(`SELECT count(*) FROM messages WHERE node_id <> 0 AND NOT ` + notGone)
		return err
	})
	if err != nil || left == 0 {
		return 0, err
	}
	err = o.store.Update(ctx, func(c *Conn) error {
		doubtful, err = o.recover(c)
		return err
	})
	return doubtful, err
}

func (o *Outbox) recover(c *Conn) (doubtful int, err error) {
	type message struct {
		node, id  int64
		transport string
	}
	var left []message
	if err := c.Query(`SELECT node_id, id, transport FROM messages WHERE status = 'sending' AND node_id <> 0 AND NOT `+notGone, nil, func(r Row) error {
		left = append(left, message{r.Int(0), r.Int(1), r.Text(2)})
		return nil
	}); err != nil {
		return 0, err
	}
	for _, m := range left {
		outcome := deliver.Outcome{ID: m.id, Status: deliver.StatusInDoubt}
		if o.transport == toSink && m.transport == toSink {
			if err := askMailbox(c, &outcome); err != nil {
				return 0, err
			}
		}
		if outcome.Status == deliver.StatusInDoubt {
			doubtful++
		}
		if err := finish(c, outcome, []int64{m.node}); err != nil {
			return 0, err
		}
	}
	// One that began to be sent, or whose node fell silent, since then is looked at the next time.
	_, err = c.Exec(`UPDATE messages SET node_id = 0 WHERE node_id <> 0 AND status <> 'sending' AND NOT ` + notGone)
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
	runs := []int64{0}
	err = o.store.read(ctx, func(c *Conn) error {
		if err := c.Query(`SELECT id FROM campaign_runs WHERE status = 'sending' AND queued > 0 ORDER BY id`, nil, func(r Row) error {
			runs = append(runs, r.Int(0))
			return nil
		}); err != nil {
			return err
		}
		next, err = nextMessage(c, runs)
		return err
	})
	if err != nil || next.IsZero() || next.After(now) {
		return nil, next, err
	}
	err = o.store.Update(ctx, func(c *Conn) error {
		jobs = nil
		for _, runID := range runs {
			if err := o.claimFrom(c, runID, now, limit, &jobs); err != nil {
				return err
			}
		}
		return nil
	})
	return jobs, next, err
}

// nextMessage is when the first message of some runs that nobody has in hand is due; zero: there is none.
func nextMessage(c *Conn, runs []int64) (next time.Time, err error) {
	for _, runID := range runs {
		_, err := c.One(`SELECT next_attempt_at FROM messages WHERE run_id = $1 AND status = 'queued' AND node_id = 0 ORDER BY next_attempt_at LIMIT 1`,
			[]any{runID}, func(r Row) error {
				if due := timeOf(r.Int(0)); next.IsZero() || due.Before(next) {
					next = due
				}
				return nil
			})
		if err != nil {
			return next, err
		}
	}
	return next, nil
}

// claimFrom takes due messages of a run in hand, up to limit in all.
func (o *Outbox) claimFrom(c *Conn, runID int64, now time.Time, limit int, jobs *[]deliver.Job) error {
	if len(*jobs) >= limit {
		return nil
	}
	return c.Query(`UPDATE messages SET node_id = $1 WHERE id IN (
			SELECT id FROM messages WHERE run_id = $2 AND status = 'queued' AND node_id = 0 AND next_attempt_at <= $3
			ORDER BY next_attempt_at LIMIT $4`+c.dialect.free+`)
		RETURNING id, profile_id, campaign, email, attempts, first_attempt_at`,
		[]any{o.store.NodeID(), runID, now.UnixMicro(), limit - len(*jobs)},
		func(r Row) error {
			job := deliver.Job{
				ID: r.Int(0), PublicID: o.store.PublicID(MessageKind, r.Int(0)), ProfileID: r.Int(1), Campaign: r.Text(2), RunID: runID, To: r.Text(3),
				Attempts: int(r.Int(4)),
			}
			if !r.Null(5) {
				job.FirstAttemptAt = timeOf(r.Int(5))
			}
			*jobs = append(*jobs, job)
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
		n, err := c.Exec(`UPDATE messages SET status = 'sending', subject = $2, transport = $3
			WHERE id = $1 AND profile_id = $5 AND status = 'queued' AND node_id = $4`, id, subject, o.transport, o.store.NodeID(), profileID)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "message %d is not this node's to send", id)
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
	return o.store.Update(ctx, func(c *Conn) error { return finish(c, outcome, *o.store.lives.Load()) })
}

// counters names the count of a run that a message in a status belongs to.
var counters = map[deliver.Status]string{
	deliver.StatusSent: "sent", deliver.StatusBounced: "bounced", deliver.StatusFailed: "failed",
	deliver.StatusSkipped: "skipped", deliver.StatusInDoubt: "in_doubt",
}

// finish records what became of a message that a node has in hand, by one of the ids that it has had; the last is the one that
// it has. What it hears of a message that was taken to be in doubt meanwhile settles the doubt; of any other it has nothing to say
// any more.
func finish(c *Conn, o deliver.Outcome, lives []int64) error {
	var runID, profileID, holder int64
	var email, before string
	_, err := c.One(`SELECT run_id, email, status, node_id, profile_id FROM messages WHERE id = $1`+c.dialect.forUpdate, []any{o.ID}, func(r Row) error {
		runID, email, before, holder, profileID = r.Int(0), r.Text(1), r.Text(2), r.Int(3), r.Int(4)
		return nil
	})
	if err != nil {
		return err
	}
	switch deliver.Status(before) {
	case deliver.StatusQueued, deliver.StatusSending:
		if !slices.Contains(lives, holder) {
			return nil
		}
	case deliver.StatusInDoubt:
		if o.Status != deliver.StatusSent && o.Status != deliver.StatusBounced {
			return nil
		}
	default:
		return nil
	}
	node := lives[len(lives)-1]
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
	} else {
		node = 0
	}
	if _, err := c.Exec(`UPDATE messages SET status = $2, reason = $3, detail = $4, attempts = attempts + 1, next_attempt_at = $5, sent_at = $6,
			first_attempt_at = coalesce(first_attempt_at, $7), untold_since = $8, node_id = $9 WHERE id = $1 AND profile_id = $10`,
		o.ID, string(o.Status), string(o.Reason), o.Detail, max(o.Next.UnixMicro(), 0), sentAt, attemptedAt, untoldSince, node, profileID); err != nil {
		return err
	}
	if o.Suppress {
		if err := suppress(c, deliver.Suppression{Email: email, Reason: deliver.Bounced, Since: o.At}); err != nil {
			return err
		}
	}
	if o.Status == deliver.StatusSkipped {
		if err := freeAddress(c, runID, email); err != nil {
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
	was := counters[deliver.StatusInDoubt]
	if before != string(deliver.StatusInDoubt) {
		was = "queued"
	}
	if _, err := c.Exec(`UPDATE campaign_runs SET `+was+` = `+was+` - 1, `+counter+` = `+counter+` + 1 WHERE id = $1`, runID); err != nil {
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
			WHERE untold_since IS NOT NULL AND node_id IN (0, $2) ORDER BY id LIMIT $1`, []any{limit, o.store.NodeID()}, func(r Row) error {
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
			if _, err := c.Exec(`UPDATE messages SET untold_since = NULL, node_id = 0 WHERE id = $1`, id); err != nil {
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
