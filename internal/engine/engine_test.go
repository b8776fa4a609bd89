package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// fixture is an engine over a real store, with a clock that the test moves.
type fixture struct {
	t     fataler
	dir   string
	store *store.Store
	*engine.Engine
	mu    sync.Mutex
	clock time.Time
	n     int

	defined *engine.Rules // as another node would learn them
	cached  int           // see engine.Config
}

type fataler interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func (f *fixture) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
}

func (f *fixture) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock = f.clock.Add(d)
}

func start(t fataler, dir string, clock time.Time, rules *engine.Rules) *fixture {
	return startWith(t, dir, clock, rules, identity.DefaultPolicy())
}

func startWith(t fataler, dir string, clock time.Time, rules *engine.Rules, policy *identity.Policy) *fixture {
	f := &fixture{t: t, dir: dir, clock: clock}
	f.openWith(rules, policy)
	return f
}

func (f *fixture) open(rules *engine.Rules) { f.openWith(rules, identity.DefaultPolicy()) }

func (f *fixture) openWith(rules *engine.Rules, policy *identity.Policy) {
	f.define(rules)
	var err error
	if f.store, err = store.Open(context.Background(), f.dir, store.OnPostgres(storetest.Database(f.t, f.dir))); err != nil {
		f.t.Fatal(err)
	}
	f.run(f.store, rules, policy)
}

// run starts an engine on the fixture's store, or on what stands before it.
func (f *fixture) run(s engine.Store, rules *engine.Rules, policy *identity.Policy) {
	f.Engine = engine.New(engine.Config{
		Store: s, Rules: f.store, Policy: policy, Clock: f.now, Nodes: f.store.Shared(), Cached: f.cached,
		Reload:    func(context.Context) (*engine.Rules, error) { f.mu.Lock(); defer f.mu.Unlock(); return f.defined, nil },
		MessageID: func(public string) (int64, bool) { id, err := strconv.ParseInt(public, 10, 64); return id, err == nil },
	})
	if err := f.Engine.Start(context.Background(), rules); err != nil {
		f.t.Fatal(err)
	}
	f.store.SetSettler(f.Engine)
}

func (f *fixture) define(rules *engine.Rules) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.defined = rules
}

// SetRules defines rules, which nodes that share a database learn from it.
func (f *fixture) SetRules(ctx context.Context, rules *engine.Rules) error {
	f.define(rules)
	if f.store.Shared() != nil {
		if err := f.store.SaveDefinitions(ctx, nil); err != nil {
			return err
		}
	}
	return f.Engine.SetRules(ctx, rules)
}

