//go:build !race

package sim

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// A seed says what happens: lived through again, it asks the same of the disk, in the same order. Where two goroutines are
// ready in one moment the scheduler decides, so a few seeds differ in such places, and no more than a few. (With the race detector
// it decides by lot, so that nothing is to be held then.)
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
				i, same := alike(a, b, asked)
				if same {
					a, b = one.story(), other.story()
					i, same = alike(a, b, func(line string) string { return line })
				}
				if same {
					return
				}
				differ.Add(1)
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

// alike counts the lines from the first on that say the same, and reports whether all do.
func alike(a, b []string, says func(line string) string) (n int, same bool) {
	for n < min(len(a), len(b)) && says(a[n]) == says(b[n]) {
		n++
	}
	return n, n == len(a) && n == len(b)
}

// asked is when the disk was asked and for what, of a line of a trace: whether the story went on before or after, in one
// moment, is the scheduler's choice, too.
func asked(line string) string {
	_, what, _ := strings.Cut(line, ", ")
	return what
}

// story is what was told without what the program logged: who logs first in one moment is the scheduler's choice, and
// changes nothing.
func (w *world) story() []string {
	return slices.DeleteFunc(slices.Clone(w.told), func(line string) bool { return strings.Contains(line, logged) })
}

// around are the lines before and after one.
func around(lines []string, i int) string {
	return strings.Join(lines[max(0, i-3):min(len(lines), i+6)], "\n")
}
