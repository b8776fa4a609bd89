package sim

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// population is who is who after a part of the story, worked out by going through it.
type population struct {
	policy *identity.Policy
	living map[int64]*customer
	into   map[int64]int64 // profiles that merged into others
	unions []*union        // in order, also undone ones
	apart  map[[2]int64]bool
	given  map[string]result // of SQL segments
	born   int64             // profiles so far
}

// customer is one person: her identifiers, her events in order of arrival, and what was said of her by hand.
type customer struct {
	identity.Holder
	events    []had
	withdrawn []*event.Event // withdrawals of consent that were told to another and hold for her, too
	overrides []override
	since     int64                     // when one without events began
	given     map[string]map[string]any // see person
}

// had is an event and the profile that it came to.
type had struct {
	*event.Event
	under int64
}

// override is what somebody said by hand. Times are µs.
type override struct {
	kind, name string
	value      any
	at, until  int64
	of         int64 // the profile that it was said of
}

// side is one of two profiles as it was before they became one.
type side struct {
	id          int64
	identifiers []identity.Identifier
	absorbed    []int64
	overrides   []override
	withdrawn   []*event.Event
}

// union is a merge: by an event, or by hand.
type union struct {
	winner, loser side
	at            int64 // when its event was received, or it was done, µs
	event         string
	undone        bool
}

func newPopulation(policy *identity.Policy) *population {
	return &population{policy: policy, living: map[int64]*customer{}, into: map[int64]int64{}, apart: map[[2]int64]bool{}, given: map[string]result{}}
}

// current is who a profile is today.
func (p *population) current(id int64) *customer {
	for p.into[id] != 0 {
		id = p.into[id]
	}
	return p.living[id]
}

func (c *customer) parts() []int64 { return append([]int64{c.ID}, c.Absorbed...) }

func (c *customer) side() side {
	return side{c.ID, slices.Clone(c.Identifiers), slices.Clone(c.Absorbed), slices.Clone(c.overrides), slices.Clone(c.withdrawn)}
}

func pair(a, b int64) [2]int64 { return [2]int64{min(a, b), max(a, b)} }

// keepApart decides for all parts of two whether an event may join them.
func (p *population) keepApart(one, other []int64, apart bool) {
	for _, a := range one {
		for _, b := range other {
			if apart {
				p.apart[pair(a, b)] = true
			} else {
				delete(p.apart, pair(a, b))
			}
		}
	}
}

func (p *population) keptApart(one, other *customer) bool {
	return slices.ContainsFunc(one.parts(), func(a int64) bool {
		return slices.ContainsFunc(other.parts(), func(b int64) bool { return p.apart[pair(a, b)] })
	})
}

// holder is a customer as far as identity is concerned.
func (p *population) holder(c *customer) identity.Holder {
	h := c.Holder
	h.Apart = nil
	for both := range p.apart {
		for i, part := range both {
			if slices.Contains(c.parts(), part) {
				h.Apart = append(h.Apart, both[1-i])
			}
		}
	}
	return h
}

// resolve decides what an event with these identifiers does.
func (p *population) resolve(e *event.Event, ids []identity.Identifier) identity.Resolution {
	return p.policy.Resolve(ids, e.Type == event.Alias, func(id identity.Identifier) (identity.Holder, bool) {
		for _, key := range slices.Sorted(maps.Keys(p.living)) {
			if c := p.living[key]; slices.Contains(c.Identifiers, id) {
				return p.holder(c), true
			}
		}
		return identity.Holder{}, false
	})
}

// happen gives an event to whom it belongs.
func (p *population) happen(e *event.Event) {
	if e.ProfileID != 0 {
		c := p.current(e.ProfileID)
		c.events = append(c.events, had{e, c.ID})
		return
	}
	r := p.resolve(e, p.policy.Of(e))
	c := p.living[r.Owner]
	if c == nil {
		p.born++
		c = &customer{Holder: identity.Holder{ID: p.born}}
		p.living[c.ID] = c
	}
	p.link(c, r, e)
	c.events = append(c.events, had{e, c.ID})
}

