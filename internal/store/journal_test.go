package store

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

// A commit whose sync failed may be read from the system's memory, though the disk does not have it. What is acknowledged after a
// restart does not stand behind it: when the power fails, it is there.
func TestWhatFollowsASyncThatFailedIsDurable(t *testing.T) {
	if raced {
		t.Skip("a power failure takes ten times as long with the race detector, and nothing here runs beside anything: make test-postgres has it without")
	}
	ctx := context.Background()
	for name, changes := range map[string]func() *engine.Changes{
		"in the journal": func() *engine.Changes { return nil },
		"in the tables":  engine.NewChanges,
	} {
		t.Run(name, func(t *testing.T) {
			refused, late := 0, 0
			for at := 1; at <= 12; at++ {
				for _, fail := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 1000} {
					dir := t.TempDir()
					disk := faultfs.Mount(dir)
					s, _ := openByHand(t, dir)
					var want []string
					log := func(id string) {
						when := time.Unix(1e9, 0).UTC()
						e := &event.Event{MessageID: id, Type: event.Track, Name: "A", UserID: "u", Timestamp: when, ReceivedAt: when, Payload: []byte(`{}`)}
						commit, err := s.Prepare(&engine.Batch{Now: 1, Events: []engine.Applied{{ProfileID: 1, Event: e}}, Changes: changes()})
						if err == nil {
							err = commit.Run(ctx)
						}
						if err == nil {
							want = append(want, id)
						}
					}
					log("first")
					disk.Plan(faultfs.Plan{FailAt: at, FailFor: fail})
					if log("doubtful"); len(want) == 1 {
						refused++
					}
					_ = s.Close() // which may fail as well
					if fail == 1000 {
						disk.Plan(faultfs.Plan{})
					}
					for s = nil; s == nil; s, _, _ = tryByHand(dir) {
						late++
					}
					log("last")
					disk.Crash()
					_ = s.Close()
					disk.Restart(faultfs.Lost, nil)
					s, _ = openByHand(t, dir)
					known, err := s.Known(ctx, want)
					if err != nil || slices.Contains(known, false) {
						t.Errorf("changes %d to %d fail: of %v are there %v, %v", at, at+fail-1, want, known, err)
					}
					_ = s.Close()
					disk.Unmount()
				}
			}
			if starts := 12 * 13; refused < 20 || late < starts+20 {
				t.Errorf("%d commits failed, and it took %d starts for %d: too few to tell", refused, late, starts)
			}
		})
	}
}
