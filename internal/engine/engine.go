package engine

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
)

const (
	maxGroup      = 2000   // events in one commit
	maxWaiting    = 20_000 // events waiting for one; more are refused
	cachedProfile = 25_000
	cachedOwners  = 8 // for each profile
)

// Store is what the engine needs of the store.
type Store interface {
	Known(ctx context.Context, messageIDs []string) ([]bool, error)
	Owners(ctx context.Context, ids []identity.Identifier) (map[identity.Identifier]int64, error)
	LoadProfiles(ctx context.Context, ids []int64) (map[int64]*profile.Profile, error)
	ProfileRange(ctx context.Context, from, to int64, limit int) ([]*profile.Profile, int64, error)
	LastProfileID(ctx context.Context) (int64, error)
	// Matching counts the living profiles for whose row a condition holds, of all, and gives the ids of up to sample of them;
	// false where the condition asks for more than a row says.
	Matching(ctx context.Context, p *expr.Program, sample int) (count, total int, ids []int64, ok bool, err error)
	// Due lists profiles that time changes by now, soonest first, behind another (the zero value: all), and the moment of the next
	// one after those (0: none). Where there are Nodes, they are asked instead.
	Due(ctx context.Context, now int64, behind Due, limit int) (due []Due, next int64, err error)
	// Prepare takes what a batch holds, which may change afterwards, but for its Events. One without Changes, and one with, may
	// be committed at the same time; what the latter follows from must be durable by then.
	Prepare(b *Batch) (Commit, error)
	// Unapplied gives the events that are durable while what follows from them is not, group by group as they came.
	Unapplied(ctx context.Context, each func(now int64, events []*event.Event) error) error
	// History is all events so far. HistoryUntil is those before a filling that is on its way, by its boundary.
	History() History
	HistoryUntil(boundary int64) History
	MergeStore
}

// RulesStore keeps what the engine must know of its rules across restarts.
type RulesStore interface {
	// SyncRules gives ids to terms and tells what has not been worked through the history yet. What is no longer in use
	// is forgotten. Where these rules are the ones that are being filled, it tells how far that is; the filling of others is
	// given up. It is Stale where the revision, unless 0, is not the one that has been agreed upon.
	SyncRules(ctx context.Context, revision int64, terms []string, nodes map[string]string) (Sync, error)
	// ForgetRules makes everything unfilled: the stored aggregates are of no use, because the clock went back.
	ForgetRules(ctx context.Context) error
	// Clock is the time of the last commit, 0 before the first.
	Clock(ctx context.Context) (int64, error)
	// Filling is the filling that is on its way; the zero value where there is none.
	Filling(ctx context.Context) (Filling, error)
	// MemberOf tells which of the segments list a profile among their members.
	MemberOf(ctx context.Context, profileID int64, segments []string) (map[string]bool, error)
	// Cuts are the cut points of quantiles that held at a moment (µs), by key. SetCuts adds those learned now.
	Cuts(ctx context.Context, at int64) (map[string]segment.Cuts, error)
	SetCuts(ctx context.Context, cuts map[string]segment.Cuts) error
}

// Sync is the answer of RulesStore.SyncRules.
type Sync struct {
	Terms    map[string]int64 // ids by key
	Nodes    map[string]int64 // ids by key; one that changed has a new one
	Unfilled []string         // keys of terms that lack their history
	Unbuilt  []string         // keys of nodes that have not been evaluated for every profile
	Fresh    []string         // of those, nodes that did not exist before
	Sweep    bool             // profiles may still hold what deleted nodes left
	Filling  Filling          // of all this; the zero value where there is nothing to do
}

// Filling is how far what rules ask of the past has been brought to profiles. It outlives the program.
type Filling struct {
	ID       int64 // never given twice
	Boundary int64 // the events up to this place in the log are the past; later ones are applied as they come
	Through  int64 // profiles above this id began after the rules, and need no filling
	Done     int64 // profiles up to this id have been filled

	Waiting []int64 // profiles that Changes.Waiting named, and that have not been filled since
}

