package expr

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// crossings are programs of which NextChange knows more than that an event leaves.
var crossings = []string{
	`events("A").within("3d").count() >= 3`, `events("A").within("3d").count() == 2`, `2 > events("A").within("3d").count()`,
	`events("A").within("3d").count() != 1 && events("B").within("2d").count() < 4`, `events("A").within("2d").count() > 1.5`,
	`events("A").within("3d").exists()`, `!events("A").within("3d").exists() || events("B").within("1d").exists()`,
	`events("A").within("3d").sum(e, e.properties.n) > 4`, `events("A").within("5d").sum(e, e.properties.n - 1.5) < 0`,
	`events("A").within("3d").sum(e, e.properties.n) == 0.0`, `events("A").within("3d").distinct(e, e.properties.s) >= 2`,
	`events("A").within("3d").max(e, e.properties.n) > 2`, `events("A").within("3d").min(e, e.properties.n)`,
	`events("A").within("3d").last(e, e.properties.s) == "x"`, `events("A").within("3d").count()`, `events("A").count() >= 4`,
	`events("A").within("3d").count() + 1 > 3`, `events("A").within("3d").avg(e, e.properties.n) > 1`,
	`events("A").within("3d").count() >= 3 && profile.country == "FR"`, `events("A").within("3d").count() >= 3 || profile.country == "DE"`,
	`events("A").within("3d").exists() && !events("B").within("2d").exists() && events().within("4d").count() > 2`,
	`!(events("A").within("3d").count() > 2 || age(profile.last_order_at) < duration("12d")) && profile.vip`,
	`profile.vip && (events("B").within("1d").count() == 1 || !(events("A").within("4d").exists() && profile.last_order_at < now))`,
	`age(events("A").within("5d").last()) < duration("2d")`, `events("A").within("2d").first(e, e.properties.n) != 1`,
}

// instants are all moments after now at which an event comes due, leaves a window of some days, or reaches an age of days;
// a microsecond later too.
func instants(events []*Event, now int64) []int64 {
	var moments []int64
	for _, e := range events {
		for days := range int64(6) {
			for later := range int64(2) {
				if at := e.At + days*day + later; at > now {
					moments = append(moments, at)
				}
			}
		}
	}
	slices.Sort(moments)
	return slices.Compact(moments)
}

// A program that is evaluated only at the moments that NextChange names always says what the naive reading says.
func TestNextChangeMissesNothing(t *testing.T) {
	wakes, spurious := map[string]int{}, map[string]int{}
	for _, text := range append(slices.Clone(behaviours), crossings...) {
		p, err := Value(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		rapid.Check(t, func(t *rapid.T) {
			now := noon.UnixMicro()
			events := make([]*Event, rapid.IntRange(1, 14).Draw(t, "events"))
			for i := range events {
				events[i] = randomEvent(t, i)
			}
			slices.SortFunc(events, func(a, b *Event) int {
				if (Entry{At: a.At, Tie: a.Tie}).before(Entry{At: b.At, Tie: b.Tie}) {
					return -1
				}
				return 1
			})
			kept := map[*Term]*Aggregate{}
			for _, term := range p.Terms {
				kept[term] = &Aggregate{}
				for _, e := range events {
					if entry, ok := term.Observe(e); ok {
						kept[term].Add(term, entry, now)
					}
				}
			}
			at := func(now int64) *Scope {
				s := scope(now, slices.DeleteFunc(slices.Clone(events), func(e *Event) bool { return e.At > now }))
				s.Aggregate = func(t *Term) *Aggregate { return kept[t] }
				return s
			}
			moments := instants(events, now)
			held, next := p.Result(at(now)), p.NextChange(at(now))
			for len(moments) > 0 || next != 0 {
				moment := next
				if len(moments) > 0 && (next == 0 || moments[0] <= next) {
					moment, moments = moments[0], moments[1:]
				}
				if moment == next {
					wakes[text]++
					after := p.Result(at(moment))
					if reflect.DeepEqual(after, held) {
						spurious[text]++
					}
					if held = after; p.NextChange(at(moment)) <= moment && p.NextChange(at(moment)) != 0 {
						t.Fatalf("%s: the next change is not later", text)
					}
					next = p.NextChange(at(moment))
				}
				if want := p.NaiveResult(at(moment)); !reflect.DeepEqual(held, want) {
					t.Fatalf("%s: %v at %v, while %v is believed and %v awaited", text, want, time.UnixMicro(moment).UTC(), held, time.UnixMicro(next).UTC())
				}
			}
		})
	}
	for _, text := range crossings {
		t.Logf("%4d wakes, %4d without a change: %s", wakes[text], spurious[text], text)
	}
}

// Of sixty thousand events in a window, one timer waits for the moment at which fewer than three are left.
func TestOneTimerForManyEvents(t *testing.T) {
	now := noon.UnixMicro()
	for text, wakes := range map[string]int{
		`events("X").within("90d").count() >= 3`: 1, `events("X").within("90d").exists()`: 1, `events("X").within("90d").count() > 49999`: 1,
		`events("X").within("90d").sum(e, e.properties.quantity) > 10`: 50_000/maxWalk + 2,
	} {
		p, err := Condition(text)
		if err != nil {
			t.Fatal(err)
		}
		a, s := &Aggregate{}, scope(now, nil)
		for _, e := range benchHistory(60_000) {
			if entry, ok := p.Terms[0].Observe(e); ok {
				a.Add(p.Terms[0], entry, now)
			}
		}
		s.Aggregate = func(*Term) *Aggregate { return a }
		n := 0
		for next := p.NextChange(s); next != 0; next = p.NextChange(s) {
			s.Now = next
			n++
		}
		if n > wakes || p.Result(s) != false {
			t.Errorf("%s: %d wakes, then %v", text, n, p.Result(s))
		}
	}
}

func BenchmarkNextChange(b *testing.B) {
	for _, text := range []string{
		`events("X").within("90d").count() >= 3`, `events("X").within("90d").sum(e, e.properties.quantity) > 10`, `events("X").within("90d").max(e, e.properties.total)`,
	} {
		for _, n := range []int{10, 40_000} {
			b.Run(fmt.Sprintf("%s/%d", text, n), func(b *testing.B) {
				p, a, s := benchProgram(b, text), &Aggregate{}, scope(noon.UnixMicro(), nil)
				for _, e := range benchHistory(n) {
					entry, _ := p.Terms[0].Observe(e)
					a.Add(p.Terms[0], entry, s.Now)
				}
				s.Aggregate = func(*Term) *Aggregate { return a }
				b.ReportAllocs()
				for b.Loop() {
					p.NextChange(s)
				}
			})
		}
	}
}
