package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

const (
	fillRange = 8192 // profile ids whose history is read at a time
	fillChunk = 512  // profiles that are filled between two commits
)

// SetRules makes the engine follow new rules from the next event on. What they ask of the past is filled from history
// in the background, profile by profile, while events go on; until a profile's turn has come, a new or changed segment
// says of it what it said before.
func (e *Engine) SetRules(ctx context.Context, rules *Rules) error {
	var err error
	if failed := e.do(ctx, func() { err = e.setRules(context.WithoutCancel(ctx), rules) }); failed != nil {
		return failed
	}
	return err
}

func (e *Engine) setRules(ctx context.Context, rules *Rules) error {
	rules = rules.withCuts(e.cuts)
	if rules.sameNodes(e.rules) && !e.unsure {
		rules.adopt(e.rules)
		e.rules = rules // only what counts as a conversion has changed; a filling goes on
		if e.filling == nil {
			e.filled()
		}
		return nil
	}
	return e.follow(ctx, rules)
}

// follow makes the store and the engine follow rules.
func (e *Engine) follow(ctx context.Context, rules *Rules) error {
	if err := e.saved(ctx); err != nil {
		return err // what is not written yet follows from the rules that are about to go
	}
	sync, err := e.Rules.SyncRules(ctx, rules.termKeys(), rules.fingerprints())
	if e.unsure = err != nil; err != nil {
		e.unsaved.lost = true // until sound has found out
		return err
	}
	if e.cancel != nil {
		e.cancel()
		e.cancel = nil
	}
	rules.identify(sync)
	e.rules = rules
	e.dropCaches()
	if len(sync.Unfilled) == 0 && len(sync.Unbuilt) == 0 && !sync.Sweep {
		e.filled()
		return nil
	}
	work := newFillWork(rules, sync, e.nextID-1)
	work.history = e.Store.History()
	e.filling = work.filling
	e.status.building(e.buildingNames(), 0)
	fillCtx, cancel := context.WithCancel(ctx)
	e.cancel = cancel
	go func() {
		defer work.history.Close()
		if err := e.fill(fillCtx, work); err != nil && fillCtx.Err() == nil && fault.CodeOf(err) != fault.Conflict {
			e.Log.Error("filling from history stopped; it begins again at the next start or change of definitions", "error", err)
			e.status.failedBuilding(err)
		}
	}()
	return nil
}

func (e *Engine) buildingNames() []string {
	names := []string{}
	for i, n := range e.rules.nodes {
		if e.filling == nil && len(n.Program.Quantiles) > 0 || e.filling != nil && e.filling.nodes[i] {
			names = append(names, n.Key())
		}
	}
	slices.Sort(names)
	return names
}

// fillWork is a filling on its way.
type fillWork struct {
	*filling
	rules   *Rules
	terms   []int            // that lack their history
	byName  map[string][]int // of these, those over the events of a name; "" for all events
	sparse  bool             // profiles without any of these events have nothing to be filled
	history History
}

// past is what the missing aggregates of some profiles are, by profile and term.
type past map[int64]map[int]*expr.Aggregate

// fill works through all profiles in order of id. The history of the next ones is read meanwhile.
func (e *Engine) fill(ctx context.Context, w *fillWork) error {
	type reading struct {
		past past
		err  error
	}
	read := func(from int64) chan reading {
		c := make(chan reading, 1)
		go func() {
			p, err := w.past(ctx, from, min(from+fillRange, w.through+1), e.Clock().UnixMicro())
			c <- reading{p, err}
		}()
		return c
	}
	next := read(1)
	for from := int64(1); from <= w.through; from += fillRange {
		to := min(from+fillRange, w.through+1)
		this := <-next
		next = read(to)
		err := e.persist(ctx, func() (err error) {
			if this.err != nil || this.past == nil { // used up by an attempt that failed, or seemed to
				done, err := e.filledTo(ctx, w)
				if err != nil {
					return err
				}
				if this.past, err = w.past(ctx, done+1, to, e.Clock().UnixMicro()); err != nil {
					return err
				}
			}
			past := this.past
			this = reading{}
			return e.fillRange(ctx, w, to, past)
		})
		if err != nil {
			return err
		}
	}
	return e.persist(ctx, func() error { return e.inFilling(ctx, w, func() error { return e.endFilling(ctx, w) }) })
}

