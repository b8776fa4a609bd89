package app

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// ready reports whether requests are served. After a commit that failed, it is so again once the store takes another
// one: whoever asks may keep events away until then.
func (a *App) ready(ctx context.Context) error {
	select {
	case <-a.drained:
		return fault.New(fault.Unavailable, "the server is stopping")
	default:
	}
	status := a.engine.Status()
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
