package engine

import (
	"context"
	"slices"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// look is which events of profiles are shown: none, all, or those whose name is wanted.
type look struct {
	events bool
	wanted func(name []byte) bool
}

// eventsOf gives the events of a profile that one looks at, oldest first.
type eventsOf func(p *profile.Profile) []*event.Event

// read loads living profiles from ≤ id < to, limit at most, and the way to their events; last is 0 where there are none.
func (e *Engine) read(ctx context.Context, history History, l look, from, to int64, limit int) (profiles []*profile.Profile, last int64, of eventsOf, err error) {
	profiles, last, err = e.Store.ProfileRange(ctx, from, to, limit)
	if err != nil || last == 0 {
		return nil, 0, nil, err
	}
	events := map[int64][]*event.Event{} // by the id under which they came
	var stretches [][2]int64
	if l.events {
		stretches = append(elsewhere(profiles, from, last+1), [2]int64{from, last + 1})
	}
	for _, s := range stretches {
		if err = history.Range(ctx, s[0], s[1], l.wanted, func(id int64, ev *event.Event) error {
			events[id] = append(events[id], ev)
			return nil
		}); err != nil {
			return nil, 0, nil, err
		}
	}
	return profiles, last, func(p *profile.Profile) []*event.Event {
		if len(p.Absorbed) == 0 {
			return events[p.ID]
		}
		all := slices.Clone(events[p.ID])
		for _, part := range p.Absorbed {
			all = append(all, events[part]...)
		}
		slices.SortStableFunc(all, event.Compare)
		return all
	}, nil
}

// apart is how many ids between two are read along with them, since finding a place in the log takes longer.
const apart = 16

// elsewhere lists the stretches from ≤ id < to of the log, in order, that hold the parts of profiles outside of the one
// that is read anyway.
func elsewhere(profiles []*profile.Profile, from, to int64) (stretches [][2]int64) {
	var parts []int64
	for _, p := range profiles {
		for _, part := range p.Absorbed {
			if part < from || part >= to {
				parts = append(parts, part)
			}
		}
	}
	slices.Sort(parts)
	for _, part := range parts {
		end := len(stretches) - 1
		if end >= 0 && part < stretches[end][1]+apart && (part < from || stretches[end][1] > to) {
			stretches[end][1] = part + 1
		} else {
			stretches = append(stretches, [2]int64{part, part + 1})
		}
	}
	return stretches
}
