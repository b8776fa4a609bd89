package stream

import (
	"log/slog"
	"sync"
	"time"
)

// trouble is what is in the way of the stream, if anything is. The log is told when it begins and when it is over.
type trouble struct {
	log          *slog.Logger
	now          func() time.Time
	begins, ends string // what the log is told

	mu      sync.Mutex
	problem string
	since   time.Time
}

// is notes what is in the way; "": nothing.
func (t *trouble) is(problem string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch now := t.now(); {
	case problem != "" && t.problem == "":
		t.since = now
		t.log.Warn(t.begins, "error", problem)
	case problem == "" && t.problem != "":
		t.log.Info(t.ends, "after", now.Sub(t.since).Round(time.Millisecond))
	}
	t.problem = problem
}

// what is in the way; "": nothing.
func (t *trouble) what() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.problem
}
