// Package engine is the loop: identity, profile, segments, one event at a time. Step and Tick are pure functions of the
// state, the event and the time; Engine is the shell around them that loads state, commits changes in groups, and fires
// timers.
package engine

import (
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/report"
)

// State is what a step sees and changes: the profiles that the events at hand concern, and who holds which identifier.
type State struct {
	Policy   *identity.Policy
	Rules    *Rules
	Filling  *filling // nil when nothing is being filled
	Profiles map[int64]*profile.Profile
	Owners   map[identity.Identifier]int64 // 0: nobody
	NextID   int64                         // of the next new profile
	Message  func(public string) (id int64, ok bool)
	Changes  *Changes
	Lazy     bool // traits that nothing reads may stay as they are until workOut

	nodes nodeSet          // see noNodes
	event expr.Event       // as terms see the one at hand
	seen  expr.Scope       // see scope
	of    *profile.Profile // whom it shows
}

// Changes are what steps did, to be committed together.
type Changes struct {
	Events      []Applied                     // of the group at hand
	Days        map[int64]int                 // how many events there were, by the day of their time since 1970
	Names       map[string]bool               // of events
	Dirty       map[int64]bool                // profiles that changed
	Created     map[int64]bool                // profiles that are new
	Added       map[int64]Added               // what a filling adds to profiles; void for one that changed besides
	Owners      map[identity.Identifier]int64 // identifiers that are new or moved
	Merges      []Merge
	Transitions []Transition
	Facts       []Fact
	Conversions []ConversionFact
	Waiting     []int64 // profiles that a sparse filling must not pass over
	Urgent      bool    // somebody's consent changed, which whoever sends mail must see at once

	marked []int64 // profiles that changed and that readers have not been warned of
}

// mark notes that a profile changed.
func (c *Changes) mark(profileID int64) {
	if !c.Dirty[profileID] {
		c.Dirty[profileID] = true
		c.marked = append(c.marked, profileID)
	}
}

// add notes what a filling adds to a profile.
func (c *Changes) add(profileID int64, a Added) {
	if c.Added == nil {
		c.Added = map[int64]Added{}
	}
	c.Added[profileID] = a
	c.marked = append(c.marked, profileID)
}

// Added is what a filling adds to a profile that need not be stored as a whole.
type Added struct {
	Addition profile.Addition // to what is stored, in place of any before
	Next     int64            // when time next changes the profile; 0: never
}

const dayLength = int64(24 * time.Hour / time.Microsecond)

// note takes an event.
func (c *Changes) note(profileID int64, e *event.Event) {
	c.Events = append(c.Events, Applied{profileID, e})
	c.Days[e.Timestamp.UnixMicro()/dayLength]++
	c.Names[e.Name] = true
}

// Applied is an event with its owner.
type Applied struct {
	ProfileID int64
	Event     *event.Event
}

// Fact is something that happened to a message.
type Fact struct {
	MessageID int64
	ProfileID int64
	Name      string // the event's
	Link      string
	At        int64
	Machine   bool
}

// ConversionFact is an order earned by a message.
type ConversionFact struct {
	MessageID int64
	ProfileID int64
	Event     string // message id of the order's event
	At        int64
	Revenue   float64
}

// NewChanges begins an empty set.
func NewChanges() *Changes {
	return &Changes{Days: map[int64]int{}, Names: map[string]bool{}, Dirty: map[int64]bool{}, Created: map[int64]bool{}, Owners: map[identity.Identifier]int64{}}
}

// next begins an empty set, with room for as much as there was.
func (c *Changes) next() *Changes {
	return &Changes{
		Days: map[int64]int{}, Names: map[string]bool{}, Transitions: make([]Transition, 0, len(c.Transitions)), marked: make([]int64, 0, len(c.Dirty)),
		Dirty: make(map[int64]bool, len(c.Dirty)), Created: map[int64]bool{}, Owners: map[identity.Identifier]int64{},
	}
}

