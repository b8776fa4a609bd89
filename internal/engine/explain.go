package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// Reason says why a customer is, or was, in a segment or not.
type Reason struct {
	Part
	At    time.Time  `json:"at"`
	Since *time.Time `json:"since,omitempty" doc:"Since when the customer had been in it"`
	Uses  []Part     `json:"uses" doc:"The segments and computed traits that it looks at, and those that they look at, each once"`
}

// Part is a segment or computed trait and what it says of a customer.
type Part struct {
	Kind        string            `json:"kind" enum:"segment,trait"`
	Name        string            `json:"name"`
	Text        string            `json:"text" doc:"The condition, query or expression"`
	Value       any               `json:"value" doc:"Of a segment whether the customer is in it; of a trait its value"`
	Overridden  *Overridden       `json:"overridden,omitempty" doc:"Set where a person decided it, whatever the condition says"`
	Explanation *expr.Explanation `json:"explanation,omitempty" doc:"Of a segment with a condition: that, clause by clause"`
}

// Overridden is what a person said in the place of a rule.
type Overridden struct {
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until,omitempty"`
	By    string     `json:"by"`
	Note  string     `json:"note,omitempty"`
}

// OverrideLife is an override with its whole life.
type OverrideLife struct {
	profile.Override
	ID     int64 // of its record
	Lifted int64 // when it was lifted or replaced, µs; 0: it was not
}

// Hindsight is which events a look into the past knows.
type Hindsight bool

// Then knows what was known at the moment looked at, as the program told it then; Now knows also what came later and
// happened before.
const (
	Then Hindsight = false
	Now  Hindsight = true
)

// Explain says why a profile is in a segment at a moment, or not, by rules that are its alone: those of that moment, or
// today's. The past is worked out from the events alone, with what merged by then and what people had said by then. A
// profile that merged later answers for itself. It fails with NotFound where the segment is none of the rules', or the
// profile had not begun.
func (e *Engine) Explain(ctx context.Context, rules *Rules, profileID int64, name string, at int64, hindsight Hindsight) (*Reason, error) {
	n, ok := rules.segments[name]
	if !ok {
		return nil, fault.New(fault.NotFound, "there is no segment %s", name)
	}
	cuts, err := e.Rules.Cuts(ctx, at)
	if err != nil {
		return nil, err
	}
	rules = rules.withCuts(cuts)
	r, events, err := e.past(ctx, rules, profileID, at, hindsight)
	if err != nil {
		return nil, err
	}
	p := r.current(profileID)
	if p == nil || p.CreatedAt == unborn {
		return nil, fault.New(fault.NotFound, "nothing was known of the profile at %s", time.UnixMicro(at).UTC().Format(time.RFC3339))
	}
	x := inquiry{rules: rules, p: p, scope: &expr.Scope{
		Now: at, Trait: p.Trait, Preference: p.Preference, Consent: p.Consent, InSegment: p.InSegment, Events: events, Cuts: rules.cutsOf,
	}}
	reason := &Reason{Part: x.part(rules.nodes[n]), At: time.UnixMicro(at).UTC(), Uses: []Part{}}
	if since, in := p.Segments.Since(name); in {
		began := time.UnixMicro(since).UTC()
		reason.Since = &began
	}
	x.uses(rules.nodes[n], &reason.Uses, map[string]bool{rules.nodes[n].Key(): true})
	return reason, nil
}

// inquiry looks at one profile at one moment.
type inquiry struct {
	rules *Rules
	p     *profile.Profile
	scope *expr.Scope
}

func (x inquiry) part(n *segment.Node) Part {
	part := Part{Kind: profile.OverrideTrait, Name: n.Name, Text: n.Program.Text, Value: x.p.Computed.Get(n.Name)}
	if n.Segment {
		part.Kind, part.Value = profile.OverrideSegment, x.p.InSegment(n.Name)
		if n.SQL != "" {
			part.Text = n.SQL
		} else {
			explanation := n.Program.Explain(x.scope)
			part.Explanation = &explanation
		}
	}
	if o := x.p.Override(part.Kind, n.Name); o != nil {
		part.Overridden = &Overridden{Since: time.UnixMicro(o.At).UTC(), By: o.By, Note: o.Note}
		if o.Until != 0 {
			until := time.UnixMicro(o.Until).UTC()
			part.Overridden.Until = &until
		}
	}
	return part
}

