package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/profile"
)

const (
	maxProperties   = 200 // are listed of one event
	newestEvents    = 200 // of a customer are looked at
	enoughOfASample = 100 // events of a name; fewer of a sample say little about what others have
)

// Properties lists the properties that events have, by the event's name, as far as a sample of customers tells.
func (e *Engine) Properties(ctx context.Context, patience time.Duration) (map[string]expr.Seen, error) {
	type found struct {
		events int
		names  map[string]bool
	}
	by := map[string]*found{}
	cut := false
	var seen coverage
	complete, err := e.sample(ctx, look{events: true}, patience, func(members []*profile.Profile, of eventsOf, _ int64) (bool, error) {
		for _, p := range members {
			events := of(p)
			older := max(0, len(events)-newestEvents)
			cut = cut || older > 0
			for _, ev := range events[older:] {
				one := by[ev.Name]
				if one == nil {
					one = &found{names: map[string]bool{}}
					by[ev.Name] = one
				}
				one.events++
				for name := range ev.Properties() {
					if len(one.names) < maxProperties {
						one.names[name] = true
					}
				}
			}
		}
		return true, nil
	}, &seen)
	properties := make(map[string]expr.Seen, len(by))
	for name, one := range by {
		properties[name] = expr.Seen{
			Properties: slices.Sorted(maps.Keys(one.names)),
			Enough:     len(one.names) < maxProperties && (complete && !cut || one.events >= enoughOfASample),
		}
	}
	return properties, err
}