func (f *fixture) eventCount() int64 {
	n, err := f.store.EventCount(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func (f *fixture) close() {
	f.Engine.Close()
	f.store.SetSettler(nil)
	_ = f.store.Close()
}

func compile(t fataler, segments map[string]string, traits map[string]string) *engine.Rules {
	var s []segment.Definition
	for name, condition := range segments {
		s = append(s, segment.Definition{Name: name, Condition: condition})
	}
	var c []segment.Trait
	for name, expression := range traits {
		c = append(c, segment.Trait{Name: name, Expression: expression})
	}
	r, err := engine.Compile(s, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// send ingests one event given as JSON members; at is when it happened.
func (f *fixture) send(at time.Time, body map[string]any) {
	if err := f.Ingest(context.Background(), []*event.Event{f.decode(at, body)}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) decode(at time.Time, body map[string]any) *event.Event {
	f.n++
	if body["messageId"] == nil {
		body["messageId"] = fmt.Sprint("m", f.n)
	}
	body["timestamp"] = at.Format(time.RFC3339Nano)
	raw, err := json.Marshal(body)
	if err != nil {
		f.t.Fatal(err)
	}
	e, err := event.Decode(raw, event.Door{ReceivedAt: f.now(), Historical: true})
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

func (f *fixture) profile(kind, value string) *profile.Profile {
	ctx := context.Background()
	if err := f.Settle(ctx); err != nil {
		f.t.Fatal(err)
	}
	id := identity.Identifier{Type: kind, Value: value}
	owners, err := f.store.Owners(ctx, []identity.Identifier{id})
	if err != nil {
		f.t.Fatal(err)
	}
	loaded, err := f.store.LoadProfiles(ctx, []int64{owners[id]})
	if err != nil {
		f.t.Fatal(err)
	}
	return loaded[owners[id]]
}

func (f *fixture) verify() {
	v, err := f.Verify(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, d := range v.Differences {
		f.t.Fatalf("%v", d)
	}
	checkSizes(f.t, f.store)
}

// checkSizes compares the sizes of segments with the lists of their members.
func checkSizes(t fataler, s *store.Store) {
	counts, err := s.SegmentCounts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]int{}
	err = s.View(context.Background(), func(c *store.Conn) error {
		return c.Query(`SELECT segment, count(*) FROM memberships GROUP BY segment`, nil, func(r store.Row) error {
			listed[r.Text(0)] = int(r.Int(1))
			return nil
		})
	})
	if err != nil || !maps.Equal(counts, listed) {
		t.Fatalf("the sizes of segments are %v, want %v; %v", counts, listed, err)
	}
}

func track(user, name string, properties map[string]any) map[string]any {
	return map[string]any{"type": "track", "userId": user, "event": name, "properties": properties}
}

func TestAcknowledgedMeansApplied(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{
		"big":  `profile.spent > 100`,
		"busy": `events("Order").within("7d").count() >= 2`,
		"both": `"big" in segments && "busy" in segments`,
	}, map[string]string{"spent": `events("Order").sum(e, e.properties.total)`}))
	defer f.close()
	f.send(epoch, track("u", "Order", map[string]any{"total": 60}))
	f.send(epoch, track("u", "Order", map[string]any{"total": 50}))
	p := f.profile("user_id", "u")
	if p.Computed.Get("spent") != 110.0 || !p.InSegment("big") || !p.InSegment("busy") || !p.InSegment("both") {
		t.Fatalf("got %v %v", p.Computed.Map(), p.Segments.Map())
	}
	if since := p.Segments.Map()["both"]; since != epoch.UnixMicro() {
		t.Errorf("member since %v", time.UnixMicro(since))
	}
	// The same messages again change nothing.
	f.send(epoch, map[string]any{"type": "track", "userId": "u", "event": "Order", "messageId": "m1", "properties": map[string]any{"total": 60}})
	if p = f.profile("user_id", "u"); p.Computed.Get("spent") != 110.0 {
		t.Errorf("a repeated message counted: %v", p.Computed.Map())
	}
	f.verify()
}

func TestTimeAloneEndsAMembership(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{
		"busy":   `events("Order").within("7d").count() >= 2`,
		"lapsed": `age(profile.last_order) >= duration("30d")`,
	}, map[string]string{"last_order": `events("Order").last()`}))
	f.send(epoch.Add(-24*time.Hour), track("u", "Order", nil))
	f.send(epoch, track("u", "Order", nil))
	if !f.profile("user_id", "u").InSegment("busy") {
		t.Fatal("not in the segment")
	}
	// The server is down when the window ends; at the next start it leaves at the right moment all the same.
	f.close()
	f.advance(40 * 24 * time.Hour)
	f.open(compile(t, map[string]string{
		"busy":   `events("Order").within("7d").count() >= 2`,
		"lapsed": `age(profile.last_order) >= duration("30d")`,
	}, map[string]string{"last_order": `events("Order").last()`}))
	defer f.close()
	f.verify() // waits for what is due
	p := f.profile("user_id", "u")
	if p.InSegment("busy") || !p.InSegment("lapsed") {
		t.Fatalf("got %v", p.Segments.Map())
	}
	if got, want := p.Segments.Map()["lapsed"], epoch.Add(30*24*time.Hour).UnixMicro(); got != want {
		t.Errorf("lapsed since %v, want %v", time.UnixMicro(got).UTC(), time.UnixMicro(want).UTC())
	}
}

func TestMergeJoinsTheHistories(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"viewer": `events("View").count() >= 3`},
		map[string]string{"favourite": `events("View").most_common(e, e.properties.category)`}))
	defer f.close()
	view := func(ids map[string]any, category string) {
		f.send(f.now(), map[string]any{
			"type": "track", "event": "View", "properties": map[string]any{"category": category},
			"userId": ids["userId"], "anonymousId": ids["anonymousId"],
		})
	}
	view(map[string]any{"anonymousId": "a"}, "tents")
	view(map[string]any{"userId": "u"}, "shoes")
	view(map[string]any{"anonymousId": "a"}, "tents")
	if f.profile("anonymous_id", "a").ID == f.profile("user_id", "u").ID {
		t.Fatal("joined too early")
	}
	f.send(f.now(), map[string]any{"type": "identify", "userId": "u", "anonymousId": "a", "traits": map[string]any{"email": "Ada@Example.com"}})
	p := f.profile("email", "ada@example.com")
	if p == nil || p.ID != f.profile("anonymous_id", "a").ID || p.ID != f.profile("user_id", "u").ID {
		t.Fatal("not joined")
	}
	if p.Computed.Get("favourite") != "tents" || !p.InSegment("viewer") {
		t.Errorf("got %v %v", p.Computed.Map(), p.Segments.Map())
	}
	events, _, err := f.store.Timeline(context.Background(), p.ID, "", 10)
	if err != nil || len(events) != 4 {
		t.Errorf("%d events, %v", len(events), err)
	}
	f.verify()
}