// Step applies one event at the time now (µs). The state must hold every profile that the event's identifiers point to,
// and those they were merged into.
func (s *State) Step(e *event.Event, ids []identity.Identifier, now int64) {
	if p, all := s.owner(e, ids, now); p != nil {
		s.take(p, e, all, now)
	}
}

// take gives an event to its owner. all asks to evaluate everything, whatever the event concerns.
func (s *State) take(p *profile.Profile, e *event.Event, all bool, now int64) {
	defer naming(p.ID)
	s.live(p, now)
	subscribed := p.Subscribed()
	s.Changes.note(p.ID, e)

	dirty := s.noNodes()
	if all {
		dirty = s.Rules.allNodes()
	}
	s.Rules.addReaders(dirty, p.See(e))
	changed, preferences := p.Tell(e)
	s.Rules.addReaders(dirty, changed)
	if preferences {
		dirty.add(s.Rules.byPrefs...)
	}
	if observe(e, &s.event) {
		for _, terms := range s.Rules.termsFor(e.Name) {
			for _, i := range terms {
				t := s.Rules.terms[i]
				if entry, ok := t.Observe(&s.event); ok {
					s.Rules.watches[i].Add(p.Aggregates.Of(s.Rules.termIDs[i]), entry, now, func(node int) { dirty.add(node) })
				}
			}
		}
	}
	s.Changes.Urgent = s.Changes.Urgent || p.Subscribed() != subscribed
	s.respond(p, e)
	s.putOff(p, dirty, now)
	s.evaluate(p, dirty, now, Cause{ByEvent, e.MessageID})
	s.touch(p, now)
}

// putOff takes out of the dirty nodes those that nothing but the stored profile shows: a customer does several things before she is
// stored, and only what they come to counts.
func (s *State) putOff(p *profile.Profile, dirty nodeSet, now int64) {
	if !s.Lazy || s.Filling != nil || s.Rules.unread == nil {
		return
	}
	if p.Later == nil {
		p.Later = newNodeSet(len(s.Rules.nodes))
	}
	for i, unread := range s.Rules.unread {
		p.Later[i] |= dirty[i] & unread
		dirty[i] &^= unread
	}
	p.LaterAt = now
}

// workOut evaluates what was put off, at the moment of the last event. Where that panics, it is put off still.
func (s *State) workOut(p *profile.Profile) {
	late := s.noNodes()
	copy(late, p.Later)
	s.evaluate(p, late, p.LaterAt, Cause{})
	clear(p.Later)
}

// Tick fires what time alone has changed for a profile up to now.
func (s *State) Tick(p *profile.Profile, now int64) {
	defer naming(p.ID)
	s.catchUp(p, now)
	s.Changes.mark(p.ID)
}

// catchUp lives up to now, with nothing put off.
func (s *State) catchUp(p *profile.Profile, now int64) {
	s.workOut(p)
	s.live(p, now)
}

// live lives through each moment up to now at which something may change by itself, in order.
func (s *State) live(p *profile.Profile, now int64) {
	if at := p.Timers.Next(); at != 0 && at <= now {
		s.workOut(p)
	}
	for at := p.Timers.Next(); at != 0 && at <= now; at = p.Timers.Next() {
		dirty := s.noNodes()
		var due []int64
		cause := Cause{Kind: ByTime}
		p.Timers.Due(at, func(rule int64) { due = append(due, rule) })
		for _, rule := range due {
			p.Timers.Set(rule, 0)
			if rule == overrideTimer && s.endOverrides(p, at, dirty) {
				cause.Kind = ByOverride
			}
			if n, known := s.Rules.nodeOf[rule]; known {
				dirty.add(n)
			}
		}
		if s.evaluate(p, dirty, at, cause) {
			s.touch(p, at)
		}
		s.Changes.mark(p.ID)
	}
}

