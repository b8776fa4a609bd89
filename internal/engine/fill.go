package engine

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// fillStretch is how many ids of profiles a filling reads the past of at a time where nobody says otherwise, if it lacks one
// term that is small; with several it reads fewer, but not below leastStretch, which is all where one is not small.
const (
	fillStretch  = 1 << 17
	leastStretch = 1 << 13
)

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
	work := newFillWork(e.rules, e.filling, e.FillStretch)
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
	byName  map[string][]int // places among the terms that lack their history, by the names of their events; "" for all events
	history History
	ahead   *filling // this one as it is for a profile whose turn has not come
	atOnce  int64    // ids of profiles whose past is read at once

	loop atomic.Pointer[loopState] // as of the last time that the loop had to do with this filling

	borrowed []int64 // profiles that the cache has only until they are saved
	changed  int     // profiles that were filled since a save began, those stored as a whole counted wholeCost times,
	since    int64   // and which that was (Engine.wholes)
}

// loopState is what the loop tells of itself to those who work beside it.
type loopState struct {
	asOf int64 // durable
	now  int64
}

// fill works through all profiles in order of id: while the loop takes some, the next ones are made ready. What cannot be
// saved is filled once more.
func (e *Engine) fill(ctx context.Context, w *fillWork) error {
	return e.persist(ctx, func() error {
		var done int64
		if err := e.inFilling(ctx, w, func() error { done = w.Done; e.tell(w); return nil }); err != nil {
			return err
		}
		ready := make(chan *stretch, 1)
		group, running := errgroup.WithContext(ctx)
		group.Go(func() error {
			defer close(ready)
			return e.prepare(running, w, done+1, ready)
		})
		group.Go(func() error {
			for st := range ready {
				if err := e.fillStretch(running, w, st); err != nil {
					return err
				}
			}
			return nil
		})
		if err := group.Wait(); err != nil {
			return err
		}
		return e.endFilling(ctx, w)
	})
}

// tell has those who make profiles ready know how the loop is doing.
func (e *Engine) tell(w *fillWork) { w.loop.Store(&loopState{e.durable(), e.now()}) }

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

// share is how much of a filling is done, 0 to 1.
func (f *filling) share() float64 { return float64(f.Done) / float64(max(f.Through, 1)) }

// newFillWork prepares to do a filling, which reads the past of at most so many profiles at once.
func newFillWork(rules *Rules, f *filling, most int) *fillWork {
	w := &fillWork{filling: f, rules: rules, byName: map[string][]int{}, ahead: &filling{nodes: f.nodes, Filling: Filling{Through: math.MaxInt64}}}
	share := most / max(1, len(w.terms))
	for place, i := range w.terms {
		if !rules.terms[i].Small() {
			share = 0
		}
		names := rules.terms[i].Names()
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			w.byName[name] = append(w.byName[name], place)
		}
	}
	w.atOnce = int64(max(share, min(most, leastStretch)))
	return w
}

// persist tries again what failed because the store was out of reach for a while, such as with a full disk.
func (e *Engine) persist(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil || fault.CodeOf(err) == fault.Conflict && !isStale(err) || ctx.Err() != nil {
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

// endFilling has the next save record that everything holds for every profile, and waits for it.
func (e *Engine) endFilling(ctx context.Context, w *fillWork) error {
	var last *saving
	err := e.inFilling(ctx, w, func() error {
		if w.Done < w.Through {
			return errUnsaved
		}
		e.stepping()
		e.unsaved.filled = true
		if e.Nodes != nil {
			return e.commit(context.WithoutCancel(ctx), e.newState(), &Batch{Now: e.now()})
		}
		last = e.covering()
		return nil
	})
	if err == nil {
		err = e.wait(ctx, last)
	}
	if err != nil || last == nil || last.batch != nil && last.batch.Filled {
		return err
	}
	return e.inFilling(ctx, w, func() error { return errUnsaved }) // unless a whole commit came before the save
}

var errOvertaken = fault.New(fault.Conflict, "what was being filled is filled, or the definitions changed")

// inFilling runs fn in the loop, unless this filling has been overtaken by another.
func (e *Engine) inFilling(ctx context.Context, w *fillWork, fn func() error) error {
	var err error
	failed := e.do(ctx, func() {
		if e.filling != w.filling {
			err = errOvertaken
			return
		}
		err = fn()
	})
	if failed != nil {
		return failed
	}
	return err
}

// observed is an event as behaviour terms see it; nil for what a machine did, which is nobody's behaviour.
func observed(ev *event.Event) *expr.Event {
	seen := &expr.Event{}
	if !observe(ev, seen) {
		return nil
	}
	return seen
}

// observe makes seen what observed gives, and reports whether there is such.
func observe(ev *event.Event, seen *expr.Event) bool {
	if ev.Machine() {
		return false
	}
	seen.Become(expr.Event{
		MessageID: ev.MessageID, Type: string(ev.Type), Name: ev.Name, At: ev.Timestamp.UnixMicro(), Tie: event.Tie(ev.MessageID),
		Payload: ev,
	})
	return true
}
