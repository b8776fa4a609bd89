package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/demo"
	"github.com/tailorbird/tailorbird/internal/demo/shop"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type demoCommand struct {
	program
	keys
	Seed      uint64  `help:"Which shop: the same seed gives the same customers; 1 without it."`
	Customers int     `help:"How many customers a new shop has; 5000 without it."`
	Days      int     `help:"Days of history of a new shop; 365 without it."`
	Speed     float64 `help:"Seconds that pass in the shop for one of yours; 0 lets about three events happen a second." default:"0"`
	Truth     string  `help:"Write what is true of the customers and no event says, one JSON object a line, into FILE (- for standard output), and end; for a directory that the demo has filled." placeholder:"FILE"`
}

func (*demoCommand) Help() string {
	return `The shop's history is loaded through the public API, once for a data directory; then customers go on living: they visit,
order, and answer the mail that you send. Mail stays in the built-in mailbox. The first start takes about a minute to load;
"The shop is open." says that it is done.

The key to sign in with is made once and kept in demo.key in the data directory.

Examples:

  tailorbird demo --data ./demo --customers 500
  tailorbird demo --data ./demo --truth truth.jsonl`
}

// Run serves, with the shop beside, until ctx ends.
func (c *demoCommand) Run(ctx context.Context, streams Streams) error {
	if c.SMTPURL != "" {
		return badUsage("the demo's customers do not exist: it sends no mail through --smtp-url")
	}
	if c.Truth != "" {
		return c.tellTruth(ctx, streams)
	}
	window, err := shop.New(shop.Config{Seed: max(c.Seed, 1), Customers: 1, Days: 1, Start: time.Unix(0, 0).UTC()})
	if err != nil {
		return usage{err}
	}
	if c.APIKey == "" {
		if c.APIKey, err = demoKey(c.Data); err != nil {
			return err
		}
	}
	config, err := c.config(c.keys, streams)
	if err != nil {
		return err
	}
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
			return c.live(ctx, streams, url, keys, config.Log)
		case <-ctx.Done():
			return nil
		}
	})
	return errors.Join(group.Wait(), server.Close())
}

// live tells where the program is and lets the shop's customers live in it.
func (c *demoCommand) live(ctx context.Context, streams Streams, url string, keys app.Keys, log *slog.Logger) error {
	public := c.PublicURL
	if public == "" {
		public = url
	}
	fmt.Fprintf(streams.Out, "listening on %s\n", url)
	welcome(streams.Out, public, c.APIKey)
	bar := newSpokenProgress(streams.Err, "loading the shop's history")
	return demo.Run(ctx, demo.Config{
		BaseURL: url, PublicURL: public, APIKey: keys.API, WriteKey: keys.Write,
		Seed: c.Seed, Customers: c.Customers, Days: c.Days, Speed: c.Speed, Log: log,
		Progress: func(done, total int) {
			if done < total {
				bar.set(int64(done), int64(total))
				return
			}
			bar.end()
			fmt.Fprintln(streams.Out, "The shop is open.")
		},
	})
}

// tellTruth writes the truth behind the shop in the data directory.
func (c *demoCommand) tellTruth(ctx context.Context, streams Streams) error {
	if _, err := os.Stat(c.Data); err != nil {
		return badUsage("there is no shop in %s yet: run the demo with the same --data first", c.Data)
	}
	d := directory{Data: c.Data, Now: c.Now}
	return d.open(ctx, streams, func(program *app.App, _ *client.Client) error {
		keys, err := program.Keys()
		if err != nil {
			return err
		}
		truth, err := demo.Truth(ctx, demo.Config{
			BaseURL: "http://in-process", APIKey: keys.API, WriteKey: keys.Write, HTTP: client.InProcess(program.Handler()),
		})
		if err != nil {
			return err
		}
		if c.Truth == "-" {
			return writeTruth(ctx, streams.Out, truth)
		}
		file, err := os.Create(c.Truth)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the truth cannot be written")
		}
		err = writeTruth(ctx, file, truth)
		return errors.Join(err, fault.Wrap(fault.Internal, file.Close(), "the truth cannot be written"))
	})
}

func writeTruth(ctx context.Context, w io.Writer, truth iter.Seq[shop.Truth]) error {
	lines := json.NewEncoder(w)
	for customer := range truth {
		if err := errors.Join(ctx.Err(), lines.Encode(customer)); err != nil {
			return fault.Wrap(fault.Internal, err, "the truth cannot be written")
		}
	}
	return nil
}

// demoKey is the key with which people sign in to the demo: made once for a data directory, and kept there.
func demoKey(dir string) (string, error) {
	path := filepath.Join(dir, "demo.key")
	content, err := os.ReadFile(path)
	if key := strings.TrimSpace(string(content)); err == nil && key != "" {
		return key, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fault.Wrap(fault.Invalid, err, "the demo's key cannot be read")
	}
	key := strings.ToLower("demo-" + rand.Text())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the data directory cannot be made")
	}
	return key, fault.Wrap(fault.Invalid, os.WriteFile(path, []byte(key+"\n"), 0o600), "the demo's key cannot be kept")
}

func welcome(w io.Writer, url, key string) {
	fmt.Fprintf(w, `
  Tailorbird with a simulated shop. Nothing leaves this machine.

    open       %[1]s
    sign in    %[2]s

  The first start loads a year of history: about a minute, until this says that the shop is open.

  What to look at first
    Customers    search for one; their page says what they did, and which segments they are in since when
    Segments     change a condition and see the number of customers move
    Campaigns    send "picks-for-you", then watch the mailbox and the report: the customers answer
    The shop     %[1]s/demo/shop

  Stop with Ctrl-C. The data stay where they are, and the next start takes seconds.

`, url, key)
}
