package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/store"
)

func (f *nodesFixture) ingest(node int, body map[string]any) {
	f.t.Helper()
	body["messageId"] = fmt.Sprint(body["userId"], " ", body["event"])
	e := decoded(f.t, time.UnixMicro(f.clock.Load()), body)
	if err := f.nodes[node].Ingest(f.t.Context(), []*event.Event{e}); err != nil {
		f.t.Fatal(err)
	}
}

// agree fails where a node, when everything is filled, keeps what the events do not say.
func (f *nodesFixture) agree() {
	f.t.Helper()
	for i, node := range f.nodes {
		v, err := node.Verify(f.t.Context())
		if err != nil {
			f.t.Fatal(err)
		}
		for _, d := range v.Differences {
			f.t.Errorf("node %d: %v", i, d)
		}
		checkSizes(f.t, node.store)
	}
}

func (f *nodesFixture) owner(userID string) int64 {
	f.t.Helper()
	id := identity.Identifier{Type: "user_id", Value: userID}
	owners, err := f.nodes[0].store.Owners(f.t.Context(), []identity.Identifier{id})
	if err != nil {
		f.t.Fatal(err)
	}
	return owners[id]
}

// TestANewCustomerIsJudgedByTheRulesThatAreAgreedUpon has a node told of customers whom nobody knows, at once after
// another node changed the definitions.
func TestANewCustomerIsJudgedByTheRulesThatAreAgreedUpon(t *testing.T) {
	f := startNodes(t, 2)
	for i := range 3 {
		name := fmt.Sprint("buyers", i)
		f.define(0, map[string]string{name: `events("Order").count() >= 1`})
		f.ingest(1, track(fmt.Sprint("u", i), "Order", nil))
		if !f.nodes[0].profile("user_id", fmt.Sprint("u", i)).InSegment(name) {
			t.Errorf("a customer of node 1 is not in the segment %s, which node 0 defined before", name)
		}
	}
	f.agree()
}

// TestWhoBeginsAfterTheRulesHasAnIDAboveAllThatAreFilled keeps a filling from passing by a profile that is being made.
func TestWhoBeginsAfterTheRulesHasAnIDAboveAllThatAreFilled(t *testing.T) {
	var over atomic.Bool
	f := startNodesWith(t, 2, func(_ int, c *engine.Config) { c.Nodes = unfilled{c.Nodes, &over} })
	f.ingest(0, track("first", "Order", nil))
	f.ingest(1, track("second", "Order", nil)) // of another reservation
	for i := range 3 {
		f.define(i%2, map[string]string{fmt.Sprint("buyers", i): `events("Order").count() >= 1`})
		before := max(f.owner("first"), f.owner("second"), f.owner(fmt.Sprint("u", i-1)))
		f.ingest(0, track(fmt.Sprint("u", i), "Order", nil))
		if after := f.owner(fmt.Sprint("u", i)); after <= before {
			t.Errorf("a profile that began after the rules has the id %d, and %d is filled", after, before)
		}
	}
	over.Store(true)
	f.define(0, *f.rules.Load())
	f.agree()
}

// unfilled are nodes none of which fills anything until that is over.
type unfilled struct {
	engine.Nodes
	over *atomic.Bool
}

func (u unfilled) Claim(ctx context.Context, name string) (mine bool, err error) {
	if name == "filling" && !u.over.Load() {
		return false, nil
	}
	return u.Nodes.Claim(ctx, name)
}

// TestTimeGoesOnForTheCustomersOfANodeThatIsGone lets a node end whose customer is about to leave a segment.
func TestTimeGoesOnForTheCustomersOfANodeThatIsGone(t *testing.T) {
	f := startNodes(t, 2)
	f.define(0, map[string]string{"active": `events("View").within("1h").count() >= 1`})
	if err := f.nodes[0].WaitFilled(f.t.Context()); err != nil {
		t.Fatal(err)
	}
	f.ingest(0, track("u0", "Order", nil)) // node 0 has nothing to wait for
	f.ingest(1, track("u1", "View", nil))
	if !f.nodes[0].profile("user_id", "u1").InSegment("active") {
		t.Fatal("she is not in the segment")
	}
	f.nodes[1].Engine.Close()
	f.clock.Add((2 * time.Hour).Microseconds())
	for until := time.Now().Add(10 * time.Second); f.nodes[0].profile("user_id", "u1").InSegment("active"); <-time.After(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("she is in the segment still, an hour after she should have left")
		}
	}
}

// unlucky is rules whose change seems to fail once, after it was made.
type unlucky struct {
	*store.Store
	fails atomic.Bool
}

func (u *unlucky) SyncRules(ctx context.Context, revision int64, terms []string, nodes map[string]string) (engine.Sync, error) {
	sync, err := u.Store.SyncRules(ctx, revision, terms, nodes)
	if err == nil && u.fails.CompareAndSwap(true, false) {
		err = errors.New("the connection broke")
	}
	return sync, err
}

// TestANodeThatCouldNotFollowTheRulesDoesSoLater breaks the connection while a node follows new definitions.
func TestANodeThatCouldNotFollowTheRulesDoesSoLater(t *testing.T) {
	var rules unlucky
	f := startNodesWith(t, 2, func(node int, c *engine.Config) {
		if node == 1 {
			rules.Store = c.Rules.(*store.Store)
			c.Rules = &rules
		}
	})
	f.define(0, map[string]string{"buyers": `events("Order").count() >= 1`})
	f.ingest(1, track("u1", "Order", nil))
	rules.fails.Store(true)
	f.define(0, map[string]string{"buyers": `events("Order").count() >= 1`, "viewers": `events("View").count() >= 1`})
	for until := time.Now().Add(10 * time.Second); rules.fails.Load(); <-time.After(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("node 1 does not look what was defined")
		}
	}
	f.ingest(1, track("u1", "View", nil))
	f.ingest(0, track("u2", "View", nil))
	for _, user := range []string{"u1", "u2"} {
		if !f.nodes[0].profile("user_id", user).InSegment("viewers") {
			t.Errorf("%s is not in the new segment", user)
		}
	}
	f.agree()
}

// TestANodeThatStoodStillWhileAnotherFilledCountsNothingTwice lets a node stand still as it begins to fill, until another
// one has done the work.
func TestANodeThatStoodStillWhileAnotherFilledCountsNothingTwice(t *testing.T) {
	stands, goesOn := make(chan struct{}), make(chan struct{})
	var once, release sync.Once
	t.Cleanup(func() { release.Do(func() { close(goesOn) }) })
	f := startNodesWith(t, 2, func(node int, c *engine.Config) {
		if clock := c.Clock; node == 0 {
			c.Clock = func() time.Time {
				if bytes.Contains(debug.Stack(), []byte("fillSome")) {
					once.Do(func() { close(stands); <-goesOn })
				}
				return clock()
			}
		}
	})
	f.ingest(1, track("u1", "Order", nil))
	defined := make(chan struct{})
	go func() { defer close(defined); f.define(0, map[string]string{"twice": `events("Order").count() == 2`}) }()
	<-stands
	<-defined
	gone := f.nodes[0].store.NodeID()
	err := f.nodes[1].store.Update(t.Context(), func(c *store.Conn) error {
		_, err := c.Exec(`DELETE FROM nodes WHERE id = $1`, gone)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.ingest(1, track("u1", "View", nil)) // by which node 1 learns of the definitions
	if err := f.nodes[1].WaitFilled(t.Context()); err != nil {
		t.Fatal(err)
	}
	release.Do(func() { close(goesOn) })
	f.agree()
}
