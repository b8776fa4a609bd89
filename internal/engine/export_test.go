package engine

import (
	"context"
	"runtime"

	"github.com/tailorbird/tailorbird/internal/event"
)

// IngestBehind takes events for which the scout has read before others, one after the other, are applied, written and forgotten.
func (e *Engine) IngestBehind(ctx context.Context, events []*event.Event, before ...[]*event.Event) error {
	took := make(chan error, 1)
	failed := e.do(ctx, func() {
		e.forget(ctx)
		e.memory.lend(func() {
			go func() { took <- e.ingest(ctx, events, nil) }()
			for len(e.scouted) == 0 {
				runtime.Gosched()
			}
		})
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

// forget has everything written and leave memory.
func (e *Engine) forget(ctx context.Context) {
	e.settle(ctx)
	clear(e.profiles)
	clear(e.owners)
}
