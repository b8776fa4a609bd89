package cli

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type benchProfiles struct {
	benchBase
	Profiles    int `help:"How many customers there are." default:"200000"`
	Reads       int `help:"How many profiles to read by an identifier." default:"50000"`
	Rate        int `help:"Reads a second." default:"5000"`
	Connections int `help:"Requests under way at a time, at most." default:"16"`
}

func (*benchProfiles) Help() string {
	return `Reads profiles by their user ids, at random, at a steady rate.

Example:

  tailorbird bench profiles --profiles 1000000 --reads 100000`
}

// profilesResult is what was measured.
type profilesResult struct {
	Machine        machine `json:"machine"`
	Profiles       int     `json:"profiles"`
	Reads          int     `json:"reads"`
	Rate           int     `json:"rate"`
	ReadsPerSecond float64 `json:"reads_per_second"`
	P50            float64 `json:"p50_ms"` // from when a read should begin to its answer
	P99            float64 `json:"p99_ms"`
	Max            float64 `json:"max_ms"`
}

// Run measures, and removes the data again.
func (c *benchProfiles) Run(ctx context.Context, streams Streams) error {
	if c.Profiles < 1 || c.Profiles > 10_000_000 || c.Reads < 1 || c.Rate < 1 || c.Connections < 1 || c.Connections > 1000 {
		return badUsage("give 1 to 10,000,000 --profiles, at least one of --reads at a --rate, on 1 to 1,000 --connections")
	}
	return c.run(ctx, streams, func(ctx context.Context, server *client.Client, _ string) error {
		if err := newBenchRules(100, 20).define(ctx, server); err != nil {
			return err
		}
		if err := makeKnown(ctx, streams, server, c.Seed, "known", c.Profiles); err != nil {
			return err
		}
		result := profilesResult{Machine: thisMachine(), Profiles: c.Profiles, Reads: c.Reads, Rate: c.Rate}
		if err := c.profiled(func() error { return c.read(ctx, server, &result) }); err != nil {
			return err
		}
		return c.print(streams, result)
	})
}

func (c *benchProfiles) read(ctx context.Context, server *client.Client, result *profilesResult) error {
	var next atomic.Int64
	var mu sync.Mutex
	var took durations
	group, running := errgroup.WithContext(ctx)
	began := time.Now()
	for worker := range c.Connections {
		group.Go(func() error {
			random := rand.New(rand.NewPCG(c.Seed, uint64(worker)))
			var mine durations
			for {
				n := int(next.Add(1))
				if n > c.Reads {
					mu.Lock()
					took = append(took, mine...)
					mu.Unlock()
					return nil
				}
				start := began.Add(time.Duration(float64(n) / float64(c.Rate) * float64(time.Second)))
				if !pause(running, time.Until(start)) {
					return running.Err()
				}
				var found struct {
					Items []struct{ Label string } `json:"items"`
				}
				id := fmt.Sprintf("user_id:customer-%d", random.IntN(c.Profiles))
				if err := server.Get(running, "/api/v1/profiles?identifier="+url.QueryEscape(id), &found); err != nil {
					return err
				}
				if len(found.Items) != 1 {
					return fault.New(fault.Internal, "%d profiles are known by %s", len(found.Items), id)
				}
				mine = append(mine, time.Since(start))
			}
		})
	}
	err := group.Wait()
	slices.Sort(took)
	result.ReadsPerSecond = float64(len(took)) / time.Since(began).Seconds()
	result.P50, result.P99, result.Max = took.milliseconds(0.5), took.milliseconds(0.99), took.milliseconds(1)
	return err
}

func (r profilesResult) tell(w io.Writer) {
	fmt.Fprintf(w, "%s\n", r.Machine)
	fmt.Fprintf(w, "%d of %d profiles read by an identifier, %d a second asked, %.0f reached\n", r.Reads, r.Profiles, r.Rate, r.ReadsPerSecond)
	fmt.Fprintf(w, "a read takes %.2f ms (p50), %.2f ms (p99), %.2f ms (longest)\n", r.P50, r.P99, r.Max)
}
