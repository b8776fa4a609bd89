package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/demo"
	"github.com/tailorbird/tailorbird/internal/demo/shop"
)

type demoCommand struct {
	program
	keys
	Seed      uint64  `help:"Which shop: the same seed gives the same customers." default:"1"`
	Customers int     `help:"How many customers the shop has." default:"5000"`
	Days      int     `help:"Days of history." default:"365"`
	Speed     float64 `help:"Seconds that pass in the shop for one of yours; 0 lets about three events happen a second." default:"0"`
}

func (*demoCommand) Help() string {
	return `The shop's history is loaded through the public API, once for a data directory; then customers go on living: they visit,
order, and answer the mail that you send. Mail stays in the built-in mailbox.

Example:

  tailorbird demo --data ./demo --customers 500`
}

// Run serves, with the shop beside, until ctx ends.
func (c *demoCommand) Run(ctx context.Context, streams Streams) error {
	if c.SMTPURL != "" {
		return badUsage("the demo's customers do not exist: it sends no mail through --smtp-url")
	}
	window, err := shop.New(shop.Config{Seed: c.Seed, Customers: 1, Days: 1, Start: time.Unix(0, 0).UTC()})
	if err != nil {
		return usage{err}
	}
	config := c.config(c.keys, streams)
	if c.LogLevel == "info" {
		config.Log = (&program{LogLevel: "warn", LogFormat: c.LogFormat}).log(streams.Err)
	}
	config.Demo = demo.Handler(window)
	ready := make(chan string, 1)
	config.Ready = func(url string) { ready <- url }
	server, err := app.Open(ctx, config)
	if err != nil {
		return err
	}
	keys, err := server.Keys()
	if err != nil {
		return errors.Join(err, server.Close())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Serve(ctx) })
	group.Go(func() error {
		select {
		case url := <-ready:
			return c.live(ctx, streams, url, keys)
		case <-ctx.Done():
			return nil
		}
	})
	return errors.Join(group.Wait(), server.Close())
}

// live tells where the program is and lets the shop's customers live in it.
func (c *demoCommand) live(ctx context.Context, streams Streams, url string, keys app.Keys) error {
	public := c.PublicURL
	if public == "" {
		public = url
	}
	fmt.Fprintf(streams.Out, "listening on %s\n", url)
	welcome(streams.Out, public, keys)
	bar := newProgress(streams.Err, "a year in the shop", int64(c.Days))
	return demo.Run(ctx, demo.Config{
		BaseURL: url, PublicURL: public, APIKey: keys.API, WriteKey: keys.Write,
		Seed: c.Seed, Customers: c.Customers, Days: c.Days, Speed: c.Speed,
		Progress: func(done, total int) {
			bar.set(int64(done), int64(total))
			if done == total {
				bar.end()
				fmt.Fprintln(streams.Out, "The shop is open.")
			}
		},
	})
}

func welcome(w io.Writer, url string, keys app.Keys) {
	fmt.Fprintf(w, `
  Tailorbird with a simulated shop. Nothing leaves this machine.

    open       %[1]s
    sign in    %[2]s

  What to look at first
    Customers    search for one; their page says what they did, and which segments they are in since when
    Segments     change a condition and see the number of customers move
    Campaigns    send "picks-for-you", then watch the mailbox and the report: the customers answer
    The shop     %[1]s/demo/shop

  Stop with Ctrl-C. The data stay where they are, and the next start takes seconds.

`, url, keys.API)
}
