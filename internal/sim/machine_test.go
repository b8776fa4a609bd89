package sim

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
	"github.com/tailorbird/tailorbird/internal/segment/query"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

// machine is the engine and the store on a disk that fails. It is all that the simulation knows of their interfaces.
type machine struct {
	dir    string
	disk   *faultfs.Disk
	clock  *clock
	policy *identity.Policy
	upkeep store.Option
	log    *slog.Logger
	fill   int            // profiles that a filling reads at a time
	saveAt int            // unsaved profiles at which a save begins
	save   int            // profiles that a save takes at a time
	pack   int            // events after which a profile that none of them was about is packed
	cached int            // profiles kept in memory beside those that are not saved; negative: none
	begun  engine.Filling // that the last start found on the disk

	store  *store.Store
	engine *engine.Engine
	gate   *gate
	runner *query.Runner
	source query.Source
	giver  query.Giver

	running bool

	taken  map[string]int64 // when the engine took events, µs, by message id
	byHand int64            // when it last took a deed
}

// sortingPause keeps the sorting of events apart from what waked it, so that they do not compete.
const sortingPause = 7*time.Millisecond + 131*time.Nanosecond

// patience is how long anything may take in simulated time before it counts as never.
const patience = 10 * time.Minute

func within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}

func split(defined []definition) (segments []segment.Definition, traits []segment.Trait) {
	for _, d := range defined {
		if d.query {
			segments = append(segments, segment.Definition{Name: d.name, SQL: d.text})
		} else if d.segment {
			segments = append(segments, segment.Definition{Name: d.name, Condition: d.text})
		} else {
			traits = append(traits, segment.Trait{Name: d.name, Expression: d.text})
		}
	}
	return segments, traits
}

func compile(defined []definition) *engine.Rules {
	segments, traits := split(defined)
	rules, err := engine.Compile(segments, traits, nil)
	if err != nil {
		panic(err)
	}
	return rules
}

func parse(defined []definition) *segment.Set {
	set, err := segment.Compile(split(defined))
	if err != nil {
		panic(err)
	}
	return set
}

// boot starts the program on what the disk holds.
func (m *machine) boot(defined []definition) (err error) {
	ctx, cancel := within(patience)
	defer cancel()
	m.clock.reboot()
	if m.taken == nil {
		m.taken = map[string]int64{}
	}
	m.begun = engine.Filling{}
	if m.store, err = store.Open(ctx, m.dir, store.OnVFS(faultfs.Name), m.upkeep, store.FanOut(6)); err != nil {
		return err
	}
	if m.begun, err = m.store.Filling(ctx); err != nil {
		_ = m.store.Close()
		return err
	}
	m.gate = newGate()
	m.engine = engine.New(engine.Config{
		Store: gatedStore{m.store, m}, Rules: m.store, Policy: m.policy, Clock: m.clock.tell,
		MessageID:   func(public string) (int64, bool) { return m.store.InternalID(store.MessageKind, public) },
		FillStretch: m.fill, SaveAt: m.saveAt, SaveStretch: m.save, PackBehind: m.pack, Cached: m.cached, Log: m.log,
	})
	m.runner = query.New(query.Config{Source: m.source, Ledger: m.store, Giver: m.giver, Now: m.clock.now, Log: m.log})
	if err = m.runner.Follow(ctx, plans(defined)); err == nil {
		err = m.engine.Start(context.Background(), compile(defined)) // its filling ends with the context
	}
	if err != nil {
		_ = m.store.Close()
	}
	if m.running = err == nil; m.running {
		m.store.SetSettler(m.engine)
	}
	return err
}

// stop ends the program: in order, or after a crash with nothing but errors from the disk.
func (m *machine) stop() {
	m.running = false
	m.gate.open()
	m.engine.Close()
	m.store.SetSettler(nil)
	_ = m.store.Close()
}

// define makes the engine follow these definitions; their filling waits at the gate.
func (m *machine) define(defined []definition) error {
	ctx, cancel := within(patience)
	defer cancel()
	if err := m.runner.Follow(ctx, plans(defined)); err != nil {
		return err
	}
	m.gate.shut()
	return m.engine.SetRules(ctx, compile(defined))
}

func (m *machine) ingest(events []*event.Event, timeout time.Duration) error {
	ctx, cancel := within(timeout)
	defer cancel()
	return m.engine.Ingest(ctx, events)
}

// learn has the engine look where quintiles begin.
func (m *machine) learn() error {
	ctx, cancel := within(patience)
	defer cancel()
	m.gate.open()
	return m.engine.Learn(ctx)
}

