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

// outcome is what filling a profile came to: nothing, something that is added to what is stored of it, or another profile.
type outcome struct {
	profile     *profile.Profile // to be stored as a whole; nil: it is not
	added       *Added           // nil: nothing is added
	transitions []Transition
}

const (
	loadedAtOnce = 256  // profiles that are read in one transaction beside the loop
	filledAtOnce = 2048 // profiles that the loop fills at most before it looks at events again
	wholeCost    = 4    // how many profiles that are added to cost a save what one costs that is stored as a whole
)

// filledAtOnce is that, or less where the stretches are short.
func (e *Engine) filledAtOnce() int { return max(1, min(e.FillStretch/4, filledAtOnce)) }

// prepare makes the profiles from an id on ready, one stretch after the other.
func (e *Engine) prepare(ctx context.Context, w *fillWork, from int64, ready chan<- *stretch) error {
	for from <= w.Through {
		to := min(from+w.atOnce, w.Through+1)
		past, err := w.past(ctx, from, to, w.loop.Load().now)
		if err != nil {
			return err
		}
		for from < to {
			st, err := e.prepareSome(ctx, w, past, from, to)
			if err != nil {
				return err
			}
			select {
			case ready <- st:
				from = st.to
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// prepareSome works out what the past makes of the profiles from an id on, as many as the loop fills at a time.
func (e *Engine) prepareSome(ctx context.Context, w *fillWork, past past, from, to int64) (*stretch, error) {
	st := &stretch{from: from, to: from, past: past}
	var ids []int64
	for ; st.to < to && len(ids) < e.filledAtOnce(); st.to++ {
		if w.waiting == nil || past[st.to] != nil {
			ids = append(ids, st.to)
		}
	}
	if e.Nodes != nil { // others change profiles too: the loop locks them
		return st, nil
	}
	st.ready = make(map[int64]*outcome, len(ids))
	loop := w.loop.Load()
	st.asOf = loop.asOf
	f := &filler{
		State: State{Policy: e.Policy, Rules: w.rules, Profiles: map[int64]*profile.Profile{}, Message: e.MessageID},
		work:  w, now: loop.now,
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
	if len(w.terms) == 0 {
		return nil, nil
	}
	c := &collector{fillWork: w, now: now, all: map[int64][]expr.Aggregate{}}
	if err := w.history.Stream(ctx, from, to, c.wants, c.take); err != nil {
		return nil, err
	}
	stored := make(past, len(c.all))
	for id, aggregates := range c.all {
		for place := range aggregates {
			if a := &aggregates[place]; !a.Empty() {
				stored[id] = append(stored[id], gone{w.terms[place], a.Append(nil)})
			}
		}
	}
	return stored, nil
}

// collector makes aggregates of a stream of events.
type collector struct {
	*fillWork
	now  int64
	all  map[int64][]expr.Aggregate // by profile; of each the terms in the order of fillWork.terms
	id   int64                      // whose event was last asked about
	mine []expr.Aggregate           // hers; nil for none
	seen expr.Event
}

// wants reports whether an event could still make a difference.
func (c *collector) wants(id, at int64, name []byte) bool {
	if id != c.id {
		c.id, c.mine = id, c.all[id]
	}
	return c.concerned(c.byName[string(name)], at) || c.concerned(c.byName[""], at)
}

func (c *collector) concerned(places []int, at int64) bool {
	return slices.ContainsFunc(places, func(place int) bool {
		var have *expr.Aggregate
		if c.mine != nil {
			have = &c.mine[place]
		}
		return have.Wants(c.rules.terms[c.terms[place]], at, c.now)
	})
}

// take adds an event that was wanted.
func (c *collector) take(id int64, ev *event.Event) error {
	if !observe(ev, &c.seen) {
		return nil
	}
	for _, places := range [...][]int{c.byName[ev.Name], c.byName[""]} {
		for _, place := range places {
			t := c.rules.terms[c.terms[place]]
			entry, ok := t.Observe(&c.seen)
			if !ok {
				continue
			}
			if c.mine == nil {
				c.mine = make([]expr.Aggregate, len(c.terms))
				c.all[id] = c.mine
			}
			c.mine[place].Add(t, entry, c.now)
		}
	}
	return nil
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
	before := p.Mark()
	dropped := f.Rules.admit(p)
	f.Filling = f.work.ahead
	f.catchUp(p, f.now)
	f.Filling = nil
	voided := f.void(p, f.work.filling, f.now)
	whole := dropped || voided || f.Changes.Dirty[p.ID] || len(p.Overrides) > 0 // whose end may have been forgotten (RulesStore.ForgetRules)
	if !f.complete(p, f.work, past, f.now) && !whole && !p.Timed(&before) {
		return &outcome{}
	}
	p.UpdatedAt = max(p.UpdatedAt, f.now)
	f.settleTimer(p, f.now)
	if !whole {
		if o := f.addition(p, &before, past); o != nil {
			return o
		}
	}
	return &outcome{profile: p, transitions: f.Changes.Transitions}
}

// addition is the outcome where it can be added to what is stored of a profile; else nil.
func (f *filler) addition(p *profile.Profile, before *profile.Mark, past []gone) *outcome {
	terms := make([]int64, len(past))
	for i, g := range past {
		terms[i] = f.Rules.termIDs[g.term]
	}
	added, all := p.AdditionSince(before, terms)
	if !all {
		return nil
	}
	return &outcome{added: &Added{Addition: added, Next: p.Timers.Next()}, transitions: f.Changes.Transitions}
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
		if n := s.Rules.nodes[i]; !n.Segment {
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
			if w.Done < st.to-1 { // else another node has come further
				err = e.fillSome(context.WithoutCancel(ctx), w, st)
			}
			if done = w.Done; w.changed > wholeCost*e.SaveAt/2 {
				e.covering()            // soon, so that the store always has something to write
				full = e.unsaved.saving // before which it cannot begin
			}
			e.tell(w)
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
	if w.since != e.wholes {
		w.changed, w.since = 0, e.wholes
	}
	ids, through := w.next(st, e.filledAtOnce())
	now := e.now()
	changed := map[int64]bool{} // since they were made ready
	for _, id := range ids {
		if st.ready[id] == nil || w.touched[id] > st.asOf || e.unsaved.holds(id) {
			changed[id] = true
		}
	}
	if err := e.load(ctx, changed); err != nil { // before anything is taken: what fails is filled once more
		return err
	}
	if e.filling != w.filling {
		return errOvertaken // another node has filled them all
	}
	var late []int64
	for _, id := range ids {
		if changed[id] {
			late = append(late, id)
		} else {
			e.takeFilled(w, id, st.ready[id])
		}
	}
	w.changed += wholeCost * len(late)
	e.fillChanged(w, late, through, st.past, now)
	e.status.building(e.buildingNames(), w.share())
	e.unsaved.progress = w.Done
	if e.Nodes != nil {
		return e.commit(ctx, e.newState(), &Batch{Now: now})
	}
	e.behind.add(e.unsaved.changes)
	return nil
}

// takeFilled takes what was made ready of a profile that has not changed since.
func (e *Engine) takeFilled(w *fillWork, id int64, ready *outcome) {
	c := e.unsaved.changes
	switch {
	case ready.added != nil:
		c.add(id, *ready.added)
		if p := e.profile(id); p != nil {
			e.unsaved.addTo(p)
		}
		e.watchAt(id, ready.added.Next)
		w.changed++
	case ready.profile != nil:
		if e.profiles[id] == nil {
			w.borrowed = append(w.borrowed, id)
		}
		e.profiles[id] = ready.profile
		c.mark(id)
		e.watch(id)
		w.changed += wholeCost
	}
	c.Transitions = append(c.Transitions, ready.transitions...)
}

// fillChanged fills profiles that changed while a stretch was made ready, or were merged into others. Then all up to the
// id through are filled.
func (e *Engine) fillChanged(w *fillWork, ids []int64, through int64, past past, now int64) {
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
