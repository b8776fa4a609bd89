package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// ledger is the outbox's news, kept as the database keeps it.
type ledger struct {
	mu     sync.Mutex
	untold []deliver.Settled
}

func (l *ledger) Untold(_ context.Context, limit int) ([]deliver.Settled, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.untold[:min(limit, len(l.untold))]), nil
}

func (l *ledger) Told(_ context.Context, ids []int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.untold = slices.DeleteFunc(l.untold, func(s deliver.Settled) bool { return slices.Contains(ids, s.Job.ID) })
	return nil
}

func (l *ledger) add(from, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := from; id < from+n; id++ {
		s := deliver.Settled{
			Job:     deliver.Job{ID: int64(id), PublicID: fmt.Sprint("m", id), ProfileID: int64(id), Campaign: "spring"},
			Outcome: deliver.Outcome{ID: int64(id), Status: deliver.StatusSent, At: time.Unix(int64(id), 0)},
		}
		if id%10 == 0 {
			s.Outcome.Status, s.Outcome.Detail = deliver.StatusBounced, "550 nobody"
		}
		l.untold = append(l.untold, s)
	}
}

// TestOutcomesOutliveAFullEngine tells what an earlier process left, through an engine that is full for minutes, and
// what is settled meanwhile; and leaves for the next process what the engine does not take at the end.
func TestOutcomesOutliveAFullEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		news := &ledger{}
		news.add(1, 1200) // left by an earlier process
		told := map[string]int{}
		var full atomic.Bool
		full.Store(true)
		ingest := func(_ context.Context, events []*event.Event) error {
			if full.Load() {
				return fault.New(fault.Unavailable, "too many events are waiting")
			}
			for _, e := range events {
				told[e.MessageID]++
			}
			return nil
		}
		f := newFeedback(ingest, news, slog.New(slog.DiscardHandler))
		done := make(chan struct{})
		go func() { defer close(done); f.run(t.Context()) }()
		time.Sleep(5 * time.Minute) //nolint:forbidigo // by the clock of the test's bubble
		news.add(2000, 3)
		f.settled()
		synctest.Wait()
		if len(told) != 0 || len(news.untold) != 1203 {
			t.Fatalf("%d told, %d untold, while the engine is full", len(told), len(news.untold))
		}
		full.Store(false)
		time.Sleep(2 * time.Minute) //nolint:forbidigo // by the clock of the test's bubble
		synctest.Wait()
		if len(told) != 1203 || len(news.untold) != 0 || told["Email Delivered m7"] != 1 || told["Email Bounced m10"] != 1 {
			t.Errorf("%d told, %d untold", len(told), len(news.untold))
		}
		news.add(3000, 1)
		f.settled()
		synctest.Wait()
		if told["Email Bounced m3000"] != 1 {
			t.Error("news were not told at once")
		}
		full.Store(true)
		news.add(4000, 1)
		close(f.outcomes)
		<-done
		if len(news.untold) != 1 {
			t.Errorf("%d left for the next start", len(news.untold))
		}
	})
}
