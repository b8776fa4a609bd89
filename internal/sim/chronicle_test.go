package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

// chronicle follows who is in which segment since when, and why, where the clock never goes back: by the events and deeds
// in the order of the story, each at the moment at which the engine took it, and by what time alone does in between. What
// nobody else can know, it takes over from the engine at the next check: when a segment was filled, and what undoing a
// merge comes to.
type chronicle struct {
	*population
	defined []definition
	told    int                        // happenings of the story so far
	lived   map[int64]int64            // up to which moment customers have lived, µs
	since   map[int64]map[string]int64 // memberships, by customer
	before  map[int64]map[string]int64 // as they were at the last check
	turns   map[int64][]turn           // all so far, by profile
	checked int64                      // when there was last a check, µs
	loose   map[string]bool            // segments that have been changed since
	apart   map[int64]bool             // customers who were taken apart since
	gaps    map[string][][2]int64      // from one check to another, in which a segment was loose
	again   map[int64]bool             // profiles that were ever taken apart
}

// turn is somebody entering or leaving a segment.
type turn struct {
	segment string
	entered bool
	at      int64
	cause   engine.Cause
}

func newChronicle(m *model) *chronicle {
	return &chronicle{
		population: newPopulation(m.policy), lived: map[int64]int64{}, since: map[int64]map[string]int64{}, before: map[int64]map[string]int64{}, turns: map[int64][]turn{},
		loose: map[string]bool{}, apart: map[int64]bool{}, gaps: map[string][][2]int64{}, again: map[int64]bool{},
	}
}

// advance goes on to the end of the story, and up to a moment. taken is when the engine took an event.
func (c *chronicle) advance(story []happening, taken func(messageID string) int64, now int64) {
	for ; c.told < len(story); c.told++ {
		switch h := story[c.told]; {
		case h.defined != nil:
			c.redefine(h.defined)
		case h.event != nil:
			c.event(h.event, taken(h.event.MessageID))
		default:
			c.deed(h.deed)
		}
	}
	c.live(now, slices.Collect(maps.Keys(c.living))...)
}

// redefine loosens what is not the same among other definitions, what looks at that, and what is gone.
func (c *chronicle) redefine(next []definition) {
	find := func(all []definition, name string) *definition {
		if i := slices.IndexFunc(all, func(d definition) bool { return d.name == name }); i >= 0 {
			return &all[i]
		}
		return nil
	}
	for _, d := range c.defined {
		if find(next, d.name) == nil {
			c.loose[d.name] = true
			for _, since := range c.since {
				delete(since, d.name)
			}
		}
	}
	var changed []string
	for _, d := range next {
		old := find(c.defined, d.name)
		same := old != nil && !c.loose[d.name] && (d.query || old.text == d.text) // another query lists what the one before did until it is asked
		if !same || d.fifthOf != nil || slices.ContainsFunc(changed, d.uses) {
			changed = append(changed, d.name)
			c.loose[d.name] = true
		}
	}
	c.defined = next
}

// uses reports whether a definition looks at another.
func (d definition) uses(name string) bool {
	return !d.query && (strings.Contains(d.text, fmt.Sprintf("%q in segments", name)) || strings.Contains(d.text, "profile."+name) ||
		strings.Contains(d.text, "profile.sql."+name))
}

func (c *chronicle) event(e *event.Event, at int64) {
	var owner int64
	concerned := []int64{}
	if e.ProfileID != 0 {
		owner = c.current(e.ProfileID).ID
	} else {
		r := c.resolve(e, c.policy.Of(e))
		if owner = r.Owner; c.living[owner] == nil {
			owner = c.born + 1
		}
		for _, link := range r.Absorb {
			concerned = append(concerned, link.ProfileID)
		}
	}
	c.live(at, append(concerned, owner)...)
	for _, id := range concerned {
		c.leaveAll(id, at)
	}
	c.happen(e)
	c.tellGiven()
	c.look(owner, at, engine.Cause{Kind: engine.ByEvent, MessageID: e.MessageID})
}

func (c *chronicle) deed(d *deed) {
	switch what := d.what; {
	case what == void:
		c.do(d)
		c.tellGiven()
		c.loose[d.name] = true
		c.redefine(c.defined)
	case d.taken == 0:
		c.do(d)
	case what == unmerge:
		root := c.current(d.b)
		c.live(d.taken, root.ID)
		for _, id := range root.parts() {
			c.apart[id], c.again[id], c.lived[id] = true, true, d.taken
		}
		c.do(d)
		c.tellGiven()
	case what == merge:
		a, b := c.current(d.a), c.current(d.b)
		c.live(d.taken, a.ID, b.ID)
		c.leaveAll(max(a.ID, b.ID), d.taken)
		c.do(d)
		c.tellGiven()
		c.look(min(a.ID, b.ID), d.taken, engine.Cause{Kind: engine.ByMerge})
	case what == list:
		everybody := slices.Collect(maps.Keys(c.living))
		c.live(d.taken, everybody...)
		c.do(d)
		c.tellGiven()
		for _, id := range everybody {
			c.look(id, d.taken, engine.Cause{Kind: engine.BySQL})
		}
	case what == say, what == lift:
		id := c.current(d.a).ID
		c.live(d.taken, id)
		c.do(d)
		c.look(id, d.taken, engine.Cause{Kind: engine.ByOverride})
	default:
		c.do(d)
	}
}

