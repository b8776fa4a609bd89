package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/client"
)

// directory is the data of a server that does not run.
type directory struct {
	Data string `help:"${data_directory}" env:"TAILORBIRD_DATA" default:"./tailorbird-data" placeholder:"DIR"`
	Now  moment `help:"With the data directory: what time it is (RFC 3339); for staging and replay only." env:"TAILORBIRD_NOW" placeholder:"TIME"`

	database
	Networks []string `name:"allow-network" hidden:"" env:"TAILORBIRD_ALLOW_NETWORK"`
}

// config is that of a program that works on the directory for a command.
func (d directory) config(streams Streams) (app.Config, error) {
	master, err := d.masterKey()
	return app.Config{
		DataDir: d.Data, DatabaseURL: d.Database, MasterKey: master, Now: d.Now.Time, Version: version, AllowNetwork: d.Networks,
		Log: slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}, err
}

// open opens the program on the directory, gives do a client that speaks straight to its handler, and closes the program
// again.
func (d directory) open(ctx context.Context, streams Streams, do func(*app.App, *client.Client) error) (err error) {
	config, err := d.config(streams)
	if err != nil {
		return err
	}
	program, err := app.Open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	keys, err := program.Keys()
	if err != nil {
		return err
	}
	api, err := client.New(client.Config{
		URL: "http://in-process", APIKey: keys.API, WriteKey: keys.Write, HTTP: client.InProcess(program.Handler()),
	})
	if err != nil {
		return err
	}
	return do(program, api)
}

// openExisting is open on a directory that is there: a mistyped one is no reason to begin a new one.
func (d directory) openExisting(ctx context.Context, streams Streams, do func(*app.App, *client.Client) error) error {
	if _, err := os.Stat(d.Data); err != nil && d.Database == "" {
		return badUsage("there is no data in %s: give --data DIR, or --server URL of a running server", d.Data)
	}
	return d.open(ctx, streams, do)
}

// connection is how a command reaches the data (a server that runs, or the data directory when none does) and how it shows
// them. Commands about data embed it.
type connection struct {
	Server string `help:"Address of a running server; without one, or with --data, the command works on the data directory." env:"TAILORBIRD_SERVER" placeholder:"URL"`
	APIKey string `name:"api-key" help:"Key of the management API, with --server." env:"TAILORBIRD_API_KEY" placeholder:"KEY"`
	directory
	JSON bool `name:"json" help:"Print JSON: an object, or a list of objects."`

	streams Streams
}

// AfterApply takes the streams of Run, and decides between the server and the directory.
func (c *connection) AfterApply(parsed *kong.Context, streams Streams) error {
	c.streams = streams
	return preferFlags(parsed, &c.Server)
}

// preferFlags drops the server that a variable or the config file names where the command line names a data directory or a
// database. Both on the command line contradict each other.
func preferFlags(parsed *kong.Context, server *string) error {
	for _, place := range []string{"data", "database-url"} {
		switch {
		case given(parsed, place) && given(parsed, "server"):
			return fmt.Errorf("give --%s or --server, not both", place)
		case given(parsed, place):
			*server = ""
		}
	}
	return nil
}

// given says whether a flag stands on the command line; its value may otherwise come from a variable or the config file.
func given(parsed *kong.Context, flag string) bool {
	return slices.ContainsFunc(parsed.Path, func(p *kong.Path) bool {
		return p.Flag != nil && p.Flag.Name == flag && !p.Resolved
	})
}

// serverPatience is how long somebody at a terminal waits for a server that is unavailable: as long as one takes that starts anew.
const serverPatience = 15 * time.Second

// with gives do a client.
func (c *connection) with(ctx context.Context, do func(*client.Client) error) error {
	if c.Server == "" {
		return c.openExisting(ctx, c.streams, func(_ *app.App, api *client.Client) error { return do(api) })
	}
	if c.APIKey == "" {
		return badUsage("--server needs --api-key or TAILORBIRD_API_KEY")
	}
	api, err := client.New(client.Config{URL: c.Server, APIKey: c.APIKey, Patience: serverPatience, Waiting: func(refused error) {
		fmt.Fprintf(c.streams.Err, "waiting for %s, which answers: %v\n", c.Server, refused)
	}})
	if err != nil {
		return usage{err}
	}
	return do(api)
}

// list shows the objects of a list, at most limit of them (0 for all).
func (c *connection) list(ctx context.Context, path string, query url.Values, limit int, columns []column) error {
	return c.with(ctx, func(api *client.Client) error {
		return c.printList(api.List(ctx, path, query, limit), columns)
	})
}

func (c *connection) printList(objects iter.Seq2[json.RawMessage, error], columns []column) error {
	if c.JSON {
		return writeJSONList(c.streams.Out, objects)
	}
	return writeTable(c.streams.Out, objects, columns)
}

// show makes one call and shows the object that it answers.
func (c *connection) show(ctx context.Context, method, path string, body any) error {
	return c.with(ctx, func(api *client.Client) error {
		var object json.RawMessage
		if err := api.Call(ctx, method, path, body, &object); err != nil {
			return err
		}
		return c.print(object)
	})
}

func (c *connection) print(object json.RawMessage) error {
	if c.JSON {
		return writeJSON(c.streams.Out, object)
	}
	return writeYAML(c.streams.Out, object)
}

// remove deletes what stands at path, and says so.
func (c *connection) remove(ctx context.Context, path, what string) error {
	return c.with(ctx, func(api *client.Client) error {
		if err := api.Call(ctx, http.MethodDelete, path, nil, nil); err != nil {
			return err
		}
		fmt.Fprintf(c.streams.Err, "deleted %s\n", what)
		return nil
	})
}

// under is the path of an object of the management API, or of what is below it.
func under(collection, name string, below ...string) string {
	path := "/api/v1/" + collection + "/" + url.PathEscape(name)
	for _, b := range below {
		path += "/" + b
	}
	return path
}
