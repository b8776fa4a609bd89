package app

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store"
)

// database opens the store: SQLite in the data directory, or PostgreSQL, which other nodes may use as well.
func (a *App) database(ctx context.Context) (err error) {
	options := []store.Option{store.Named(nodeName()), store.OnPostgres(a.config.DatabaseURL), store.Logged(a.config.Log)}
	if a.config.MasterKey != nil {
		options = append(options, store.WithMasterKey(a.config.MasterKey))
	}
	if a.store, err = store.Open(ctx, a.config.DataDir, options...); err != nil {
		return err
	}
	if problem := a.store.Stats().Problem; problem != "" {
		a.log.Warn(problem)
	}
	return nil
}

// nodeName is what people know this process by.
func nodeName() string {
	host, _ := os.Hostname()
	return fmt.Sprint(cmp.Or(host, "localhost"), ":", os.Getpid())
}

// reload follows what is defined, perhaps by way of another node, and compiles it for the engine.
func (a *App) reload(ctx context.Context) (*engine.Rules, error) {
	defined, err := a.registry.All(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := compileRules(defined)
	if err != nil {
		return nil, err
	}
	if a.sources != nil {
		err = a.followSources(defined)
	}
	return rules, cmp.Or(err, a.noticeQueries(defined))
}

const (
	definingClaim = "changing definitions"
	definingWait  = 5 * time.Second // for another node that does
	definingPause = 20 * time.Millisecond
)

// aloneDefining keeps other nodes from changing definitions until it is done.
func (a *App) aloneDefining(ctx context.Context) (done func(), err error) {
	if a.store.Shared() == nil {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, definingWait)
	defer cancel()
	for {
		mine, err := a.store.Claim(ctx, definingClaim)
		if err != nil {
			return nil, err
		}
		if mine {
			return a.doneDefining, nil
		}
		select {
		case <-ctx.Done():
			return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "another node is changing definitions; try again")
		case <-time.After(definingPause):
		}
	}
}

// doneDefining lets other nodes change definitions. Where that fails, they wait until this node can.
func (a *App) doneDefining() {
	if err := a.store.Release(context.Background(), definingClaim); err != nil {
		a.log.Error("that definitions are not being changed any more could not be noted", "error", err)
	}
}

// followNodes learns, again and again until ctx ends, what other nodes have changed that is not the engine's: who they are,
// and the keys.
func (a *App) followNodes(ctx context.Context) error {
	tick := time.NewTicker(nodesFollowed)
	defer tick.Stop()
	for {
		if nodes, err := a.store.Nodes(ctx); err == nil {
			nodes = slices.DeleteFunc(nodes, func(n store.Node) bool { return !n.Serves })
			a.nodes.Store(int64(len(nodes)))
		}
		if a.store.Shared() != nil {
			if err := a.guard.Refresh(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("the keys cannot be read again; those that are known hold", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

const nodesFollowed = 2 * time.Second
