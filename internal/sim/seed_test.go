package sim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

var (
	one   = flag.Uint64("seed", 0, "live through this seed only")
	from  = flag.Uint64("from", 1, "the first seed")
	seeds = flag.Uint64("seeds", normal, "how many seeds")
	skip  = flag.String("skip", "", "steps of the story to leave out, such as 3,7")
	twice = flag.Uint64("twice", 0, "how many seeds to live through twice, looking for differences")
)

// TestSeed lives through random histories, each wholly decided by its seed.
func TestSeed(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // many small worlds
	disk := newFirstDisk(t)
	first, n := *from, *seeds
	if *one != 0 {
		first, n = *one, 1
	}
	var mu sync.Mutex
	var sum tally
	var failed []uint64
	lived, began := uint64(0), time.Now()
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed < first+n; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				defer func() {
					if mu.Lock(); t.Failed() {
						failed = append(failed, seed)
					}
					mu.Unlock()
				}()
				w := live(t, seed, disk)
				if n == 1 {
					for _, line := range w.told {
						t.Log(line)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				sum.add(w.tally)
				if lived++; lived%max(n/20, 500) == 0 {
					fmt.Printf("simulated %d of %d histories in %v\n", lived, n, time.Since(began).Round(time.Second))
				}
			})
		}
	})
	t.Logf("%d seeds: %+v", n, sum)
	for i, seed := range failed {
		if n > 1 && i < mostShrunk {
			t.Logf("seed %d in short:\n%s", seed, shrink(seed))
		}
	}
}

func (t *tally) add(u tally) {
	t.crashes += u.crashes
	t.refused += u.refused
	t.fillings += u.fillings
	t.resumed += u.resumed
	t.checks += u.checks
	t.bursts += u.bursts
	t.recrashed += u.recrashed
	t.events += u.events
	t.deeds += u.deeds
	t.undone += u.undone
	t.queries += u.queries
	t.past += u.past
	t.glances += u.glances
}

// firstDisk is a disk on which the program has been started once, so that not every seed makes the tables anew.
type firstDisk struct {
	files map[string][]byte
	key   []byte // which lies outside the database
}

const keyFile = "master.key"

func newFirstDisk(t *testing.T) (f firstDisk) {
	t.Helper()
	dir := t.TempDir()
	disk := faultfs.Mount(dir)
	defer disk.Unmount()
	m := &machine{dir: dir, disk: disk, clock: newClock(), policy: smallPolicy(), upkeep: store.Upkeep(100, 100, sortingPause)}
	start := func() {
		if err := m.boot(nil); err != nil {
			t.Fatal(err)
		}
	}
	start()
	m.stop()
	f.files = disk.Image()
	var err error
	if f.key, err = os.ReadFile(filepath.Join(dir, keyFile)); err != nil {
		t.Fatal(err)
	}
	// The compressor makes its channels at its first page: outside of any bubble, so that all can use them.
	start()
	defer m.stop()
	hello := message{id: "hello", raw: []byte(`{"type":"track","event":"Hello","userId":"u","messageId":"hello"}`)}
	if err := m.ingest([]*event.Event{hello.decode(epoch)}, patience); err != nil {
		t.Fatal(err)
	}
	return f
}

// lay makes disk a copy.
func (f firstDisk) lay(t *testing.T, disk *faultfs.Disk, dir string) {
	t.Helper()
	disk.Put(f.files)
	if err := os.WriteFile(filepath.Join(dir, keyFile), f.key, 0o600); err != nil {
		t.Fatal(err)
	}
}
