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
	ctx := context.Background()
	failed := 0
	for at := 1; at <= 6; at++ {
		dir := t.TempDir()
		disk := faultfs.Mount(dir)
		s, _ := openByHand(t, dir)
		log := func(id string) error {
			when := time.Unix(1e9, 0).UTC()
			e := &event.Event{MessageID: id, Type: event.Track, Name: "A", UserID: "u", Timestamp: when, ReceivedAt: when, Payload: []byte(`{}`)}
			commit, err := s.Prepare(&engine.Batch{Now: 1, Events: []engine.Applied{{ProfileID: 1, Event: e}}})
			if err == nil {
				err = commit.Run(ctx)
			}
			return err
		}
		want := []string{"first", "last"}
		if err := log("first"); err != nil {
			t.Fatal(err)
		}
		disk.Plan(faultfs.Plan{FailAt: at, FailFor: 1000})
		if log("doubtful") == nil {
			want = append(want, "doubtful")
		} else {
			failed++
		}
		_ = s.Close() // which fails as well
		disk.Plan(faultfs.Plan{})
		s, _ = openByHand(t, dir)
		if err := log("last"); err != nil {
			t.Fatal(err)
		}
		disk.Crash()
		_ = s.Close()
		disk.Restart(faultfs.Lost, nil)
		s, _ = openByHand(t, dir)
		known, err := s.Known(ctx, want)
		if err != nil || slices.Contains(known, false) {
			t.Errorf("changes fail from %d: of %v are there %v, %v", at, want, known, err)
		}
		_ = s.Close()
		disk.Unmount()
	}
	if failed < 3 {
		t.Errorf("%d commits failed: too few to tell", failed)
	}
}