// differences are what the engine's own verification finds, once everything is filled.
func (m *machine) differences() (found []string, err error) {
	ctx, cancel := within(patience)
	defer cancel()
	m.gate.open()
	for range 3 { // what is learned meanwhile is learned at the end
		if err := m.engine.WaitFilled(ctx); err != nil {
			return nil, err
		}
		synctest.Wait()
	}
	v, err := m.engine.Verify(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range v.Differences {
		found = append(found, d.String())
	}
	return found, nil
}

func (m *machine) messagePublicID(id int64) string { return m.store.PublicID(store.MessageKind, id) }

// known tells which message ids are stored.
func (m *machine) known(messageIDs []string) ([]bool, error) {
	return m.store.Known(context.Background(), messageIDs)
}

// contents are everything that the disk holds of customers.
type contents struct {
	profiles    map[int64]*row
	events      map[string]int64 // message id → the profile that it arrived at
	repeated    []string         // message ids that are stored more than once
	count       int64            // as the store counts its events
	identifiers map[identity.Identifier]int64
	memberships map[int64]map[string]int64
	members     map[string]int       // as they are listed
	sizes       map[string]int       // as they are kept
	merges      map[[2]int64]bool    // that hold: winner and loser
	apart       map[[2]int64]bool    // who is listed as kept apart
	given       map[string]result    // of SQL segments
	cuts        map[string][]float64 // of quintiles, by their text
	learned     map[string]time.Time
	days        map[int64]float64 // events by day
	born        float64           // profiles counted by day
	words       map[string]bool
	responses   map[int64]int // by message
	conversions []string      // message ids of orders
	sound       string        // "ok" when SQLite finds no damage
}

// row is a profile as its table has it.
type row struct {
	*profile.Profile
	added                         profile.Addition
	traits, computed, preferences string
	subscribed                    bool
	created, first, last          int64
	next, mergedInto              int64
}

func (m *machine) contents(defined []definition) (*contents, error) {
	c := &contents{
		profiles: map[int64]*row{}, events: map[string]int64{}, identifiers: map[identity.Identifier]int64{},
		memberships: map[int64]map[string]int64{}, days: map[int64]float64{}, words: map[string]bool{}, responses: map[int64]int{},
		members: map[string]int{}, sizes: map[string]int{}, merges: map[[2]int64]bool{}, apart: map[[2]int64]bool{},
		cuts: map[string][]float64{}, learned: map[string]time.Time{}, given: map[string]result{},
	}
	ctx := context.Background()
	history := m.store.History()
	defer history.Close()
	err := history.Range(ctx, 0, 1<<62, nil, func(profileID int64, e *event.Event) error {
		if _, twice := c.events[e.MessageID]; twice {
			c.repeated = append(c.repeated, e.MessageID)
		}
		c.events[e.MessageID] = profileID
		return nil
	})
	if err != nil {
		return nil, err
	}
	if c.count, err = m.store.EventCount(ctx); err != nil {
		return nil, err
	}
	if err := m.readCuts(ctx, defined, c); err != nil {
		return nil, err
	}
	return c, m.store.View(ctx, c.read)
}

// readCuts takes where quintiles begin.
func (m *machine) readCuts(ctx context.Context, defined []definition, c *contents) error {
	all, err := m.store.Cuts(ctx, math.MaxInt64)
	for _, n := range parse(defined).Nodes {
		for _, q := range n.Program.Quantiles {
			c.cuts[n.Program.Text], c.learned[n.Program.Text] = all[q.Key].At, time.UnixMicro(all[q.Key].LearnedAt).UTC()
		}
	}
	return err
}

// read takes the tables as an analyst would.
func (c *contents) read(db *store.Conn) error {
	for _, table := range []struct {
		query string
		each  func(r store.Row) error
	}{
		{`SELECT id, traits, computed, preferences, subscribed, created_at, first_seen_at, last_seen_at,
			min(coalesce(p.next_change_at, a.next_change_at), coalesce(a.next_change_at, p.next_change_at)), merged_into, state, a.data
			FROM profiles p LEFT JOIN additions a ON a.profile_id = p.id AND a.version = p.version`, c.readProfile},
		{`SELECT type, value, profile_id FROM identifiers`, func(r store.Row) error {
			c.identifiers[identity.Identifier{Type: r.Text(0), Value: r.Text(1)}] = r.Int(2)
			return nil
		}},
		{`SELECT profile_id, segment, since FROM memberships`, func(r store.Row) error {
			if c.memberships[r.Int(0)] == nil {
				c.memberships[r.Int(0)] = map[string]int64{}
			}
			c.memberships[r.Int(0)][r.Text(1)] = r.Int(2)
			return nil
		}},
		{`SELECT segment, count(*) FROM memberships GROUP BY segment`, func(r store.Row) error { c.members[r.Text(0)] = int(r.Int(1)); return nil }},
		{`SELECT segment, members FROM segment_sizes WHERE members <> 0`, func(r store.Row) error { c.sizes[r.Text(0)] = int(r.Int(1)); return nil }},
		{`SELECT winner_id, loser_id FROM merges WHERE undone_at IS NULL`, func(r store.Row) error {
			c.merges[[2]int64{r.Int(0), r.Int(1)}] = true
			return nil
		}},
		{`SELECT profile_id, other_id FROM kept_apart`, func(r store.Row) error { c.apart[pair(r.Int(0), r.Int(1))] = true; return nil }},
		{`SELECT segment, profile_id, columns FROM segment_results`, func(r store.Row) error {
			if c.given[r.Text(0)] == nil {
				c.given[r.Text(0)] = result{}
			}
			c.given[r.Text(0)][r.Int(1)] = object(r.Text(2))
			return nil
		}},
		{`SELECT day, value FROM daily_counts WHERE name = 'events'`, func(r store.Row) error { c.days[r.Int(0)] = r.Float(1); return nil }},
		{`SELECT sum(value) FROM daily_counts WHERE name = 'profiles'`, func(r store.Row) error { c.born = r.Float(0); return nil }},
		{`SELECT kind || ' ' || name FROM words`, func(r store.Row) error { c.words[r.Text(0)] = true; return nil }},
		{`SELECT message_id FROM responses`, func(r store.Row) error { c.responses[r.Int(0)]++; return nil }},
		{`SELECT event FROM conversions`, func(r store.Row) error { c.conversions = append(c.conversions, r.Text(0)); return nil }},
		{`PRAGMA quick_check`, func(r store.Row) error { c.sound += r.Text(0); return nil }},
	} {
		if err := db.Query(table.query, nil, table.each); err != nil {
			return err
		}
	}
	return nil
}

func (c *contents) readProfile(r store.Row) error {
	var added profile.Addition
	if !r.Null(11) {
		added = r.Bytes(11)
	}
	p, err := profile.ReadAdded(r.Int(0), r.Bytes(10), added)
	c.profiles[r.Int(0)] = &row{
		Profile: p, added: added, traits: r.Text(1), computed: r.Text(2), preferences: r.Text(3), subscribed: r.Int(4) == 1,
		created: r.Int(5), first: r.Int(6), last: r.Int(7), next: r.Int(8), mergedInto: r.Int(9),
	}
	return err
}

// survivor is the living profile that one became.
func (c *contents) survivor(id int64) int64 {
	for c.profiles[id] != nil && c.profiles[id].mergedInto != 0 {
		id = c.profiles[id].mergedInto
	}
	return id
}

func (c *contents) living() []int64 {
	return slices.Sorted(func(yield func(int64) bool) {
		for id := range maps.Keys(c.profiles) {
			if c.profiles[id].mergedInto == 0 && !yield(id) {
				return
			}
		}
	})
}

// gate stops fillings where they read history, so that the seed says how far they come before something else happens.
type gate struct {
	mu     sync.Mutex
	read   []int64 // the first profiles of the readings that passed
	wide   bool
	pass   chan struct{}
	freely chan struct{} // closed: pass freely
}

func newGate() *gate { return &gate{pass: make(chan struct{}), freely: make(chan struct{})} }

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wide {
		g.wide, g.freely = false, make(chan struct{})
	}
}

