package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// nodesFixture is several engines on one database, with definitions and a clock that they share.
type nodesFixture struct {
	t     *testing.T
	nodes []*fixture
	rules atomic.Pointer[map[string]string] // conditions of segments
	clock atomic.Int64
	asked atomic.Pointer[func()] // what happens once, after the next node has asked who holds identifiers
}

// watched is a store that tells when it was asked who holds identifiers.
type watched struct {
	*store.Store
	asked *atomic.Pointer[func()]
}

func (w watched) Owners(ctx context.Context, ids []identity.Identifier) (map[identity.Identifier]int64, error) {
	owners, err := w.Store.Owners(ctx, ids)
	if then := w.asked.Swap(nil); then != nil {
		(*then)()
	}
	return owners, err
}

func startNodes(t *testing.T, n int) *nodesFixture {
	return startNodesWith(t, n, func(int, *engine.Config) {})
}

// startNodesWith lets each node be another one.
func startNodesWith(t *testing.T, n int, change func(node int, c *engine.Config)) *nodesFixture {
	return startNodesAt(t, storetest.Postgres(t), n, change)
}

func startNodesAt(t *testing.T, address string, n int, change func(node int, c *engine.Config)) *nodesFixture {
	f := &nodesFixture{t: t}
	f.clock.Store(epoch.UnixMicro())
	f.rules.Store(&map[string]string{})
	dir := t.TempDir()
	for i := range n {
		s, err := store.Open(t.Context(), dir, store.OnPostgres(address))
		if err != nil {
			t.Fatal(err)
		}
		node := &fixture{t: t, store: s}
		config := engine.Config{
			Store: watched{s, &f.asked}, Rules: s, Policy: identity.DefaultPolicy(), Nodes: s.Shared(),
			Clock:     func() time.Time { return time.UnixMicro(f.clock.Load()) },
			Reload:    func(context.Context) (*engine.Rules, error) { return compile(t, *f.rules.Load(), nil), nil },
			MessageID: func(public string) (int64, bool) { id, err := strconv.ParseInt(public, 10, 64); return id, err == nil },
		}
		change(i, &config)
		node.Engine = engine.New(config)
		if err := node.Start(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { node.Engine.Close(); _ = s.Close() })
		f.nodes = append(f.nodes, node)
	}
	return f
}

// define makes these the segments, by way of one node.
func (f *nodesFixture) define(node int, segments map[string]string) {
	f.t.Helper()
	f.rules.Store(&segments)
	err := f.nodes[node].store.SaveDefinitions(f.t.Context(), []definition.Revision{{
		Ref: definition.Ref{Kind: definition.Segment, Name: "any"}, Spec: json.RawMessage(`{}`), At: epoch, By: "test",
	}})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.nodes[node].SetRules(f.t.Context(), nil); err != nil {
		f.t.Fatal(err)
	}
}

// TestNodesThatAreToldAboutTheSameCustomersAgree sends the events of each customer, and those that show that two are one,
// through several nodes at once, while definitions change and time passes.
func TestNodesThatAreToldAboutTheSameCustomersAgree(t *testing.T) {
	f := startNodes(t, 3)
	nodesAgree(t, f, func(_, node int, e *event.Event) error { return f.nodes[node].Ingest(t.Context(), only(e)) })
}

// TestNodesThatThinkTheyAreAloneAgree does the same while each node again and again believes that there is no other, and relies on
// what it remembers.
func TestNodesThatThinkTheyAreAloneAgree(t *testing.T) {
	f := startNodesWith(t, 3, func(_ int, c *engine.Config) { c.Doubt = time.Millisecond })
	nodesAgree(t, f, func(_, node int, e *event.Event) error {
		f.alone(node)
		return f.nodes[node].Ingest(t.Context(), only(e))
	})
}

// alone lets a node believe, for a moment, that no other is there: not those that say at this very moment that they are.
func (f *nodesFixture) alone(node int) {
	err := f.nodes[node].store.Update(f.t.Context(), func(c *store.Conn) error {
		_, err := c.Exec(`UPDATE nodes SET seen_at = 0 WHERE id IN (SELECT id FROM nodes ORDER BY id FOR UPDATE SKIP LOCKED)`)
		return err
	})
	if err != nil {
		f.t.Error(err)
	}
}

