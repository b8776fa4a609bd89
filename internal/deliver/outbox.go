package deliver

import (
	"context"
	"time"
)

// Status is where a message stands.
type Status string

// The statuses. A message is queued → sending → sent, bounced or failed; deferred, it is queued again. Found in sending
// when its process is gone, it is in doubt: the server may or may not have it. Then we send at most once: a message in
// doubt is never sent again by itself, only when an operator queues it by hand. The built-in sink can be asked, so that
// with it nothing is ever in doubt.
const (
	StatusQueued  Status = "queued"
	StatusSending Status = "sending"
	StatusSent    Status = "sent"
	StatusBounced Status = "bounced" // refused by the server
	StatusFailed  Status = "failed"  // given up
	StatusSkipped Status = "skipped" // not to be sent
	StatusInDoubt Status = "in_doubt"
)

// Job is a message to be sent.
type Job struct {
	ID             int64
	PublicID       string // opaque; becomes the Message-ID
	ProfileID      int64
	Campaign       string
	RunID          int64 // the campaign's run; 0 for a test message
	To             string
	Attempts       int       // made before
	FirstAttemptAt time.Time // zero before it
}

// Outcome is what became of a job.
type Outcome struct {
	ID       int64
	Status   Status // any but StatusSending
	Reason   Reason
	Detail   string // what the server said, or what failed
	At       time.Time
	Next     time.Time // of StatusQueued: when to try again
	Suppress bool      // the address exists no more
}

// Outbox is the durable queue of messages. All methods but Claim have taken effect durably when they return nil.
type Outbox interface {
	// Recover settles every message that a process which is gone left in sending, and returns how many of them are now
	// StatusInDoubt; what it had claimed can be claimed again. It is called before all else, and from time to time.
	Recover(ctx context.Context) (doubtful int, err error)
	// Claim gives up to limit jobs that are due at now, or when the next one will be due, zero for none. A claimed job is
	// not given again, to whomever, before Finish or the end of this process, nor are messages of a paused campaign given.
	Claim(ctx context.Context, now time.Time, limit int) (jobs []Job, next time.Time, err error)
	// MarkSending records that the server is about to get the message, unless its address is suppressed at this very
	// moment: then it records nothing and gives the reason.
	MarkSending(ctx context.Context, id int64, subject string) (Reason, error)
	// Finish records the outcome and, where asked, suppresses the address, in one step. It does nothing for a message that
	// is not claimed by this process any more, save that one in doubt is when its outcome is known after all.
	Finish(ctx context.Context, outcome Outcome) error
}

// Settled is a message of a campaign that was sent or bounced, as far as the outbox knows it.
type Settled struct {
	Job     Job
	Outcome Outcome
}

// News is what an outbox has to tell the customers whom its messages went to.
type News interface {
	// Untold gives up to limit messages that have become StatusSent or StatusBounced and were not noted as told, in the
	// order of their ids.
	Untold(ctx context.Context, limit int) ([]Settled, error)
	// Told notes durably that the outcomes of messages were told.
	Told(ctx context.Context, ids []int64) error
}

// Retry says when a deferred message is tried again.
type Retry struct {
	First  time.Duration // after the first attempt; doubles with each
	Most   time.Duration // between attempts
	GiveUp time.Duration // after the first attempt: a message may have waited long before it, in a paused campaign
}

// DefaultRetry follows RFC 5321, 4.5.4.1, shortened to what marketing mail is worth: it gives up after a day.
var DefaultRetry = Retry{First: time.Minute, Most: 2 * time.Hour, GiveUp: 24 * time.Hour}

// Next is the time of the next attempt, false when there is none. attempts counts the ones made.
func (r Retry) Next(first, now time.Time, attempts int) (time.Time, bool) {
	wait := r.First
	for i := 1; i < attempts && wait < r.Most; i++ {
		wait *= 2
	}
	next := now.Add(min(wait, r.Most))
	return next, !next.After(first.Add(r.GiveUp))
}

// outcome turns what the server did into what is recorded.
func (r Retry) outcome(job Job, result Result, now time.Time) Outcome {
	o := Outcome{ID: job.ID, At: now, Detail: result.Text}
	switch result.Verdict {
	case Accepted:
		o.Status = StatusSent
	case Refused:
		o.Status, o.Reason = StatusBounced, Rejected
		if result.BadInbox {
			o.Reason, o.Suppress = Bounced, true
		}
	case InDoubt:
		o.Status = StatusInDoubt
	default:
		o.Status = StatusQueued
		first := job.FirstAttemptAt
		if first.IsZero() {
			first = now
		}
		next, again := r.Next(first, now, job.Attempts+1)
		if !again {
			o.Status, o.Reason = StatusFailed, Expired
			break
		}
		o.Next = next
	}
	return o
}
