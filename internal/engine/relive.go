package engine

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// family is a profile taken apart into what it was made of when a merge happened that is to be undone. The line is what
// that merge made, under whichever profile it lived on.
type family struct {
	root   *profile.Profile
	undo   Merge
	later  []lineMerge              // merges of the line after that one, oldest first
	inner  []Merge                  // those by which the units became what they are, likewise
	apart  map[int64][]int64        // by profile that the root is kept apart from: the parts of the family that it is kept apart from
	said   map[int64][]OverrideLife // all overrides on record, by the part that they were said of
	units  []*unit                  // the two sides, and the others of the later merges
	unitOf map[int64]*unit
	events []familyEvent // in the order of their arrival
	sent   []Sent
}

// unit is one profile with all that had merged into it when it became a part of the line.
type unit struct {
	id     int64
	side   profile.Side
	joined int64 // when it did, µs
	line   bool  // the line lived on under its id
}

// lineMerge is a later merge, and the unit that it brought to the line.
type lineMerge struct {
	Merge
	other int64
}

// familyEvent is an event with the profile under which it is stored. The owner of an open one must be found anew.
type familyEvent struct {
	*event.Event
	stored      int64
	since, open bool // since the merge
}

// family collects what undoing a merge needs. All whom it is about have been loaded.
func (e *Engine) family(ctx context.Context, root *profile.Profile, undo Merge) (*family, error) {
	f := &family{root: root, undo: undo, unitOf: map[int64]*unit{}}
	merges, err := e.Store.MergesInto(ctx, root.Parts())
	if err != nil {
		return nil, err
	}
	// As it is on record: what the others are now does not tell which of their parts it holds for.
	if f.apart, err = e.Store.KeptApart(ctx, root.Parts()); err != nil {
		return nil, err
	}
	if f.said, err = e.Store.OverridesOf(ctx, root.Parts()); err != nil {
		return nil, err
	}
	f.addUnit(undo.Winner, undo.WinnerSide, undo.At).line = true
	f.addUnit(undo.Loser, undo.LoserSide, undo.At)
	var later []Merge
	for _, m := range merges {
		switch {
		case m.ID == undo.ID:
		case slices.Contains(m.WinnerSide.Absorbed, undo.Loser), slices.Contains(m.LoserSide.Absorbed, undo.Loser):
			later = append(later, m)
		default:
			f.inner = append(f.inner, m)
		}
	}
	// One that was lived again has kept its id, whenever it happened then: each found all parts that those before it made one.
	slices.SortFunc(later, func(a, b Merge) int { return cmp.Compare(a.parts(), b.parts()) })
	for _, m := range later {
		other := m.Loser
		if slices.Contains(m.WinnerSide.Absorbed, undo.Loser) {
			f.addUnit(m.Loser, m.LoserSide, m.At)
		} else {
			f.addUnit(m.Winner, m.WinnerSide, m.At).line = true
			other = m.Winner
		}
		f.later = append(f.later, lineMerge{m, other})
	}
	for _, id := range root.Parts() {
		if f.unitOf[id] == nil {
			return nil, fault.New(fault.Internal, "the database is damaged: no merge says how profile %d became a part of %d", id, root.ID)
		}
	}
	if f.sent, err = e.Store.SentTo(ctx, f.lines()); err != nil {
		return nil, err
	}
	return f, e.familyEvents(ctx, f)
}

func (f *family) addUnit(id int64, side profile.Side, joined int64) *unit {
	u := &unit{id: id, side: side, joined: joined}
	f.units = append(f.units, u)
	f.unitOf[id] = u
	for _, part := range side.Absorbed {
		f.unitOf[part] = u
	}
	return u
}

// lines are the ids under which the line lived.
func (f *family) lines() (ids []int64) {
	for _, u := range f.units {
		if u.line {
			ids = append(ids, u.id)
		}
	}
	return ids
}