// resume finds out how far the filling got, whose last commit may have held though it seemed to fail.
func (e *Engine) resume(ctx context.Context) error {
	if e.filling == nil {
		return nil
	}
	progress, err := e.Rules.Progress(ctx)
	if err != nil {
		return err
	}
	if through, ours := strings.CutPrefix(progress, e.filling.name+" "); ours {
		if e.filling.done, err = strconv.ParseInt(through, 10, 64); err != nil {
			return fault.Wrap(fault.Internal, err, "the progress of a filling is damaged")
		}
	}
	return nil
}

// filledTo asks the loop how far a filling is.
func (e *Engine) filledTo(ctx context.Context, w *fillWork) (done int64, err error) {
	err = e.inFilling(ctx, w, func() error { done = w.done; return nil })
	return done, err
}

// fillRange gives the profiles up to (and without) the id to their past, some at a time so that events are not kept waiting.
func (e *Engine) fillRange(ctx context.Context, w *fillWork, to int64, past past) error {
	ids := slices.Sorted(maps.Keys(past))
	if !w.sparse {
		done, err := e.filledTo(ctx, w)
		if err != nil {
			return err
		}
		ids = nil
		for id := done + 1; id < to; id++ {
			ids = append(ids, id)
		}
	}
	for len(ids) > 0 {
		some := ids[:min(fillChunk, len(ids))]
		ids = ids[len(some):]
		through := some[len(some)-1]
		if len(ids) == 0 {
			through = to - 1
		}
		if err := e.inFilling(ctx, w, func() error { return e.fillProfiles(ctx, w, some, through, past) }); err != nil {
			return err
		}
	}
	return e.inFilling(ctx, w, func() error {
		if len(w.owed) > 0 {
			return e.fillProfiles(ctx, w, nil, to-1, nil)
		}
		w.done = to - 1
		return nil
	})
}

// newFillWork begins a filling. When all that is new asks about behaviour alone, and says no to whoever did nothing, then
// whoever did nothing need not be looked at.
func newFillWork(rules *Rules, sync Sync, through int64) *fillWork {
	w := &fillWork{filling: newFilling(rules, sync, through), rules: rules, byName: map[string][]int{}, sparse: !sync.Sweep}
	for _, key := range sync.Unfilled {
		i := rules.termIndex[key]
		w.terms = append(w.terms, i)
		names := rules.terms[i].Names()
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			w.byName[name] = append(w.byName[name], i)
		}
	}
	nothing := &expr.Scope{
		Trait: func(string) (any, bool) { return nil, false }, Preference: func(string) (any, bool) { return nil, false },
		InSegment: func(string) bool { return false }, Aggregate: func(*expr.Term) *expr.Aggregate { return nil }, Cuts: rules.cutsOf,
	}
	for i := range w.nodes {
		n := rules.nodes[i]
		p := n.Program
		result := p.Result(nothing)
		behaviour := len(p.Fields)+len(p.Segments) == 0 && !p.Preferences && !p.Clocked()
		filled := !slices.ContainsFunc(p.Terms, func(t *expr.Term) bool { return !slices.Contains(w.terms, t.Slot) })
		w.sparse = w.sparse && w.fresh[i] && behaviour && filled && (result == nil || result == false)
	}
	return w
}

// persist tries again what failed because the store was out of reach for a while, such as with a full disk.
func (e *Engine) persist(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil || fault.CodeOf(err) == fault.Conflict || ctx.Err() != nil {
			return err
		}
		select {
		case <-e.done:
			return err
		default:
		}
		e.Log.Error("filling from history cannot go on; trying again in a second", "error", err)
		e.status.failedBuilding(err)
		timer := time.NewTimer(time.Second)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		e.status.failedBuilding(nil)
	}
}

// endFilling records that everything holds for every profile.
func (e *Engine) endFilling(ctx context.Context, w *fillWork) error {
	b := &Batch{Now: e.now(), Built: map[string]string{}, Swept: true}
	for _, i := range w.terms {
		b.Filled = append(b.Filled, w.rules.terms[i].Key)
	}
	for i := range w.nodes {
		b.Built[w.rules.nodes[i].Key()] = w.rules.fingerprint(w.rules.nodes[i])
	}
	s := e.newState()
	s.Filling = nil
	if err := e.commit(ctx, s, b); err != nil {
		return err
	}
	e.filled()
	return nil
}