// nodesAgree has ingest send events to nodes, those of each sender one after the other, and once more where that is Unavailable.
func nodesAgree(t *testing.T, f *nodesFixture, ingest func(sender, node int, e *event.Event) error) {
	const customers, senders, perSender = 25, 6, 60
	f.define(0, map[string]string{"active": `events("View").within("2h").count() >= 3`})
	var sent atomic.Int64
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(sender)))
			for i := range perSender {
				customer := random.IntN(customers)
				device := fmt.Sprintf("device-%d-%d", customer, random.IntN(4))
				body := map[string]any{
					"type": "track", "event": []string{"View", "Order"}[random.IntN(2)], "messageId": fmt.Sprint(sender, "-", i),
					"anonymousId": device, "properties": map[string]any{"total": random.IntN(50)},
				}
				if random.IntN(3) == 0 {
					body["userId"] = fmt.Sprint("customer-", customer)
				}
				now := time.UnixMicro(f.clock.Add(int64(random.IntN(int(20 * time.Minute / time.Microsecond)))))
				e := decoded(t, now, body)
				for {
					node := random.IntN(len(f.nodes))
					err := ingest(sender, node, e)
					if err == nil {
						break
					}
					if fault.CodeOf(err) != fault.Unavailable {
						t.Error(err)
						return
					}
				}
				sent.Add(1)
			}
		})
	}
	for round, segments := range []map[string]string{
		{"active": `events("View").within("2h").count() >= 3`, "buyers": `events("Order").count() >= 2`},
		{"active": `events("View").within("1h").count() >= 2`, "buyers": `events("Order").count() >= 2`, "both": `"active" in segments && "buyers" in segments`},
	} {
		for sent.Load() < int64((round+1)*senders*perSender/3) && !t.Failed() {
			runtime.Gosched()
		}
		f.define(round+1, segments)
	}
	wg.Wait()
	for customer := range customers { // everything that is hers is told to be hers
		for device := range 4 {
			body := map[string]any{
				"type": "identify", "messageId": fmt.Sprint("who ", customer, device), "userId": fmt.Sprint("customer-", customer),
				"anonymousId": fmt.Sprintf("device-%d-%d", customer, device),
			}
			e := decoded(t, time.UnixMicro(f.clock.Load()), body)
			if err := f.nodes[device%len(f.nodes)].Ingest(t.Context(), []*event.Event{e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.clock.Add((90 * time.Minute).Microseconds())
	for i, node := range f.nodes {
		v, err := node.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range v.Differences {
			t.Errorf("node %d: %v", i, d)
		}
		if v.Profiles != customers || v.Events != senders*perSender+4*customers {
			t.Errorf("node %d: %d events of %d customers", i, v.Events, v.Profiles)
		}
		checkSizes(t, node.store)
	}
}

// TestANodeKnowsWhatAnotherDid alternates between two nodes, each of which remembers the customer as it knew her.
func TestANodeKnowsWhatAnotherDid(t *testing.T) {
	f := startNodes(t, 2)
	f.define(0, map[string]string{"twice": `events("Order").count() == 2`})
	order := func(node, n int) {
		t.Helper()
		body := track("u1", "Order", nil)
		body["messageId"] = fmt.Sprint("order ", n)
		if err := f.nodes[node].Ingest(t.Context(), []*event.Event{decoded(t, epoch, body)}); err != nil {
			t.Fatal(err)
		}
	}
	for n, node := range []int{0, 1, 0, 1} {
		order(node, n)
		order(1-node, n) // told twice
		for i := range f.nodes {
			if in := f.nodes[i].profile("user_id", "u1").InSegment("twice"); in != (n == 1) {
				t.Errorf("after %d orders node %d says %v", n+1, i, in)
			}
		}
	}
}

// TestAnIdentifierThatAnotherNodeHasJustGiven is between a node's asking who holds an identifier and its locking of the profiles:
// meanwhile another node gives it to one of them.
func TestAnIdentifierThatAnotherNodeHasJustGiven(t *testing.T) {
	for name, c := range map[string]struct{ first, meanwhile, then []map[string]any }{
		"to the same customer": {
			first:     []map[string]any{{"userId": "u"}},
			meanwhile: []map[string]any{{"userId": "u", "traits": map[string]any{"email": "u@example.com"}}},
			then:      []map[string]any{{"userId": "u", "traits": map[string]any{"email": "u@example.com"}}},
		},
		"to another one, who comes along": {
			first:     []map[string]any{{"userId": "u"}, {"anonymousId": "d"}},
			meanwhile: []map[string]any{{"anonymousId": "d", "traits": map[string]any{"email": "u@example.com"}}},
			then:      []map[string]any{{"anonymousId": "d"}, {"userId": "u", "traits": map[string]any{"email": "u@example.com"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := startNodes(t, 2)
			n := 0
			ingest := func(node int, bodies []map[string]any) {
				t.Helper()
				var events []*event.Event
				for _, body := range bodies {
					n++
					sent := map[string]any{"type": "identify", "messageId": fmt.Sprint(n)}
					for k, v := range body {
						sent[k] = v
					}
					events = append(events, decoded(t, epoch, sent))
				}
				if err := f.nodes[node].Ingest(t.Context(), events); err != nil {
					t.Fatal(err)
				}
			}
			ingest(0, c.first)
			meanwhile := func() { ingest(0, c.meanwhile) }
			f.asked.Store(&meanwhile)
			ingest(1, c.then)
			if f.asked.Load() != nil {
				t.Fatal("nobody asked")
			}
			held := map[identity.Identifier]int{}
			for _, id := range f.nodes[1].profile("user_id", "u").Identifiers {
				held[id]++
			}
			want := map[identity.Identifier]int{{Type: "user_id", Value: "u"}: 1, {Type: "email", Value: "u@example.com"}: 1}
			if len(c.first) == 2 {
				want[identity.Identifier{Type: "anonymous_id", Value: "d"}] = 1
			}
			if !maps.Equal(held, want) {
				t.Errorf("the customer holds %v, want %v", held, want)
			}
		})
	}
}

func decoded(t *testing.T, at time.Time, body map[string]any) *event.Event {
	t.Helper()
	body["timestamp"] = at.Format(time.RFC3339Nano)
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	e, err := event.Decode(raw, event.Door{ReceivedAt: at, Historical: true})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
