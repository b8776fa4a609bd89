package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

// TestEventsOfATopicAreAppliedOnceFromWhereItWasRead has many readers who all believe that a partition is theirs.
func TestEventsOfATopicAreAppliedOnceFromWhereItWasRead(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"buyers": `events("Order").count() >= 3`}, nil))
	defer f.close()
	ctx := context.Background()
	for from := range int64(5) {
		at := engine.Position{Topic: "events/1", Partition: 3, From: from * 10, Next: from*10 + 10}
		var wg sync.WaitGroup
		var applied, fenced int
		var mu sync.Mutex
		for reader := range 8 {
			body := track(fmt.Sprint("u", from), "Order", nil)
			body["messageId"] = fmt.Sprint("of reader ", reader, " from ", from)
			batch := []*event.Event{f.decode(epoch, body)}
			wg.Go(func() {
				err := f.IngestAt(ctx, batch, []engine.Position{at})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					applied++
				case errors.As(err, new(*engine.Fenced)):
					fenced++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if applied != 1 || fenced != 7 {
			t.Errorf("from %d: applied %d times, refused %d times", at.From, applied, fenced)
		}
	}
	// A batch whose events are known, or that has none, moves the position all the same.
	if err := f.IngestAt(ctx, nil, []engine.Position{{Topic: "events/1", Partition: 3, From: 50, Next: 60}}); err != nil {
		t.Error(err)
	}
	f.verify()
	positions, err := f.store.Positions(ctx, "events/1")
	n, counted := f.store.EventCount(ctx)
	if err != nil || counted != nil || positions[3] != 60 || len(positions) != 1 || n != 5 {
		t.Errorf("%v, %d events (%v, %v)", positions, n, err, counted)
	}
}