// owner finds or makes the profile that an event belongs to, merging those that it links. The second result says that
// everything about the profile must be worked out anew. An event of a profile that is gone belongs to nobody: nil.
func (s *State) owner(e *event.Event, ids []identity.Identifier, now int64) (*profile.Profile, bool) {
	if e.ProfileID != 0 {
		return s.current(e.ProfileID), false
	}
	r := s.resolve(e, ids)
	p, created := s.Profiles[r.Owner], false
	if p == nil {
		p = profile.New(s.NextID, e.Timestamp.UnixMicro())
		s.NextID++
		s.Profiles[p.ID] = p
		s.Changes.Created[p.ID] = true
		created = true
	}
	s.link(p, r, e, now)
	return p, created || len(r.Absorb) > 0
}

// resolve decides what an event with these identifiers does to identity.
func (s *State) resolve(e *event.Event, ids []identity.Identifier) identity.Resolution {
	return s.Policy.Resolve(ids, e.Type == event.Alias, func(id identity.Identifier) (identity.Holder, bool) {
		p := s.current(s.Owners[id])
		if p == nil {
			return identity.Holder{}, false
		}
		return p.Holder(), true
	})
}

// link joins to a profile what an event links to it.
func (s *State) link(p *profile.Profile, r identity.Resolution, e *event.Event, at int64) {
	for _, link := range r.Absorb {
		s.merge(p, s.Profiles[link.ProfileID], MergeCause{
			Kind: MergedByEvent, MessageID: e.MessageID, Identifiers: []identity.Identifier{link.Identifier},
		}, at)
	}
	for _, id := range r.Add {
		p.Identifiers = append(p.Identifiers, id)
		s.own(id, p.ID)
	}
}

func (s *State) own(id identity.Identifier, profileID int64) {
	s.Owners[id] = profileID
	s.Changes.Owners[id] = profileID
}

// current is the profile of that id, or the one it was merged into; nil for 0.
func (s *State) current(id int64) *profile.Profile {
	p := s.Profiles[id]
	for p != nil && p.MergedInto != 0 {
		p = s.Profiles[p.MergedInto]
	}
	return p
}

// noNodes is the empty set, until it is asked for again.
func (s *State) noNodes() nodeSet {
	if s.nodes == nil {
		s.nodes = newNodeSet(len(s.Rules.nodes))
	}
	clear(s.nodes)
	return s.nodes
}

// allNodes is every node.
func (r *Rules) allNodes() nodeSet {
	all := newNodeSet(len(r.nodes))
	for i := range r.nodes {
		all.add(i)
	}
	return all
}

// addReaders adds the nodes that read any of these traits.
func (r *Rules) addReaders(to nodeSet, traits []string) {
	for _, name := range traits {
		to.add(r.byField[name]...)
	}
}

// scope is what a program sees of a profile at a moment, until it is asked for again.
func (s *State) scope(p *profile.Profile, at int64) *expr.Scope {
	if s.seen.Trait == nil {
		s.seen = expr.Scope{
			Trait:      func(name string) (any, bool) { return s.of.Trait(name) },
			Preference: func(name string) (any, bool) { return s.of.Preference(name) },
			Consent:    func(purpose string) (any, bool) { return s.of.Consent(purpose) },
			InSegment:  func(name string) bool { return s.of.InSegment(name) },
			Cuts:       func(key string) []float64 { return s.Rules.cutsOf(key) },
			Aggregate:  func(t *expr.Term) *expr.Aggregate { return s.of.Aggregates.Get(s.Rules.termIDs[t.Slot]) },
		}
	}
	s.of, s.seen.Now = p, at
	return &s.seen
}

// evaluate computes the dirty nodes, and those that depend on what changes, in order, and when each will next change by
// itself. It reports whether any came out otherwise than before.
func (s *State) evaluate(p *profile.Profile, dirty nodeSet, at int64, cause Cause) (changed bool) {
	scope := s.scope(p, at)
	for i, ok := dirty.next(); ok; i, ok = dirty.next() {
		if s.Filling.pending(i, p.ID) {
			s.wait(p)
			continue
		}
		n := s.Rules.nodes[i]
		result := decided(p, n, func() any { return n.Program.Result(scope) })
		p.Timers.Set(s.Rules.nodeIDs[i], n.Program.NextChange(scope))
		if n.Segment {
			if s.setMembership(p, n.Name, result == true, at, cause) {
				changed = true
				dirty.add(s.Rules.bySegment[n.Name]...)
			}
			continue
		}
		if p.Computed.Set(n.Name, result) {
			changed = true
			dirty.add(s.Rules.byField[n.Name]...)
		}
	}
	return changed
}

