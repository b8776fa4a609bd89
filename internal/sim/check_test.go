package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// check compares everything that is kept with what the engine's verification, and the model, make of the events. The
// disk works meanwhile.
func (w *world) check() {
	w.t.Helper()
	w.tally.checks++
	w.disk.Calm(func() {
		w.quiesce()
		pass(2 * time.Second) // the engine tries again after one
		if w.ranked {
			pass(time.Minute) // to learn, after one
		}
		w.justLearned = w.ranked && w.step%4 == 0
		if w.justLearned {
			if err := w.m.learn(); err != nil {
				w.fail("learn: %v", err)
			}
		}
		differences, err := w.m.differences()
		if err != nil {
			w.fail("verify: %v", err)
		}
		if w.refused {
			w.lookForVoid()
		}
		kept, err := w.m.contents(w.defined)
		if err != nil {
			w.fail("the disk cannot be read: %v", err)
		}
		problems := append(differences, w.compare(kept)...)
		if len(problems) > 0 {
			w.fail("%s", problems[:min(len(problems), 12)])
		}
	})
	w.say("checked: %d events, %d differences", len(w.model.log), 0)
}

// compare lists what is not as the model has it.
func (w *world) compare(kept *contents) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if kept.sound != "ok" {
		say("SQLite: %s", kept.sound)
	}
	for _, id := range kept.repeated {
		say("%s is stored more than once", id)
	}
	for id := range w.model.events {
		if _, ok := kept.events[id]; !ok {
			say("%s was acknowledged and is gone", id)
		}
	}
	for id := range kept.events {
		if w.model.events[id] == nil {
			say("%s is stored and was never applied", id)
		}
	}
	if kept.count != int64(len(w.model.log)) {
		say("the store counts %d events, want %d", kept.count, len(w.model.log))
	}
	if len(problems) > 0 {
		return problems
	}
	p := w.model.population()
	merges := map[[2]int64]bool{}
	for _, u := range p.unions {
		if !u.undone {
			merges[[2]int64{u.winner.id, u.loser.id}] = true
		}
	}
	if !maps.Equal(merges, kept.merges) {
		say("merges %v are kept, want %v", slices.Collect(maps.Keys(kept.merges)), slices.Collect(maps.Keys(merges)))
	}
	w.compareApart(p, kept, say)
	ids := slices.Sorted(maps.Keys(p.living))
	if living := kept.living(); !slices.Equal(living, ids) {
		say("the profiles %v live, want %v", living, ids)
	}
	w.compareCuts(p, kept, say)
	if maps.DeleteFunc(p.given, func(_ string, rows result) bool { return len(rows) == 0 }); !reflect.DeepEqual(kept.given, p.given) {
		say("queries list %v, want %v", kept.given, p.given)
	}
	if kept.born != float64(len(kept.profiles)) {
		say("%v profiles were counted, %d are there", kept.born, len(kept.profiles))
	}
	if w.steady {
		w.compareSince(kept, say)
		if w.last {
			w.compareTurns(kept, say)
		}
		w.comparePast(say)
		w.remember(p, kept)
	}
	w.owns = w.owns[:0]
	owners := map[identity.Identifier]int64{}
	for i, id := range ids {
		c, p := p.living[id], kept.profiles[id]
		if p == nil || p.MergedInto != 0 {
			continue
		}
		for _, ident := range c.Identifiers {
			owners[ident] = id
		}
		for _, problem := range w.comparePerson(c, p, kept) {
			say("profile %d: %s", id, problem)
		}
		if i < 5 {
			w.owns = append(w.owns, own{id, w.m.messagePublicID(int64(i + 1))})
		}
	}
	for ident, id := range kept.identifiers {
		kept.identifiers[ident] = kept.survivor(id)
	}
	if !maps.Equal(owners, kept.identifiers) {
		say("identifiers: %v, want %v", kept.identifiers, owners)
	}
	return append(problems, w.compareCounts(kept)...)
}

// compareApart compares who is kept apart from whom, as profiles have it and as it is listed. Nobody is from herself.
func (w *world) compareApart(p *population, kept *contents, say func(format string, args ...any)) {
	want, have, listed := map[[2]int64]bool{}, map[[2]int64]bool{}, map[[2]int64]bool{}
	for both := range p.apart {
		want[pair(p.current(both[0]).ID, p.current(both[1]).ID)] = true
	}
	for _, id := range kept.living() {
		for _, other := range kept.profiles[id].Apart {
			have[pair(id, kept.survivor(other))] = true
		}
	}
	for both := range kept.apart {
		listed[pair(kept.survivor(both[0]), kept.survivor(both[1]))] = true
	}
	if !maps.Equal(have, want) || !maps.Equal(listed, want) {
		say("kept apart are %v, listed %v, want %v", slices.Collect(maps.Keys(have)), slices.Collect(maps.Keys(listed)), slices.Collect(maps.Keys(want)))
	}
}

