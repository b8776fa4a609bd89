package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

var (
	costRounds = flag.Int("cost-rounds", 0, "measure what a second node costs, so many times each way")
	costEvents = flag.Int("cost-events", 300_000, "how many events are sent to measure it")
)

// TestCostOfASecondNode sends the same events to one node and to two, in turns, each time on an empty database, and tells what
// that took. Nothing is asserted: a machine that does other things too would make it false.
func TestCostOfASecondNode(t *testing.T) {
	if *costRounds == 0 {
		t.Skip("a measurement: ask for it with -cost-rounds, as make bench-nodes does")
	}
	if *database != "postgres" {
		t.Fatal("two nodes need -database postgres")
	}
	var of [3]cost
	for round := range *costRounds {
		for turn := range 2 { // each is the first in turn, and leaves nothing that the machine still has to write for the next
			nodes := 1 + (round+turn)%2
			measured := t.Run(fmt.Sprintf("%d nodes", nodes), func(t *testing.T) {
				c := measureCost(t, nodes)
				t.Logf("%d nodes: %s", nodes, c)
				of[nodes].add(c)
			})
			if !measured {
				return
			}
		}
	}
	one, two := of[1], of[2]
	t.Logf("a second node costs %+.1f %% processor time and %+.1f %% of the time by the clock",
		100*(two.processor().Seconds()/one.processor().Seconds()-1), 100*(two.clock.Seconds()/one.clock.Seconds()-1))
}

// cost is what it took to take in the events, and to apply them.
type cost struct{ clock, nodes, postgres time.Duration }

func (c cost) processor() time.Duration { return c.nodes + c.postgres }

func (c *cost) add(more cost) {
	c.clock += more.clock
	c.nodes += more.nodes
	c.postgres += more.postgres
}

func (c cost) String() string {
	return fmt.Sprintf("%.1f s by the clock; processor time %.1f s: nodes %.1f s, PostgreSQL %.1f s",
		c.clock.Seconds(), c.processor().Seconds(), c.nodes.Seconds(), c.postgres.Seconds())
}

func measureCost(t *testing.T, nodes int) cost {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), *limit)
	defer cancel()
	dir := directory(t)
	w, err := openWorld(ctx, plan{binary: build(t, dir), root: checkout(t), nodes: nodes, postgres: true, kafka: *stream}, dir, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}()
	if err := w.start(ctx, func(what string) { t.Error(what) }); err != nil {
		t.Fatal(err)
	}
	args := []string{"bench", "ingest", "--json", "--events", strconv.Itoa(*costEvents), "--profiles", "50000", "--active", "20000"}
	for _, n := range w.nodes {
		args = append(args, "--server", n.url)
	}
	before, err := w.spent()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, w.binary, args...)
	cmd.Env = environment()
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = exit.Stderr
		}
		t.Fatalf("bench ingest: %v: %s", err, out)
	}
	after, err := w.spent()
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Known float64 `json:"known_seconds"`
		Sent  float64 `json:"seconds"`
		Late  float64 `json:"late_seconds"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatal(err)
	}
	return cost{
		clock: time.Duration((result.Known + result.Sent + result.Late) * float64(time.Second)), nodes: after.nodes - before.nodes, postgres: after.postgres - before.postgres,
	}
}

// spent is the processor time that the nodes and PostgreSQL have taken so far.
func (w *world) spent() (c cost, err error) {
	for _, n := range w.nodes {
		s, err := statOf(n.process.cmd.Process.Pid)
		if err != nil {
			return c, err
		}
		c.nodes += s.spent
	}
	server, err := w.postgres.pids()
	for _, pid := range server {
		if s, err := statOf(pid); err == nil { // one that has just ended counts with its parent
			c.postgres += s.spent
		}
	}
	return c, err
}
