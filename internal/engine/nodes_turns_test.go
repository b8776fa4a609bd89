package engine_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
	"github.com/tailorbird/tailorbird/internal/store"
)

// interrupted is a store beside which something happens, each time before it is asked.
type interrupted struct {
	engine.Store
	beforeRange, beforeHistory, afterMerge func()
}

func (i *interrupted) ProfileRange(ctx context.Context, from, to int64, limit int) ([]*profile.Profile, int64, error) {
	if i.beforeRange != nil {
		i.beforeRange()
	}
	return i.Store.ProfileRange(ctx, from, to, limit)
}

func (i *interrupted) HistoryOf(profiles []int64) engine.History {
	if i.beforeHistory != nil {
		i.beforeHistory()
	}
	return i.Store.HistoryOf(profiles)
}

func (i *interrupted) MergeOf(ctx context.Context, loser int64) (engine.Merge, error) {
	m, err := i.Store.MergeOf(ctx, loser)
	if i.afterMerge != nil {
		i.afterMerge()
	}
	return m, err
}

// startInterrupted starts two nodes, the first on an interrupted store.
func startInterrupted(t *testing.T) (*nodesFixture, *interrupted) {
	between := &interrupted{}
	return startNodesWith(t, 2, func(node int, c *engine.Config) {
		if node == 0 {
			between.Store, c.Store = c.Store, between
		}
	}), between
}

// orWaits runs something in the background, and returns when it is done or waits for a lock in the database.
func (f *nodesFixture) orWaits(running *sync.WaitGroup, do func()) {
	f.t.Helper()
	done := make(chan struct{})
	running.Go(func() { defer close(done); do() })
	for until := time.Now().Add(10 * time.Second); ; {
		select {
		case <-done:
			return
		default:
		}
		waiting := int64(0)
		err := f.nodes[0].store.Update(f.t.Context(), func(c *store.Conn) (err error) {
			waiting, err = c.Int(`SELECT count(*) FROM pg_locks WHERE NOT granted`)
			return err
		})
		if err != nil || time.Now().After(until) {
			f.t.Errorf("it is neither done nor waiting: %v", err)
			return
		}
		if waiting > 0 {
			return
		}
	}
}

// TestVerificationOnNodesFindsNothingThatIsNotThere lets another node change the customer whom one verifies, at every turn.
func TestVerificationOnNodesFindsNothingThatIsNotThere(t *testing.T) {
	f, between := startInterrupted(t)
	f.define(0, map[string]string{"odd": `events("Order").count() in [1, 3, 5, 7, 9, 11, 13, 15]`})
	f.ingest(1, track("u1", "Order", nil))
	n := 1
	order := func() {
		n++
		body := track("u1", "Order", nil)
		body["userId"], body["event"] = "u1", "Order"
		body["messageId"] = fmt.Sprint("order ", n)
		err := f.nodes[1].Ingest(t.Context(), only(decoded(t, time.UnixMicro(f.clock.Load()), body)))
		if err != nil && fault.CodeOf(err) != fault.Unavailable {
			t.Error(err)
		}
	}
	var running sync.WaitGroup
	between.beforeRange = order // the look at everybody sees a customer who is newer than the events
	again := 0
	between.beforeHistory = func() {
		again++
		f.orWaits(&running, order)
	}
	v, err := f.nodes[0].Verify(t.Context())
	running.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if again == 0 {
		t.Fatal("nobody looked twice")
	}
	for _, d := range v.Differences {
		t.Error(d)
	}
	between.beforeRange, between.beforeHistory = nil, nil
	f.agree()
}

