package campaign

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
)

// Status is where a campaign stands.
type Status string

// The statuses: draft → sending ⇄ paused, sending → sent.
const (
	Draft   Status = "draft"
	Sending Status = "sending"
	Paused  Status = "paused"
	Sent    Status = "sent"
)

// Run is the one sending of a campaign.
type Run struct {
	ID         int64
	Campaign   string
	Version    int        // of the definition that is sent; later changes do not touch the run
	Definition Definition // of that version
	Template   int        // version of the template that is sent
	Status     Status
	Cursor     int64 // the last profile of the audience that was dealt with
	Enqueued   bool  // the whole audience was
	Progress   Progress
	StartedAt  time.Time
	FinishedAt time.Time // zero while it is not Sent
}

// ReachedNobody reports whether the run found nobody to send to: its campaign may be sent as if it never had been.
func (r Run) ReachedNobody() bool { return r.Status == Sent && r.Progress.Recipients == 0 }

// Progress counts the run's messages by status.
type Progress struct {
	Recipients int64 // all of them, skipped ones included
	Queued     int64 // to be sent, or being sent
	Sent       int64
	Bounced    int64
	Failed     int64
	Skipped    int64
	InDoubt    int64
}

// Finished reports whether a run with this progress has nothing left to do.
func (p Progress) Finished(enqueued bool) bool { return enqueued && p.Queued == 0 }

// Member is one of a segment, as the audience knows it now.
type Member struct {
	ProfileID  int64
	Email      string
	Subscribed bool
}

// Audience lists the members of segments.
type Audience interface {
	// Members gives up to limit members with ids greater than after, in ascending order of id; fewer than limit only at
	// the end.
	Members(ctx context.Context, segment string, after int64, limit int) ([]Member, error)
}

// Recipient is a member with the decision about it.
type Recipient struct {
	ProfileID int64
	Email     string         // normalised; empty with NoAddress
	Skip      deliver.Reason // empty: a message is queued
}

// Decide tells who of the members gets a message, by what is known of them alone. The ledger adds what it takes all
// messages to know: suppressed and duplicate addresses.
func Decide(members []Member) []Recipient {
	recipients := make([]Recipient, len(members))
	for i, m := range members {
		r := Recipient{ProfileID: m.ProfileID}
		email, err := deliver.NormalizeEmail(m.Email)
		switch {
		case err != nil:
			r.Skip = deliver.NoAddress
		case !m.Subscribed:
			r.Email, r.Skip = email, deliver.Unsubscribed
		default:
			r.Email = email
		}
		recipients[i] = r
	}
	return recipients
}

// Ledger keeps runs and their messages. What a method did is durable when it returns nil, and not done at all when it
// returns an error, save that a crash may hide which.
type Ledger interface {
	// Start makes the run of a campaign, with status Sending, or returns the one there is and false. It takes the place of
	// one that reached nobody.
	Start(ctx context.Context, run Run) (Run, bool, error)
	// Unfinished lists the runs in Sending whose audience is not wholly enqueued, and whose enqueueing is this process's:
	// that of a run which nobody carries on, or whose process is gone, becomes so.
	Unfinished(ctx context.Context) ([]Run, error)
	// Enqueue adds messages for the recipients after the run's cursor, in one step with moving the cursor to next and, at
	// the end of the audience, noting that. It does nothing if the run is not Sending or its cursor is not at from. A
	// recipient whose address is suppressed is skipped as such, one whose address has a message in the run already as
	// DuplicateAddress; a profile that has a message is left out. A run with nothing to do left becomes Sent.
	Enqueue(ctx context.Context, runID, from, next int64, recipients []Recipient, last bool, now time.Time) error
	// Pause and Resume change between Sending and Paused, and do nothing from any other status.
	Pause(ctx context.Context, campaign string) (Run, bool, error)
	Resume(ctx context.Context, campaign string) (Run, bool, error)
}