// uses adds what a node looks at, what is looked at first in front.
func (x inquiry) uses(n *segment.Node, into *[]Part, seen map[string]bool) {
	add := func(i int, ok bool) {
		if !ok || seen[x.rules.nodes[i].Key()] {
			return
		}
		seen[x.rules.nodes[i].Key()] = true
		x.uses(x.rules.nodes[i], into, seen)
		*into = append(*into, x.part(x.rules.nodes[i]))
	}
	for _, name := range n.Program.Segments {
		i, ok := x.rules.segments[name]
		add(i, ok)
	}
	for _, name := range n.Program.Fields {
		i, ok := x.rules.traits[name]
		add(i, ok)
	}
}

// past lets what became of a profile happen again up to a moment, from its events alone.
func (e *Engine) past(ctx context.Context, rules *Rules, profileID, until int64, hindsight Hindsight) (*reliving, []*expr.Event, error) {
	rules.number()
	r := &reliving{State: State{
		Policy: e.Policy, Rules: rules, Profiles: map[int64]*profile.Profile{}, Owners: map[identity.Identifier]int64{},
		Message: e.MessageID, Changes: NewChanges(),
	}}
	var parts []int64
	var merges []Merge
	var overrides map[int64][]OverrideLife
	var given []profile.Given
	var withdrawals []profile.Withdrawal
	var history History
	var err error
	failed := e.do(ctx, func() {
		ctx := context.WithoutCancel(ctx)
		if err = e.saved(ctx); err != nil {
			return
		}
		if err = e.load(ctx, map[int64]bool{profileID: true}); err != nil {
			return
		}
		p := e.newState().current(profileID)
		if p == nil {
			err = fault.New(fault.NotFound, "there is no such profile")
			return
		}
		parts, given, withdrawals = p.Parts(), p.Given, p.Withdrawals
		if merges, err = e.Store.MergesInto(ctx, parts); err != nil {
			return
		}
		if overrides, err = e.Store.OverridesOf(ctx, parts); err == nil {
			history = e.Store.HistoryOf(parts)
		}
	})
	if err := cmp.Or(failed, err); err != nil {
		return nil, nil, err
	}
	defer history.Close()
	told, err := toldBy(ctx, history, parts, until, hindsight)
	if err != nil {
		return nil, nil, err
	}
	var transitions []Transition
	if rules.given() {
		if transitions, err = e.Store.TransitionsOf(ctx, parts); err != nil {
			return nil, nil, err
		}
	}
	for _, id := range parts {
		r.Profiles[id] = profile.New(id, unborn)
		r.Profiles[id].UpdatedAt = 0
	}
	moments := append(r.lives(merges, overrides, told, until, hindsight), r.givenThen(given, transitions, until)...)
	moments = append(moments, r.withdrawnThen(parts[0], withdrawals, merges, until, hindsight)...)
	r.replay(told, inOrder(moments), until, hindsight)
	var seen []*expr.Event
	own := r.current(profileID)
	for _, ev := range told {
		if ob := observed(ev.Event); ob != nil && ob.At <= until && r.current(ev.stored) == own {
			seen = append(seen, ob)
		}
	}
	slices.SortStableFunc(seen, func(a, b *expr.Event) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Tie, b.Tie)) })
	return r, seen, nil
}

// arrival is when an event is taken to have become known.
func (h Hindsight) arrival(e *event.Event) int64 {
	if h == Now {
		return e.Timestamp.UnixMicro()
	}
	return e.ReceivedAt.UnixMicro()
}