// History is all events of a moment, by profile.
type History interface {
	// Range calls each with every event of the profiles from ≤ id < to whose name is wanted (nil: all), by profile and time.
	Range(ctx context.Context, from, to int64, wanted func(name []byte) bool, each func(profileID int64, e *event.Event) error) error
	// Stream is Range in any order, of what conditions see of events: type, name, message id, time and payload. wanted also
	// hears whose each is and when it happened (µs); it is asked for one at a time, right before each. Newer events of a
	// profile tend to come earlier. An event is valid during the call.
	Stream(ctx context.Context, from, to int64, wanted func(profileID, at int64, name []byte) bool, each func(profileID int64, e *event.Event) error) error
	Of(ctx context.Context, profileIDs []int64) ([]*event.Event, error)
	Close()
}

// Due is a profile and the moment (µs) at which time changes it, as far as the store knows.
type Due struct{ At, ID int64 }

// Commit is a batch on its way to the disk.
type Commit interface {
	// Add takes further profiles of the batch, as they are now.
	Add(profiles ...*profile.Profile) error
	// Run makes the batch durable, all or nothing, and returns then.
	Run(ctx context.Context) error
}

// Batch is what one commit holds.
type Batch struct {
	Now      int64
	Events   []Applied          // to be appended to the log
	Changes  *Changes           // what follows from these events and from those logged alone before; nil: not now
	Profiles []*profile.Profile // the changed ones
	Progress int64              // profiles up to this id have been filled; 0: as before
	Filled   bool               // all have: what the rules say holds for everybody
	Split    *Split             // nil unless a merge is undone
	Apart    []Apart            // profiles that no event shall join
	Together [][2]int64         // pairs that are kept apart no longer, in either order

	Positions   []Position // in topics, that the batch is the first to go on from
	Overridings []Overriding
	Turn        Turn       // that the commit ends; nil: a transaction of its own
	Versions    Versions   // of profiles with several nodes; nil: any
	Given       []GivenRow // rows of the results of SQL segments
}

// Versions are those in which a commit must find profiles, by id: the changed ones, and others that it stands upon; 0: there
// is none yet. Where it does not, it is Stale.
type Versions map[int64]int64

// Config is what an engine is made of.
type Config struct {
	Store     Store
	Rules     RulesStore
	Policy    *identity.Policy
	Clock     func() time.Time
	MessageID func(public string) (int64, bool) // reads a message's public id
	Log       *slog.Logger

	FillStretch int                                   // ids of profiles that a filling reads at a time; 0: as many as serve it best
	SaveAt      int                                   // unsaved profiles at which a save begins under load; 0: as many as serve it best
	Cached      int                                   // profiles kept in memory beside those that are not saved; 0: as many as serve it best; negative: none
	SaveStretch int                                   // profiles that a save takes between two groups; 0: as many as serve it best
	PackBehind  int                                   // events after which a profile that none of them was about is packed; 0: as many as serve it best
	Nodes       Nodes                                 // nil: no other node uses the store
	Doubt       time.Duration                         // how long nothing is relied upon at least after another node was faster; 0: as serves best
	Reload      func(context.Context) (*Rules, error) // compiles the definitions as they stand; needed with Nodes
}

// Engine is the loop. One goroutine owns all state; everything else asks it.
type Engine struct {
	Config
	requests chan *request // to the scout
	scouted  chan *request // to the loop; closed when there will be no more
	ahead    atomic.Int64  // events that the loop has not taken from there
	packings chan packing  // to the packer; closed when there will be no more
	ops      chan func(context.Context)
	waiting  atomic.Int64
	closed   chan struct{} // no more requests
	done     chan struct{} // the loop has ended
	stop     sync.Once

	// Owned by the loop.
	rules    *Rules
	unsure   bool // the store may hold other rules, because a change of them seemed to fail
	filling  *filling
	cancel   context.CancelFunc // of the filling
	profiles map[int64]*profile.Profile
	owners   map[identity.Identifier]int64
	wholes   int64 // whole commits so far, those that failed among them
	flights  int64 // commits of groups so far; likewise
	epoch    int64 // how often what is in memory has been sent to be written, or forgotten
	frozen   frozen
	nextID   int64
	nextDue  int64 // 0: none
	fired    Due   // timers have fired up to this one, which the store may still have
	last     int64 // the time of the last batch
	unsaved  unsaved
	cuts     map[string]segment.Cuts // that have been learned, by key of the quantile
	learning learning

	// Where there are several nodes, see Nodes.
	turn       Turn            // nil: none is under way
	locked     map[int64]bool  // profiles, until the turn ends
	versions   map[int64]int64 // of profiles, as they are remembered or were locked
	relying    bool            // the turn locks no profiles
	relied     map[int64]bool  // profiles that it stands upon
	doubt      doubt           // while which no turn does so
	alone      bool            // no other node had been seen when the last group began
	revision   int64           // of the rules
	population int64           // the highest id of a profile, as it was when others were looked at; 0 where nothing depends on it
	reservedTo int64           // ids from nextID up to this are this node's to give
	lookedUp   time.Time       // when what others did was last looked at
	warned     time.Time       // that clocks differ
	overtaken  bool            // another node was faster than the work at hand

	known  atomic.Pointer[map[string]segment.Cuts] // cuts, for others
	behind behind
	memory memory // what the loop owns
	status status
}

