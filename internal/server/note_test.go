package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/report"
)

// busyEngine takes nothing until a moment.
type busyEngine struct {
	mu    sync.Mutex
	free  time.Time
	asked []string // ids of events
	took  []string
}

func (b *busyEngine) Ingest(_ context.Context, events []*event.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range events {
		b.asked = append(b.asked, e.MessageID)
		if time.Now().Before(b.free) {
			return fault.New(fault.Unavailable, "too many events are waiting")
		}
		b.took = append(b.took, e.MessageID)
	}
	return nil
}

// TestClicksWaitForABusyEngine notes clicks while the engine is full for four seconds, and for ever; more than may wait
// are given up at once.
func TestClicksWaitForABusyEngine(t *testing.T) {
	for _, c := range []struct {
		busy               time.Duration
		clicks, asks, took int
	}{{0, 1, 1, 1}, {4 * time.Second, 1, 3, 1}, {time.Hour, 1, 4, 0}, {4 * time.Second, maxNotes + 5, 3*maxNotes + 5, maxNotes}} {
		synctest.Test(t, func(t *testing.T) {
			engine := &busyEngine{free: time.Now().Add(c.busy)}
			s := &server{notes: make(chan struct{}, maxNotes), config: Config{
				Ingest: engine, Now: time.Now, NewID: func() string { return "e" }, Log: slog.New(slog.DiscardHandler),
			}}
			begun := time.Now()
			for range c.clicks {
				s.note(httptest.NewRequest(http.MethodGet, "/c/x", nil), report.Recipient{MessageID: "m", ProfileID: 3}, event.NameEmailClicked, map[string]any{})
			}
			if time.Since(begun) > 0 {
				t.Error("the reader had to wait")
			}
			time.Sleep(time.Minute) //nolint:forbidigo // by the clock of the test's bubble: all have been tried
			synctest.Wait()
			if len(engine.asked) != c.asks || len(engine.took) != c.took || len(s.notes) != 0 {
				t.Errorf("busy for %s: asked %d times, took %d, want %d and %d", c.busy, len(engine.asked), len(engine.took), c.asks, c.took)
			}
		})
	}
}
