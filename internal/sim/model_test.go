package sim

import (
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// model is what should be there: the events that were applied, in order. Everything else is worked out from them anew
// whenever it is asked for.
type model struct {
	policy *identity.Policy
	log    []message
	events map[string]*event.Event
}

func newModel(policy *identity.Policy) *model {
	return &model{policy: policy, events: map[string]*event.Event{}}
}

// apply adds what is new of a request.
func (m *model) apply(r *request) {
	for _, msg := range m.fresh(r) {
		m.log = append(m.log, msg)
		m.events[msg.id] = msg.decode()
	}
}

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

// customer is one person: her identifiers and her events in order of arrival.
type customer struct {
	identity.Holder
	events []*event.Event
}

// customers works out who is who, and how many merges it took.
func (m *model) customers() (living []*customer, merges int) {
	all := map[int64]*customer{}
	owner := map[string]*customer{} // by message id
	next := int64(1)
	for _, msg := range m.log {
		e := m.events[msg.id]
		if msg.anchor != "" {
			c := owner[msg.anchor]
			c.events, owner[e.MessageID] = append(c.events, e), c
			continue
		}
		r := m.policy.Resolve(m.policy.Of(e), e.Type == event.Alias, func(id identity.Identifier) *identity.Holder {
			for _, c := range all {
				if slices.Contains(c.Identifiers, id) {
					return &c.Holder
				}
			}
			return nil
		})
		c := all[r.Owner]
		if c == nil {
			c = &customer{Holder: identity.Holder{ID: next}}
			all[next] = c
			next++
		}
		for _, link := range r.Absorb {
			gone := all[link.ProfileID]
			delete(all, link.ProfileID)
			merges++
			c.Identifiers = append(c.Identifiers, gone.Identifiers...)
			c.events = append(c.events, gone.events...)
			for _, moved := range gone.events {
				owner[moved.MessageID] = c
			}
		}
		c.Identifiers = append(c.Identifiers, r.Add...)
		c.events, owner[e.MessageID] = append(c.events, e), c
	}
	for _, c := range all {
		living = append(living, c)
	}
	slices.SortFunc(living, func(a, b *customer) int { return int(a.ID - b.ID) })
	return living, merges
}

// at is what is true of a customer at a moment, by these definitions.
func (c *customer) at(now time.Time, defined []definition) *person {
	p := &person{
		traits: map[string]any{}, preferences: map[string]any{}, subscribed: true, segments: map[string]bool{}, computed: map[string]any{},
	}
	events := slices.Clone(c.events)
	slices.SortFunc(events, func(a, b *event.Event) int {
		if event.Before(a, b) {
			return -1
		}
		return 1
	})
	for _, e := range events {
		switch {
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
	for _, d := range defined {
		switch value := d.want(p, now); {
		case d.segment:
			p.segments[d.name] = value == true
		case value != nil:
			p.computed[d.name] = value
		}
	}
	return p
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
func (c *customer) nextChange(now time.Time, defined []definition) time.Time {
	var moments []time.Time
	for _, e := range c.events {
		moments = append(moments, e.Timestamp)
		for _, d := range defined {
			if d.window != 0 {
				moments = append(moments, e.Timestamp.Add(d.window))
			}
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	is := c.at(now, defined)
	for _, at := range slices.Compact(moments) {
		if at.After(now) && !is.same(c.at(at, defined)) {
			return at
		}
	}
	return time.Time{}
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