// familyEvents reads all events in the order of their arrival, and finds those that came to the line.
func (e *Engine) familyEvents(ctx context.Context, f *family) error {
	history := e.Store.HistoryOf(f.root.Parts())
	defer history.Close()
	for _, id := range f.root.Parts() {
		err := history.Range(ctx, id, id+1, nil, func(_ int64, ev *event.Event) error {
			f.events = append(f.events, familyEvent{Event: ev, stored: id})
			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.SortStableFunc(f.events, func(a, b familyEvent) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), a.Timestamp.Compare(b.Timestamp), cmp.Compare(event.Tie(a.MessageID), event.Tie(b.MessageID)))
	})
	// A linking event came before the merge that it caused was committed.
	links := map[string][]*unit{f.undo.Cause.MessageID: {f.units[0]}}
	for i, m := range f.later {
		links[m.Cause.MessageID] = append(links[m.Cause.MessageID], f.units[i+2])
	}
	for _, ev := range f.events {
		for _, u := range links[ev.MessageID] {
			u.joined = ev.ReceivedAt.UnixMicro()
		}
		for i := range f.inner {
			if f.inner[i].Cause.MessageID == ev.MessageID {
				f.inner[i].At = ev.ReceivedAt.UnixMicro()
			}
		}
	}
	f.units[1].joined = f.units[0].joined
	for i := range f.events {
		ev := &f.events[i]
		u := f.unitOf[ev.stored]
		ev.since = ev.ReceivedAt.UnixMicro() >= f.units[0].joined
		ev.open = ev.stored == u.id && u.line && (ev.ReceivedAt.UnixMicro() >= u.joined || e.elsewhere(f, u, ev.Event))
	}
	return nil
}

// elsewhere reports whether an event that seems to have come before a merge names nobody but others of the family: it
// waited for its commit while the merge happened.
func (e *Engine) elsewhere(f *family, u *unit, ev *event.Event) bool {
	named := false
	for _, id := range e.Policy.Of(ev) {
		if slices.Contains(u.side.Identifiers, id) {
			return false
		}
		named = named || slices.ContainsFunc(f.units, func(v *unit) bool { return slices.Contains(v.side.Identifiers, id) })
	}
	return named
}

// reliving is the state of a family whose events happen once more, without the merge that is undone.
type reliving struct {
	State
	addresses map[int64]string   // that messages went to
	linked    map[string][]Merge // on record, by the message id of the event that caused them, oldest first
}

// relive lets all that a family was told happen again, in the order of its arrival, up to now. What happened later, because
// the clock has gone back since, happens now. Of the state it takes the rules.
func (f *family) relive(s *State, now int64) *reliving {
	r := &reliving{
		State: State{
			Policy: s.Policy, Rules: s.Rules, Profiles: map[int64]*profile.Profile{}, Owners: map[identity.Identifier]int64{},
			Message: s.Message, Changes: NewChanges(),
		},
		addresses: map[int64]string{},
	}
	for _, m := range f.sent {
		r.addresses[m.ID] = m.Email
	}
	r.begin(f)
	at, moments := int64(0), r.moments(f)
	pass := func(until int64) {
		for ; len(moments) > 0 && moments[0].at <= until; moments = moments[1:] {
			moments[0].live(min(moments[0].at, now))
		}
	}
	for i := range f.events {
		ev := &f.events[i]
		pass(ev.ReceivedAt.UnixMicro())
		at = max(at, min(ev.ReceivedAt.UnixMicro(), now))
		p, all := r.ownerAgain(f, ev, at)
		r.take(p, ev.Event, all || p.LastSeenAt == 0, at)
		if ev.since && withdraws(ev.Event) {
			r.withdrawFromAll(f, p, ev.Event, at)
		}
	}
	pass(math.MaxInt64)
	r.finish(f, now)
	return r
}

// moment is something beside events that happens at a time, µs.
type moment struct {
	at    int64
	order int // among those of one time
	live  func(at int64)
}

