package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// model is what should be there: the events that were applied and what was done by hand, in order. Everything else is
// worked out from them anew whenever it is asked for.
type model struct {
	policy *identity.Policy
	log    []message
	events map[string]*event.Event
	story  []happening
}

// happening is an event, a deed, or a change of definitions.
type happening struct {
	event   *event.Event
	deed    *deed
	defined []definition
}

func newModel(policy *identity.Policy) *model {
	return &model{policy: policy, events: map[string]*event.Event{}}
}

// apply adds what is new of a request.
func (m *model) apply(r *request) {
	for _, msg := range m.fresh(r) {
		e := msg.decode(r.received)
		m.log, m.events[msg.id] = append(m.log, msg), e
		m.story = append(m.story, happening{event: e})
	}
}

// define adds a change of definitions.
func (m *model) define(defined []definition) { m.story = append(m.story, happening{defined: defined}) }

// do adds a deed.
func (m *model) do(d *deed) { m.story = append(m.story, happening{deed: d}) }

// fresh are the messages of a request that the model has not seen, each once.
func (m *model) fresh(r *request) (fresh []message) {
	seen := map[string]bool{}
	for _, msg := range r.messages {
		if m.events[msg.id] == nil && !seen[msg.id] {
			seen[msg.id] = true
			fresh = append(fresh, msg)
		}
	}
	return fresh
}

// population works out who is who.
func (m *model) population() *population {
	p := newPopulation(m.policy)
	for _, h := range m.story {
		if h.deed != nil {
			p.do(h.deed)
		} else if h.event != nil {
			p.happen(h.event)
		}
	}
	p.tellGiven()
	return p
}

// at is what is true of a customer at a moment, by these definitions.
func (c *customer) at(now time.Time, defined []definition, cuts map[string][]float64) *person {
	p := &person{
		traits: map[string]any{}, preferences: map[string]any{}, subscribed: true, segments: map[string]bool{}, computed: map[string]any{},
		cuts: cuts, given: c.given,
	}
	events := slices.Clone(c.withdrawn)
	hers := map[*event.Event]bool{}
	for _, e := range c.events {
		events, hers[e.Event] = append(events, e.Event), true
	}
	slices.SortStableFunc(events, func(a, b *event.Event) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(event.Tie(a.MessageID), event.Tie(b.MessageID)))
	})
	for _, e := range events {
		switch {
		case !hers[e]:
			p.subscribed = false
			continue
		case e.Name == event.NameUnsubscribed:
			p.subscribed = false
		case e.Name == event.NameSubscribed:
			p.subscribed = true
		case e.Type == event.Identify:
			p.tell(e.Properties())
		}
		if !e.Timestamp.After(now) && !e.Machine() {
			p.events = append(p.events, e)
		}
	}
	over := map[[2]string]any{}
	for _, o := range c.overrides {
		if o.over(now.UnixMicro()) {
			continue
		}
		over[[2]string{o.kind, o.name}] = o.value
		if o.kind == profile.OverrideTrait {
			p.tell(map[string]any{o.name: o.value})
		}
	}
	for _, d := range defined {
		kind := profile.OverrideTrait
		if d.segment {
			kind = profile.OverrideSegment
		}
		value, decided := over[[2]string{kind, d.name}]
		if !decided {
			value = d.want(p, now)
		}
		switch {
		case d.segment:
			p.segments[d.name] = value == true
		case value != nil:
			p.computed[d.name] = value
			if decided {
				delete(p.traits, d.name)
			}
		}
	}
	return p
}

// told are the traits that are no computed ones.
func (p *person) told() map[string]any {
	if len(p.given) == 0 {
		return p.traits
	}
	all := maps.Clone(p.traits)
	given := map[string]any{}
	for name, columns := range p.given {
		given[name] = columns
	}
	all[profile.GivenTrait] = given
	return all
}

// tell takes what an identify call says: a later word replaces an earlier one, null takes it back.
func (p *person) tell(traits map[string]any) {
	for name, v := range traits {
		into, values := p.traits, map[string]any{name: v}
		if told, ok := v.(map[string]any); ok && name == "preferences" {
			into, values = p.preferences, told
		}
		for name, v := range values {
			if into[name] = v; v == nil {
				delete(into, name)
			}
		}
	}
}

// seen are the times of the first and last event that was herself, 0 without any, and of the first of all, in µs.
func (c *customer) seen() (created, first, last int64) {
	if len(c.events) == 0 {
		return c.since, 0, 0
	}
	for _, e := range c.events {
		at := e.Timestamp.UnixMicro()
		if created == 0 || at < created {
			created = at
		}
		if e.Machine() || e.Name == event.NameEmailDelivered || e.Name == event.NameEmailBounced {
			continue
		}
		if first == 0 || at < first {
			first = at
		}
		last = max(last, at)
	}
	return created, first, last
}

// nextChange is the soonest moment after now at which time alone changes what is true of a customer, to the microsecond;
// zero for never.
func (c *customer) nextChange(now time.Time, defined []definition, cuts map[string][]float64) time.Time {
	is := c.at(now, defined, cuts)
	for _, at := range c.moments(defined) {
		if at.After(now) && !is.same(c.at(at, defined, cuts)) {
			return at
		}
	}
	return time.Time{}
}

// moments are when time alone may change what is true of a customer, in order.
func (c *customer) moments(defined []definition) (moments []time.Time) {
	for _, o := range c.overrides {
		if o.until != 0 {
			moments = append(moments, time.UnixMicro(o.until).UTC())
		}
	}
	for _, e := range c.events {
		moments = append(moments, e.Timestamp)
		for _, d := range defined {
			if d.window != 0 {
				moments = append(moments, e.Timestamp.Add(d.window))
			}
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	return slices.Compact(moments)
}

// same reports whether segments and computed traits are alike.
func (p *person) same(q *person) bool {
	if len(p.computed) != len(q.computed) {
		return false
	}
	for name, v := range p.computed {
		if w, ok := q.computed[name]; !ok || v != w {
			return false
		}
	}
	for name, in := range p.segments {
		if q.segments[name] != in {
			return false
		}
	}
	return true
}