// comparePerson compares one profile with its customer.
func (w *world) comparePerson(c *customer, p *row, kept *contents) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	equal := func(what string, have, want any) {
		if !reflect.DeepEqual(have, want) {
			say("%s: %v, want %v", what, have, want)
		}
	}
	for _, e := range c.events {
		if id := kept.survivor(kept.events[e.MessageID]); id != p.ID {
			say("%s belongs to profile %d", e.MessageID, id)
		}
	}
	now := w.clock.lived()
	is := c.at(now, w.defined, kept.cuts)
	equal("traits", object(p.traits), is.told())
	equal("preferences", object(p.preferences), is.preferences)
	equal("subscribed", p.subscribed, is.subscribed)
	equal("computed traits", object(p.computed), plain(is.computed))
	equal("identifiers", sorted(p.Identifiers), sorted(c.Identifiers))
	equal("overrides", overrides(p.Overrides), spoken(c.overrides, now.UnixMicro()))
	created, first, last := c.seen()
	equal("created, first, last seen", []int64{p.created, p.first, p.last}, []int64{created, first, last})
	for name, in := range is.segments {
		since, listed := kept.memberships[p.ID][name]
		if in != p.InSegment(name) || in != listed || since != p.Segments.Map()[name] {
			say("segment %s: since %d, listed since %d, want %v", name, p.Segments.Map()[name], since, in)
		}
		delete(kept.memberships[p.ID], name)
	}
	for name := range kept.memberships[p.ID] {
		say("listed in %s, which is no segment", name)
	}
	// Too early costs a look in vain, which a timer that comes to nothing may, too, until it is over.
	if next := p.Timers.Next(); next != 0 && (p.next == 0 || p.next > next) || next == 0 && p.next != 0 && p.added == nil {
		say("the table has her due at %d, and her timers at %d", p.next, next)
	}
	if p.next != 0 && p.next <= now.UnixMicro() {
		say("the timer at %v did not fire; it is %v", time.UnixMicro(p.next).UTC(), now)
	}
	if want := c.nextChange(now, w.defined, kept.cuts); !want.IsZero() && (p.next == 0 || p.next > want.UnixMicro()) {
		say("the timer is set to %v, and something changes at %v", time.UnixMicro(p.next).UTC(), want)
	}
	return problems
}

// compareCounts compares what is counted or listed beside the profiles.
func (w *world) compareCounts(kept *contents) (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	days, words, responses, orders := map[int64]float64{}, map[string]bool{}, map[int64]int{}, map[string]bool{}
	for _, msg := range w.model.log {
		e := w.model.events[msg.id]
		days[e.Timestamp.UnixMicro()/(24*time.Hour).Microseconds()]++
		words["event "+e.Name] = true
		if e.Type == event.Identify {
			for name := range e.Properties() {
				if name != "preferences" {
					words["trait "+name] = true
				}
			}
		}
		if e.ProfileID != 0 {
			id, _ := w.m.store.InternalID("message", e.Properties()["message_id"].(string))
			responses[id]++
		}
		orders[e.MessageID] = e.Name == event.NameOrderCompleted
	}
	for _, h := range w.model.story {
		if d := h.deed; d != nil && d.what == say && d.over.kind == profile.OverrideTrait {
			words["trait "+d.over.name] = true
		}
	}
	if !maps.Equal(kept.members, kept.sizes) {
		complain("sizes of segments: %v, want %v", kept.sizes, kept.members)
	}
	if !maps.Equal(days, kept.days) {
		complain("events by day: %v, want %v", kept.days, days)
	}
	if !maps.Equal(words, kept.words) {
		complain("words: %v, want %v", slices.Sorted(maps.Keys(kept.words)), slices.Sorted(maps.Keys(words)))
	}
	if !maps.Equal(responses, kept.responses) {
		complain("responses by message: %v, want %v", kept.responses, responses)
	}
	for _, id := range kept.conversions {
		if !orders[id] {
			complain("%s is a conversion and no order", id)
		}
	}
	return problems
}

func object(text string) map[string]any {
	var values map[string]any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return map[string]any{"": err.Error()}
	}
	return values
}

// plain writes values as JSON has them.
func plain(values map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range values {
		if at, ok := v.(time.Time); ok {
			v = at.UTC().Format(time.RFC3339Nano)
		}
		out[name] = v
	}
	return out
}

func sorted(ids []identity.Identifier) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	slices.Sort(texts)
	return texts
}

// overrides lists those of a profile, by name, as far as they do not hang on the moment at which they were made.
func overrides(all []profile.Override) []string {
	texts := []string{}
	for _, o := range all {
		texts = append(texts, fmt.Sprint(o.Kind, " ", o.Name, " = ", o.Value, " until ", o.Until))
	}
	slices.Sort(texts)
	return texts
}

func spoken(all []override, now int64) []string {
	texts := []string{}
	for _, o := range all {
		if !o.over(now) {
			texts = append(texts, fmt.Sprint(o.kind, " ", o.name, " = ", o.value, " until ", o.until))
		}
	}
	slices.Sort(texts)
	return texts
}

// compareCuts compares where the parts of quantiles begin with all customers, where they were just learned, and otherwise
// how long ago that was.
func (w *world) compareCuts(p *population, kept *contents, say func(format string, args ...any)) {
	now := w.clock.lived()
	night := now.Add(-3 * time.Hour).Truncate(24 * time.Hour).Add(3 * time.Hour)
	for _, d := range w.defined {
		if d.fifthOf == nil {
			continue
		}
		if learned := kept.learned[d.text]; learned.Before(night) && len(p.living) > 0 {
			say("%s was learned at %v, and the night was at %v", d.text, learned, night)
		}
		if !w.justLearned {
			continue
		}
		var all, want []float64
		for _, c := range p.living {
			if x, ok := place(d.fifthOf(c.at(now, w.defined, kept.cuts))); ok {
				all = append(all, x)
			}
		}
		slices.Sort(all)
		for k := 1; k < 5 && len(all) > 0; k++ {
			want = append(want, all[(k*len(all)+4)/5-1])
		}
		if !slices.Equal(kept.cuts[d.text], want) {
			say("%s is cut at %v, want %v of %v", d.text, kept.cuts[d.text], want, all)
		}
	}
}
