package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// fillStretch is how many ids of profiles a filling reads at a time where nobody says otherwise.
const fillStretch = 8192

// chunk is how many profiles are filled between two commits, so that events are not kept waiting.
func (e *Engine) chunk() int { return max(1, e.FillStretch/16) }

// SetRules makes the engine follow new rules from the next event on. What they ask of the past is filled from history
// in the background, profile by profile, while events go on; until a profile's turn has come, a new or changed segment
// says of it what it said before. Where the rules were being filled when the program ended, the filling goes on from there.
func (e *Engine) SetRules(ctx context.Context, rules *Rules) error {
	var err error
	if failed := e.do(ctx, func() { err = e.setRules(context.WithoutCancel(ctx), rules) }); failed != nil {
		return failed
	}
	return err
}

func (e *Engine) setRules(ctx context.Context, rules *Rules) error {
	if e.Nodes != nil { // they have been agreed upon already, or are about to be changed again
		return cmp.Or(e.saved(ctx), e.catchUpWithNodes(ctx))
	}
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
	return e.adopt(ctx, rules)
}

// adopt is follow when everything is written.
func (e *Engine) adopt(ctx context.Context, rules *Rules) error {
	sync, err := e.Rules.SyncRules(ctx, e.revision, rules.termKeys(), rules.fingerprints())
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
	e.filling = newFilling(rules, sync, e.Nodes == nil)
	if e.filling == nil {
		e.filled()
		return nil
	}
	e.status.building(e.buildingNames(), e.filling.share())
	return e.beginFilling(ctx)
}

// beginFilling fills in the background, where no other node does.
func (e *Engine) beginFilling(ctx context.Context) error {
	if mine, err := e.claim(ctx, "filling"); err != nil || !mine {
		return err
	}
	work := newFillWork(e.rules, e.filling)
	work.history = e.Store.HistoryUntil(work.Boundary)
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
	byName  map[string][]int // terms that lack their history, by the names of their events; "" for all events
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
			p, err := w.past(ctx, from, min(from+int64(e.FillStretch), w.Through+1), e.Clock().UnixMicro())
			c <- reading{p, err}
		}()
		return c
	}
	begin, err := e.filledTo(ctx, w)
	if err != nil {
		return err
	}
	next := read(begin + 1)
	for from := begin + 1; from <= w.Through; from += int64(e.FillStretch) {
		to := min(from+int64(e.FillStretch), w.Through+1)
		this := <-next
		next = read(to)
		err := e.persist(ctx, func() (err error) {
			if this.err != nil || this.past == nil { // used up by an attempt that failed, or seemed to
				done, err := e.filledTo(ctx, w)
				if err != nil {
					return err
				}
				again, err := w.past(ctx, done+1, to, e.Clock().UnixMicro())
				if err != nil {
					return err // what was read of it is no past
				}
				this.past = again
			}
			past := this.past
			this = reading{}
			return e.fillRange(ctx, w, to, past)
		})
		if err != nil {
			return err
		}
	}
	return e.persist(ctx, func() error { return e.inFilling(ctx, w, func() error { return e.endFilling(ctx) }) })
}

// resume finds out how far the filling got, whose last commit may have held though it seemed to fail.
func (e *Engine) resume(ctx context.Context) error {
	if e.filling == nil {
		return nil
	}
	kept, err := e.Rules.Filling(ctx)
	if err == nil && kept.ID == e.filling.ID {
		e.filling.goOn(kept)
	}
	return err
}

// filledTo asks the loop how far a filling is.
func (e *Engine) filledTo(ctx context.Context, w *fillWork) (done int64, err error) {
	err = e.inFilling(ctx, w, func() error { done = w.Done; return nil })
	return done, err
}

// fillRange gives the profiles up to (and without) the id to their past, some at a time so that events are not kept waiting.
func (e *Engine) fillRange(ctx context.Context, w *fillWork, to int64, past past) error {
	for done := int64(0); done < to-1; {
		err := e.inFilling(ctx, w, func() error {
			ids, through := w.next(past, to, e.chunk())
			err := e.fillProfiles(ctx, w, ids, through, past)
			done = w.Done
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// next lists at most so many profiles below the id to that are to be filled next, and up to which all are filled then.
func (w *fillWork) next(past past, to int64, most int) (ids []int64, through int64) {
	if w.waiting == nil {
		through = min(w.Done+int64(most), to-1)
		for id := w.Done + 1; id <= through; id++ {
			ids = append(ids, id)
		}
		return ids, through
	}
	for id := w.Done + 1; id < to; id++ {
		if past[id] == nil && !w.waiting[id] {
			continue
		}
		if ids = append(ids, id); len(ids) == most {
			return ids, id
		}
	}
	return ids, to - 1
}

// share is how much of a filling is done, 0 to 1.
func (f *filling) share() float64 { return float64(f.Done) / float64(max(f.Through, 1)) }

// newFillWork prepares to do a filling.
func newFillWork(rules *Rules, f *filling) *fillWork {
	w := &fillWork{filling: f, rules: rules, byName: map[string][]int{}}
	for _, i := range w.terms {
		names := rules.terms[i].Names()
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			w.byName[name] = append(w.byName[name], i)
		}
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
		e.Log.Error("what is worked out from history cannot go on; trying again in a second", "error", err)
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
func (e *Engine) endFilling(ctx context.Context) error {
	if err := e.commit(ctx, e.newState(), &Batch{Now: e.now(), Filled: true}); err != nil {
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
	err := w.history.Stream(ctx, from, to, wanted, func(id int64, ev *event.Event) error {
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

// fillProfiles gives profiles their past and evaluates for them what is being built. Then all up to the id through are filled.
func (e *Engine) fillProfiles(ctx context.Context, w *fillWork, ids []int64, through int64, past past) error {
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
	before := w.Done
	w.Done = max(before, through)
	for _, id := range ids {
		p := s.current(id)
		if id <= before || p == nil || len(w.nodes) == 0 && !e.swept[id] {
			continue
		}
		for i, a := range past[id] {
			p.Aggregates.Of(w.rules.termIDs[i]).Merge(w.rules.terms[i], a, now)
		}
		if p.ID == id {
			s.voidFresh(p, w.filling)
			s.voidGiven(p, w.filling)
		}
		dirty := s.noNodes()
		for i := range w.nodes {
			dirty.add(i)
		}
		s.evaluate(p, dirty, now, Cause{Kind: ByDefinition})
		s.touch(p, now)
	}
	if err := e.commit(ctx, s, &Batch{Now: now, Progress: w.Done}); err != nil {
		w.Done = before
		return err
	}
	for _, id := range ids {
		delete(w.waiting, id)
	}
	e.status.building(e.buildingNames(), w.share())
	return nil
}

// voidFresh forgets what an older definition of the same name left behind.
func (s *State) voidFresh(p *profile.Profile, f *filling) {
	for i := range f.fresh {
		if !f.fresh[i] {
			continue
		}
		if n := s.Rules.nodes[i]; n.Segment {
			p.Segments.Leave(n.Name)
		} else {
			p.Computed.Set(n.Name, nil)
		}
	}
}
