package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type benchTimers struct {
	benchBase
	Profiles int `help:"How many customers wait for a window to close." default:"200000"`
	Watched  int `help:"How many of the windows close while they are watched." default:"500"`
}

func (*benchTimers) Help() string {
	return `Every customer waits for a window to close; those that are watched close one after the other within ten seconds, and the
segment's size tells how late each is seen to be gone.

Example:

  tailorbird bench timers --profiles 1000000`
}

// timersResult is what was measured.
type timersResult struct {
	Machine machine `json:"machine"`
	Waiting int     `json:"waiting"`
	Watched int     `json:"watched"`
	P50     float64 `json:"p50_ms"` // from the moment at which a window closes to when that is seen, polling included
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
}

// Run measures, and removes the data again.
func (c *benchTimers) Run(ctx context.Context, streams Streams) error {
	if c.Profiles < 1 || c.Profiles > 10_000_000 || c.Watched < 1 || c.Watched > 100_000 {
		return badUsage("give 1 to 10,000,000 --profiles and 1 to 100,000 --watched")
	}
	return c.run(ctx, streams, func(ctx context.Context, server *client.Client, _ string) error {
		rules := benchRules{segments: map[string]string{
			"waiting": `events("Identified").within("30d").exists()`,
			"watched": `events("Looked").within("1h").exists()`,
		}}
		if err := rules.define(ctx, server); err != nil {
			return err
		}
		if err := makeKnown(ctx, streams, server, c.Seed, "known", c.Profiles); err != nil {
			return err
		}
		result := timersResult{Machine: thisMachine(), Waiting: c.Profiles, Watched: c.Watched}
		if err := c.profiled(func() error { return c.watch(ctx, server, &result) }); err != nil {
			return err
		}
		return c.print(streams, result)
	})
}

// watch makes windows that close from three seconds from now on, and looks at how many are open until none is.
func (c *benchTimers) watch(ctx context.Context, server *client.Client, result *timersResult) error {
	const head, spread = 3 * time.Second, 10 * time.Second
	var closes []time.Time
	var events []json.RawMessage
	first := time.Now().Add(head)
	for i := range c.Watched {
		at := first.Add(spread * time.Duration(i) / time.Duration(c.Watched)).Truncate(time.Microsecond)
		closes = append(closes, at)
		events = append(events, json.RawMessage(fmt.Sprintf(
			`{"type":"track","event":"Looked","userId":"customer-%d","messageId":"watched-%d","timestamp":%q}`,
			i*max(1, c.Profiles/c.Watched), i, at.Add(-time.Hour).UTC().Format(time.RFC3339Nano))))
	}
	for batch := range slices.Chunk(events, 500) {
		if err := server.Track(ctx, batch); err != nil {
			return err
		}
	}
	var late durations
	for deadline := first.Add(spread + time.Minute); len(late) < c.Watched; {
		if time.Now().After(deadline) {
			return fault.New(fault.Internal, "%d of %d windows had not closed a minute after they should", c.Watched-len(late), c.Watched)
		}
		var segment struct{ Count int }
		if err := server.Call(ctx, http.MethodGet, "/api/v1/segments/watched", nil, &segment); err != nil {
			return err
		}
		for seen := time.Now(); len(late) < c.Watched-segment.Count; {
			late = append(late, seen.Sub(closes[len(late)]))
		}
		if !pause(ctx, 5*time.Millisecond) {
			return ctx.Err()
		}
	}
	slices.Sort(late)
	result.P50, result.P99, result.Max = late.milliseconds(0.5), late.milliseconds(0.99), late.milliseconds(1)
	return nil
}

func (r timersResult) tell(w io.Writer) {
	fmt.Fprintf(w, "%s\n", r.Machine)
	fmt.Fprintf(w, "%d of %d waiting windows closed while they were watched\n", r.Watched, r.Waiting+r.Watched)
	fmt.Fprintf(w, "that was seen %.0f ms (p50), %.0f ms (p99), %.0f ms (longest) after the moment\n", r.P50, r.P99, r.Max)
}
