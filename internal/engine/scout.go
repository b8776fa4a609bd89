package engine

import (
	"context"
	"slices"

	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Beside the loop goes a scout: while the loop steps through events, it reads what those that wait concern, so that the loop
// need not wait for the disk. What it finds was true when it looked, which the loop compares with what has happened since.
// Where there are several nodes what is read is only true once it is locked, and the scout leaves reading to the loop.

// scoutAhead is how many events the scout reads for before the loop has taken them.
const scoutAhead = maxGroup

// finds are what the scout found for some requests.
type finds struct {
	epoch    int64 // Engine.epoch, before it looked
	flights  int64 // Engine.flights; likewise
	owners   map[identity.Identifier]int64
	profiles map[int64]*profile.Profile
}

// scout hands requests on to the loop, until the engine is closed.
func (e *Engine) scout(ctx context.Context) {
	defer close(e.scouted)
	for {
		var group []*request
		select {
		case r := <-e.requests:
			group = gather(r, e.requests)
		case <-e.closed:
			for {
				select {
				case r := <-e.requests:
					e.ahead.Add(int64(len(r.events)))
					e.scouted <- r
				default:
					return
				}
			}
		}
		if e.ahead.Add(int64(countEvents(group))) <= scoutAhead && e.Nodes == nil {
			e.explore(ctx, group)
		}
		for _, r := range group {
			e.scouted <- r
		}
	}
}

// frozen is what the last batch to be written changed.
type frozen struct {
	dirty  map[int64]bool
	added  map[int64]Added
	owners map[identity.Identifier]int64
}

// explore finds out what the events of a group concern, as far as memory does not know. What cannot be read the loop will
// read, and meet the failure.
func (e *Engine) explore(ctx context.Context, group []*request) {
	found := &finds{profiles: map[int64]*profile.Profile{}}
	wanted, missing := map[int64]bool{}, map[identity.Identifier]bool{}
	<-e.memory
	found.epoch, found.flights = e.epoch, e.flights
	for _, r := range group {
		for i, ev := range r.events {
			if ev.ProfileID != 0 {
				wanted[ev.ProfileID] = true
			}
			for _, id := range r.ids[i] {
				if owner, ok := e.owners[id]; !ok {
					missing[id] = true
				} else if owner != 0 {
					wanted[owner] = true
				}
			}
		}
	}
	e.memory.give()
	if e.exploreIDs(ctx, group, found) != nil || e.exploreOwners(ctx, found, missing, wanted) != nil {
		return
	}
	_ = e.exploreProfiles(ctx, found, wanted)
}

// exploreIDs asks which events the log has.
func (e *Engine) exploreIDs(ctx context.Context, group []*request, found *finds) error {
	known, err := e.Store.Known(ctx, messageIDs(group))
	if err != nil {
		return err
	}
	for _, r := range group {
		r.found, r.known, known = found, known[:len(r.events)], known[len(r.events):]
	}
	return nil
}

// exploreOwners asks whose identifiers are; 0 is nobody's.
func (e *Engine) exploreOwners(ctx context.Context, found *finds, missing map[identity.Identifier]bool, wanted map[int64]bool) error {
	if len(missing) == 0 {
		return nil
	}
	ids := make([]identity.Identifier, 0, len(missing))
	for id := range missing {
		ids = append(ids, id)
	}
	owners, err := e.Store.Owners(ctx, ids)
	if err != nil {
		return err
	}
	for _, owner := range owners {
		wanted[owner] = true
	}
	for id := range missing {
		owners[id] += 0
	}
	found.owners = owners
	return nil
}

// exploreProfiles reads profiles, and those that they were merged into.
func (e *Engine) exploreProfiles(ctx context.Context, found *finds, wanted map[int64]bool) error {
	for len(wanted) > 0 {
		var ids []int64
		next := map[int64]bool{}
		<-e.memory
		for id := range wanted {
			for p := e.profiles[id]; p != nil && p.MergedInto != 0; p = e.profiles[id] {
				id = p.MergedInto
			}
			if e.profiles[id] == nil && found.profiles[id] == nil && !e.unsaved.holds(id) {
				ids = append(ids, id)
			}
		}
		e.memory.give()
		slices.Sort(ids) // in the order of their table
		loaded, err := e.Store.LoadProfiles(ctx, slices.Compact(ids))
		if err != nil {
			return err
		}
		for id, p := range loaded {
			found.profiles[id] = p
			if p.MergedInto != 0 {
				next[p.MergedInto] = true
			}
		}
		wanted = next
	}
	return nil
}

// believe takes into memory what the scout found for a group.
func (e *Engine) believe(group []*request) {
	var last *finds
	for _, r := range group {
		if r.found != nil && r.found != last {
			last = r.found
			e.believeIn(last)
		}
	}
}

// believeIn takes what memory has not had since the scout looked. What it had and has no more is what the last batch wrote, or
// nobody knows.
func (e *Engine) believeIn(found *finds) {
	written := frozen{}
	switch {
	case e.epoch == found.epoch+1 && e.frozen.dirty != nil:
		written = e.frozen
	case e.epoch != found.epoch:
		return
	}
	for id, owner := range found.owners {
		if _, moved := written.owners[id]; !moved {
			if _, has := e.owners[id]; !has {
				e.owners[id] = owner
			}
		}
	}
	for id, p := range found.profiles {
		if _, added := written.added[id]; !added && !written.dirty[id] && e.profiles[id] == nil {
			e.remember(p)
		}
	}
}
