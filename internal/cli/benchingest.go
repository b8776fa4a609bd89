package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type benchIngest struct {
	benchBase
	Events      int `help:"How many events to send." default:"1000000"`
	Profiles    int `help:"How many customers are known beforehand." default:"200000"`
	Active      int `help:"How many of them do something, by a power law." default:"40000"`
	Segments    int `help:"How many segments are active, half of them over windows; at most 100." default:"100"`
	Traits      int `help:"How many computed traits are active; at most 20." default:"20"`
	Batch       int `help:"Events of one request." default:"100"`
	Connections int `help:"Requests under way at a time." default:"32"`
	Rate        int `help:"Events a second to send at most, and single events to see how soon they count; 0: as many as it takes." default:"0"`

	Servers []string `name:"server" help:"Measure these servers, which run already and share their data, in place of one of its own; they keep what is sent." placeholder:"URL"`
	keys
}

func (*benchIngest) Help() string {
	return `The server runs in this process, on a fresh data directory, and is reached through the loopback network; the load
generator takes its share of the processors, and so does PostgreSQL on this machine, with --database-url. A window of the last second's figures is printed for each tenth.

Example:

  tailorbird bench ingest --profiles 1000000 --active 200000 --events 10000000

With --server, several times for several nodes, servers are measured that run already. The keys of their APIs are those in
TAILORBIRD_API_KEY and TAILORBIRD_WRITE_KEY. What is defined and sent stays there: use an installation that is for trying.`
}

// ingestResult is what was measured.
type ingestResult struct {
	Machine         machine   `json:"machine"`
	Events          int       `json:"events"`
	Profiles        int       `json:"profiles"`
	Active          int       `json:"active"`
	Batch           int       `json:"batch"`
	Connections     int       `json:"connections"`
	Rate            int       `json:"rate"`
	Segments        int       `json:"segments"`
	Traits          int       `json:"traits"`
	KnownSeconds    float64   `json:"known_seconds"` // to make the profiles
	Seconds         float64   `json:"seconds"`
	LateSeconds     float64   `json:"late_seconds"` // from the last acknowledgement until every event was applied
	EventsPerSecond float64   `json:"events_per_second"`
	Tenths          []float64 `json:"events_per_second_by_tenth"`
	CPU             float64   `json:"cpu_us_per_event"` // processor time of the whole process, the load generator included
	P50             float64   `json:"p50_ms"`           // of a request, from when it should be sent to the answer
	P99             float64   `json:"p99_ms"`
	Max             float64   `json:"max_ms"`
	Noticed         int       `json:"noticed,omitempty"`        // further events that were sent one at a time, with a rate
	VisibleP50      float64   `json:"visible_p50_ms,omitempty"` // from when one should be sent until the profile shows the membership
	VisibleP99      float64   `json:"visible_p99_ms,omitempty"`
	BytesPerEvent   float64   `json:"data_bytes_per_event,omitempty"` // of a server of its own
	PeakMemory      int64     `json:"peak_memory_bytes,omitempty"`    // resident, of the whole process; of a server of its own
}

// Run measures, and removes the data again.
func (c *benchIngest) Run(ctx context.Context, streams Streams) error {
	if c.Events < 1 || c.Events > 100_000_000 || c.Active < 1 || c.Active > 10_000_000 || c.Profiles < 0 || c.Profiles > 10_000_000 ||
		c.Batch < 1 || c.Batch > 500 || c.Connections < 1 || c.Connections > 1000 || c.Segments < 0 || c.Segments > 100 ||
		c.Traits < 0 || c.Traits > 20 || c.Rate < 0 {
		return badUsage("give 1 to 100,000,000 --events of 1 to 10,000,000 --active customers among up to 10,000,000 --profiles, " +
			"1 to 500 a --batch, on 1 to 1,000 --connections, with up to 100 --segments and 20 --traits")
	}
	if len(c.Servers) > 0 {
		return c.others(ctx, streams)
	}
	return c.run(ctx, streams, func(ctx context.Context, server *client.Client, dir string) error {
		result, err := c.measure(ctx, streams, []*client.Client{server}, "")
		if err != nil {
			return err
		}
		result.PeakMemory = peakMemory()
		if c.Database == "" {
			result.BytesPerEvent = float64(sizeOf(dir)) / float64(c.Events+c.Profiles)
		}
		return c.print(streams, result)
	})
}

// others measures servers that run already.
func (c *benchIngest) others(ctx context.Context, streams Streams) error {
	if c.APIKey == "" || c.WriteKey == "" {
		return badUsage("--server needs the keys of the servers' APIs: set TAILORBIRD_API_KEY and TAILORBIRD_WRITE_KEY")
	}
	var servers []*client.Client
	for _, url := range c.Servers {
		server, disconnect, err := dial(url, c.APIKey, c.WriteKey)
		if err != nil {
			return usage{err}
		}
		defer disconnect()
		servers = append(servers, server)
	}
	result, err := c.measure(ctx, streams, servers, fmt.Sprintf("%d-", time.Now().UnixNano()))
	if err != nil {
		return err
	}
	return c.print(streams, result)
}