// toldBy lists the events that were known by a moment, in the order in which they became so.
func toldBy(ctx context.Context, history History, parts []int64, until int64, hindsight Hindsight) (told []familyEvent, err error) {
	for _, id := range parts {
		err := history.Range(ctx, id, id+1, nil, func(_ int64, ev *event.Event) error {
			if hindsight.arrival(ev) <= until {
				told = append(told, familyEvent{Event: ev, stored: id})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(told, func(a, b familyEvent) int {
		return cmp.Or(cmp.Compare(hindsight.arrival(a.Event), hindsight.arrival(b.Event)), a.Timestamp.Compare(b.Timestamp),
			cmp.Compare(event.Tie(a.MessageID), event.Tie(b.MessageID)))
	})
	return told, nil
}

// lives are the moments beside events: merges that none of them caused, and what people said and took back.
func (r *reliving) lives(merges []Merge, overrides map[int64][]OverrideLife, told []familyEvent, until int64, hindsight Hindsight) (all []moment) {
	if hindsight == Then {
		merges = r.setLinked(merges, told)
	}
	for _, m := range merges {
		at := m.At
		if hindsight == Now {
			at = 0 // they were one person all the time
		}
		if at <= until {
			all = append(all, moment{at, 0, func(at int64) { r.repeat(m, at) }})
		}
	}
	decide := func(id, at int64, order int, change func(p *profile.Profile), o profile.Override) {
		if at <= until {
			all = append(all, moment{at, order, func(at int64) {
				p := r.current(id)
				r.catchUp(p, at)
				change(p)
				r.overrideChanged(p, o, at)
			}})
		}
	}
	for id, list := range overrides {
		for _, o := range list {
			decide(id, o.At, 0, func(p *profile.Profile) { p.SetOverride(o.Override) }, o.Override)
			if o.Lifted != 0 {
				decide(id, o.Lifted, 1, func(p *profile.Profile) {
					if have := p.Override(o.Kind, o.Name); have != nil && have.At == o.At {
						p.LiftOverride(o.Kind, o.Name)
					}
				}, o.Override)
			}
		}
	}
	return all
}

// withdrawnThen lets withdrawals that were told to others, and hold for a profile although none of its events says so, hold
// from then on: each for those of its parts that had it first.
func (r *reliving) withdrawnThen(id int64, withdrawals []profile.Withdrawal, merges []Merge, until int64, hindsight Hindsight) (all []moment) {
	for _, w := range withdrawals {
		at := w.Told
		if hindsight == Now {
			at = w.At
		}
		if at > until {
			continue
		}
		for _, part := range heldFirst(w, id, merges) {
			all = append(all, moment{at, 0, func(at int64) { r.withdrawAgain(part, w, at) }})
		}
	}
	return all
}

// setLinked has those of the merges on record that one of the events caused happen again with it, and gives the others.
func (r *reliving) setLinked(merges []Merge, events []familyEvent) (others []Merge) {
	r.linked = map[string][]Merge{}
	for _, m := range merges {
		id := m.Cause.MessageID
		if id != "" && slices.ContainsFunc(events, func(ev familyEvent) bool { return ev.MessageID == id }) {
			r.linked[id] = append(r.linked[id], m)
		} else {
			others = append(others, m)
		}
	}
	return others
}

// linkAgain carries out the merges on record that an event caused, and reports whether there were any. What they come to is
// seen together with the event, as it was then: between the two nobody was in a segment, or out of it.
func (r *reliving) linkAgain(messageID string, at int64) bool {
	for _, m := range r.linked[messageID] {
		r.mergeAgain(m, at)
	}
	return len(r.linked[messageID]) > 0
}

// inOrder sorts moments. Of one time, what begins comes first: what it replaces is not lifted in between.
func inOrder(all []moment) []moment {
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order)) })
	return all
}

// replay lives through events and moments in order.
func (r *reliving) replay(told []familyEvent, moments []moment, until int64, hindsight Hindsight) {
	pass := func(now int64) {
		for ; len(moments) > 0 && moments[0].at <= now; moments = moments[1:] {
			moments[0].live(moments[0].at)
		}
	}
	at := int64(0)
	for _, ev := range told {
		at = max(at, hindsight.arrival(ev.Event))
		pass(at)
		linked := r.linkAgain(ev.MessageID, at)
		p := r.current(ev.stored)
		r.take(p, ev.Event, linked || p.LastSeenAt == 0, at)
	}
	pass(until)
	for _, p := range r.Profiles {
		if p.MergedInto == 0 && p.CreatedAt != unborn {
			r.catchUp(p, until)
		}
	}
}

// number gives rules that no store follows ids of their own.
func (r *Rules) number() {
	ids := Sync{Terms: map[string]int64{}, Nodes: map[string]int64{}}
	for i, key := range r.termKeys() {
		ids.Terms[key] = int64(i + 1)
	}
	for i, n := range r.nodes {
		ids.Nodes[n.Key()] = int64(i + 1)
	}
	r.identify(ids)
}