// link joins to a customer what an event links to her.
func (p *population) link(c *customer, r identity.Resolution, e *event.Event) {
	for _, link := range r.Absorb {
		p.join(c, p.living[link.ProfileID], e.ReceivedAt.UnixMicro(), e.MessageID)
	}
	c.Identifiers = append(c.Identifiers, r.Add...)
}

// join makes loser a part of winner.
func (p *population) join(winner, loser *customer, at int64, linkedBy string) {
	for _, c := range []*customer{winner, loser} {
		c.overrides = slices.DeleteFunc(c.overrides, func(o override) bool { return o.over(at) })
	}
	p.unions = append(p.unions, &union{winner: winner.side(), loser: loser.side(), at: at, event: linkedBy})
	delete(p.living, loser.ID)
	p.into[loser.ID] = winner.ID
	winner.Absorbed = append(winner.Absorbed, loser.parts()...)
	winner.Identifiers = append(winner.Identifiers, loser.Identifiers...)
	winner.events = append(winner.events, loser.events...)
	winner.withdrawn = append(winner.withdrawn, loser.withdrawn...)
	winner.since = min(winner.since, loser.since)
	for _, o := range loser.overrides {
		if have := winner.override(o.kind, o.name); have == nil || have.at < o.at {
			winner.say(o)
		}
	}
}

func (o override) over(at int64) bool { return o.until != 0 && o.until <= at }

func (c *customer) override(kind, name string) *override {
	for i := range c.overrides {
		if o := &c.overrides[i]; o.kind == kind && o.name == name {
			return o
		}
	}
	return nil
}

// say sets an override in place of another of the same.
func (c *customer) say(o override) {
	c.lift(o.kind, o.name)
	c.overrides = append(c.overrides, o)
}

func (c *customer) lift(kind, name string) {
	c.overrides = slices.DeleteFunc(c.overrides, func(o override) bool { return o.kind == kind && o.name == name })
}

// withdraws reports whether an event takes consent back.
func withdraws(e *event.Event) bool {
	return e.Name == event.NameUnsubscribed || e.Name == event.NameEmailComplained
}