func TestANewSegmentIsFilledFromHistoryWhileEventsArrive(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, nil))
	defer f.close()
	const people = 700
	for i := range people {
		f.send(epoch.Add(-time.Duration(i)*time.Hour), track(fmt.Sprint("u", i), "Order", map[string]any{"total": i}))
	}
	f.advance(time.Minute)
	if err := f.SetRules(context.Background(), compile(t, map[string]string{
		"twice": `events("Order").count() == 2`, "none": `!events("Order").exists()`, "recent": `events("Order").within("5d").exists()`,
	}, nil)); err != nil {
		t.Fatal(err)
	}
	for i := range people / 2 {
		f.send(f.now(), track(fmt.Sprint("u", i*2), "Order", nil))
	}
	f.verify()
	twice := 0
	for i := range people {
		if f.profile("user_id", fmt.Sprint("u", i)).InSegment("twice") {
			twice++
		}
	}
	if twice != people/2 {
		t.Errorf("%d ordered twice, want %d", twice, people/2)
	}
	count, total, ids, err := f.Preview(context.Background(), `events("Order").count() == 2`, 3)
	if err != nil || count != people/2 || total != people || len(ids) != 3 {
		t.Errorf("preview: %d of %d, %d shown, %v", count, total, len(ids), err)
	}
}

func TestTheClockMayGoBack(t *testing.T) {
	rules := func() *engine.Rules {
		return compile(t, map[string]string{"recent": `events("Order").within("5d").exists()`}, map[string]string{"orders": `events("Order").count()`})
	}
	f := start(t, t.TempDir(), epoch, rules())
	if f.store.Shared() != nil {
		t.Skip("the clocks of nodes that share a database differ: none is believed to have gone back")
	}
	f.send(epoch.Add(-100*24*time.Hour), track("u", "Order", nil))
	f.send(epoch, track("u", "Order", nil))
	f.close()
	f.clock = epoch.Add(-99 * 24 * time.Hour)
	f.open(rules())
	defer f.close()
	f.verify()
	p := f.profile("user_id", "u")
	if !p.InSegment("recent") || p.Computed.Get("orders") != 1.0 {
		t.Errorf("on the day after the first order: %v %v", p.Segments.Map(), p.Computed.Map())
	}
}

