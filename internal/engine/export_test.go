package engine

import (
	"cmp"
	"context"
	"runtime"

	"github.com/tailorbird/tailorbird/internal/event"
)

// IngestBehind takes events for which the scout has read before others, one after the other, are applied, written and forgotten.
func (e *Engine) IngestBehind(ctx context.Context, events []*event.Event, before ...[]*event.Event) error {
	took := make(chan error, 1)
	failed := e.do(ctx, func() {
		e.forget(ctx)
		e.readFor(ctx, events, took)
		for _, others := range before {
			r := &request{events: others, done: make(chan struct{})}
			for _, ev := range others {
				r.ids = append(r.ids, e.Policy.Of(ev))
			}
			e.waiting.Add(int64(len(others)))
			e.apply(ctx, []*request{r})
			e.forget(ctx)
		}
	})
	if failed != nil {
		return failed
	}
	return <-took
}

// IngestBehindFilling takes an event for which the scout has read before profiles were added to by the filling of rules, and what
// was added was written and forgotten, or not.
func (e *Engine) IngestBehindFilling(ctx context.Context, ev *event.Event, rules *Rules, profiles int, written bool) error {
	took := make(chan error, 1)
	var err error
	failed := e.do(ctx, func() {
		if err = e.setRules(ctx, rules); err != nil {
			return
		}
		e.readFor(ctx, []*event.Event{ev}, took)
		for len(e.unsaved.changes.Added) < profiles {
			var op func(context.Context)
			e.memory.lend(func() { op = <-e.ops })
			op(ctx)
		}
		if written {
			e.forget(ctx)
		}
	})
	if err := cmp.Or(failed, err); err != nil {
		return err
	}
	return <-took
}

// readFor has the scout read for events, whose end is told.
func (e *Engine) readFor(ctx context.Context, events []*event.Event, took chan<- error) {
	e.memory.lend(func() {
		go func() { took <- e.ingest(ctx, events, nil) }()
		for len(e.scouted) == 0 {
			runtime.Gosched()
		}
	})
}

// Frozen counts what an engine with nothing to do keeps of what it wrote last.
func (e *Engine) Frozen(ctx context.Context) (n int, err error) {
	err = e.do(ctx, func() {
		e.tend(ctx, true)
		n = len(e.frozen.dirty) + len(e.frozen.added) + len(e.frozen.owners)
	})
	return n, err
}

// forget has everything written and leave memory.
func (e *Engine) forget(ctx context.Context) {
	e.settle(ctx)
	clear(e.profiles)
	clear(e.owners)
}
