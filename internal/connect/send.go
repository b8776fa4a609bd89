package connect

import (
	"context"
	"encoding/json"
	"sync"

	"golang.org/x/sync/errgroup"
)

// origin is where an event comes from, for the case that it is refused.
type origin struct {
	span
	text string // of its row
	key  string // of its rows, where they were gathered
}

// sender groups events into batches and keeps several batches in flight. add, mark and close belong to one goroutine.
type sender struct {
	to       Importer
	config   *ImportConfig
	refused  func(origin, string) error                          // an event that the importer refused; one call at a time
	accepted func(events int, through position, batch int) error // after each batch; one call at a time

	group   *errgroup.Group
	ctx     context.Context
	current batch
	next    int // number of the current batch

	mu      sync.Mutex
	done    map[int]position // batches that are done although an earlier one is not
	waiting int              // the first batch that is not done
	through position         // all rows before it are done
}

type batch struct {
	events  []json.RawMessage
	origins []origin
	size    int
	end     position
}

func newSender(ctx context.Context, to Importer, config *ImportConfig, start position) (*sender, context.Context) {
	s := &sender{to: to, config: config, done: map[int]position{}, through: start}
	s.group, ctx = errgroup.WithContext(ctx)
	s.ctx = ctx
	s.group.SetLimit(config.InFlight)
	s.current.end = start
	return s, ctx
}

// add queues one event, and waits while too many batches are in flight.
func (s *sender) add(event json.RawMessage, from origin) error {
	if len(s.current.events) > 0 && (s.current.size+len(event) > s.config.BatchBytes || len(s.current.events) >= s.config.BatchEvents) {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.current.events = append(s.current.events, event)
	s.current.origins = append(s.current.origins, from)
	s.current.size += len(event) + 1
	return nil
}

// mark says that all rows before a position were added.
func (s *sender) mark(through position) { s.current.end = through }

func (s *sender) flush() error {
	if err := s.ctx.Err(); err != nil {
		return context.Cause(s.ctx)
	}
	full, number := s.current, s.next
	s.current, s.next = batch{end: full.end}, s.next+1
	s.group.Go(func() error {
		var rejections []Rejection
		if len(full.events) > 0 {
			var err error
			if rejections, err = s.to.Import(s.ctx, full.events); err != nil {
				return err
			}
		}
		return s.settle(full, number, rejections)
	})
	return nil
}

// settle records that a batch was taken.
func (s *sender) settle(b batch, number int, rejections []Rejection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rejections {
		if err := s.refused(b.origins[r.Index], r.Reason); err != nil {
			return err
		}
	}
	s.done[number] = b.end
	for {
		end, ok := s.done[s.waiting]
		if !ok {
			break
		}
		delete(s.done, s.waiting)
		s.through = end
		s.waiting++
	}
	return s.accepted(len(b.events)-len(rejections), s.through, number)
}

// close sends what is left and waits for all batches. After an error it only waits.
func (s *sender) close(failed bool) error {
	var err error
	if !failed {
		err = s.flush()
	}
	if sendErr := s.group.Wait(); sendErr != nil {
		return sendErr // the cause of any other
	}
	return err
}
