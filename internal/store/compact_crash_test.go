package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

// openByHand opens a log on a disk that fails, which sorts and merges only when it is told to.
func openByHand(t *testing.T, dir string) (*Store, *blockLog) {
	t.Helper()
	s, l, err := tryByHand(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

// tryByHand is openByHand where that may fail.
func tryByHand(dir string) (*Store, *blockLog, error) {
	s, err := Open(context.Background(), dir, OnVFS(faultfs.Name), Upkeep(1<<30, 100, 0))
	if err != nil {
		return nil, nil, err
	}
	l := s.log.(*blockLog)
	close(l.stop)
	<-l.done
	l.stop = make(chan struct{}) // to be closed with the store
	return s, l, nil
}

// mergeSorting merges the runs of full levels, and sorts the tail meanwhile.
func mergeSorting(l *blockLog) error {
	l.wake <- struct{}{}
	return l.mergeLevels(context.Background())
}

// A merge of runs in which the tail is sorted, and which the power ends anywhere, loses no record and leaves none twice; what
// was begun is done again.
func TestAMergeThatSortsTheTailMayCrash(t *testing.T) {
	if raced {
		t.Skip("a power failure takes ten times as long with the race detector, and nothing here runs beside anything: make test-postgres has it without")
	}
	ctx, dir := context.Background(), t.TempDir()
	disk := faultfs.Mount(dir)
	defer disk.Unmount()
	s, l := openByHand(t, dir)
	random := rand.New(rand.NewPCG(3, 4))
	all := map[string]engine.Applied{}
	commit := func(round int) {
		for _, a := range commitEvents(t, s, random, fmt.Sprint("r", round), 30) {
			all[a.Event.MessageID] = a
		}
	}
	for round := range eventFanOut {
		commit(round)
		if err := l.sortTail(ctx); err != nil {
			t.Fatal(err)
		}
	}
	commit(eventFanOut) // in the tail
	_ = s.Close()
	image, before := disk.Image(), 2*eventFanOut
	inside, crashes := 0, 0
	for at, whole := 1, false; !whole; at++ {
		disk.Restart(faultfs.Kept, nil)
		disk.Put(image)
		s, l = openByHand(t, dir)
		disk.Plan(faultfs.Plan{CrashAt: at})
		err := mergeSorting(l)
		if whole = err == nil && !disk.Down(); !whole {
			crashes++
			if len(l.runs) > before && len(l.tail) == 0 {
				inside++ // the tail had been sorted, and the runs were not merged
			}
		}
		disk.Crash()
		_ = s.Close()
		disk.Restart(faultfs.Torn, rand.New(rand.NewPCG(uint64(at), 5)))
		s, l = openByHand(t, dir)
		expectLog(t, s, fmt.Sprintf("the power fails before change %d", at), all)
		if err := mergeSorting(l); err != nil {
			t.Fatal(err)
		}
		expectLog(t, s, fmt.Sprintf("merged again after change %d", at), all)
		if len(l.tail) > 0 || len(l.runs) >= before {
			t.Fatalf("%d blocks are in the tail, and %d runs are left", len(l.tail), len(l.runs))
		}
		_ = s.Close()
	}
	if t.Logf("the power failed %d times, %d of them between the sort and the merge", crashes, inside); inside < 3 {
		t.Error("too few to tell")
	}
}

// expectLog compares the log with the events that were committed: each once, and known.
func expectLog(t *testing.T, s *Store, when string, all map[string]engine.Applied) {
	t.Helper()
	ctx := context.Background()
	h := s.History()
	defer h.Close()
	found := map[string]int{}
	err := h.Range(ctx, 0, 1000, nil, func(id int64, e *event.Event) error {
		if found[e.MessageID]++; all[e.MessageID].ProfileID != id || !all[e.MessageID].Event.Timestamp.Equal(e.Timestamp) {
			t.Errorf("%s: %s is profile %d's at %v", when, e.MessageID, id, e.Timestamp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{"never seen"}
	for id := range all {
		if ids = append(ids, id); found[id] != 1 {
			t.Fatalf("%s: %s is there %d times", when, id, found[id])
		}
	}
	known, err := s.Known(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, is := range known {
		if is != (i > 0) {
			t.Fatalf("%s: %s is known: %v", when, ids[i], is)
		}
	}
	if n, err := s.EventCount(ctx); err != nil || n != int64(len(all)) || len(found) != len(all) {
		t.Fatalf("%s: %d events are counted, %d found of %d, %v", when, n, len(found), len(all), err)
	}
	err = s.View(ctx, func(c *Conn) error {
		stray, err := c.Int(`SELECT count(*) FROM run_pages WHERE run_id NOT IN (SELECT id FROM runs)`)
		if stray > 0 {
			t.Errorf("%s: %d pages of no run", when, stray)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