// undo takes back the merge that made loser a part of another, at a time. What docs/customers.md promises, on lists of
// events: each side has its own again, and what came since goes where its identifiers point.
func (p *population) undo(loser, at int64) {
	i := slices.IndexFunc(p.unions, func(u *union) bool { return u.loser.id == loser && !u.undone })
	undone, root := p.unions[i], p.current(loser)
	root.overrides = slices.DeleteFunc(root.overrides, func(o override) bool { return o.over(at) })

	// Apart: the two sides, and the other sides of later merges of what the two had become.
	type unit struct {
		side
		joined int64
		line   bool
	}
	units := []*unit{{undone.winner, undone.at, true}, {undone.loser, undone.at, false}}
	type laterUnion struct {
		*union
		other int64
	}
	var later []laterUnion
	var grown []*union // what the two had become became more; one lived again stands where it first stood in the list
	for _, u := range p.unions {
		if !u.undone && (slices.Contains(u.winner.absorbed, loser) || slices.Contains(u.loser.absorbed, loser)) {
			grown = append(grown, u)
		}
	}
	slices.SortFunc(grown, func(a, b *union) int { return cmp.Compare(a.parts(), b.parts()) })
	for _, u := range grown {
		other, line := u.loser, false
		if slices.Contains(u.loser.absorbed, loser) {
			other, line = u.winner, true
		}
		units = append(units, &unit{other, u.at, line})
		later = append(later, laterUnion{u, other.id})
	}
	world := newPopulation(p.policy)
	world.apart = p.apart
	p.keepApart(append([]int64{undone.winner.id}, undone.winner.absorbed...), append([]int64{undone.loser.id}, undone.loser.absorbed...), true)
	unitOf := map[int64]*unit{}
	for _, u := range units {
		unitOf[u.id] = u
		for _, part := range u.absorbed {
			world.into[part], unitOf[part] = u.id, u
		}
	}
	for _, u := range units {
		c := &customer{Holder: identity.Holder{ID: u.id, Identifiers: slices.Clone(u.identifiers), Absorbed: slices.Clone(u.absorbed)}}
		c.withdrawn = slices.Clone(u.withdrawn)
		for _, e := range root.withdrawn { // no side had it: it came to all since
			if !slices.ContainsFunc(units, func(v *unit) bool { return slices.Contains(v.withdrawn, e) }) {
				c.withdrawn = append(c.withdrawn, e)
			}
		}
		for _, o := range root.overrides {
			own := slices.IndexFunc(u.overrides, func(s override) bool { return s.kind == o.kind && s.name == o.name })
			if w := unitOf[o.of]; w != nil && w.line && w.id == o.of && o.at >= max(w.joined, u.joined) { // while they were one
				o.of = u.id
				c.say(o)
			} else if own >= 0 && !u.overrides[own].over(at) {
				c.say(u.overrides[own])
			}
		}
		created, _, _ := root.seen()
		c.since = created
		world.living[u.id] = c
	}

	// Again, what came to the line since, and what was done by hand.
	elsewhere := func(e *event.Event, u *unit) (named bool) {
		for _, id := range p.policy.Of(e) {
			if slices.Contains(u.identifiers, id) {
				return false
			}
			named = named || slices.ContainsFunc(units, func(v *unit) bool { return slices.Contains(v.identifiers, id) })
		}
		return named
	}
	events := slices.SortedStableFunc(slices.Values(root.events), func(a, b had) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), a.Timestamp.Compare(b.Timestamp), cmp.Compare(event.Tie(a.MessageID), event.Tie(b.MessageID)))
	})
	byHand := slices.DeleteFunc(slices.Clone(later), func(u laterUnion) bool { return u.event != "" })
	until := func(at int64) {
		for ; len(byHand) > 0 && byHand[0].at <= at; byHand = byHand[1:] {
			a, b := world.current(byHand[0].winner.id), world.current(byHand[0].loser.id)
			if a != b && !world.keptApart(a, b) {
				world.joinByHand(a, b, byHand[0].at)
			}
		}
	}
	for _, e := range events {
		received := e.ReceivedAt.UnixMicro()
		until(received)
		u, c := unitOf[e.under], world.current(e.under)
		if open := e.under == u.id && u.line && (received >= u.joined || elsewhere(e.Event, u)); open && e.ProfileID == 0 {
			ids := slices.DeleteFunc(p.policy.Of(e.Event), func(id identity.Identifier) bool { return !slices.Contains(root.Identifiers, id) })
			r := world.resolve(e.Event, ids)
			if owner := world.living[r.Owner]; owner != nil {
				c = owner
			}
			world.link(c, r, e.Event)
			e.under = c.ID
		}
		c.events = append(c.events, e)
		for _, u := range units {
			if other := world.current(u.id); withdraws(e.Event) && received >= undone.at && u.joined <= received && other != c {
				other.withdrawn = append(other.withdrawn, e.Event)
			}
		}
	}
	until(at)
	for _, id := range root.Identifiers {
		if !slices.ContainsFunc(slices.Collect(maps.Values(world.living)), func(c *customer) bool { return slices.Contains(c.Identifiers, id) }) {
			c := world.current(undone.winner.id)
			c.Identifiers = append(c.Identifiers, id)
		}
	}

	// The rest of the population sees only what came out.
	delete(p.living, root.ID)
	for _, part := range root.parts() {
		delete(p.into, part)
	}
	maps.Copy(p.living, world.living)
	maps.Copy(p.into, world.into)
	undone.undone = true
	for _, u := range later {
		i := slices.IndexFunc(world.unions, func(made *union) bool { return made.brings(u.other) })
		if i < 0 {
			u.undone = true
			continue
		}
		made := world.unions[i]
		world.unions = slices.Delete(world.unions, i, i+1)
		*u.union = *made
	}
	p.unions = append(p.unions, world.unions...)
}

// parts counts the profiles that a merge made one.
func (u *union) parts() int { return 2 + len(u.winner.absorbed) + len(u.loser.absorbed) }

// brings reports whether a merge made a profile, or what it had become, a part of another.
func (u *union) brings(id int64) bool {
	return slices.ContainsFunc([]side{u.winner, u.loser}, func(s side) bool { return s.id == id || slices.Contains(s.absorbed, id) })
}

// joinByHand merges two because somebody says so. The older one survives.
func (p *population) joinByHand(a, b *customer, at int64) {
	if b.ID < a.ID {
		a, b = b, a
	}
	p.join(a, b, at, "")
}
