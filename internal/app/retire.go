package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	sources "github.com/tailorbird/tailorbird/internal/source"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/stream"
)

const (
	drainLook     = 100 * time.Millisecond // between looks at how much waits
	drainPatience = 30 * time.Second       // with Kafka and the database
)

// RetireStream has everything applied that waits in the stream of a configuration, and the database forget that the stream feeds it.
// progress, which may be nil, is told how many events wait. NotFound: the stream does not feed the database. Conflict: a server works
// on it. Unavailable: Kafka, or its topic, is away, and nothing was forgotten.
func RetireStream(ctx context.Context, config Config, progress func(waiting int64)) error {
	read, err := stream.ParseURL(config.StreamURL)
	if err != nil {
		return err
	}
	return alone(ctx, config, func(a *App) error {
		fed, err := feedingOf(ctx, a.store, read.Topic)
		if err != nil {
			return err
		}
		if !fed.noted {
			return fault.New(fault.NotFound, "no stream %s feeds the database; those that do: %s", read.Topic, strings.Join(fed.others, ", "))
		}
		read.Admit = fed.admit
		if err := a.drain(ctx, read, progress); err != nil {
			return err
		}
		return a.store.RetireStream(ctx, read.Topic)
	})
}

// AbandonStreams has the database forget which streams feed it, with everything in them that was not applied, and names them. Conflict:
// a server works on it.
func AbandonStreams(ctx context.Context, config Config) (topics []string, err error) {
	err = alone(ctx, config, func(a *App) error {
		clusters, err := a.store.Streams(ctx)
		topics = slices.Sorted(maps.Keys(clusters))
		for _, topic := range topics {
			err = errors.Join(err, a.store.RetireStream(ctx, topic))
		}
		return err
	})
	return topics, err
}

// alone opens the program without a stream for as long as do works, where no server does.
func alone(ctx context.Context, config Config, do func(*App) error) (err error) {
	config.StreamURL, config.Ready = "", nil
	a, err := Open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	nodes, err := a.store.Nodes(ctx)
	if err != nil {
		return err
	}
	if at := slices.IndexFunc(nodes, func(n store.Node) bool { return n.Serves }); at >= 0 {
		return fault.New(fault.Conflict, "the node %s works on the database; stop all nodes first (one that was killed is missed after ten seconds)", nodes[at].Name)
	}
	return do(a)
}

// drain has the events of a stream applied until none waits.
func (a *App) drain(ctx context.Context, config stream.Config, progress func(waiting int64)) (err error) {
	ctx, stop := context.WithCancel(ctx)
	reader, done := a.reader(config), make(chan error, 1)
	reader.Every = drainLook
	go func() { done <- reader.Run(ctx) }()
	defer func() {
		stop()
		err = errors.Join(err, <-done)
	}()
	look := time.NewTicker(drainLook)
	defer look.Stop()
	for well := a.now(); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
		status := reader.Status()
		waiting, known := status.Lag()
		if known && progress != nil {
			progress(waiting)
		}
		switch {
		case known && waiting == 0:
			return nil
		case status.State == sources.Running:
			well = a.now()
		case a.now().Sub(well) > drainPatience:
			return fault.New(fault.Unavailable, "what waits in the stream %s cannot be applied: %s; where it is gone for good, --abandon gives it up",
				config.Topic, status.Problem)
		}
	}
}
