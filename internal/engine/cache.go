package engine

import (
	"context"
	"slices"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// state loads all that the events concern.
func (e *Engine) state(ctx context.Context, events []*event.Event, ids [][]identity.Identifier) (*State, error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	if err := e.reserve(ctx, events); err != nil {
		return nil, err
	}
	for again := true; again; again = e.moved(ids) {
		if err := e.loadFor(ctx, events, ids); err != nil {
			return nil, err
		}
		if e.relying && e.moved(ids) { // what is remembered is not read again before it is doubted
			return nil, e.stale(ErrMoved)
		}
	}
	return e.newState(), nil
}

func (e *Engine) loadFor(ctx context.Context, events []*event.Event, ids [][]identity.Identifier) error {
	var missing []identity.Identifier
	wanted := make(map[int64]bool, len(events))
	asked := map[identity.Identifier]bool{}
	for i, ev := range events {
		if ev.ProfileID != 0 {
			wanted[ev.ProfileID] = true
		}
		for _, id := range ids[i] {
			if owner, ok := e.owners[id]; ok {
				if owner != 0 {
					wanted[owner] = true
				}
			} else if !asked[id] {
				asked[id] = true
				missing = append(missing, id)
			}
		}
	}
	if len(missing) > 0 {
		var owners map[identity.Identifier]int64
		var err error
		e.memory.lend(func() { owners, err = e.Store.Owners(ctx, missing) })
		if err != nil {
			return err
		}
		for _, id := range missing {
			if owner := owners[id]; owner != 0 {
				e.owners[id] = owner
				wanted[owner] = true
			} else if e.Nodes == nil { // nobody else gives it away
				e.owners[id] = 0
			}
		}
	}
	return e.load(ctx, wanted)
}

func (e *Engine) newState() *State {
	return &State{
		Policy: e.Policy, Rules: e.rules, Filling: e.filling, Profiles: e.profiles, Owners: e.owners, NextID: e.nextID,
		Message: e.MessageID, Changes: e.unsaved.changes, Lazy: true,
	}
}

// load brings profiles, and those that they were merged into, into the cache, so that they may be changed.
func (e *Engine) load(ctx context.Context, wanted map[int64]bool) error {
	for len(wanted) > 0 {
		if err := e.lock(ctx, wanted); err != nil {
			return err
		}
		var ids, held []int64
		next := map[int64]bool{}
		for id := range wanted {
			p := e.profile(id)
			if p == nil {
				ids = append(ids, id)
				continue
			}
			held = append(held, id)
			if p.MergedInto != 0 {
				next[p.MergedInto] = true
			}
		}
		if err := e.take(held); err != nil {
			return err
		}
		if len(ids) > 0 && e.Nodes == nil { // else they do not exist
			slices.Sort(ids) // in the order of their table
			var loaded map[int64]*profile.Profile
			var err error
			e.memory.lend(func() { loaded, err = e.Store.LoadProfiles(ctx, ids) })
			if err != nil {
				return err
			}
			e.cache(loaded)
			for _, p := range loaded {
				if p.MergedInto != 0 {
					next[p.MergedInto] = true
				}
			}
		}
		wanted = next
	}
	return nil
}

// cache remembers profiles as they were read.
func (e *Engine) cache(loaded map[int64]*profile.Profile) {
	for _, p := range loaded {
		e.remember(p)
		e.recognise(p)
	}
}

// remember takes a profile, as the store has it, into the cache, with what is still to be added to it.
func (e *Engine) remember(p *profile.Profile) {
	e.unsaved.addTo(p)
	e.rules.admit(p)
	e.profiles[p.ID] = p
}

// recognise notes whom the identifiers of a profile point to, as it was read: another node may have given it
// one after it was looked up here, and nobody had it.
func (e *Engine) recognise(p *profile.Profile) {
	if e.Nodes == nil {
		return
	}
	for _, id := range p.Identifiers {
		e.owners[id] = p.ID
	}
}

// admit drops from a stored profile what rules no longer speak of, and reports whether there was a trait or a query's row. Of
// segments the filling does (leaveFormer), on the record.
func (r *Rules) admit(p *profile.Profile) bool {
	p.Aggregates.Keep(func(term int64) bool { return r.termOf[term] != nil })
	p.Timers.Keep(func(rule int64) bool { _, known := r.nodeOf[rule]; return known || rule == overrideTimer })
	given := p.Ungive(func(g profile.Given) bool {
		n, ok := r.segments[g.Segment]
		return !ok || r.nodes[n].SQL == ""
	})
	return p.KeepComputed(r.traits) || given
}

func (e *Engine) dropCaches() {
	e.profiles, e.owners = map[int64]*profile.Profile{}, map[identity.Identifier]int64{}
	e.versions, e.locked, e.relied = map[int64]int64{}, map[int64]bool{}, map[int64]bool{}
	e.nextDue, e.fired = 1, Due{} // look at once
	e.epoch, e.frozen = e.epoch+1, frozen{}
}

// trimCaches keeps the caches small by dropping any of what is durable. Under load what is not is most of what is wanted again,
// and memory that the collector need not go through is worth more than the rest.
func (e *Engine) trimCaches() {
	u := &e.unsaved
	held := len(u.changes.Dirty)
	if u.saving != nil {
		held += len(u.saving.batch.Changes.Dirty)
	}
	trim(e.profiles, max(e.Cached, held+e.Cached/5), func(id int64, _ *profile.Profile) bool { return u.holds(id) })
	trim(e.versions, 2*e.Cached, func(id, _ int64) bool { return e.profiles[id] != nil || e.locked[id] || e.relied[id] })
	trim(e.owners, cachedOwners*e.Cached, func(id identity.Identifier, _ int64) bool {
		_, moved := u.changes.Owners[id]
		if !moved && u.saving != nil {
			_, moved = u.saving.batch.Changes.Owners[id]
		}
		return moved
	})
}

// trim keeps a cache small by dropping any of its entries that need not be kept.
func trim[K comparable, V any](cache map[K]V, most int, needed func(K, V) bool) {
	if len(cache) <= most {
		return
	}
	for key, value := range cache {
		if len(cache) <= most*3/4 {
			return
		}
		if !needed(key, value) {
			delete(cache, key)
		}
	}
}