// measure sends the events to the servers. run begins the message ids, so that they are new to servers that know others.
func (c *benchIngest) measure(ctx context.Context, streams Streams, servers []*client.Client, run string) (ingestResult, error) {
	result := ingestResult{
		Machine: thisMachine(), Events: c.Events, Profiles: c.Profiles, Active: c.Active, Batch: c.Batch, Connections: c.Connections,
		Rate: c.Rate, Segments: c.Segments, Traits: c.Traits,
	}
	rules := newBenchRules(c.Segments, c.Traits)
	if c.Rate > 0 {
		rules.segments[noticed] = noticedCondition
	}
	if err := rules.define(ctx, servers[0]); err != nil {
		return result, err
	}
	before, err := countEvents(ctx, servers[0])
	if err != nil {
		return result, err
	}
	began := time.Now()
	if err := makeKnown(ctx, streams, servers[0], c.Seed, run+"known", c.Profiles); err != nil {
		return result, err
	}
	result.KnownSeconds = time.Since(began).Seconds()
	err = c.profiled(func() error { return c.watched(ctx, streams, servers, run+"bench", &result) })
	if err != nil {
		return result, err
	}
	acknowledged := time.Now()
	err = c.check(ctx, servers[0], before, c.Events+c.Profiles+result.Noticed)
	result.LateSeconds = time.Since(acknowledged).Seconds()
	return result, err
}

// watched sends, and with a rate looks meanwhile how soon what single events come to is visible.
func (c *benchIngest) watched(ctx context.Context, streams Streams, servers []*client.Client, run string, result *ingestResult) error {
	if c.Rate == 0 {
		return c.send(ctx, streams, servers, run, result)
	}
	group, running := errgroup.WithContext(ctx)
	meanwhile, stop := context.WithCancel(running)
	group.Go(func() error {
		took, err := untilVisible(meanwhile, servers[0], run)
		result.Noticed, result.VisibleP50, result.VisibleP99 = len(took), took.milliseconds(0.5), took.milliseconds(0.99)
		return err
	})
	group.Go(func() error {
		defer stop()
		return c.send(running, streams, servers, run, result)
	})
	return group.Wait()
}

// send is what is measured.
func (c *benchIngest) send(ctx context.Context, streams Streams, servers []*client.Client, run string, result *ingestResult) error {
	tenths := make([]time.Duration, 11)
	var mu sync.Mutex
	bar := newProgress(streams.Err, "events", int64(c.Events))
	began, used := time.Now(), processorTime()
	took, err := traffic{
		seed: c.Seed, run: run, events: c.Events, active: c.Active, known: c.Profiles, batch: c.Batch, connections: c.Connections, rate: c.Rate,
	}.send(ctx, servers, func(before, after int) {
		bar.set(int64(before), int64(c.Events))
		if tenth := after * 10 / c.Events; tenth != before*10/c.Events {
			mu.Lock()
			tenths[tenth] = time.Since(began)
			mu.Unlock()
		}
	})
	elapsed := time.Since(began)
	bar.end()
	if err != nil {
		return err
	}
	for i, at := range tenths[1:] {
		if took := at - tenths[i]; took > 0 {
			result.Tenths = append(result.Tenths, float64(c.Events)/10/took.Seconds())
		}
	}
	result.Seconds, result.EventsPerSecond = elapsed.Seconds(), float64(c.Events)/elapsed.Seconds()
	result.CPU = float64((processorTime() - used).Nanoseconds()) / 1000 / float64(c.Events)
	result.P50, result.P99, result.Max = took.milliseconds(0.5), took.milliseconds(0.99), took.milliseconds(1)
	return nil
}

// check holds what the server counts against what was sent since it counted before. Servers behind a stream have what is
// acknowledged before they have applied it: they are waited for as long as they go on.
func (c *benchIngest) check(ctx context.Context, server *client.Client, before, sent int) error {
	var deadline time.Time
	for last := -1; ; {
		after, err := countEvents(ctx, server)
		if err != nil || after-before == sent {
			return err
		}
		if after > last {
			last, deadline = after, time.Now().Add(time.Minute)
		}
		if after-before > sent || len(c.Servers) == 0 || time.Now().After(deadline) || !pause(ctx, 100*time.Millisecond) {
			return fault.New(fault.Internal, "%d events were acknowledged, and the server counts %d", sent, after-before)
		}
	}
}

func countEvents(ctx context.Context, server *client.Client) (int, error) {
	var overview struct{ Events int }
	err := server.Get(ctx, "/api/v1/overview", &overview)
	return overview.Events, err
}

func (r ingestResult) tell(w io.Writer) {
	fmt.Fprintf(w, "%s\n", r.Machine)
	fmt.Fprintf(w, "%d events of %d active customers among %d (made in %.0f s), %d a request, %d connections, %d segments, %d computed traits\n",
		r.Events, r.Active, r.Profiles, r.KnownSeconds, r.Batch, r.Connections, r.Segments, r.Traits)
	fmt.Fprintf(w, "%.0f events/s, durable and applied, for %.1f s; %.1f µs of processor time an event\n", r.EventsPerSecond, r.Seconds, r.CPU)
	if r.LateSeconds >= 1 { // behind a stream
		fmt.Fprintf(w, "the last event was applied %.0f s after it was acknowledged\n", r.LateSeconds)
	}
	fmt.Fprintf(w, "by tenth of the events: %.0f events/s\n", r.Tenths)
	fmt.Fprintf(w, "a request takes %.1f ms (p50), %.1f ms (p99), %.1f ms (longest)\n", r.P50, r.P99, r.Max)
	if r.Noticed > 0 {
		fmt.Fprintf(w, "a single event's membership is visible after %.1f ms (p50), %.1f ms (p99)\n", r.VisibleP50, r.VisibleP99)
	}
	if r.PeakMemory > 0 {
		fmt.Fprintf(w, "%d MiB of memory at most, the load generator included\n", r.PeakMemory>>20)
	}
	if r.BytesPerEvent > 0 {
		fmt.Fprintf(w, "%.0f bytes on disk an event\n", r.BytesPerEvent)
	}
}