// leaveAll ends the memberships of a profile that becomes a part of another.
func (c *chronicle) leaveAll(id, at int64) {
	for name := range c.since[id] {
		c.turns[id] = append(c.turns[id], turn{name, false, at, engine.Cause{Kind: engine.ByMerge}})
	}
	delete(c.since, id)
}

// live lets customers live through the moments up to now at which time alone changes something.
func (c *chronicle) live(now int64, ids ...int64) {
	for _, id := range ids {
		p := c.living[id]
		if p == nil {
			continue
		}
		for _, m := range p.moments(c.defined) {
			if at := m.UnixMicro(); at > c.lived[id] && at <= now {
				cause := engine.Cause{Kind: engine.ByTime}
				if slices.ContainsFunc(p.overrides, func(o override) bool { return o.until == at }) {
					cause.Kind = engine.ByOverride
				}
				c.look(id, at, cause)
			}
		}
		c.lived[id] = now
	}
}

// look finds out which segments somebody enters or leaves.
func (c *chronicle) look(id, at int64, cause engine.Cause) {
	c.lived[id] = at
	if c.since[id] == nil {
		c.since[id] = map[string]int64{}
	}
	for name, in := range c.living[id].at(time.UnixMicro(at).UTC(), c.defined, nil).segments {
		if _, was := c.since[id][name]; in == was {
			continue
		}
		if delete(c.since[id], name); in {
			c.since[id][name] = at
		}
		c.turns[id] = append(c.turns[id], turn{name, in, at, cause})
	}
}

// compareSince compares since when everybody is in each segment.
func (w *world) compareSince(kept *contents, say func(format string, args ...any)) {
	c, now := w.chronicle, w.clock.lived().UnixMicro()
	c.advance(w.model.story, func(id string) int64 { return w.m.taken[id] }, now)
	for _, id := range slices.Sorted(maps.Keys(c.living)) {
		if kept.profiles[id] == nil { // of which others tell
			continue
		}
		since := kept.profiles[id].Segments.Map()
		for _, d := range w.defined {
			have, want := since[d.name], c.since[id][d.name]
			switch {
			case have == want || !d.segment:
			case c.apart[id], c.loose[d.name] && (w.ranked || have == 0 || have == c.before[id][d.name] || have >= c.checked && have <= now):
			default:
				say("profile %d is in %s since %v, want %v", id, d.name, time.UnixMicro(have).UTC(), time.UnixMicro(want).UTC())
			}
		}
		c.since[id], c.before[id] = since, maps.Clone(since)
	}
	for name := range c.loose {
		c.gaps[name] = append(c.gaps[name], [2]int64{c.checked, now})
	}
	clear(c.loose)
	clear(c.apart)
	c.redefine(c.defined)
	c.checked = now
}

// compareTurns compares what is on record of who entered and left, when and why, as far as it is not for fillings, or undone
// merges, to say.
func (w *world) compareTurns(kept *contents, say func(format string, args ...any)) {
	c := w.chronicle
	ids := slices.Sorted(maps.Keys(kept.profiles))
	all, err := w.m.store.TransitionsOf(context.Background(), ids)
	if err != nil {
		w.fail("the history of segments cannot be read: %v", err)
	}
	have, want := map[string]int{}, map[string]int{}
	note := func(into map[string]int, id int64, t turn) {
		in := func(gap [2]int64) bool { return gap[0] <= t.at && t.at <= gap[1] }
		if !c.again[id] && !slices.ContainsFunc(c.gaps[t.segment], in) && t.cause.Kind != engine.ByDeletion {
			into[fmt.Sprintf("profile %d %v", id, t)]++
		}
	}
	for _, t := range all {
		note(have, t.ProfileID, turn{t.Segment, t.Entered, t.At, t.Cause})
	}
	for id, turns := range c.turns {
		for _, t := range turns {
			note(want, id, t)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(have)) {
		if want[t] != have[t] {
			say("on record %d times, want %d: %s", have[t], want[t], t)
		}
		delete(want, t)
	}
	for _, t := range slices.Sorted(maps.Keys(want)) {
		say("not on record: %s", t)
	}
}