// settleTimer makes the first moment at which something may change by itself the real one: events put off what is due without
// telling (expr.Watch). The profile has lived through everything up to now.
func (s *State) settleTimer(p *profile.Profile, now int64) {
	for {
		rule, at := p.Timers.First()
		n, known := s.Rules.nodeOf[rule]
		if at <= now || !known || s.Filling.pending(n, p.ID) {
			return
		}
		next := s.Rules.nodes[n].Program.NextChange(s.scope(p, now))
		if next == at {
			return
		}
		p.Timers.Set(rule, next)
	}
}

// wait notes that something happened to a profile while it waits to be filled.
func (s *State) wait(p *profile.Profile) {
	if f := s.Filling; f.waiting != nil && !f.waiting[p.ID] {
		f.waiting[p.ID] = true
		s.Changes.Waiting = append(s.Changes.Waiting, p.ID)
	}
}

func (s *State) setMembership(p *profile.Profile, name string, in bool, at int64, cause Cause) (changed bool) {
	if p.InSegment(name) == in {
		return false
	}
	if in {
		p.Segments.Enter(name, at)
	} else {
		p.Segments.Leave(name)
	}
	s.Changes.Transitions = append(s.Changes.Transitions, Transition{p.ID, name, in, at, at, cause})
	return true
}

// touch marks a profile as changed.
func (s *State) touch(p *profile.Profile, at int64) {
	p.UpdatedAt = max(p.UpdatedAt, at)
	s.Changes.mark(p.ID)
}

// respond keeps what customers do with messages, and credits the message that earned an order.
func (s *State) respond(p *profile.Profile, e *event.Event) {
	switch e.Name {
	case event.NameEmailDelivered, event.NameEmailOpened, event.NameEmailClicked, event.NameEmailBounced,
		event.NameEmailComplained, event.NameUnsubscribed:
		s.messageFact(p, e)
		return
	}
	if len(p.Touches) == 0 {
		return
	}
	var candidates []report.Touch
	for _, t := range p.Touches {
		if c := s.Rules.conversion(t.Campaign); c.Event == e.Name {
			t.Window = c.Window
			candidates = append(candidates, t)
		}
	}
	if t, ok := report.Attribute(candidates, e.Timestamp); ok {
		s.Changes.Conversions = append(s.Changes.Conversions, ConversionFact{
			MessageID: t.MessageID, ProfileID: p.ID, Event: e.MessageID, At: e.Timestamp.UnixMicro(),
			Revenue: report.Revenue(e.Properties(), s.Rules.conversion(t.Campaign).Value),
		})
	}
}

// messageFact takes what became of a message. Only our own doors know that: an event of the same name that somebody
// tracks stays an event.
func (s *State) messageFact(p *profile.Profile, e *event.Event) {
	if e.ProfileID == 0 {
		return
	}
	properties := e.Properties()
	public, _ := properties["message_id"].(string)
	id, ok := s.Message(public)
	if !ok {
		return
	}
	campaign, _ := properties["campaign"].(string)
	link, _ := properties["link"].(string)
	machine := properties["machine"] == true
	s.Changes.Facts = append(s.Changes.Facts, Fact{
		MessageID: id, ProfileID: p.ID, Name: e.Name, Link: link, At: e.Timestamp.UnixMicro(), Machine: machine,
	})
	if clicked := e.Name == event.NameEmailClicked; !machine && (clicked || e.Name == event.NameEmailOpened) {
		p.Touch(id, campaign, e.Timestamp, clicked)
	}
}
