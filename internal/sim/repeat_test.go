package sim

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
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
type trace struct{ lines []string }

// watch has the trace note every change from now on.
func (tr *trace) watch(w *world) {
	w.disk.Watch(func(op faultfs.Operation) {
		tr.lines = append(tr.lines, fmt.Sprintf("step %d, %s: %+v", w.step, time.Now().Format("05.000000000"), op))
	})
}

// A seed says everything that happens: lived through again, it asks the same of the disk, in the same order.
func TestASeedHappensAgain(t *testing.T) {
	disk := newFirstDisk(t)
	first, n := *from, min(*seeds, 20)
	if *twice > 0 {
		n = *twice
	}
	for seed := first; seed < first+n; seed++ {
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
			i := 0
			for i < min(len(a), len(b)) && a[i] == b[i] {
				i++
			}
			t.Errorf("seed %d differs in its %d. line:\n%s\n--\n%s", seed, i, around(a, i), around(b, i))
		})
	}
}

// around are the lines before and after one.
func around(lines []string, i int) string {
	return strings.Join(lines[max(0, i-3):min(len(lines), i+6)], "\n")
}
