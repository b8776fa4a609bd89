package engine

import (
	"context"
	"maps"
	"slices"
	"time"
)

const maxDue = 500 // profiles whose timers fire in one commit

// fireDue lives through the timers that are due, some at a time so that events are not kept waiting.
func (e *Engine) fireDue(ctx context.Context) {
	now := e.now()
	if err := e.fireSome(ctx, now); err != nil {
		e.Log.Error("timers could not be fired; trying again in a second", "error", err)
		e.nextDue = now + time.Second.Microseconds()
		e.unsaved.busy = time.Now().Add(time.Second)
	}
}

// fireSome leaves what time changed to the next save: until then the timers stand in the store, and fire again after a crash.
func (e *Engine) fireSome(ctx context.Context, now int64) error {
	ready := e.steady
	if f := e.unsaved.flight; e.Nodes != nil {
		ready = e.saved
	} else if f.changes() != nil {
		ready = e.sound // the store is about to know more
	}
	if err := ready(ctx); err != nil {
		return err
	}
	fired := e.fired
	ids, next, err := e.due(ctx, now)
	if err != nil {
		return err
	}
	e.nextDue = next
	if len(ids) == 0 {
		return nil
	}
	wanted := map[int64]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	if err := e.load(ctx, wanted); err != nil {
		e.fired = fired // they are still to be
		return err
	}
	ids = slices.DeleteFunc(ids, func(id int64) bool {
		gone := e.profiles[id] == nil // the others' time has come all the same
		if gone {
			e.Log.Error("the database is damaged: a profile that time changes is not among the profiles", "profile", id)
		}
		return gone
	})
	e.stepping()
	s := e.newState()
	for _, id := range ids {
		s.Tick(e.profiles[id], now)
	}
	e.watch(ids...)
	if e.Nodes != nil {
		return e.commit(ctx, s, &Batch{Now: now})
	}
	e.behind.add(e.unsaved.changes)
	e.unsaved.busy = time.Time{} // where nothing else is to be done, it is saved at once
	return nil
}

// due lists profiles that time changes by now, some at a time, and tells when to look again.
func (e *Engine) due(ctx context.Context, now int64) (ids []int64, next int64, err error) {
	if e.Nodes != nil {
		return e.dueHere(ctx, now)
	}
	stored, next, err := e.Store.Due(ctx, now, e.fired, maxDue)
	if err != nil {
		return nil, 0, err
	}
	for _, d := range stored {
		if !e.unsaved.holds(d.ID) {
			ids = append(ids, d.ID)
		}
		e.fired = d
	}
	if len(stored) == maxDue {
		next = now
	}
	if e.unsaved.horizon <= now {
		e.watchUnsaved(now)
	}
	most := len(ids) + maxDue
	for id, at := range e.unsaved.soon {
		switch {
		case !e.unsaved.holds(id): // the store has it
			delete(e.unsaved.soon, id)
		case at <= now && len(ids) < most:
			ids = append(ids, id)
		case next == 0 || at < next:
			next = at
		}
	}
	if unsaved := !e.unsaved.empty() || e.unsaved.saving != nil; unsaved && (next == 0 || e.unsaved.horizon < next) {
		next = e.unsaved.horizon
	}
	return ids, next, nil
}

const soon = time.Minute // as far as time is looked ahead for what is unsaved, most of which is saved by then

// watch notes when time will change unsaved profiles, where that is soon: the store does not know yet.
func (e *Engine) watch(ids ...int64) {
	for _, id := range ids {
		e.watchAt(id, e.profile(id).Timers.Next())
	}
}

// watchAt is watch for a profile that time changes at a moment, 0: never. One behind the horizon is looked for from there.
func (e *Engine) watchAt(id, at int64) {
	if e.Nodes != nil {
		return // nothing stays unsaved
	}
	if at == 0 || at > e.unsaved.horizon {
		delete(e.unsaved.soon, id)
	} else {
		e.unsaved.soon[id] = at
	}
	if at = min(at, e.unsaved.horizon); at != 0 && (e.nextDue == 0 || at < e.nextDue) {
		e.nextDue = at
	}
}

// watchUnsaved watches everything unsaved, from now on: the disk is slow, or the clock was set ahead.
func (e *Engine) watchUnsaved(now int64) {
	u := &e.unsaved
	u.horizon = now + soon.Microseconds()
	for _, c := range [...]*Changes{u.saving.changes(), u.changes} {
		if c == nil {
			continue
		}
		for id, a := range c.Added {
			e.watchAt(id, a.Next)
		}
		e.watch(slices.Collect(maps.Keys(c.Dirty))...)
	}
}
