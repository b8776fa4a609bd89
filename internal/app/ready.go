package app

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// ready reports whether events of tracking requests would be made durable. With a stream, Kafka does that, whatever becomes of the
// database. Without one, the store must answer and the engine have room; after a commit that failed, it is ready again once the
// store takes another one: whoever asks may keep events away until then.
func (a *App) ready(ctx context.Context) error {
	select {
	case <-a.drained:
		return fault.New(fault.Unavailable, "the server is stopping")
	default:
	}
	if a.producer != nil {
		return a.producer.Ready()
	}
	status := a.engine.Status()
	if status.Waiting >= status.Capacity {
		return fault.New(fault.Unavailable, "the queue of events is full")
	}
	if err := a.store.Answers(ctx); err != nil {
		return err
	}
	last := status.LastEventAt.UnixNano()
	if status.Problem == "" || a.healed.Load() == last {
		return nil
	}
	if err := a.store.Probe(ctx); err != nil {
		return fault.Wrap(fault.Unavailable, err, "events cannot be made durable; see to the disk of the data directory")
	}
	a.healed.Store(last) // until another one fails
	return nil
}
