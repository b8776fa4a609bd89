package engine

import (
	"context"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// fillChunk is how many profile ids are worked through between two commits of a filling.
const fillChunk = 256

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
	if rules.sameNodes(e.rules) {
		rules.adopt(e.rules)
		e.rules = rules // only what counts as a conversion has changed; a filling goes on
		return nil
	}
	if e.cancel != nil {
		e.cancel()
		e.cancel = nil
	}
	if err := e.saved(ctx); err != nil {
		return err // what is not written yet follows from the rules that are about to go
	}
	sync, err := e.Rules.SyncRules(ctx, rules.termKeys(), rules.fingerprints())
	if err != nil {
		return err
	}
	rules.identify(sync)
	e.rules = rules
	e.dropCaches()
	e.filling = nil
	if len(sync.Unfilled) == 0 && len(sync.Unbuilt) == 0 && !sync.Sweep {
		e.status.building(nil, 1)
		return nil
	}
	f := newFilling(rules, sync, e.nextID-1)
	work := &fillWork{filling: f, rules: rules, history: e.Store.History()}
	for _, key := range sync.Unfilled {
		work.terms = append(work.terms, rules.termIndex[key])
	}
	e.filling = f
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
	for i := range e.filling.nodes {
		names = append(names, e.rules.nodes[i].Key())
	}
	slices.Sort(names)
	return names
}

// fillWork is a filling on its way.
type fillWork struct {
	*filling
	rules   *Rules
	terms   []int // that lack their history
	history History
}

// fill works through all profiles in order of id.
func (e *Engine) fill(ctx context.Context, w *fillWork) error {
	for from := int64(1); from <= w.through; from += fillChunk {
		to := min(from+fillChunk, w.through+1)
		err := e.persist(ctx, func() error {
			past, err := w.past(ctx, from, to, e.Clock().UnixMicro())
			if err != nil {
				return err
			}
			return e.inFilling(ctx, w, func() error { return e.fillProfiles(ctx, w, from, to, past) })
		})
		if err != nil {
			return err
		}
	}
	return e.persist(ctx, func() error { return e.inFilling(ctx, w, func() error { return e.endFilling(ctx, w) }) })
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
		b.Built[w.rules.nodes[i].Key()] = fingerprint(w.rules.nodes[i])
	}
	s := e.newState()
	s.Filling = nil
	if err := e.commit(ctx, s, b); err != nil {
		return err
	}
	e.filling = nil
	e.status.building(nil, 1)
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
func (w *fillWork) past(ctx context.Context, from, to, now int64) (map[int64]map[int]*expr.Aggregate, error) {
	past := map[int64]map[int]*expr.Aggregate{}
	if len(w.terms) == 0 {
		return past, nil
	}
	err := w.history.Range(ctx, from, to, func(id int64, ev *event.Event) error {
		seen := observed(ev)
		if seen == nil {
			return nil
		}
		for _, i := range w.terms {
			t := w.rules.terms[i]
			entry, ok := t.Observe(seen)
			if !ok {
				continue
			}
			if past[id] == nil {
				past[id] = map[int]*expr.Aggregate{}
			}
			if past[id][i] == nil {
				past[id][i] = &expr.Aggregate{}
			}
			past[id][i].Add(t, entry, now)
		}
		return nil
	})
	return past, err
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

// fillProfiles gives profiles their past and evaluates for them what is being built.
func (e *Engine) fillProfiles(ctx context.Context, w *fillWork, from, to int64, past map[int64]map[int]*expr.Aggregate) error {
	wanted := map[int64]bool{}
	for id := from; id < to; id++ {
		wanted[id] = true
	}
	if err := e.load(ctx, wanted); err != nil {
		return err
	}
	now := e.now()
	s := e.newState()
	for id := from; id < to; id++ {
		if p := s.current(id); p != nil {
			s.catchUp(p, now) // by the old rules alone: without her past the new ones would be wrong
		}
	}
	w.done = to - 1
	for id := from; id < to; id++ {
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
		dirty := newNodeSet(len(w.rules.nodes))
		for i := range w.nodes {
			dirty.add(i)
		}
		s.evaluate(p, dirty, now, Cause{Kind: ByDefinition})
		s.touch(p, now)
	}
	if err := e.commit(ctx, s, &Batch{Now: now}); err != nil {
		w.done = from - 1
		return err
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
