package campaign

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/deliver"
)

// memoryLedger is a Ledger whose contract is plain to see. A crash may strike before or after any step took effect.
type memoryLedger struct {
	members    []Member
	suppressed map[string]bool
	run        *Run
	messages   []Recipient
	crash      func() bool
}

var errCrash = errors.New("crash")

func (l *memoryLedger) step(act func()) error {
	if l.crash() {
		return errCrash
	}
	act()
	if l.crash() {
		return errCrash
	}
	return nil
}

func (l *memoryLedger) Members(_ context.Context, segment string, after int64, limit int) (list []Member, err error) {
	if segment != "all" {
		return nil, fmt.Errorf("segment %s", segment)
	}
	return list, l.step(func() {
		for _, m := range l.members {
			if m.ProfileID > after && len(list) < limit {
				list = append(list, m)
			}
		}
	})
}

func (l *memoryLedger) Start(_ context.Context, run Run) (Run, bool, error) {
	created := false
	err := l.step(func() {
		if l.run == nil {
			run.ID, created, l.run = 1, true, &run
		}
	})
	if err != nil {
		return Run{}, false, err
	}
	return *l.run, created, nil
}

func (l *memoryLedger) Run(context.Context, string) (Run, bool, error) {
	return *l.run, l.run != nil, nil
}

func (l *memoryLedger) Unfinished(context.Context) (list []Run, err error) {
	return list, l.step(func() {
		if l.run != nil && l.run.Status == Sending && !l.run.Enqueued {
			list = []Run{*l.run}
		}
	})
}

func (l *memoryLedger) Enqueue(_ context.Context, _, from, next int64, recipients []Recipient, last bool, now time.Time) error {
	return l.step(func() {
		if l.run.Status != Sending || l.run.Cursor != from {
			return
		}
		for _, r := range recipients {
			for _, m := range l.messages {
				if r.Skip == "" && m.Skip == "" && m.Email == r.Email {
					r.Skip = deliver.DuplicateAddress
				}
			}
			if r.Skip == "" && l.suppressed[r.Email] {
				r.Skip = deliver.Suppressed
			}
			l.messages = append(l.messages, r)
		}
		l.run.Cursor, l.run.Enqueued = next, last
	})
}

func (l *memoryLedger) move(from, to Status) (Run, bool, error) {
	err := l.step(func() {
		if l.run != nil && l.run.Status == from {
			l.run.Status = to
		}
	})
	if err != nil || l.run == nil {
		return Run{}, false, err
	}
	return *l.run, true, nil
}

func (l *memoryLedger) Pause(context.Context, string) (Run, bool, error) {
	return l.move(Sending, Paused)
}

func (l *memoryLedger) Resume(context.Context, string) (Run, bool, error) {
	return l.move(Paused, Sending)
}

// TestEveryMemberIsDealtWithOnce crashes a run at random steps, pauses it, asks for it again, and compares the messages
// with a direct computation over the members.
func TestEveryMemberIsDealtWithOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ledger := &memoryLedger{suppressed: map[string]bool{"s0@x.example": true}}
		id := int64(0)
		for range rapid.IntRange(0, 30).Draw(t, "members") {
			id += rapid.Int64Range(1, 3).Draw(t, "gap")
			ledger.members = append(ledger.members, Member{
				ProfileID: id, Subscribed: rapid.IntRange(0, 4).Draw(t, "subscribed") > 0,
				Email: rapid.SampledFrom([]string{"", "broken", "S0@x.example", "a@x.example", "A@X.example ", fmt.Sprintf("p%d@x.example", id)}).Draw(t, "email"),
			})
		}
		ledger.crash = func() bool { return rapid.IntRange(0, 9).Draw(t, "crash") == 0 }
		process := func() *Broadcaster {
			return &Broadcaster{
				Audience: ledger, Ledger: ledger, Wake: func() {}, Chunk: rapid.IntRange(1, 7).Draw(t, "chunk"),
				Now: func() time.Time { return time.Unix(0, 0) }, Log: slog.New(slog.DiscardHandler),
			}
		}
		ctx, definition := context.Background(), Definition{Segment: "all"}
		for ledger.run == nil || !ledger.run.Enqueued {
			b := process()
			for range 3 {
				switch rapid.IntRange(0, 3).Draw(t, "act") {
				case 0:
					_, _ = b.Pause(ctx, "c")
				case 1:
					_, _ = b.Resume(ctx, "c")
				default:
					if _, err := b.Send(ctx, "c", definition, 1, 1); err == nil {
						_ = b.Advance(ctx)
					}
				}
			}
		}
		var want []Recipient
		taken := map[string]bool{}
		for _, m := range ledger.members {
			email, err := deliver.NormalizeEmail(m.Email)
			r := Recipient{ProfileID: m.ProfileID, Email: email}
			switch {
			case err != nil:
				r.Skip = deliver.NoAddress
			case !m.Subscribed:
				r.Skip = deliver.Unsubscribed
			case taken[email]:
				r.Skip = deliver.DuplicateAddress
			case ledger.suppressed[email]:
				r.Skip = deliver.Suppressed
			default:
				taken[email] = true
			}
			want = append(want, r)
		}
		if fmt.Sprint(ledger.messages) != fmt.Sprint(want) {
			t.Fatalf("got  %v\nwant %v", ledger.messages, want)
		}
	})
}

func TestPauseOfAnUnsentCampaignIsAConflict(t *testing.T) {
	ledger := &memoryLedger{crash: func() bool { return false }}
	b := &Broadcaster{Ledger: ledger, Audience: ledger, Wake: func() {}}
	if _, err := b.Pause(t.Context(), "c"); err == nil {
		t.Error("paused")
	}
	if _, err := b.Resume(t.Context(), "c"); err == nil {
		t.Error("resumed")
	}
}