// moments are what happens in a family beside events, in order: the merges that made its units, the ends of their lives
// alone, and later merges that were somebody's word.
func (r *reliving) moments(f *family) (all []moment) {
	for _, m := range f.inner {
		all = append(all, moment{m.At, 0, func(at int64) { r.repeat(m, at) }})
	}
	for _, u := range f.units {
		for _, w := range f.withdrawalsOf(u) {
			at := w.Told
			if slices.Contains(u.side.Withdrawals, w) {
				at = min(at, u.joined) // whatever the clock said
			}
			for _, part := range heldFirst(w, u.id, f.inside(u)) {
				all = append(all, moment{at, 0, func(at int64) { r.withdrawAgain(part, w, at) }})
			}
		}
	}
	for _, u := range f.units {
		all = append(all, moment{u.joined, 0, func(at int64) { r.restoreSince(u, at) }})
	}
	for _, u := range f.units {
		for _, o := range f.overridesOf(u) {
			all = append(all, moment{o.At, 0, func(at int64) {
				p := r.current(u.id)
				r.catchUp(p, at)
				p.SetOverride(o)
				r.overrideChanged(p, o, at)
			}})
		}
	}
	for _, m := range f.later {
		if m.Cause.Kind != MergedByEvent {
			all = append(all, moment{m.At, 0, func(at int64) {
				if a, b := r.current(m.Winner), r.current(m.Loser); a != b && !a.Holder().KeptApart(b.Holder()) {
					r.join(a, b, m.Cause, at)
				}
			}})
		}
	}
	all = append(all, r.givenAgain(f)...)
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	return all
}

// repeat carries out a merge on record.
func (r *reliving) repeat(m Merge, at int64) {
	p := r.mergeAgain(m, at)
	r.evaluate(p, r.Rules.allNodes(), at, Cause{Kind: ByMerge})
	r.touch(p, at)
}

// mergeAgain lets a merge on record happen, without recording it once more, and gives who came of it.
func (r *reliving) mergeAgain(m Merge, at int64) *profile.Profile {
	p := r.current(m.Winner)
	r.merge(p, r.current(m.Loser), m.Cause, at)
	r.Changes.Merges = r.Changes.Merges[:len(r.Changes.Merges)-1]
	return p
}

// begin makes all profiles that the family is made of as they are before their first event. Identifiers, and parts, stand
// with their units from the beginning: events of that time are not asked for them, and a unit may join another before its
// own parts have met again.
func (r *reliving) begin(f *family) {
	for _, id := range f.root.Parts() {
		r.Profiles[id] = profile.New(id, unborn)
		r.Profiles[id].UpdatedAt = 0
	}
	for _, u := range f.units {
		p := r.Profiles[u.id]
		p.Identifiers, p.Absorbed = slices.Clone(u.side.Identifiers), slices.Clone(u.side.Absorbed)
		for _, id := range p.Identifiers {
			r.Owners[id] = p.ID
		}
		for _, other := range f.root.Apart {
			if slices.ContainsFunc(f.apart[other], func(part int64) bool { return f.unitOf[part] == u }) {
				p.KeepApart(other)
			}
		}
	}
	r.Profiles[f.undo.Winner].KeepApart(f.undo.losers()...)
	r.Profiles[f.undo.Loser].KeepApart(f.undo.winners()...)
}

// ownerAgain finds whose an event is now that the family is taken apart. An answer to a mail that points to nobody stands where
// it stood: it is open no more.
func (r *reliving) ownerAgain(f *family, ev *familyEvent, at int64) (p *profile.Profile, merged bool) {
	if !ev.open {
		return r.current(ev.stored), false
	}
	stored := r.current(ev.stored)
	if ev.ProfileID != 0 {
		if public, ok := ev.Properties()["message_id"].(string); ok {
			if id, ok := r.Message(public); ok {
				if p := r.addressee(r.addresses[id]); p != nil {
					return p, false
				}
			}
		}
		ev.open = false
		return stored, false
	}
	ids := slices.DeleteFunc(r.Policy.Of(ev.Event), func(id identity.Identifier) bool { return !slices.Contains(f.root.Identifiers, id) })
	res := r.resolve(ev.Event, ids)
	if p = r.Profiles[res.Owner]; p == nil {
		p = stored
	}
	r.link(p, res, ev.Event, at)
	return p, len(res.Absorb) > 0
}

// addressee is who holds an address; nil for nobody of the family.
func (r *reliving) addressee(email string) *profile.Profile {
	id, ok := identity.New(identity.Email, email)
	if !ok {
		return nil
	}
	return r.current(r.Owners[id])
}

