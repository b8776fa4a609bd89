package engine

import (
	"context"
	"errors"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Several nodes may work on one database. Then what a node remembers of a profile is a guess, which it makes sure of before
// each step: it locks the profiles, and reads again those whose version is not the one that it remembers. They stay locked
// until what it makes of them is committed, so that nodes that are told about the same customer wait for each other. What
// it cannot lock, because it did not know of it (an identifier that nobody had), unique keys guard: the commit fails, and
// the events are stepped through once more. Where nobody else is likely to be told about the same customers, it relies on what it
// remembers (rely.go).

// Nodes is what an engine needs of a store that other nodes use as well.
type Nodes interface {
	// Turn begins a transaction of this node. Until it ends, the board stays as it is for everybody.
	Turn(ctx context.Context) (Turn, error)
	// Board tells what has been agreed upon, outside of any turn.
	Board(ctx context.Context) (Board, error)
	// Soonest tells when time changes a profile next (µs), where that is until a moment; else 0.
	Soonest(ctx context.Context, until int64) (at int64, err error)
	// ReserveProfileIDs gives the first of n consecutive ids of profiles that nobody else will use.
	ReserveProfileIDs(ctx context.Context, n int64) (first int64, err error)
	// Claim reports whether work that one node at a time may do is this node's: it was, or nobody's who is still there.
	Claim(ctx context.Context, name string) (mine bool, err error)
	// Release gives such work up: any node may claim it.
	Release(ctx context.Context, name string) error
}

// Turn is a transaction that the commit of the batch which carries it ends, or End.
type Turn interface {
	Board() Board
	// Lock keeps other nodes away from profiles that are remembered in these versions, 0 being none. It gives the versions of
	// those that exist, and reads those that have another than that. How far a filling has come is what holds for them from then on.
	Lock(ctx context.Context, remembered Versions) (profiles map[int64]*profile.Profile, versions Versions, filling Filling, err error)
	// Load reads profiles and their versions, and locks nothing; ids that do not exist are absent.
	Load(ctx context.Context, ids []int64) (profiles map[int64]*profile.Profile, versions Versions, err error)
	// Due locks up to limit profiles that time changes by now, the soonest first, passing over those that others have locked.
	Due(ctx context.Context, now int64, limit int) (ids []int64, err error)
	// End undoes what was not committed. It may be called twice.
	End()
}

// Board is what the nodes have agreed upon.
type Board struct {
	Clock    int64 // the latest time of a commit, µs
	Revision int64 // of definitions and cut points together: each change is another
	Filling  Filling
	Alone    bool // no other node has been seen lately; told to turns
}

// Stale is the error of what stood upon something that another node has changed: it is to be tried again.
type Stale struct{ Cause error }

func (s *Stale) Error() string { return "another node was faster: " + s.Cause.Error() }

func (s *Stale) Unwrap() error { return s.Cause }

func isStale(err error) bool {
	var stale *Stale
	return errors.As(err, &stale)
}

const (
	reserved = 1000             // ids of profiles that are reserved at once
	lookUp   = time.Second      // how often a node looks what others did while it had nothing to do
	patience = 10 * time.Second // how long what is stale is tried again
	respite  = 5 * time.Millisecond
)

// patient reports whether a group that was stale is tried again.
func patient(group []*request) bool {
	if group[0].stale.IsZero() {
		group[0].stale = time.Now()
	}
	return time.Since(group[0].stale) < patience
}

// rest gives whoever was faster the time to be done.
func rest(ctx context.Context) {
	timer := time.NewTimer(respite)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// again runs what works on profiles once more where another node was faster.
func (e *Engine) again(ctx context.Context, work func() error) error {
	for begun := time.Now(); ; {
		e.overtaken = false
		err := work()
		e.endTurn()
		if !e.overtaken || time.Since(begun) > patience {
			return err
		}
		rest(ctx)
	}
}

// handOver leaves the turn to the commit that ends it.
func (e *Engine) handOver() {
	e.turn, e.relying = nil, false
	clear(e.locked)
	clear(e.relied)
}

// dueHere is due where there are several nodes: of profiles that are this one's until the turn ends. What others set, or have
// in hand, may be left to this one at any time: it is looked for again and again.
func (e *Engine) dueHere(ctx context.Context, now int64) (ids []int64, next int64, err error) {
	soon := now + lookUp.Microseconds()
	at, err := e.Nodes.Soonest(ctx, soon)
	switch {
	case err != nil:
		return nil, 0, err
	case at == 0:
		return nil, soon, nil
	case at > now:
		return nil, at, nil
	}
	if err := e.begin(ctx); err != nil {
		return nil, 0, err
	}
	ids, err = e.turn.Due(ctx, now, maxDue)
	if next = soon; len(ids) > 0 { // there may be more, and one sooner than that
		next = now
	}
	return ids, next, e.stale(err)
}

// lookAround follows what other nodes did while this one had nothing to do.
func (e *Engine) lookAround(ctx context.Context) {
	if e.Nodes == nil || time.Since(e.lookedUp) < lookUp {
		return
	}
	e.lookedUp = time.Now() // also where it fails
	if err := e.followNodes(ctx); err != nil {
		e.Log.Error("what other nodes agreed upon cannot be learned; trying again in a second", "error", err)
	}
}

// followNodes writes everything, and follows what has been agreed upon.
func (e *Engine) followNodes(ctx context.Context) error {
	return e.again(ctx, func() error {
		if err := e.saved(ctx); err != nil {
			return err
		}
		return e.catchUpWithNodes(ctx)
	})
}

// errRules says that the rules are not those that the nodes have agreed upon.
var errRules = &Stale{fault.New(fault.Unavailable, "the definitions have changed")}

// begin begins a turn, where there are several nodes and none is under way.
func (e *Engine) begin(ctx context.Context) error {
	if e.Nodes == nil || e.turn != nil {
		return nil
	}
	turn, err := e.Nodes.Turn(ctx)
	if err != nil {
		return err
	}
	e.turn = turn
	e.followClock(turn.Board().Clock)
	if turn.Board().Revision != e.revision {
		return e.stale(errRules)
	}
	return nil
}

// followClock lets time not go back where another node's clock is ahead of this one's, unless it is far off.
func (e *Engine) followClock(clock int64) {
	if ahead := clock - e.Clock().UnixMicro(); ahead < farAhead.Microseconds() {
		e.last = max(e.last, clock)
	} else if time.Since(e.warned) > time.Minute {
		e.warned = time.Now()
		e.Log.Warn("the clocks of the nodes differ: windows end at other moments than they should; keep them by NTP",
			"behind", time.Duration(ahead)*time.Microsecond)
	}
}

// farAhead is how far another node's clock is followed.
const farAhead = time.Minute

// lock makes sure of what is remembered of profiles, until the turn ends. Those that are not in memory then do not exist.
func (e *Engine) lock(ctx context.Context, wanted map[int64]bool) error {
	if e.Nodes == nil {
		return nil
	}
	if err := e.begin(ctx); err != nil {
		return err
	}
	if e.relying {
		return e.rely(ctx, wanted)
	}
	remembered := Versions{}
	for id := range wanted {
		switch {
		case e.locked[id]:
		case e.profiles[id] == nil:
			remembered[id] = 0
		default:
			remembered[id] = e.versions[id]
		}
	}
	if len(remembered) == 0 {
		return nil
	}
	loaded, versions, filling, err := e.turn.Lock(ctx, remembered)
	if err != nil {
		return e.stale(err)
	}
	for id, version := range remembered {
		e.locked[id] = true
		if version != versions[id] {
			delete(e.profiles, id)
		}
		e.versions[id] = versions[id]
	}
	e.cache(loaded)
	e.goOn(filling)
	return nil
}

// goOn takes how far a filling is that perhaps another node works at. One that is not there any more has ended.
func (e *Engine) goOn(kept Filling) {
	switch {
	case e.filling == nil:
	case kept.ID == e.filling.ID:
		e.filling.goOn(kept)
		e.status.building(e.buildingNames(), e.filling.share())
	default:
		e.filled()
	}
}

// claim reports whether work that one node at a time may do is this one's.
func (e *Engine) claim(ctx context.Context, work string) (mine bool, err error) {
	if e.Nodes == nil {
		return true, nil
	}
	return e.Nodes.Claim(ctx, work)
}

// reserve makes sure that every one of some events can make a profile. Those that begin after the rules have ids above all
// that are filled, whoever reserved them: a filling that goes by must not miss one that it cannot see yet.
func (e *Engine) reserve(ctx context.Context, events []*event.Event) error {
	n := int64(len(events))
	fits := e.nextID+n <= e.reservedTo && (e.filling == nil || e.nextID > e.filling.Through)
	if e.Nodes == nil || fits {
		return nil
	}
	n = max(n, reserved)
	first, err := e.Nodes.ReserveProfileIDs(ctx, n)
	if err != nil {
		return err
	}
	e.nextID, e.reservedTo = first, first+n
	return nil
}

// endTurn undoes a turn that came to nothing.
func (e *Engine) endTurn() {
	if e.turn != nil {
		e.turn.End()
	}
	e.handOver()
}

// catchUpWithNodes follows the definitions and cut points that are agreed upon, and tells what it can of a filling that
// another node works at.
func (e *Engine) catchUpWithNodes(ctx context.Context) error {
	e.lookedUp = time.Now()
	board, err := e.Nodes.Board(ctx)
	if err != nil {
		return err
	}
	if e.rules != nil && len(e.rules.quantiles) > 0 {
		if e.population, err = e.Store.LastProfileID(ctx); err != nil {
			return err
		}
	}
	if board.Revision != e.revision {
		rules, err := e.Reload(ctx)
		if err != nil {
			return err
		}
		if err := e.loadCuts(ctx); err != nil {
			return err
		}
		e.revision = board.Revision
		if err := e.adopt(ctx, rules.withCuts(e.cuts)); err != nil {
			e.revision, e.unsure = -1, false // none: they are read again, whatever has been agreed upon by then
			return err
		}
		return nil
	}
	e.goOn(board.Filling)
	if e.filling != nil && e.cancel == nil {
		return e.beginFilling(ctx)
	}
	return nil
}
