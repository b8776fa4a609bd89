package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Beside the loop goes a scout: while the loop steps through events, it reads what those that wait concern, so that the loop
// need not wait for the disk. What it finds was true when it looked, which the loop compares with what has happened since.
// Where there are several nodes what is read is only true once it is locked, and the scout leaves reading to the loop.

// scoutAhead is how many events the scout reads for before the loop has taken them: what is read long before is less often still
// so, and takes memory. More than these it hands on unread.
const scoutAhead = 2 * maxGroup

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

// frozen is what the last batch to be written changed, as long as somebody may have read what was before.
type frozen struct {
	dirty  map[int64]bool
	added  map[int64]Added
	owners map[identity.Identifier]int64
}

// explore finds out what the events of a group concern, as far as memory does not know. What cannot be read the loop will
// read, and meet the failure. Memory is held no longer than it takes to look.
func (e *Engine) explore(ctx context.Context, group []*request) {
	found := &finds{profiles: map[int64]*profile.Profile{}}
	var absent []int64
	var missing []identity.Identifier
	<-e.memory
	found.epoch, found.flights = e.epoch, e.flights
	for _, r := range group {
		for i, ev := range r.events {
			absent = e.absent(absent, ev.ProfileID)
			for _, id := range r.ids[i] {
				if owner, ok := e.owners[id]; ok {
					absent = e.absent(absent, owner)
				} else {
					missing = append(missing, id)
				}
			}
		}
	}
	e.memory.giveBack()
	if e.ask(ctx, group) != nil {
		return
	}
	for _, r := range group {
		r.found = found
	}
	owners, err := e.exploreOwners(ctx, found, missing)
	if err != nil {
		return
	}
	_ = e.exploreProfiles(ctx, found, append(absent, e.absentOf(owners)...))
}

// absent adds a profile, or the one that it was merged into, to a list unless it is in memory; 0 is none.
func (e *Engine) absent(list []int64, id int64) []int64 {
	p := e.profiles[id]
	for p != nil && p.MergedInto != 0 {
		id = p.MergedInto
		p = e.profiles[id]
	}
	if p != nil || id == 0 || e.unsaved.holds(id) {
		return list
	}
	return append(list, id)
}

// absentOf lists those of some profiles that are not in memory.
func (e *Engine) absentOf(ids []int64) (absent []int64) {
	if len(ids) == 0 {
		return nil
	}
	<-e.memory
	defer e.memory.giveBack()
	for _, id := range ids {
		absent = e.absent(absent, id)
	}
	return absent
}

// exploreOwners asks whose identifiers are, which 0 is nobody's, and lists the owners.
func (e *Engine) exploreOwners(ctx context.Context, found *finds, missing []identity.Identifier) (owners []int64, err error) {
	if len(missing) == 0 {
		return nil, nil
	}
	nobody := make(map[identity.Identifier]int64, len(missing))
	for _, id := range missing {
		nobody[id] = 0
	}
	known, err := e.Store.Owners(ctx, slices.Collect(maps.Keys(nobody)))
	if err != nil {
		return nil, err
	}
	found.owners = nobody
	maps.Copy(found.owners, known)
	return slices.Collect(maps.Values(known)), nil
}

// exploreProfiles reads profiles, and those that they were merged into.
func (e *Engine) exploreProfiles(ctx context.Context, found *finds, ids []int64) error {
	for len(ids) > 0 {
		slices.Sort(ids) // in the order of their table
		loaded, err := e.Store.LoadProfiles(ctx, slices.Compact(ids))
		if err != nil {
			return err
		}
		var merged []int64
		for id, p := range loaded {
			if found.profiles[id] = p; p.MergedInto != 0 && found.profiles[p.MergedInto] == nil {
				merged = append(merged, p.MergedInto)
			}
		}
		ids = e.absentOf(merged)
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
