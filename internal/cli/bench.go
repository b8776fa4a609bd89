package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type benchCommand struct {
	Ingest benchIngest `cmd:"" help:"Events a second through HTTP, durable, with ten segments and five computed traits active."`
}

type benchIngest struct {
	Events      int    `help:"How many events to send." default:"300000"`
	Customers   int    `help:"How many customers they come from." default:"20000"`
	Batch       int    `help:"Events of one request." default:"100"`
	Connections int    `help:"Requests under way at a time." default:"16"`
	Dir         string `help:"Where the data go; a new directory, removed afterwards, below it." placeholder:"DIR"`
	Seed        uint64 `help:"Which events." default:"1"`
	JSON        bool   `name:"json" help:"Print JSON."`
}

func (*benchIngest) Help() string {
	return `The server runs in this process, on a fresh data directory, and is reached through the loopback network; the load
generator takes its share of the processors.

Example:

  tailorbird bench ingest --events 1000000 --connections 32`
}

// ingestResult is what was measured.
type ingestResult struct {
	Machine         machine `json:"machine"`
	Events          int     `json:"events"`
	Customers       int     `json:"customers"`
	Batch           int     `json:"batch"`
	Connections     int     `json:"connections"`
	Segments        int     `json:"segments"`
	Traits          int     `json:"traits"`
	Seconds         float64 `json:"seconds"`
	EventsPerSecond float64 `json:"events_per_second"`
	P50             float64 `json:"p50_ms"` // of a request, from sending to the answer
	P99             float64 `json:"p99_ms"`
	Max             float64 `json:"max_ms"`
	BytesPerEvent   float64 `json:"data_bytes_per_event"`
}

// Run measures, and removes the data again.
func (c *benchIngest) Run(ctx context.Context, streams Streams) (err error) {
	if c.Events < 1 || c.Events > 50_000_000 || c.Customers < 1 || c.Customers > 10_000_000 ||
		c.Batch < 1 || c.Batch > 500 || c.Connections < 1 || c.Connections > 1000 {
		return badUsage("give 1 to 50,000,000 --events of 1 to 10,000,000 --customers, 1 to 500 a --batch, on 1 to 1,000 --connections")
	}
	dir, err := os.MkdirTemp(c.Dir, "tailorbird-bench-")
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "no directory for the data can be made")
	}
	defer os.RemoveAll(dir)
	var result ingestResult
	if err := serving(ctx, dir, streams, func(ctx context.Context, server *client.Client) error {
		result, err = c.measure(ctx, streams, server)
		return err
	}); err != nil {
		return err
	}
	result.BytesPerEvent = float64(sizeOf(dir)) / float64(c.Events)
	if c.JSON {
		object, err := json.Marshal(result)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "the result cannot be written")
		}
		return writeJSON(streams.Out, object)
	}
	result.tell(streams.Out)
	return nil
}

// serving runs a server on a fresh data directory while do uses it through the loopback network.
func serving(ctx context.Context, dir string, streams Streams, do func(context.Context, *client.Client) error) error {
	ready := make(chan string, 1)
	program, err := app.Open(ctx, app.Config{
		DataDir: dir, Listen: "127.0.0.1:0", Ready: func(url string) { ready <- url }, Version: version,
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
			transport := &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}
			defer transport.CloseIdleConnections()
			server, err := client.New(client.Config{
				URL: url, APIKey: keys.API, WriteKey: keys.Write, HTTP: &http.Client{Transport: transport, Timeout: time.Minute},
			})
			if err != nil {
				return err
			}
			return do(ctx, server)
		case <-ctx.Done():
			return nil
		}
	})
	return errors.Join(group.Wait(), program.Close())
}

func (c *benchIngest) measure(ctx context.Context, streams Streams, server *client.Client) (ingestResult, error) {
	result := ingestResult{
		Machine: thisMachine(), Events: c.Events, Customers: c.Customers, Batch: c.Batch, Connections: c.Connections,
		Segments: len(benchSegments), Traits: len(benchTraits),
	}
	if err := defineForBench(ctx, server); err != nil {
		return result, err
	}
	var sent atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	bar := newProgress(streams.Err, "events", int64(c.Events))
	group, running := errgroup.WithContext(ctx)
	began := time.Now()
	for worker := range c.Connections {
		group.Go(func() error {
			load := newLoad(c.Seed, worker, c.Customers)
			var mine []time.Duration
			defer func() {
				mu.Lock()
				took = append(took, mine...)
				mu.Unlock()
			}()
			for {
				size := min(c.Batch, c.Events-int(sent.Add(int64(c.Batch)))+c.Batch)
				if size <= 0 {
					return nil
				}
				batch := load.batch(size)
				start := time.Now()
				if err := server.Track(running, batch); err != nil {
					return err
				}
				mine = append(mine, time.Since(start))
				bar.set(sent.Load(), int64(c.Events))
			}
		})
	}
	err := group.Wait()
	elapsed := time.Since(began)
	bar.end()
	if err != nil {
		return result, err
	}
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	result.Seconds, result.EventsPerSecond = elapsed.Seconds(), float64(c.Events)/elapsed.Seconds()
	result.P50, result.P99, result.Max = at(0.5), at(0.99), at(1)
	return result, c.check(ctx, server)
}

// check holds what the server counts against what was sent.
func (c *benchIngest) check(ctx context.Context, server *client.Client) error {
	var overview struct{ Events int }
	if err := server.Get(ctx, "/api/v1/overview", &overview); err != nil {
		return err
	}
	if overview.Events != c.Events {
		return fault.New(fault.Internal, "%d events were acknowledged, and the server counts %d", c.Events, overview.Events)
	}
	return nil
}

func (r *ingestResult) tell(w io.Writer) {
	fmt.Fprintf(w, "%s\n", r.Machine)
	fmt.Fprintf(w, "%d events of %d customers, %d a request, %d connections, %d segments, %d computed traits\n",
		r.Events, r.Customers, r.Batch, r.Connections, r.Segments, r.Traits)
	fmt.Fprintf(w, "%.0f events/s, durable and applied, for %.1f s\n", r.EventsPerSecond, r.Seconds)
	fmt.Fprintf(w, "a request takes %.1f ms (p50), %.1f ms (p99), %.1f ms (longest)\n", r.P50, r.P99, r.Max)
	fmt.Fprintf(w, "%.0f bytes on disk an event\n", r.BytesPerEvent)
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
