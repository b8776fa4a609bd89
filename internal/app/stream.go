package app

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/server"
	sources "github.com/tailorbird/tailorbird/internal/source"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/stream"
)

// openStream makes what writes events to Kafka and, once Serve runs, reads them; nothing where none is configured.
func (a *App) openStream() error {
	if a.config.StreamURL == "" {
		return nil
	}
	config, err := stream.ParseURL(a.config.StreamURL)
	if err != nil {
		return err
	}
	if a.producer, err = stream.OpenProducer(config, a.now, a.log); err != nil {
		return err
	}
	a.consumer = &stream.Consumer{Config: config, Ingest: fromStream{a.engine, a.store}, Quarantine: a.store, Now: a.now, Log: a.log}
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
