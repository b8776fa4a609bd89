package engine

import (
	"context"
	"slices"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// Overriding is an override that began, or was lifted, to be recorded.
type Overriding struct {
	Parts  []int64 // the profile, and those that merged into it
	Kind   string
	Name   string
	Begun  *profile.Override // nil: lifted
	Lifter string            // who ended the one before
}

// overrideTimer is the place among a profile's timers of the moment at which an override ends by itself. Rules have
// places above it.
const overrideTimer = 0

// Override makes a person's word win over events until it is lifted or its time is over: that a customer is in a segment
// or not (Value is a bool), or what a trait, told or computed, says. What depends on it follows at once. o.At is set
// here. It fails with NotFound where the profile or the segment does not exist, and with Invalid where the override is
// over already, or is of a trait by which customers are known.
func (e *Engine) Override(ctx context.Context, profileID int64, o profile.Override) error {
	return e.onProfile(ctx, profileID, func(s *State, p *profile.Profile, b *Batch) error {
		if err := e.checkOverride(o, b.Now); err != nil {
			return err
		}
		o.At = b.Now
		if !p.SetOverride(o) {
			return fault.New(fault.Invalid, "the profile has as many overrides as it may; lift some")
		}
		b.Overridings = []Overriding{{Parts: p.Parts(), Kind: o.Kind, Name: o.Name, Begun: &o, Lifter: o.By}}
		s.overrideChanged(p, o, b.Now)
		return nil
	})
}

// LiftOverride ends an override: events count again. It fails with NotFound where there is none.
func (e *Engine) LiftOverride(ctx context.Context, profileID int64, kind, name, actor string) error {
	return e.onProfile(ctx, profileID, func(s *State, p *profile.Profile, b *Batch) error {
		if !p.LiftOverride(kind, name) {
			return fault.New(fault.NotFound, "the %s %s is not overridden", kind, name)
		}
		b.Overridings = []Overriding{{Parts: p.Parts(), Kind: kind, Name: name, Lifter: actor}}
		s.overrideChanged(p, profile.Override{Kind: kind, Name: name}, b.Now)
		return nil
	})
}

func (e *Engine) checkOverride(o profile.Override, now int64) error {
	if o.Until != 0 && o.Until <= now {
		return fault.Field("until", "is over already; leave it out, or name a time to come")
	}
	if o.Kind == profile.OverrideTrait {
		if !profile.Overridable(o.Name) {
			return fault.New(fault.Invalid, "the trait %s cannot be overridden: customers are known by it, say it themselves, or the engine keeps it", o.Name)
		}
		return nil
	}
	if _, ok := e.rules.segments[o.Name]; !ok {
		return fault.New(fault.NotFound, "there is no segment %s", o.Name)
	}
	return nil
}

// onProfile changes a living profile by hand, in the loop, and commits.
func (e *Engine) onProfile(ctx context.Context, id int64, change func(*State, *profile.Profile, *Batch) error) (err error) {
	failed := e.do(ctx, func() {
		ctx := context.WithoutCancel(ctx)
		if err = e.load(ctx, map[int64]bool{id: true}); err != nil {
			return
		}
		s := e.newState()
		p := s.current(id)
		if p == nil {
			err = fault.New(fault.NotFound, "there is no such profile")
			return
		}
		b := &Batch{Now: e.now()}
		s.catchUp(p, b.Now)
		if err = change(s, p, b); err == nil {
			err = e.commit(ctx, s, b)
		}
	})
	if failed != nil {
		return failed
	}
	return err
}

// overrideChanged works out anew what an override that began or ended concerns.
func (s *State) overrideChanged(p *profile.Profile, o profile.Override, at int64) {
	dirty := newNodeSet(len(s.Rules.nodes))
	s.Rules.addOverridden(dirty, o)
	s.evaluate(p, dirty, at, Cause{Kind: ByOverride})
	s.setOverrideTimer(p)
	s.touch(p, at)
}

// addOverridden adds the nodes that an override concerns.
func (r *Rules) addOverridden(to nodeSet, o profile.Override) {
	if o.Kind == profile.OverrideSegment {
		if n, ok := r.segments[o.Name]; ok {
			to.add(n)
		}
		return
	}
	if n, ok := r.traits[o.Name]; ok {
		to.add(n)
	}
	to.add(r.byField[o.Name]...)
}

// endOverrides lifts the overrides of a profile whose time is over, and reports whether there were any.
func (s *State) endOverrides(p *profile.Profile, at int64, dirty nodeSet) bool {
	ended := p.EndOverrides(at)
	for _, o := range ended {
		s.Rules.addOverridden(dirty, o)
	}
	s.setOverrideTimer(p)
	return len(ended) > 0
}

func (s *State) setOverrideTimer(p *profile.Profile) {
	p.Timers.Set(overrideTimer, p.NextOverrideEnd())
}

// decided is what a node says of a profile: its result, unless somebody overrode it.
func decided(p *profile.Profile, n *segment.Node, result func() any) any {
	if len(p.Overrides) > 0 {
		kind := profile.OverrideTrait
		if n.Segment {
			kind = profile.OverrideSegment
		}
		if o := p.Override(kind, n.Name); o != nil {
			return o.Value
		}
	}
	return result()
}

// overridesOf are those that a unit has after a merge is undone: its own, unless lifted or replaced since, and those made
// while it was a part of the line, which hold for all that was in it.
func (f *family) overridesOf(u *unit) (kept []profile.Override) {
	for _, o := range f.root.Overrides {
		own := slices.IndexFunc(u.side.Overrides, func(s profile.Override) bool { return s.Kind == o.Kind && s.Name == o.Name })
		switch {
		case o.At >= u.joined && slices.ContainsFunc(f.saidOfLine(), func(said OverrideLife) bool { return said.Is(o) }):
			kept = append(kept, o)
		case own >= 0:
			kept = append(kept, u.side.Overrides[own])
		}
	}
	return kept
}

// saidOfLine lists the overrides, on record under the line, that were made since it became more than one unit.
func (f *family) saidOfLine() (all []OverrideLife) {
	for _, u := range f.units {
		for _, o := range f.said[u.id] {
			if u.line && o.At >= u.joined {
				all = append(all, o)
			}
		}
	}
	return all
}

// saidOfAll has those go on record for each of the units that were in the line then: they stay theirs, with the past in which
// they held.
func (f *family) saidOfAll() (all []Said) {
	for _, o := range f.saidOfLine() {
		for _, u := range f.units {
			known := slices.ContainsFunc(append([]int64{u.id}, u.side.Absorbed...), func(part int64) bool {
				return slices.ContainsFunc(f.said[part], func(have OverrideLife) bool { return have.Is(o.Override) })
			})
			if o.At >= u.joined && !known {
				all = append(all, Said{o.ID, u.id})
			}
		}
	}
	return all
}