// Verify must find what is wrong, or finding nothing means nothing.
func TestVerifyFindsDamage(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"buyer": `events("Order").exists()`},
		map[string]string{"orders": `events("Order").count()`}))
	defer f.close()
	f.send(epoch, track("u", "Order", nil))
	f.send(epoch, track("v", "View", nil))
	f.verify()
	for damage, do := range map[string]func(p *profile.Profile, c *store.Conn) error{
		"segment": func(p *profile.Profile, _ *store.Conn) error { p.Segments = profile.Segments{}; return nil },
		"trait":   func(p *profile.Profile, _ *store.Conn) error { p.Computed.Set("orders", 2.0); return nil },
		"member":  func(_ *profile.Profile, c *store.Conn) error { _, err := c.Exec(`DELETE FROM memberships`); return err },
	} {
		t.Run(damage, func(t *testing.T) {
			var before [][]byte
			err := f.store.Update(context.Background(), func(c *store.Conn) error {
				err := c.Query(`SELECT state FROM profiles ORDER BY id`, nil, func(r store.Row) error {
					before = append(before, r.Bytes(0))
					return nil
				})
				if err != nil {
					return err
				}
				p, err := profile.FromState(1, before[0])
				if err != nil {
					return err
				}
				if err := do(p, c); err != nil {
					return err
				}
				_, err = c.Exec(`UPDATE profiles SET state = $1 WHERE id = 1`, p.State())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			v, err := f.Verify(context.Background())
			if err != nil || len(v.Differences) == 0 {
				t.Fatalf("found %v, %v", v, err)
			}
			err = f.store.Update(context.Background(), func(c *store.Conn) error {
				for i, state := range before {
					if _, err := c.Exec(`UPDATE profiles SET state = $1 WHERE id = $2`, state, i+1); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Whatever happens in whatever order (events old and new, merges, repeated messages, time, restarts, changes of
// definitions), what is kept equals what the events say.
func TestEverythingEqualsTheNaiveRecomputation(t *testing.T) {
	t.Parallel()
	definitions := []func(rapidT fataler) *engine.Rules{
		func(t fataler) *engine.Rules {
			return compile(t, map[string]string{
				"busy": `events("A").within("3d").count() >= 2`, "quiet": `!events().within("2d").exists()`,
				"rich": `profile.spent > 5 && profile.vip`, "mix": `"busy" in segments || "rich" in segments && !("quiet" in segments)`,
			}, map[string]string{"spent": `events("A").sum(e, e.properties.n)`, "last_a": `events("A").last()`, "top": `events().most_common(e, e.name)`})
		},
		func(t fataler) *engine.Rules {
			return compile(t, map[string]string{
				"busy": `events("A").within("30h").where(e, e.properties.n > 1).exists()`, "fresh": `age(profile.last_a) < duration("36h")`,
				"rich": `profile.spent > 5 && profile.vip`,
			}, map[string]string{"spent": `events("B").sum(e, e.properties.n)`, "last_a": `events("A").last()`})
		},
	}
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		f := start(rt, dir, epoch, definitions[0](rt))
		defer func() { f.close() }()
		which := 0
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			switch rapid.IntRange(0, 12).Draw(rt, "what") {
			case 0:
				f.advance(time.Duration(rapid.Int64Range(0, 72).Draw(rt, "hours")) * time.Hour)
			case 1:
				f.close()
				f.open(definitions[which](rt))
			case 2:
				which = 1 - which
				if err := f.SetRules(context.Background(), definitions[which](rt)); err != nil {
					rt.Fatal(err)
				}
			default:
				body := map[string]any{
					"type": "track", "event": rapid.SampledFrom([]string{"A", "B"}).Draw(rt, "event"),
					"properties": map[string]any{"n": rapid.IntRange(0, 4).Draw(rt, "n")},
				}
				if rapid.Bool().Draw(rt, "identify") {
					body = map[string]any{"type": "identify", "traits": map[string]any{"vip": rapid.Bool().Draw(rt, "vip")}}
				}
				body["anonymousId"] = fmt.Sprint("a", rapid.IntRange(1, 4).Draw(rt, "anonymous"))
				if rapid.Bool().Draw(rt, "known") {
					body["userId"] = fmt.Sprint("u", rapid.IntRange(1, 3).Draw(rt, "user"))
				}
				if rapid.IntRange(0, 5).Draw(rt, "repeat") == 0 {
					body["messageId"] = "repeated"
				}
				f.send(f.now().Add(-time.Duration(rapid.Int64Range(-24, 96).Draw(rt, "ago"))*time.Hour), body)
			}
		}
		f.verify()
		f.close()
		f.open(definitions[which](rt))
		f.verify()
	})
}