// TestAMergeIsUndoneOnce lets another node undo a merge while one begins to.
func TestAMergeIsUndoneOnce(t *testing.T) {
	f, between := startInterrupted(t)
	f.define(0, map[string]string{"buyers": `events("Order").count() >= 1`})
	n := 0
	send := func(body map[string]any) {
		n++
		body["messageId"] = fmt.Sprint(n)
		f.clock.Add(time.Minute.Microseconds())
		if err := f.nodes[1].Ingest(t.Context(), only(decoded(t, time.UnixMicro(f.clock.Load()), body))); err != nil {
			t.Fatal(err)
		}
	}
	send(visit("a", "", "Order"))
	send(visit("", "u", "View"))
	loser := f.owner("u")
	send(visit("a", "u", "View")) // joins them
	if f.owner("u") == loser {
		t.Fatal("they are two")
	}
	var running sync.WaitGroup
	var undone, refused atomic.Int64
	undo := func(node int) {
		switch _, err := f.nodes[node].Unmerge(t.Context(), loser, "ada", ""); fault.CodeOf(err) {
		case "":
			undone.Add(1)
		case fault.NotFound, fault.Unavailable:
			refused.Add(1)
		default:
			t.Error(err)
		}
	}
	var once sync.Once
	between.afterMerge = func() { once.Do(func() { f.orWaits(&running, func() { undo(1) }) }) }
	undo(0)
	running.Wait()
	if undone.Load() != 1 || refused.Load() != 1 {
		t.Errorf("undone %d times, refused %d times", undone.Load(), refused.Load())
	}
	if f.owner("u") != loser {
		t.Errorf("u is profile %d, and was %d before the merge", f.owner("u"), loser)
	}
	f.agree()
}

// counting is the rules of a node, and how often cut points were learned there.
type counting struct {
	engine.RulesStore
	learned *atomic.Int64
}

func (c counting) SetCuts(ctx context.Context, cuts map[string]segment.Cuts) error {
	err := c.RulesStore.SetCuts(ctx, cuts)
	if err == nil {
		c.learned.Add(1)
	}
	return err
}

// looking is what nodes share, and how often this one looked at it.
type looking struct {
	engine.Nodes
	looked *atomic.Int64
}

func (l looking) Board(ctx context.Context) (engine.Board, error) {
	defer l.looked.Add(1)
	return l.Nodes.Board(ctx)
}

// TestWhatNodesImportIsLearnedOnceByAnyOfThem imports by each node in turn, and by both.
func TestWhatNodesImportIsLearnedOnceByAnyOfThem(t *testing.T) {
	t.Parallel()
	var learned atomic.Int64
	var looked [2]atomic.Int64
	f := startNodesWith(t, 2, func(node int, c *engine.Config) {
		c.Rules, c.Nodes = counting{c.Rules, &learned}, looking{c.Nodes, &looked[node]}
	})
	turns := func() { // until each has looked around again, twice
		t.Helper()
		for i := range f.nodes {
			before := looked[i].Load()
			for until := time.Now().Add(10 * time.Second); looked[i].Load() < before+2; <-time.After(5 * time.Millisecond) {
				if time.Now().After(until) {
					t.Fatalf("node %d does not look around", i)
				}
			}
		}
	}
	n := 0
	buy := func(node, user, total int) {
		n++
		body := track(fmt.Sprint("u", user), "Order", map[string]any{"total": total})
		body["messageId"] = fmt.Sprint("order ", n)
		if err := f.nodes[node].Ingest(t.Context(), only(decoded(t, time.UnixMicro(f.clock.Load()), body))); err != nil {
			t.Fatal(err)
		}
	}
	for user := range 10 {
		buy(0, user, user)
	}
	f.define(0, map[string]string{"best": `quintile(events("Order").sum(e, e.properties.total)) == 5`})
	f.clock.Add(time.Minute.Microseconds())
	f.nodes[0].filled()
	turns()
	for round, nodes := range [][]int{{1, 1}, {0, 1}} {
		before := learned.Load()
		best := round + 1 // and another one
		for i, node := range nodes {
			buy(node, best+5*i, 10000*(round+1))
		}
		f.clock.Add(time.Minute.Microseconds())
		for until := time.Now().Add(20 * time.Second); learned.Load() == before; <-time.After(5 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("what nodes %v imported is not learned from", nodes)
			}
		}
		turns()
		f.nodes[0].filled()
		if n := learned.Load() - before; n != 1 {
			t.Errorf("what nodes %v imported is learned from %d times", nodes, n)
		}
		if !f.nodes[1].profile("user_id", fmt.Sprint("u", best)).InSegment("best") {
			t.Errorf("round %d: who bought most is not among the best", round)
		}
		f.agree()
	}
}

func only(e *event.Event) []*event.Event { return []*event.Event{e} }
