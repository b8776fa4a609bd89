package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Difference is a membership or a computed trait that is not what the events say.
type Difference struct {
	ProfileID int64
	Kind      string // "segment" or "trait"
	Name      string
	Have      any // as it is kept
	Want      any // as it follows from the events
}

func (d Difference) String() string {
	return fmt.Sprintf("profile %d: %s %s is kept as %v, and its events say %v", d.ProfileID, d.Kind, d.Name, d.Have, d.Want)
}

// Verification is the outcome of Verify.
type Verification struct {
	Profiles    int
	Events      int
	Checks      int
	Differences []Difference
}

// Verify recomputes every membership and computed trait from the stored events, by the naive reading of each
// expression, and lists what differs from what is kept. There must be nothing. It waits for segments that are being
// filled, and works on one moment while events go on: a profile that changes under its hands is looked at again.
func (e *Engine) Verify(ctx context.Context) (*Verification, error) {
	if err := e.WaitFilled(ctx); err != nil {
		return nil, err
	}
	var rules *Rules
	if err := e.do(ctx, func() { rules = e.rules }); err != nil {
		return nil, err
	}
	v := &Verification{}
	err := e.scan(ctx, look{events: true}, func(p *profile.Profile, events []*event.Event, now int64) error {
		v.Profiles++
		v.Events += len(events)
		differences, err := e.differences(ctx, rules, p, events, now)
		if err != nil {
			return err
		}
		for _, d := range differences {
			again, err := e.verifyOne(ctx, rules, p.ID)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(again, func(a Difference) bool { return a.Kind == d.Kind && a.Name == d.Name }) {
				v.Differences = append(v.Differences, d)
			}
		}
		v.Checks += len(rules.nodes)
		return nil
	})
	changed := false
	if err == nil {
		err = e.do(ctx, func() { changed = e.rules != rules })
	}
	if changed {
		return e.Verify(ctx) // other rules, or other cut points: what was compared was neither
	}
	return v, err
}

// verifyOne looks at one profile while the loop stands still, and no other node changes it.
func (e *Engine) verifyOne(ctx context.Context, rules *Rules, id int64) (differences []Difference, err error) {
	failed := e.do(ctx, func() {
		if err = e.still(context.WithoutCancel(ctx), id); err != nil {
			return
		}
		var profiles map[int64]*profile.Profile
		if profiles, err = e.Store.LoadProfiles(ctx, []int64{id}); err != nil || profiles[id] == nil || profiles[id].MergedInto != 0 {
			return
		}
		p := profiles[id]
		history := e.Store.HistoryOf(p.Parts())
		defer history.Close()
		var events []*event.Event
		if events, err = history.Of(ctx, append([]int64{id}, p.Absorbed...)); err != nil {
			return
		}
		now := e.now()
		if next := p.Timers.Next(); e.Nodes != nil && next != 0 && next <= now {
			err = e.stale(errMoment)
			return
		}
		differences, err = e.differences(ctx, rules, p, events, now)
	})
	if failed != nil {
		return nil, failed
	}
	return differences, err
}

// errMoment says that a profile has a moment to live through, which another node has in hand or has just left.
var errMoment = &Stale{fault.New(fault.Unavailable, "a timer is due")}

// still fires what is due, writes everything, and locks a profile where there are other nodes.
func (e *Engine) still(ctx context.Context, id int64) error {
	e.fireDue(ctx)
	if err := e.saved(ctx); err != nil {
		return err
	}
	return e.lock(ctx, map[int64]bool{id: true})
}

// differences compares what is kept of a profile, and the lists of members that it stands in, with its events.
func (e *Engine) differences(ctx context.Context, rules *Rules, p *profile.Profile, events []*event.Event, now int64) ([]Difference, error) {
	differences := naiveDifferences(rules, p, events, now)
	names := rules.segmentNames()
	listed, err := e.Rules.MemberOf(ctx, p.ID, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if listed[name] != p.InSegment(name) {
			differences = append(differences, Difference{p.ID, "segment", name, listed[name], p.InSegment(name)})
		}
	}
	return differences, nil
}

// naiveDifferences evaluates all nodes for one profile from its events alone, in order, each over the naive results of
// those that it uses.
func naiveDifferences(rules *Rules, p *profile.Profile, events []*event.Event, now int64) []Difference {
	past := make([]*expr.Event, 0, len(events))
	for _, ev := range events {
		if seen := observed(ev); seen != nil && seen.At <= now {
			past = append(past, seen)
		}
	}
	naive := *p
	naive.Computed, naive.Segments = profile.Computed{}, profile.Segments{}
	scope := &expr.Scope{Now: now, Trait: naive.Trait, Preference: naive.Preference, Consent: naive.Consent, InSegment: naive.InSegment, Events: past, Cuts: rules.cutsOf}
	var differences []Difference
	for _, n := range rules.nodes {
		want := decided(&naive, n, func() any { return n.Program.NaiveResult(scope) })
		if n.Segment {
			if want == true {
				naive.Segments.Enter(n.Name, now)
			}
			if have := p.InSegment(n.Name); have != want {
				differences = append(differences, Difference{p.ID, "segment", n.Name, have, want})
			}
			continue
		}
		naive.Computed.Set(n.Name, want)
		if have := p.Computed.Get(n.Name); !same(have, want) {
			differences = append(differences, Difference{p.ID, "trait", n.Name, have, want})
		}
	}
	return differences
}

// same compares two plain JSON values.
func same(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, same)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, same)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	return a == b
}
