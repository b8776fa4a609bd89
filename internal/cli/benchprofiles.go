package cli

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
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
	Events      int `help:"Events a second that arrive meanwhile, ten a request." default:"0"`
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
	Events         int     `json:"events,omitempty"` // a second, that arrived meanwhile
	ReadsPerSecond float64 `json:"reads_per_second"`
	Processor      float64 `json:"processor_us"` // of the whole process, the load generator included, a read
	P50            float64 `json:"p50_ms"`       // from when a read should begin to its answer
	P90            float64 `json:"p90_ms"`
	P99            float64 `json:"p99_ms"`
	Max            float64 `json:"max_ms"`
}

// Run measures, and removes the data again.
func (c *benchProfiles) Run(ctx context.Context, streams Streams) error {
	if c.Profiles < 1 || c.Profiles > 10_000_000 || c.Reads < 1 || c.Rate < 1 || c.Events < 0 || c.Connections < 1 || c.Connections > 1000 {
		return badUsage("give 1 to 10,000,000 --profiles, at least one of --reads at a --rate, on 1 to 1,000 --connections")
	}
	return c.run(ctx, streams, func(ctx context.Context, server *client.Client, _ string) error {
		if err := newBenchRules(100, 20).define(ctx, server); err != nil {
			return err
		}
		if err := makeKnown(ctx, streams, server, c.Seed, "known", c.Profiles); err != nil {
			return err
		}
		result := profilesResult{Machine: thisMachine(), Profiles: c.Profiles, Reads: c.Reads, Rate: c.Rate, Events: c.Events}
		if err := c.profiled(func() error { return c.busy(ctx, server, &result) }); err != nil {
			return err
		}
		return c.print(streams, result)
	})
}

// busy reads while events arrive.
func (c *benchProfiles) busy(ctx context.Context, server *client.Client, result *profilesResult) error {
	if c.Events == 0 {
		return c.read(ctx, server, result)
	}
	load := traffic{
		seed: c.Seed, run: "meanwhile", events: max(1, int(float64(c.Events)*float64(c.Reads)/float64(c.Rate))),
		active: max(1, c.Profiles/5), known: c.Profiles, batch: 10, connections: 8, rate: c.Events,
	}
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, err := load.send(running, []*client.Client{server}, func(int, int) {})
		return err
	})
	group.Go(func() error { return c.read(running, server, result) })
	return group.Wait()
}

func (c *benchProfiles) read(ctx context.Context, server *client.Client, result *profilesResult) error {
	took := make([]durations, c.Connections)
	starts := make(chan time.Time, c.Reads)
	group, running := errgroup.WithContext(ctx)
	began, used := time.Now(), processorTime()
	group.Go(func() error {
		defer close(starts)
		return c.pace(running, began, starts)
	})
	for worker := range c.Connections {
		group.Go(func() error {
			random := rand.New(rand.NewPCG(c.Seed, uint64(worker)))
			for start := range starts {
				if err := readProfile(running, server, random.IntN(c.Profiles)); err != nil {
					return err
				}
				took[worker] = append(took[worker], time.Since(start))
			}
			return nil
		})
	}
	err := group.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	result.ReadsPerSecond = float64(len(all)) / time.Since(began).Seconds()
	result.Processor = (processorTime() - used).Seconds() * 1e6 / float64(c.Reads)
	result.P50, result.P90, result.P99, result.Max = all.milliseconds(0.5), all.milliseconds(0.9), all.milliseconds(0.99), all.milliseconds(1)
	return err
}

// pace gives the moment at which each read should begin, once it has come. Readers do not wait for each other: where all
// connections are busy, a read begins late, and that counts.
func (c *benchProfiles) pace(ctx context.Context, began time.Time, starts chan<- time.Time) error {
	beat, err := newPacemaker(time.Second / time.Duration(c.Rate))
	if err != nil {
		return err
	}
	defer beat.stop()
	moment := func(n int) time.Time {
		return began.Add(time.Duration(float64(n) / float64(c.Rate) * float64(time.Second)))
	}
	for n := range c.Reads {
		for time.Until(moment(n)) > 0 {
			if err := beat.wait(); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		starts <- moment(n)
	}
	return nil
}

// readProfile reads one of those of makeKnown by its user id.
func readProfile(ctx context.Context, server *client.Client, customer int) error {
	var found struct {
		Items []struct{ Label string } `json:"items"`
	}
	id := fmt.Sprintf("user_id:customer-%d", customer)
	if err := server.Get(ctx, "/api/v1/profiles?identifier="+url.QueryEscape(id), &found); err != nil {
		return err
	}
	if len(found.Items) != 1 {
		return fault.New(fault.Internal, "%d profiles are known by %s", len(found.Items), id)
	}
	return nil
}

func (r profilesResult) tell(w io.Writer) {
	fmt.Fprintf(w, "%s\n", r.Machine)
	fmt.Fprintf(w, "%d of %d profiles read by an identifier, %d a second asked, %.0f reached\n", r.Reads, r.Profiles, r.Rate, r.ReadsPerSecond)
	if r.Events > 0 {
		fmt.Fprintf(w, "%d events arrived in every second of it\n", r.Events)
	}
	fmt.Fprintf(w, "a read takes %.2f ms (p50), %.2f ms (p90), %.2f ms (p99), %.2f ms (longest), and %.0f µs of processor time with its asking\n",
		r.P50, r.P90, r.P99, r.Max, r.Processor)
}
