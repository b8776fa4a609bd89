package expr

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sharing are programs of which several look at one aggregate, each through a window of its own.
var sharing = []string{
	`events("A").within("1d").count() >= 3 && !events("B").within("1d").exists()`,
	`events("A").within("3d").count() >= 3 && !events("B").within("2d").exists()`,
	`events("A").within("2d").count() > 1 || events("A").within("5d").count() == 2`, `events("A").within("4d").count() < 7`,
	`events("A").within("3d").count() + events("A").within("1d").count() > 3`, `events("A").within("5d").count()`,
	`events("A").sum(e, e.properties.n) > 4 && events("B").count() != 2`, `events("A").sum(e, e.properties.n)`,
	`events("A").within("3d").distinct(e, e.properties.s) >= 2`, `events("A").within("3d").sum(e, e.properties.n) > 2`,
	`events("A").within("0.5d").exists() ? events("A").count() > 3 : events("B").within("3d").count() <= 1`,
}

// Programs that are evaluated only when Watch names them, or at the moment that NextChange named last, always say what the
// naive reading says, whatever the order in which events arrive.
func TestWatchMissesNothing(t *testing.T) {
	var programs []*Program
	for _, text := range append(slices.Concat(behaviours, crossings), sharing...) {
		p, err := Value(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		programs = append(programs, p)
	}
	terms := Share(programs...)
	watches := make([]*Watch, len(terms))
	for i, term := range terms {
		watches[i] = WatchOf(term, programs)
	}
	evaluated, passed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		now := noon.UnixMicro()
		var events []*Event
		kept := make([]Aggregate, len(terms))
		held, next := make([]any, len(programs)), make([]int64, len(programs))
		at := func(now int64) *Scope {
			s := scope(now, slices.DeleteFunc(slices.Clone(events), func(e *Event) bool { return e.At > now }))
			s.Aggregate = func(t *Term) *Aggregate { return &kept[t.Slot] }
			return s
		}
		evaluate := func(i int) {
			s := at(now)
			held[i], next[i] = programs[i].Result(s), programs[i].NextChange(s)
		}
		for i := range programs {
			evaluate(i)
		}
		// live moves the clock from one due moment to the next.
		live := func(until int64) {
			for {
				first := until + 1
				for _, due := range next {
					if due != 0 {
						first = min(first, due)
					}
				}
				if now = min(first, until); first > until {
					return
				}
				for i, due := range next {
					if due == now {
						evaluate(i)
					}
				}
			}
		}
		for n := range rapid.IntRange(1, 25).Draw(t, "events") {
			live(now + rapid.Int64Range(0, 8).Draw(t, "later")*day/8)
			e := randomEvent(t, n)
			e.At += now - noon.UnixMicro()
			events = append(events, e)
			slices.SortFunc(events, func(a, b *Event) int {
				if (Entry{At: a.At, Tie: a.Tie}).before(Entry{At: b.At, Tie: b.Tie}) {
					return -1
				}
				return 1
			})
			named := map[int]bool{}
			for i, term := range terms {
				if entry, ok := term.Observe(e); ok {
					watches[i].Add(&kept[i], entry, now, func(program int) { named[program] = true })
				}
			}
			for i := range named {
				evaluate(i)
			}
			evaluated += len(named)
			passed += len(programs) - len(named)
			s := at(now)
			for i, p := range programs {
				if want := p.NaiveResult(s); !reflect.DeepEqual(held[i], want) {
					t.Fatalf("%s: %v at %v, while %v is believed", p.Text, want, time.UnixMicro(now).UTC(), held[i])
				}
			}
		}
		for _, moment := range instants(events, now) {
			live(moment)
			for i, p := range programs {
				if want := p.NaiveResult(at(moment)); !reflect.DeepEqual(held[i], want) {
					t.Fatalf("%s: %v at %v, while %v is believed and %v awaited", p.Text, want, time.UnixMicro(moment).UTC(), held[i], time.UnixMicro(next[i]).UTC())
				}
			}
		}
	})
	t.Logf("%d evaluations, %d saved", evaluated, passed)
}

// Windows of different lengths over the same events share one short list.
func TestNewestAreShared(t *testing.T) {
	var programs []*Program
	for _, text := range []string{
		`events("A").within("1d").count() >= 3`, `events("A").within("30d").count() > 3`, `events("A").within("90d").exists() && events("A").within("2d").count() < 2`,
		`events("A").within("30d").count() >= 4`, `events("A").within("30d").count() > 1000`, `events("A").within("30d").count() + 1 > 3`,
	} {
		p, err := Condition(text)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	var sizes []int
	for _, term := range Share(programs...) {
		sizes = append(sizes, term.bound())
	}
	if want := []int{4, 16, maxEntries}; !slices.Equal(sizes, want) {
		t.Errorf("got %v, want %v", sizes, want)
	}
}
