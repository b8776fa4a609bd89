package engine

import (
	"context"
	"slices"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// The loop must not be kept from events. So what filling a profile comes to is worked out beside it, from what the store
// has of the profile and of its past; the loop takes the outcome, unless the profile has changed since it was read. Those
// that have, it fills itself.

// errUnsaved says that what was filled could not be saved.
var errUnsaved = fault.New(fault.Unavailable, "what was filled could not be saved")

// stretch is some profiles with an id below to, one after the other, as far as they have something to be filled.
type stretch struct {
	from  int64
	to    int64
	past  past
	asOf  int64              // the last save or whole commit whose outcome is in the profiles that were read
	ready map[int64]*outcome // by profile
}

// past is what the missing aggregates of some profiles are, by profile.
type past map[int64][]gone

// gone is one of them.
type gone struct {
	term      int
	aggregate []byte // in its stored form: merging uses aggregates up
}

// outcome is a profile that has been filled, and what that changed.
type outcome struct {
	profile     *profile.Profile // nil: nothing is to be written
	transitions []Transition
}

// loadedAtOnce is how many profiles are read in one transaction beside the loop.
const loadedAtOnce = 256

// prepare reads the past of a stretch and works out what it makes of its profiles.
func (e *Engine) prepare(ctx context.Context, w *fillWork, from, to int64) (*stretch, error) {
	st := &stretch{from: from, to: to, ready: map[int64]*outcome{}}
	if from >= to {
		return st, nil
	}
	var err error
	if st.past, err = w.past(ctx, from, to, e.Clock().UnixMicro()); err != nil {
		return nil, err
	}
	if e.Nodes != nil { // others change profiles too: the loop locks them
		return st, nil
	}
	var ids []int64
	for id := from; id < to; id++ {
		if w.waiting == nil || st.past[id] != nil {
			ids = append(ids, id)
		}
	}
	var now int64
	if err := e.inFilling(ctx, w, func() error { st.asOf, now = e.durable(), e.now(); return nil }); err != nil {
		return nil, err
	}
	f := &filler{
		State: State{Policy: e.Policy, Rules: w.rules, Profiles: map[int64]*profile.Profile{}, Message: e.MessageID},
		work:  w, now: now,
	}
	for some := range slices.Chunk(ids, loadedAtOnce) {
		loaded, err := e.Store.LoadProfiles(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, id := range some {
			p := loaded[id]
			switch {
			case p == nil:
				st.ready[id] = &outcome{}
			case p.MergedInto == 0:
				st.ready[id] = f.fill(p, st.past[id])
			}
		}
	}
	return st, nil
}

// past reads the missing aggregates of the profiles from ≤ id < to.
func (w *fillWork) past(ctx context.Context, from, to, now int64) (past, error) {
	all := map[int64][]*expr.Aggregate{} // by profile; of each the terms in the order of w.terms
	if len(w.terms) == 0 || from >= to {
		return nil, nil
	}
	var wanted func(name []byte) bool
	if w.byName[""] == nil {
		wanted = func(name []byte) bool { return w.byName[string(name)] != nil }
	}
	err := w.history.Stream(ctx, from, to, wanted, func(id int64, ev *event.Event) error {
		seen := observed(ev)
		if seen == nil {
			return nil
		}
		for _, places := range [...][]int{w.byName[ev.Name], w.byName[""]} {
			for _, place := range places {
				t := w.rules.terms[w.terms[place]]
				entry, ok := t.Observe(seen)
				if !ok {
					continue
				}
				if all[id] == nil {
					all[id] = make([]*expr.Aggregate, len(w.terms))
				}
				if all[id][place] == nil {
					all[id][place] = &expr.Aggregate{}
				}
				all[id][place].Add(t, entry, now)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	stored := make(past, len(all))
	for id, aggregates := range all {
		for place, a := range aggregates {
			if !a.Empty() {
				stored[id] = append(stored[id], gone{w.terms[place], a.Append(nil)})
			}
		}
	}
	return stored, nil
}

// filler fills profiles one by one.
type filler struct {
	State
	work *fillWork
	now  int64
}

// fill gives a profile, as the store has it, its past.
func (f *filler) fill(p *profile.Profile, past []gone) *outcome {
	f.Changes = NewChanges()
	f.Profiles[p.ID] = p
	defer delete(f.Profiles, p.ID)
	timers := p.Timers.Clone()
	dropped := f.Rules.admit(p)
	f.Filling = f.work.ahead
	f.catchUp(p, f.now)
	f.Filling = nil
	voided := f.void(p, f.work.filling, f.now)
	changed := f.complete(p, f.work, past, f.now) || dropped || voided || f.Changes.Dirty[p.ID] || !timers.Equal(&p.Timers)
	if !changed && len(p.Overrides) == 0 { // whose end may have been forgotten (RulesStore.ForgetRules)
		return &outcome{}
	}
	p.UpdatedAt = max(p.UpdatedAt, f.now)
	f.settleTimer(p, f.now)
	return &outcome{p, f.Changes.Transitions}
}

// complete gives a profile, which has lived up to now, its past, evaluates for it what is being filled, and reports
// whether that came to anything beside timers. The filling must be done with the profile, or absent from the state.
func (s *State) complete(p *profile.Profile, w *fillWork, past []gone, now int64) bool {
	for _, g := range past {
		a, err := expr.DecodeAggregate(g.aggregate)
		if err != nil {
			panic(err) // we have just made it
		}
		p.Aggregates.Of(w.rules.termIDs[g.term]).Merge(w.rules.terms[g.term], a, now)
	}
	dirty := s.noNodes()
	for i := range w.nodes {
		dirty.add(i)
	}
	return s.evaluate(p, dirty, now, Cause{Kind: ByDefinition}) || len(past) > 0
}

// void forgets what deleted definitions, and older ones of the same names, left behind, and reports whether there was
// anything.
func (s *State) void(p *profile.Profile, f *filling, now int64) bool {
	given := s.voidGiven(p, f)
	voided := s.leaveFormer(p, now, func(node int) bool { return f.fresh[node] }) || given
	for i := range f.fresh {
		if n := s.Rules.nodes[i]; f.fresh[i] && !n.Segment {
			voided = p.Computed.Set(n.Name, nil) || voided
		}
	}
	return voided
}

// fillStretch has the loop fill the profiles of a stretch, some at a time so that events are not kept waiting.
func (e *Engine) fillStretch(ctx context.Context, w *fillWork, st *stretch) error {
	for done := st.from - 1; done < st.to-1; {
		var full *saving
		err := e.inFilling(ctx, w, func() (err error) {
			if err := e.steady(context.WithoutCancel(ctx)); err != nil {
				return err
			}
			if w.Done < done { // what was made ready is used up
				return errUnsaved
			}
			err = e.fillSome(context.WithoutCancel(ctx), w, st)
			if done = w.Done; len(e.unsaved.changes.Dirty) > e.SaveAt {
				full = e.covering()
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := e.wait(ctx, full); err != nil {
			return err
		}
	}
	return nil
}

// fillSome fills the next profiles of a stretch, which are saved with everything else. It runs in the loop.
func (e *Engine) fillSome(ctx context.Context, w *fillWork, st *stretch) error {
	w.borrowed = slices.DeleteFunc(w.borrowed, func(id int64) bool {
		held := e.unsaved.holds(id)
		if !held {
			delete(e.profiles, id)
		}
		return !held
	})
	e.stepping()
	ids, through := w.next(st, max(1, e.FillStretch/4))
	now := e.now()
	var changed []int64
	for _, id := range ids {
		ready, ok := st.ready[id]
		if !ok || w.touched[id] > st.asOf || e.unsaved.holds(id) {
			changed = append(changed, id)
			continue
		}
		if ready.profile == nil {
			continue
		}
		if e.profiles[id] == nil {
			w.borrowed = append(w.borrowed, id)
		}
		e.profiles[id] = ready.profile
		e.unsaved.changes.mark(id)
		e.watch(id)
		e.unsaved.changes.Transitions = append(e.unsaved.changes.Transitions, ready.transitions...)
	}
	if err := e.fillChanged(ctx, w, changed, through, st.past, now); err != nil {
		return err
	}
	e.status.building(e.buildingNames(), w.share())
	e.unsaved.progress = w.Done
	if e.Nodes != nil {
		return e.commit(ctx, e.newState(), &Batch{Now: now})
	}
	e.behind.add(e.unsaved.changes)
	return nil
}

// fillChanged fills profiles that changed while a stretch was made ready, or were merged into others. Then all up to the
// id through are filled.
func (e *Engine) fillChanged(ctx context.Context, w *fillWork, ids []int64, through int64, past past, now int64) error {
	wanted := map[int64]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	if err := e.load(ctx, wanted); err != nil {
		return err
	}
	if e.filling != w.filling {
		return errOvertaken // another node has filled them all
	}
	s := e.newState()
	for _, id := range ids {
		if p := s.current(id); p != nil {
			s.catchUp(p, now) // by the old rules alone: without her past the new ones would be wrong
		}
	}
	before := w.Done // perhaps another node has come further
	w.Done = max(before, through)
	for _, id := range ids {
		delete(w.waiting, id)
		if p := s.current(id); p != nil && id > before {
			if p.ID == id { // else it has been done with the profile that this one became a part of
				s.void(p, w.filling, now)
			}
			s.complete(p, w, past[id], now)
			s.touch(p, now)
			e.watch(p.ID)
		}
	}
	return nil
}

// next lists the profiles of a stretch that are to be filled next, at most so many, and up to which all are filled then.
func (w *fillWork) next(st *stretch, most int) (ids []int64, through int64) {
	for id := w.Done + 1; id < st.to; id++ {
		if w.waiting != nil && st.past[id] == nil && !w.waiting[id] {
			continue
		}
		if ids = append(ids, id); len(ids) == most {
			return ids, id
		}
	}
	return ids, st.to - 1
}
