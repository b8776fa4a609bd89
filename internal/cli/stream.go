package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/tailorbird/tailorbird/internal/app"
)

type streamCommand struct {
	Retire streamRetire `cmd:"" help:"Apply what waits in a stream, and have the database forget it."`
}

type streamRetire struct {
	directory
	Stream  string `name:"stream-url" help:"The stream that is retired, as the servers had it." env:"TAILORBIRD_STREAM_URL" placeholder:"URL"`
	Abandon bool   `help:"Have the database forget every stream, and give up what was not applied: where Kafka is gone for good, and for copies of a database that are to live without it."`
}

func (*streamRetire) Help() string {
	return `A database knows which stream feeds it, and no server starts on it without that: events that were acknowledged may wait
there. To go on without a stream, or with another, stop all servers and retire it: what waits is applied first.

Examples:

  tailorbird stream retire --database-url postgres://… --stream-url kafka://old.internal:9092/tailorbird-events
  tailorbird stream retire --database-url postgres://…/copy --abandon`
}

// Validate wants the stream, or that it is given up.
func (c *streamRetire) Validate() error {
	if c.Stream == "" && !c.Abandon {
		return errors.New("give --stream-url as the servers had it, or --abandon")
	}
	return c.database.Validate()
}

// Run retires.
func (c *streamRetire) Run(ctx context.Context, streams Streams) error {
	config, err := c.config(streams)
	if err != nil {
		return err
	}
	config.StreamURL = c.Stream
	if c.Abandon {
		topics, err := app.AbandonStreams(ctx, config)
		for _, topic := range topics {
			fmt.Fprintf(streams.Out, "abandoned %s\n", topic)
		}
		return err
	}
	most := int64(-1)
	err = app.RetireStream(ctx, config, func(waiting int64) {
		if most < 0 {
			most = waiting
			fmt.Fprintf(streams.Err, "%d events wait\n", waiting)
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(streams.Out, "everything is applied, and the stream is retired")
	return nil
}