// open lets everything pass until the gate is shut again.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.wide {
		g.wide = true
		close(g.freely)
	}
}

// one lets one reading pass that waits, and reports whether one did.
func (g *gate) one() bool {
	select {
	case g.pass <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g *gate) wait(ctx context.Context) error {
	g.mu.Lock()
	freely := g.freely
	g.mu.Unlock()
	select {
	case <-freely:
		return nil
	case <-g.pass:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) note(from int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.read = append(g.read, from)
}

type gatedStore struct {
	*store.Store
	*machine
}

// Prepare notes when what is in the batch was taken.
func (s gatedStore) Prepare(b *engine.Batch) (engine.Commit, error) {
	s.note(b)
	return s.Store.Prepare(b)
}

// note keeps when what is in a batch was taken.
func (m *machine) note(b *engine.Batch) {
	for _, a := range b.Events {
		m.taken[a.Event.MessageID] = b.Now
	}
	byHand := b.Split != nil || len(b.Overridings)+len(b.Apart)+len(b.Together)+len(b.Given) > 0
	merged := b.Changes != nil && slices.ContainsFunc(b.Changes.Merges, func(m engine.Merge) bool { return m.Cause.Kind == engine.MergedByHand })
	if byHand || merged {
		m.byHand = b.Now
	}
}

// Unapplied tells the clock which moments the engine lives through again, and notes what was taken then.
func (s gatedStore) Unapplied(ctx context.Context, each func(now int64, events []*event.Event) error) error {
	return s.Store.Unapplied(ctx, func(now int64, events []*event.Event) error {
		s.clock.replayed(time.UnixMicro(now).UTC())
		for _, e := range events {
			s.taken[e.MessageID] = now
		}
		return each(now, events)
	})
}

// HistoryUntil is what fillings read.
func (s gatedStore) HistoryUntil(boundary int64) engine.History {
	return gatedHistory{s.Store.HistoryUntil(boundary), s.gate}
}

type gatedHistory struct {
	engine.History
	gate *gate
}

func (h gatedHistory) Stream(
	ctx context.Context, from, to int64, wanted func(int64, int64, []byte) bool, each func(int64, *event.Event) error,
) error {
	if err := h.gate.wait(ctx); err != nil {
		return err
	}
	h.gate.note(from)
	return h.History.Stream(ctx, from, to, wanted, each)
}
