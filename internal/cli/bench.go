package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type benchCommand struct {
	Ingest   benchIngest          `cmd:"" help:"Events a second through HTTP, durable, with a hundred segments and twenty computed traits active."`
	Segments benchSegmentsCommand `cmd:"" help:"How long a new segment takes to be filled from history while events go on."`
	Timers   benchTimers          `cmd:"" help:"How late the closing of a window is seen, with many windows waiting."`
	Profiles benchProfiles        `cmd:"" help:"How long reading a profile by an identifier takes, at a steady rate."`
}

// benchBase is what all measurements share: a server in this process, on a fresh data directory, behind the loopback
// network.
type benchBase struct {
	Dir        string `help:"Where the data go; a new directory, removed afterwards, below it." placeholder:"DIR"`
	Seed       uint64 `help:"Which events." default:"1"`
	JSON       bool   `name:"json" help:"Print JSON."`
	Database   string `name:"database-url" help:"PostgreSQL to keep the data in instead, where they stay: use one that is for trying." placeholder:"URL"`
	CPUProfile string `name:"cpuprofile" help:"Write a CPU profile of the measured part (go tool pprof)." placeholder:"FILE"`
	MemProfile string `name:"memprofile" help:"Write what is in memory at the end of it." placeholder:"FILE"`
}

// run gives measure a server, and removes its data again.
func (b *benchBase) run(ctx context.Context, streams Streams, measure func(ctx context.Context, server *client.Client, dir string) error) error {
	dir, err := os.MkdirTemp(b.Dir, "tailorbird-bench-")
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "no directory for the data can be made")
	}
	defer os.RemoveAll(dir)
	return serving(ctx, dir, b.Database, streams, func(ctx context.Context, server *client.Client) error { return measure(ctx, server, dir) })
}

// told is a result that a person can read.
type told interface{ tell(w io.Writer) }

func (b *benchBase) print(streams Streams, result told) error {
	if !b.JSON {
		result.tell(streams.Out)
		return nil
	}
	object, err := json.Marshal(result)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the result cannot be written")
	}
	return writeJSON(streams.Out, object)
}

// profiled runs the part that counts.
func (b *benchBase) profiled(fn func() error) error {
	if b.CPUProfile != "" {
		f, err := os.Create(b.CPUProfile)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the profile cannot be written")
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fault.Wrap(fault.Internal, err, "the profile cannot be made")
		}
		defer pprof.StopCPUProfile()
	}
	if err := fn(); err != nil || b.MemProfile == "" {
		return err
	}
	f, err := os.Create(b.MemProfile)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the profile cannot be written")
	}
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}

// serving runs a server on a fresh data directory while do uses it through the loopback network.
func serving(ctx context.Context, dir, database string, streams Streams, do func(context.Context, *client.Client) error) error {
	ready := make(chan string, 1)
	program, err := app.Open(ctx, app.Config{
		DataDir: dir, DatabaseURL: database, Listen: "127.0.0.1:0", Ready: func(url string) { ready <- url }, Version: version,
		Log: slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	keys, err := program.Keys()
	if err != nil {
		return errors.Join(err, program.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return program.Serve(ctx) })
	group.Go(func() error {
		defer stop()
		select {
		case url := <-ready:
			server, disconnect, err := dial(url, keys.API, keys.Write)
			if err != nil {
				return err
			}
			defer disconnect()
			return do(ctx, server)
		case <-ctx.Done():
			return nil
		}
	})
	return errors.Join(group.Wait(), program.Close())
}

// dial makes a client that keeps as many connections as there are requests at a time.
func dial(url, apiKey, writeKey string) (server *client.Client, disconnect func(), err error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}
	server, err = client.New(client.Config{
		URL: url, APIKey: apiKey, WriteKey: writeKey, HTTP: &http.Client{Transport: transport, Timeout: time.Minute},
	})
	return server, transport.CloseIdleConnections, err
}

func sizeOf(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a file that has just gone has no size
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}