// restoreSince gives memberships that held when a unit became a part of the line their beginning: what is known today
// need not have been known then.
func (r *reliving) restoreSince(u *unit, at int64) {
	p := r.current(u.id)
	r.catchUp(p, at)
	for name, since := range u.side.Segments {
		if p.InSegment(name) {
			p.Segments.Enter(name, since)
		}
	}
}

func withdraws(e *event.Event) bool {
	return e.Name == event.NameUnsubscribed || e.Name == event.NameEmailComplained
}

// withdrawFromAll lets a withdrawal of consent, told to the line while it was one, hold for all that was in it by then:
// rather no mail to one who wants it than mail to one who does not.
func (r *reliving) withdrawFromAll(f *family, told *profile.Profile, e *event.Event, at int64) {
	told = r.current(f.unitOf[told.ID].id) // it may be a part that joins its unit only later: it came before, by a clock that has gone back since
	for _, u := range f.units {
		p := r.current(u.id)
		if p == told || u.joined > e.ReceivedAt.UnixMicro() { // not the moment, which is now for what came later by a clock of before
			continue
		}
		r.withdraw(p, profile.WithdrawalBy(e), at, Cause{ByEvent, e.MessageID})
	}
}

// withdraw has a withdrawal that was told to another hold for one who lives.
func (r *reliving) withdraw(p *profile.Profile, w profile.Withdrawal, at int64, cause Cause) {
	r.catchUp(p, at)
	p.Withdraw(w)
	r.evaluate(p, r.Rules.allNodes(), at, cause)
	r.touch(p, at)
}

// withdrawAgain has a withdrawal hold that held for somebody already, who may still be to be born.
func (r *reliving) withdrawAgain(id int64, w profile.Withdrawal, at int64) {
	if p := r.current(id); p.CreatedAt == unborn {
		p.Withdraw(w)
	} else {
		r.withdraw(p, w, at, Cause{Kind: ByUnmerge})
	}
}

// withdrawalsOf are those that hold for a unit although no event of its own says so: what it had before, and what came to
// the whole family since.
func (f *family) withdrawalsOf(u *unit) []profile.Withdrawal {
	return slices.DeleteFunc(slices.Concat(u.side.Withdrawals, f.root.Withdrawals), func(w profile.Withdrawal) bool {
		return !slices.Contains(u.side.Withdrawals, w) &&
			slices.ContainsFunc(f.units, func(v *unit) bool { return slices.Contains(v.side.Withdrawals, w) })
	})
}

// inside are the merges by which a unit became what it is.
func (f *family) inside(u *unit) []Merge {
	return slices.DeleteFunc(slices.Clone(f.inner), func(m Merge) bool { return f.unitOf[m.Winner] != u })
}

// heldFirst are those of a profile's parts for which a withdrawal held before they merged with others of them, each as small
// as it was then; the profile itself where the withdrawal came to the whole. The merges are those that made the profile.
func heldFirst(w profile.Withdrawal, id int64, merges []Merge) (had []int64) {
	note := func(id int64, side profile.Side) {
		in := func(part int64) bool { return part == id || slices.Contains(side.Absorbed, part) }
		if slices.Contains(side.Withdrawals, w) && !slices.ContainsFunc(had, in) {
			had = append(had, id)
		}
	}
	for _, m := range slices.SortedFunc(slices.Values(merges), func(a, b Merge) int { return cmp.Compare(a.parts(), b.parts()) }) {
		note(m.Winner, m.WinnerSide)
		note(m.Loser, m.LoserSide)
	}
	if len(had) == 0 {
		return []int64{id}
	}
	return had
}

// finish brings everybody to the present.
func (r *reliving) finish(f *family, now int64) {
	for _, id := range f.root.Identifiers {
		if r.Owners[id] == 0 { // an alias took it past the limit
			p := r.current(f.undo.Winner)
			p.Identifiers = append(p.Identifiers, id)
			r.own(id, p.ID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.Profiles)) {
		p := r.Profiles[id]
		if p.CreatedAt == unborn {
			p.CreatedAt = f.root.CreatedAt
		}
		if p.MergedInto != 0 {
			continue
		}
		r.catchUp(p, now)
		r.evaluate(p, r.Rules.allNodes(), now, Cause{Kind: ByUnmerge})
		r.touch(p, now)
	}
}
