package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Status tells how the loop is doing.
type Status struct {
	Waiting       int     // events that wait for a commit
	Capacity      int     // how many may wait
	PerSecond     float64 // events applied a second, over the last ten seconds
	LastEventAt   time.Time
	NextTimerAt   time.Time // no timer is due before it
	TimersOverdue time.Duration
	Building      []string // keys of the nodes that are being filled: "segment vip", "trait orders"
	Progress      float64  // of the filling, 0 to 1
	Problem       string   // of the last commit; "" when it went well
}

// status is what the loop writes and others read.
type status struct {
	nextDue  atomic.Int64
	mu       sync.Mutex
	seconds  [11]float64 // events applied in each of the last seconds
	second   int64
	last     time.Time
	names    []string
	progress float64
	problem  string
	fillErr  error
	idle     chan struct{} // closed while nothing is being filled
}

func (s *status) applied(n int, start time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.problem = start, ""
	if err != nil {
		s.problem = err.Error()
		return
	}
	s.roll(start.Unix())
	s.seconds[start.Unix()%int64(len(s.seconds))] += float64(n)
}

// failed notes why nothing can be committed.
func (s *status) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problem = err.Error()
}

// roll empties the counters of the seconds that have passed without an event.
func (s *status) roll(now int64) {
	for ; s.second < now; s.second++ {
		if now-s.second > int64(len(s.seconds)) {
			s.second = now - int64(len(s.seconds))
		}
		s.seconds[(s.second+1)%int64(len(s.seconds))] = 0
	}
}

// building notes that something is being filled: the nodes named, if it is not only what deleted ones left that is cleared.
func (s *status) building(names []string, progress float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names, s.progress = names, progress
	if s.idle == nil || s.isIdle() {
		s.idle, s.fillErr = make(chan struct{}), nil
	}
}

// built notes that nothing is being filled.
func (s *status) built() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names, s.progress = nil, 1
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	if !s.isIdle() {
		close(s.idle)
	}
}

func (s *status) isIdle() bool {
	select {
	case <-s.idle:
		return true
	default:
		return false
	}
}

func (s *status) failedBuilding(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fillErr = err
}

// Status is a snapshot.
func (e *Engine) Status() Status {
	s := &e.status
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roll(time.Now().Unix())
	st := Status{
		Waiting: int(e.waiting.Load()), Capacity: maxWaiting, LastEventAt: s.last, Building: s.names, Progress: s.progress, Problem: s.problem,
	}
	for _, n := range s.seconds {
		st.PerSecond += n / float64(len(s.seconds)-1)
	}
	if due := s.nextDue.Load(); due > 1 {
		st.NextTimerAt = time.UnixMicro(due).UTC()
		st.TimersOverdue = max(0, e.Clock().Sub(st.NextTimerAt))
	}
	if s.fillErr != nil {
		st.Problem = s.fillErr.Error()
	}
	return st
}

// WaitFilled returns once every segment and computed trait holds for every profile.
func (e *Engine) WaitFilled(ctx context.Context) error {
	if err := e.do(ctx, func() {}); err != nil { // what begins a filling again has begun then
		return err
	}
	e.status.mu.Lock()
	idle := e.status.idle
	e.status.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-e.done:
		return fault.New(fault.Unavailable, "the server is stopping")
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "segments are still being filled")
	}
}
