package sim

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

// TestMain has keys and secrets come out alike in every world: a seed says those, too.
func TestMain(m *testing.M) {
	rand.Reader = same{}
	m.Run()
}

// same is no chance at all.
type same struct{}

func (same) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

// trace is all that the disk was asked for, in order, with what was told in between: what must be the same whenever a
// seed is lived through.
type trace struct {
	step  atomic.Int64 // of the story
	lines []string
}

// watch has the trace note every change from now on.
func (tr *trace) watch(w *world) {
	w.disk.Watch(func(op faultfs.Operation) {
		tr.lines = append(tr.lines, fmt.Sprintf("step %d, %s: %+v", tr.step.Load(), time.Now().Format("05.000000000"), op))
	})
}

// A seed says what happens: lived through again, it asks the same of the disk, in the same order. Where two goroutines are
// ready in one moment the scheduler decides, so a few seeds differ in such places, and no more than a few.
func TestASeedHappensAgain(t *testing.T) {
	var n uint64 = min(normal, 40)
	if *twice > 0 {
		n = *twice
	}
	disk := newFirstDisk(t)
	var differ atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for seed := *from; seed < *from+n; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				one, other := live(t, seed, disk), live(t, seed, disk)
				a, b := one.trace.lines, other.trace.lines
				if slices.Equal(a, b) {
					a, b = one.told, other.told
				}
				if slices.Equal(a, b) {
					return
				}
				differ.Add(1)
				i := 0
				for i < min(len(a), len(b)) && a[i] == b[i] {
					i++
				}
				t.Logf("seed %d differs in its %d. line:\n%s\n--\n%s", seed, i, around(a, i), around(b, i))
			})
		}
	})
	if d := uint64(differ.Load()); d*3 > n {
		t.Errorf("%d of %d seeds differ", d, n)
	} else {
		t.Logf("%d of %d seeds differ", d, n)
	}
}

// around are the lines before and after one.
func around(lines []string, i int) string {
	return strings.Join(lines[max(0, i-3):min(len(lines), i+6)], "\n")
}
