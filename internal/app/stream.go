package app

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/server"
	sources "github.com/tailorbird/tailorbird/internal/source"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/stream"
)

// openStream makes what writes events to Kafka and, once Serve runs, reads them; nothing where none is configured. A program that
// is to serve must have the stream that feeds the database: Conflict.
func (a *App) openStream(ctx context.Context) error {
	var config stream.Config
	if a.config.StreamURL != "" {
		var err error
		if config, err = stream.ParseURL(a.config.StreamURL); err != nil {
			return err
		}
	}
	fed, err := feedingOf(ctx, a.store, config.Topic)
	if err != nil {
		return err
	}
	if len(fed.others) > 0 && a.config.Ready != nil {
		return fault.New(fault.Conflict, "the database is fed by the stream %s, which may have events that were acknowledged and not applied: "+
			"start with the --stream-url of it, or stop all nodes and retire it with `tailorbird stream retire` and that --stream-url", fed.others[0])
	}
	if config.Topic == "" {
		return nil
	}
	config.Admit = fed.admit
	if a.producer, err = stream.OpenProducer(config, a.now, a.log); err != nil {
		return err
	}
	a.consumer = a.reader(config)
	return nil
}

// reader has the events of a stream applied.
func (a *App) reader(config stream.Config) *stream.Consumer {
	return &stream.Consumer{Config: config, Ingest: fromStream{a.engine, a.store}, Quarantine: a.store, Now: a.now, Log: a.log}
}

// feeding is which streams feed the database.
type feeding struct {
	store  *store.Store
	topic  string   // of the stream in hand
	noted  bool     // it feeds the database already
	others []string // topics of those that are noted beside it, in order

	mu      sync.Mutex
	cluster string // in which the topic is; "" before that is noted
}

func feedingOf(ctx context.Context, s *store.Store, topic string) (*feeding, error) {
	clusters, err := s.Streams(ctx)
	if err != nil {
		return nil, err
	}
	cluster, noted := clusters[topic]
	f := &feeding{store: s, topic: topic, noted: noted, cluster: cluster}
	delete(clusters, topic)
	f.others = slices.Sorted(maps.Keys(clusters))
	return f, nil
}

// admit notes the cluster of the stream, the first time, before anything is written there, and refuses every other with Conflict.
// A topic that was deleted there and made anew is the same stream.
func (f *feeding) admit(ctx context.Context, cluster string) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cluster == "" {
		if f.cluster, err = f.store.AdoptStream(ctx, f.topic, cluster); err != nil {
			return err
		}
	}
	if f.cluster != cluster {
		return fault.New(fault.Conflict, "--stream-url names the Kafka cluster %s, but the database is fed by the topic %s of the cluster %s, which may have events "+
			"that were acknowledged and not applied: start with its address, or stop all nodes and retire it with `tailorbird stream retire`", cluster, f.topic, f.cluster)
	}
	return nil
}

// door is where the tracking API leaves events.
func (a *App) door() server.Ingester {
	if a.producer != nil {
		return a.producer
	}
	return a.engine
}

// readStream has the events of the stream applied until ctx ends.
func (a *App) readStream(ctx context.Context) error {
	if a.consumer == nil {
		return nil
	}
	return a.consumer.Run(ctx)
}

// streamStatus tells how the stream is doing; nil where there is none.
func (a *App) streamStatus() *sources.Status {
	if a.consumer == nil {
		return nil
	}
	status := a.consumer.Status()
	return &status
}

// fromStream is the engine as the consumer sees it. It implements stream.Ingester.
type fromStream struct {
	engine *engine.Engine
	store  *store.Store
}

func (f fromStream) IngestAt(ctx context.Context, events []*event.Event, positions []stream.Position) error {
	at := make([]engine.Position, len(positions))
	for i, p := range positions {
		at[i] = engine.Position(p)
	}
	return f.engine.IngestAt(ctx, events, at)
}

func (f fromStream) Positions(ctx context.Context, topic string) (map[int32]int64, error) {
	return f.store.Positions(ctx, topic)
}
