package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/client"
)

type benchSegmentsCommand struct {
	benchBase
	Events   int `help:"How many events of history there are." default:"1000000"`
	Profiles int `help:"How many customers." default:"200000"`
	Active   int `help:"How many of them do something, by a power law." default:"40000"`
	Rate     int `help:"Events a second that arrive meanwhile; 0 for none." default:"10000"`
}

func (*benchSegmentsCommand) Help() string {
	return `A new segment over a window is filled from history while events go on.

Example:

  tailorbird bench segments --profiles 1000000 --active 200000 --events 10000000 --rate 20000`
}

// segmentsResult is what was measured.
type segmentsResult struct {
	Machine         machine `json:"machine"`
	Events          int     `json:"events"`
	Profiles        int     `json:"profiles"`
	Rate            int     `json:"rate"`
	Seconds         float64 `json:"seconds"` // from defining the segment to its being ready
	Members         int     `json:"members"`
	EventsPerSecond float64 `json:"events_per_second"` // that arrived and were applied meanwhile
	P99             float64 `json:"p99_ms"`            // of their requests
}

// Run measures, and removes the data again.
func (c *benchSegmentsCommand) Run(ctx context.Context, streams Streams) error {
	if c.Events < 1 || c.Events > 100_000_000 || c.Profiles < 1 || c.Profiles > 10_000_000 || c.Active < 1 || c.Active > c.Profiles || c.Rate < 0 {
		return badUsage("give 1 to 100,000,000 --events of --active customers among 1 to 10,000,000 --profiles, and a --rate of 0 or more")
	}
	return c.run(ctx, streams, func(ctx context.Context, server *client.Client, _ string) error {
		if err := makeKnown(ctx, streams, server, c.Seed, "known", c.Profiles); err != nil {
			return err
		}
		bar := newProgress(streams.Err, "events", int64(c.Events))
		history := traffic{seed: c.Seed, run: "history", events: c.Events, active: c.Active, known: c.Profiles, batch: 500, connections: 16}
		_, err := history.send(ctx, []*client.Client{server}, func(before, _ int) { bar.set(int64(before), int64(c.Events)) })
		bar.end()
		if err != nil {
			return err
		}
		if err := newBenchRules(98, 20).define(ctx, server); err != nil {
			return err
		}
		if _, err := c.ready(ctx, server, "", 0); err != nil {
			return err
		}
		result := segmentsResult{Machine: thisMachine(), Events: c.Events, Profiles: c.Profiles, Rate: c.Rate}
		if err := c.profiled(func() error { return c.fill(ctx, server, &result) }); err != nil {
			return err
		}
		return c.print(streams, result)
	})
}

// fill defines one more segment while events arrive.
func (c *benchSegmentsCommand) fill(ctx context.Context, server *client.Client, result *segmentsResult) error {
	const long = 1 << 40 // events: as many as arrive until the segment is ready
	var arrived atomic.Int64
	var took durations
	meanwhile, stop := context.WithCancel(ctx)
	defer stop()
	group, running := errgroup.WithContext(ctx)
	if c.Rate > 0 {
		group.Go(func() (err error) {
			load := traffic{seed: c.Seed + 1, run: "meanwhile", events: long, active: c.Active, known: c.Profiles, batch: 100, connections: 32, rate: c.Rate}
			took, err = load.send(meanwhile, []*client.Client{server}, func(_, after int) { arrived.Store(int64(after)) })
			if errors.Is(meanwhile.Err(), context.Canceled) {
				err = nil // that was us
			}
			return err
		})
		if !pause(running, 2*time.Second) {
			return group.Wait()
		}
	}
	before, began := arrived.Load(), time.Now()
	rules := benchRules{segments: map[string]string{
		"one-more": `events("Product Viewed").where(e, e.properties.price > 50.0).within("10d").count() >= 3`,
	}}
	err := rules.define(running, server)
	if err == nil {
		result.Members, err = c.ready(running, server, "one-more", 20*time.Millisecond)
	}
	result.Seconds = time.Since(began).Seconds()
	result.EventsPerSecond = float64(arrived.Load()-before) / result.Seconds
	stop()
	err = errors.Join(err, group.Wait())
	result.P99 = took.milliseconds(0.99)
	return err
}

// ready waits until a segment, or all of them, hold for everybody.
func (c *benchSegmentsCommand) ready(ctx context.Context, server *client.Client, name string, every time.Duration) (members int, err error) {
	for {
		var list struct {
			Items []struct {
				Name, Status string
				Count        int
			}
		}
		if err := server.Call(ctx, http.MethodGet, "/api/v1/segments?limit=100", nil, &list); err != nil {
			return 0, err
		}
		building := false
		for _, s := range list.Items {
			if name == "" || s.Name == name {
				building = building || s.Status != "ready"
				members = s.Count
			}
		}
		if !building {
			return members, nil
		}
		if !pause(ctx, max(every, 100*time.Millisecond)) {
			return 0, ctx.Err()
		}
	}
}

func (r segmentsResult) tell(w io.Writer) {
	fmt.Fprintf(w, "%s\n", r.Machine)
	fmt.Fprintf(w, "a new segment over %d events of %d customers was filled in %.1f s, and has %d members\n", r.Events, r.Profiles, r.Seconds, r.Members)
	fmt.Fprintf(w, "meanwhile %.0f events/s of %d offered were applied, p99 %.1f ms\n", r.EventsPerSecond, r.Rate, r.P99)
}