// inFilling runs fn in the loop, unless this filling has been overtaken by another.
func (e *Engine) inFilling(ctx context.Context, w *fillWork, fn func() error) error {
	var err error
	failed := e.do(ctx, func() {
		if e.filling != w.filling {
			err = fault.New(fault.Conflict, "the definitions changed while they were being filled")
			return
		}
		err = fn()
	})
	if failed != nil {
		return failed
	}
	return err
}

// past computes the missing aggregates of the profiles from ≤ id < to.
func (w *fillWork) past(ctx context.Context, from, to, now int64) (past, error) {
	all := past{}
	if len(w.terms) == 0 || from >= to {
		return all, nil
	}
	var wanted func(name []byte) bool
	if w.byName[""] == nil {
		wanted = func(name []byte) bool { return w.byName[string(name)] != nil }
	}
	err := w.history.Range(ctx, from, to, wanted, func(id int64, ev *event.Event) error {
		seen := observed(ev)
		if seen == nil {
			return nil
		}
		for _, terms := range [...][]int{w.byName[ev.Name], w.byName[""]} {
			for _, i := range terms {
				entry, ok := w.rules.terms[i].Observe(seen)
				if !ok {
					continue
				}
				if all[id] == nil {
					all[id] = map[int]*expr.Aggregate{}
				}
				if all[id][i] == nil {
					all[id][i] = &expr.Aggregate{}
				}
				all[id][i].Add(w.rules.terms[i], entry, now)
			}
		}
		return nil
	})
	return all, err
}

// observed is an event as behaviour terms see it; nil for what a machine did, which is nobody's behaviour.
func observed(ev *event.Event) *expr.Event {
	if ev.Machine() {
		return nil
	}
	return &expr.Event{
		MessageID: ev.MessageID, Type: string(ev.Type), Name: ev.Name, At: ev.Timestamp.UnixMicro(), Tie: event.Tie(ev.MessageID),
		Payload: ev,
	}
}

// fillProfiles gives profiles their past and evaluates for them what is being built, and for those that something has
// happened to meanwhile. Then all up to the id through are filled.
func (e *Engine) fillProfiles(ctx context.Context, w *fillWork, ids []int64, through int64, past past) error {
	ids = slices.Clone(ids)
	for id := range w.owed {
		if id <= through {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	wanted := map[int64]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	if err := e.load(ctx, wanted); err != nil {
		return err
	}
	now := e.now()
	s := e.newState()
	for _, id := range ids {
		if p := s.current(id); p != nil {
			s.catchUp(p, now) // by the old rules alone: without her past the new ones would be wrong
		}
	}
	before := w.done
	w.done = through
	for _, id := range ids {
		p := s.current(id)
		if p == nil || len(w.nodes) == 0 && !e.swept[id] {
			continue
		}
		for i, a := range past[id] {
			p.Aggregates.Of(w.rules.termIDs[i]).Merge(w.rules.terms[i], a, now)
		}
		if p.ID == id {
			s.voidFresh(p, w.filling)
		}
		dirty := s.noNodes()
		for i := range w.nodes {
			dirty.add(i)
		}
		s.evaluate(p, dirty, now, Cause{Kind: ByDefinition})
		s.touch(p, now)
	}
	if err := e.commit(ctx, s, &Batch{Now: now, Progress: fmt.Sprint(w.name, " ", through)}); err != nil {
		w.done = before
		return err
	}
	for _, id := range ids {
		delete(w.owed, id)
	}
	e.status.building(e.buildingNames(), float64(w.done)/float64(max(w.through, 1)))
	return nil
}

// voidFresh forgets what an older definition of the same name left behind.
func (s *State) voidFresh(p *profile.Profile, f *filling) {
	for i := range f.fresh {
		if !f.fresh[i] {
			continue
		}
		if n := s.Rules.nodes[i]; n.Segment {
			delete(p.Segments, n.Name)
		} else {
			delete(p.Computed, n.Name)
		}
	}
}