// request is one call of Ingest.
type request struct {
	events []*event.Event
	ids    [][]identity.Identifier
	stale  time.Time // when another node was faster for the first time; zero: none was

	found *finds // what the scout found; nil: it did not look
	known []bool // events that the log had when it was last asked

	positions []Position
	err       error
	done      chan struct{}
}

// New makes an engine that follows no rules yet. Start begins its loop.
func New(cfg Config) *Engine {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.FillStretch == 0 {
		cfg.FillStretch = fillStretch
	}
	if cfg.SaveAt == 0 {
		cfg.SaveAt = saveAt
	}
	if cfg.SaveStretch == 0 {
		cfg.SaveStretch = saveStretch
	}
	if cfg.PackBehind == 0 {
		cfg.PackBehind = packBehind
	}
	if cfg.Cached == 0 {
		cfg.Cached = cachedProfile
	}
	cfg.Cached = max(0, cfg.Cached)
	if cfg.Doubt == 0 {
		cfg.Doubt = leastDoubt
	}
	return &Engine{
		Config: cfg, doubt: doubt{least: cfg.Doubt}, requests: make(chan *request, maxWaiting),
		scouted: make(chan *request, maxWaiting), packings: make(chan packing, 1), ops: make(chan func(context.Context)),
		closed: make(chan struct{}), done: make(chan struct{}), unsaved: newUnsaved(), memory: newMemory(),
	}
}

// Start loads what the engine needs and begins the loop with these rules.
func (e *Engine) Start(ctx context.Context, rules *Rules) error {
	clock, err := e.Rules.Clock(ctx)
	if err != nil {
		return err
	}
	if now := e.Clock().UnixMicro(); now < clock && e.Nodes == nil {
		e.Log.Warn("the clock is before the last commit: windows and timers are worked out anew from the events",
			"last_commit", time.UnixMicro(clock).UTC(), "now", time.UnixMicro(now).UTC())
		if err := e.Rules.ForgetRules(ctx); err != nil {
			return err
		}
	}
	if err := e.learnRules(context.WithoutCancel(ctx), rules); err != nil {
		return err
	}
	go e.scout(context.WithoutCancel(ctx))
	go e.packer()
	go e.loop(context.WithoutCancel(ctx))
	return nil
}

// learnRules brings memory to where the last run, or the other nodes, left off, and follows the rules.
func (e *Engine) learnRules(ctx context.Context, rules *Rules) error {
	if e.Nodes != nil {
		e.revision = -1 // none
		return e.recoverState(ctx)
	}
	if err := e.loadCuts(ctx); err != nil {
		return err
	}
	if err := e.replay(ctx, rules.withCuts(e.cuts)); err != nil {
		return err
	}
	return e.setRules(ctx, rules)
}

// Close refuses new events, finishes those that wait, and ends the loop. It may be called twice.
func (e *Engine) Close() {
	e.stop.Do(func() { close(e.closed) })
	<-e.done
}

// Ingest applies events, and returns once they are durable and every profile, segment and report has taken them into
// account. Events whose message id is known are passed over. It fails with Unavailable, having taken nothing, when too
// many events wait; a caller that cannot wait any longer gets Unavailable too, and may send the same events again.
func (e *Engine) Ingest(ctx context.Context, events []*event.Event) error {
	if len(events) == 0 {
		return nil
	}
	return e.ingest(ctx, events, nil)
}

