package sim

import (
	"crypto/rand"
	"fmt"
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