func (e *Engine) ingest(ctx context.Context, events []*event.Event, positions []Position) error {
	r := &request{events: events, positions: positions, ids: make([][]identity.Identifier, len(events)), done: make(chan struct{})}
	for i, ev := range events {
		r.ids[i] = e.Policy.Of(ev)
	}
	if e.waiting.Add(int64(len(events))) > maxWaiting {
		e.waiting.Add(-int64(len(events)))
		return &fault.Error{Code: fault.Unavailable, Message: "too many events are waiting; send this again in a moment", RetryAfter: time.Second}
	}
	select {
	case <-e.closed:
		e.waiting.Add(-int64(len(events)))
		return &fault.Error{Code: fault.Unavailable, Message: "the server is stopping", RetryAfter: 5 * time.Second}
	case e.requests <- r:
	}
	select {
	case <-r.done:
		return r.err
	case <-e.done:
		select {
		case <-r.done:
			return r.err
		default:
			return &fault.Error{Code: fault.Unavailable, Message: "the server is stopping", RetryAfter: 5 * time.Second}
		}
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the answer took too long; send this again")
	}
}

// do runs fn in the loop, when everything before it is durable, and waits for it.
func (e *Engine) do(ctx context.Context, fn func()) error {
	ran := make(chan error, 1)
	op := func(ctx context.Context) {
		ran <- e.guarded("the engine could not do it", func() error {
			return e.again(ctx, func() error {
				err := e.sound(ctx)
				if err == nil {
					fn()
				}
				return err
			})
		})
	}
	select {
	case e.ops <- op:
	case <-e.done:
		return fault.New(fault.Unavailable, "the server is stopping")
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the engine is busy")
	}
	return <-ran
}

func (e *Engine) loop(ctx context.Context) {
	defer close(e.done)
	defer close(e.packings)
	defer e.memory.give()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		e.learnIfDue(ctx)
		timer.Reset(e.untilDue())
		var r *request
		var op func(context.Context)
		var idle, closed, open bool
		e.memory.lend(func() {
			select {
			case r, open = <-e.scouted:
				closed = !open
			case op = <-e.ops:
			case <-timer.C:
				idle = !e.awaited()
			}
		})
		switch {
		case r != nil:
			group := gather(r, e.scouted)
			e.ahead.Add(-int64(countEvents(group)))
			e.apply(ctx, group)
		case op != nil:
			e.safely(func() { op(ctx) })
		case closed:
			e.end(ctx)
			return
		}
		e.safely(func() {
			if e.nextDue != 0 && e.nextDue <= e.now() {
				e.fireDue(ctx)
			}
			e.tend(ctx, idle)
		})
		e.endTurn()
		e.lookAround(ctx)
		e.status.nextDue.Store(e.nextDue)
	}
}

// end leaves everything durable when there are no more requests.
func (e *Engine) end(ctx context.Context) {
	if e.cancel != nil {
		e.cancel()
	}
	e.learning.stop()
	e.safely(func() { e.settle(ctx) })
	e.endTurn()
	e.leaveUnlearned(ctx)
}

// gather takes the requests that wait, up to a group.
func gather(first *request, waiting <-chan *request) []*request {
	group, n := []*request{first}, len(first.events)
	for n < maxGroup {
		select {
		case r, open := <-waiting:
			if !open {
				return group
			}
			group = append(group, r)
			n += len(r.events)
		default:
			return group
		}
	}
	return group
}

// now is the clock in microseconds, never going back.
func (e *Engine) now() int64 {
	e.last = max(e.last, e.Clock().UnixMicro())
	return e.last
}

// awaited reports whether there are events that the scout is about to hand over.
func (e *Engine) awaited() bool { return e.ahead.Load() > 0 }

func (e *Engine) untilDue() time.Duration {
	wait := time.Minute
	if save, unsaved := e.unsaved.dueIn(); unsaved && (!e.awaited() || e.unsaved.saving != nil || e.unsaved.next != nil) {
		wait = save
	}
	if e.Nodes != nil {
		wait = min(wait, lookUp)
	}
	if e.nextDue == 0 {
		return wait
	}
	return min(wait, time.Duration(e.nextDue-e.now())*time.Microsecond)
}
