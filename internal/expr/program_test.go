package expr

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/fault"
)

const day = int64(24 * time.Hour / time.Microsecond)

var customer = map[string]any{
	"country": "DE", "age": 41.0, "vip": true, "tags": []any{"a", "b"}, "address": map[string]any{"city": "Bonn"},
	"subscribed": false, "last_order_at": "2026-01-10T00:00:00Z", "nothing": nil, "born": "1985-03-01",
}

var noon = time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)

func scope(now int64, events []*Event) *Scope {
	return &Scope{
		Now:        now,
		Trait:      func(name string) (any, bool) { v, ok := customer[name]; return v, ok },
		Preference: func(name string) (any, bool) { return name == "weekly", name == "weekly" },
		Consent:    func(purpose string) (any, bool) { return purpose == "marketing", true },
		InSegment:  func(name string) bool { return name == "vip" },
		Cuts:       func(string) []float64 { return []float64{0, 1, 2.5, 1_768_003_200_000_000} },
		Events:     events,
		Aggregate: func(t *Term) *Aggregate {
			a := &Aggregate{}
			for _, e := range events {
				if entry, ok := t.Observe(e); ok {
					a.Add(t, entry, now)
				}
			}
			return a
		},
	}
}

func TestConditionsOverAttributes(t *testing.T) {
	cases := map[string]bool{
		`profile.country == "DE"`: true, `profile.country != "DE"`: false, `profile.age > 40`: true, `profile.age >= 41.0`: true,
		`profile.vip`: true, `!profile.vip`: false, `"a" in profile.tags`: true, `"z" in profile.tags`: false,
		`profile.address.city == "Bonn"`: true, `profile["country"] == "DE"`: true, `profile.country.startsWith("D")`: true,
		`profile.tags.exists(x, x == "b")`: true, `"vip" in segments`: true, `"other" in segments`: false,
		`consent.marketing`: true, `!consent.marketing`: false, `consent.marketing && profile.subscribed == false`: true,
		`preferences.weekly`: true, `preferences.daily`: false,
		// Missing values: every comparison is false, and nothing fails.
		`profile.absent == "x"`: false, `profile.absent != "x"`: false, `profile.absent > 5`: false, `!(profile.absent > 5)`: true,
		`profile.absent.deep.er == 1`: false, `profile.absent`: false, `!profile.absent`: true, `profile.nothing == 1`: false,
		`profile.absent.startsWith("x")`: false, `"x" in profile.absent`: false, `profile.absent.exists(x, x == 1)`: false,
		`has(profile.absent)`: false, `has(profile.country)`: true, `profile.absent == null`: true, `profile.country != null`: true,
		`profile.nothing == null`: true, `has(profile.nothing)`: false, `has(profile.absent.deep)`: false,
		`profile.absent + 1 > 0`: false, `profile.absent || profile.country == "DE"`: true, `profile.absent && true`: false,
		`profile.absent ? false : true`: true, `profile.absent == profile.absent`: false,
		// Wrong kinds are missing too.
		`profile.country > 5`: false, `profile.country + 1 == 2`: false, `profile.age.startsWith("4")`: false, `profile.age / 0 > 1`: false,
		`profile.country.city == "x"`: false, `scores.churn > 0.7`: false,
		// Numbers of either kind, times as text.
		`profile.age + 1 == 42`: true, `profile.age * 2 > 81`: true, `profile.age / 2 == 20.5`: true,
		`profile.last_order_at > timestamp("2026-01-09T00:00:00Z")`: true, `profile.born < timestamp("1990-01-01T00:00:00Z")`: true,
		`age(profile.last_order_at) < duration("30d")`: true, `age(profile.last_order_at) < duration("1w")`: false,
		`age(profile.absent) < duration("30d")`: false, `age(profile.country) > duration("1d")`: false,
		`profile.last_order_at < now`: true,
	}
	for text, want := range cases {
		p, err := Condition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		s := scope(noon.UnixMicro(), nil)
		if got := p.Result(s); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
		if got := p.NaiveResult(s); got != want {
			t.Errorf("naively %s: got %v, want %v", text, got, want)
		}
	}
}

func TestErrorsSayWhereAndWhatToDo(t *testing.T) {
	cases := []struct {
		text         string
		line, column int
		says         string
	}{
		{``, 1, 1, "empty"},
		{`profile.country ==`, 1, 19, "missing here at the end"},
		{`profile.country == "DE" profile.x`, 1, 25, "profile does not belong here"},
		{`profile.country = "DE"`, 1, 17, "write == to compare"},
		{`profile.country == #`, 1, 20, "cannot be read here"},
		{`(profile.x > 5`, 1, 15, "missing here at the end"},
		{"profile.country == \"DE\" &&\n  contry > 5", 2, 3, "profile.contry"},
		{`proflie.country == "DE"`, 1, 1, "did you mean profile"},
		{`events("X").count()`, 1, 1, "yes or no"},
		{`events("X").within("90 days").count() > 1`, 1, 20, "90 days"},
		{`events("X").within("-3d").count() > 1`, 1, 20, "longer than nothing"},
		{`events(profile.x).count() > 1`, 1, 15, "in quotes"},
		{`events("X").where(e, e.property.x == 1).exists()`, 1, 23, "e.properties.property"},
		{`events("X").where(e, profile.x == 1).exists()`, 1, 22, "sees only the event"},
		{`events("X").within("1d") == 1`, 1, 26, "does not work"},
		{`size(events("X").within("1d")) == 1`, 1, 24, "must end with"},
		{`profile.tags.exists(x, events("X").count() > 1)`, 1, 41, "loop"},
		{`age(profile.x) == profile.y`, 1, 4, "fixed duration"},
		{`age(profile.x) < duration("30 days")`, 1, 27, "30 days"},
		{`events("X").after("yesterday").count() > 1`, 1, 19, "not a time"},
		{`events("X").before(profile.x).count() > 1`, 1, 27, "in quotes"},
		{`events("X").between("2026-02-01", "2026-01-01").exists()`, 1, 35, "later than the first"},
		{`events("X").between("2026-02-01", "2026-13-01").exists()`, 1, 35, "not a time"},
		{`events("X").after("2026-01-01") == 1`, 1, 33, "does not work"},
		{`events("X").where(e, e.properties.at > timestamp("soon")).exists()`, 1, 50, "not a time"},
		{`consent.sms`, 1, 8, "consent.marketing"},
		{`size(consent) > 0`, 1, 6, "name the purpose"},
		{`sequence("A") && true`, 1, 9, "two to 8 steps"},
		{`sequence("A", profile.x)`, 1, 22, "no step"},
		{`sequence("A", events("B").within("1d"))`, 1, 33, "during"},
		{`sequence("A", "B").count() > 1`, 1, 25, "does not work"},
		{`sequence("A", "B").within("soon")`, 1, 27, "not a duration"},
		{`profile.tags.exists(x, sequence("A", "B"))`, 1, 32, "loop"},
		{`events("X").days("Mars") > 1`, 1, 18, "time zone"},
		{`events("X").frequency("often") > 1`, 1, 23, "not a duration"},
		{`events("X").lifecycle("30d", "20d", "90d") == "new"`, 1, 30, "longer than the one before"},
		{`events("X").lifecycle("soon") == "new"`, 1, 23, "not a duration"},
		{`events("X").lifecycle() == 5`, 1, 25, "does not work"},
		{`events("X").decayed("1h") > 5`, 1, 21, "between 1d and 365d"},
		{`events("X").within("9d").decayed("1d") > 5`, 1, 19, "leave out within"},
		{`events("X").interests(e, profile.x, "1d").a > 0.5`, 1, 26, "sees only the event"},
		{`quantile(profile.x, 1) == 1`, 1, 21, "from 2 to 100"},
		{`profile.tags.exists(x, quintile(x) == 1)`, 1, 32, "loop"},
		{`events("X").where(e, quintile(e.properties.n) == 1).exists()`, 1, 30, "condition on events"},
		{`size(profile) > 1`, 1, 6, "name the trait"},
		{`segments.size() > 1`, 1, 1, "by its name"},
		{`events("X").count() > "a"`, 1, 21, "does not work"},
	}
	for _, c := range cases {
		_, err := Condition(c.text)
		all := fault.All(err)
		if len(all) == 0 {
			t.Errorf("%s: no error", c.text)
			continue
		}
		f := all[0]
		if f.Line != c.line || f.Column != c.column || !strings.Contains(f.Message, c.says) {
			t.Errorf("%s:\n got %d:%d %s\nwant %d:%d …%s…", c.text, f.Line, f.Column, f.Message, c.line, c.column, c.says)
		}
	}
}

// wantFault checks that a text is refused with words that say so.
func wantFault(t *testing.T, text, says string) {
	t.Helper()
	_, err := Condition(text)
	if all := fault.All(err); len(all) == 0 || !strings.Contains(all[0].Message, says) {
		t.Errorf("%s: got %v, want …%s…", text, err, says)
	}
}

func TestWhatAConditionDependsOn(t *testing.T) {
	p, err := Condition(`profile.country == "DE" && "vip" in segments && preferences.weekly &&
		events("A").where(e, e.properties.x == 1).count() > 1 || events("A").where(f, f.properties.x == 1).count() > 2 || profile["age"] > 1`)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(p.Fields, p.Segments, p.Preferences) != "[age country] [vip] true" {
		t.Errorf("got %v %v %v", p.Fields, p.Segments, p.Preferences)
	}
	if len(p.Terms) != 1 {
		t.Errorf("the same behaviour became %d terms", len(p.Terms))
	}
}

// behaviours are expressions whose two readings must agree on any history.
var behaviours = []string{
	`events("A").count()`, `events().count()`, `events("A").within("3d").count()`, `events("B").within("36h").exists()`,
	`events("A").sum(e, e.properties.n)`, `events("A").within("3d").sum(e, e.properties.n)`, `events("A").avg(e, e.properties.n)`,
	`events("A").first()`, `events("A").last()`, `events("A").within("3d").first()`, `events("A").last(e, e.properties.s)`,
	`events("A").first(e, e.properties.n)`, `events("A").within("2d").last(e, e.properties.s)`,
	`events("A").min(e, e.properties.n)`, `events("A").max(e, e.properties.s)`, `events("A").within("3d").max(e, e.properties.n)`,
	`events("A").most_common(e, e.properties.s)`, `events("A").within("3d").most_common(e, e.properties.s)`,
	`events("A").distinct(e, e.properties.s)`, `events("A").max(e, e.timestamp)`,
	`events("A").where(e, e.properties.n > 1).within("3d").count()`, `events().where(e, e.name == "A" && e.properties.s == "x").count()`,
	`events("A").sum(e, e.properties.n) == 3`, `events("A").avg(e, e.properties.n) != 1`,
	`events("A").days()`, `events("A").within("3d").days("America/New_York")`, `events("A").where(e, e.properties.n > 1).days("Asia/Tokyo") >= 2`,
	`events("A").frequency("1d")`, `events().within("4d").frequency("12h")`, `events("A").frequency("7d") == 3`,
	`sequence("A", "B")`, `sequence("A", "B").within("1d")`, `sequence("A", "A", "B").within("3d").during("5d")`, `sequence("A", "B").without("B")`,
	`sequence(events("A").where(e, e.properties.n > 1), events()).within("2d").without(events("B").where(e, e.properties.s == "x")).during("6d")`,
	`sequence("B", "A").after("2026-01-13T12:00:00Z").before("2026-01-22").without(events("A").where(e, e.properties.s == "z"), events().where(e, e.properties.s == "y"))`,
	`sequence("A", "B", "A", "B").during("8d") && !sequence(events("A").after("2026-01-15"), "B").within("36h").during("3d")`,
	`events("A").where(e, e.properties.list.exists(i, i.q > 1)).count()`,
	`events("A").after("2026-01-16T12:00:00Z").count()`, `events("A").before("2026-01-18T12:00:00Z").within("6d").sum(e, e.properties.n)`,
	`events().between("2026-01-15T12:00:00Z", "2026-01-21T12:00:00Z").last(e, e.properties.s)`,
	`events("A").after("2026-01-14T12:00:00Z").where(e, e.properties.s == "x").before("2026-01-22T12:00:00Z").count()`,
	`events("A").within("1d").exists() && !events("B").within("1d").exists()`,
	`events("A").lifecycle()`, `events("A").lifecycle("2d")`, `events().within("5d").lifecycle("1d", "2d", "4d")`, `events("A").lifecycle("1d", "2d", "4d") == "lapsed"`,
	`events("A").decayed("1d")`, `events().decayed("36h") > 2`, `events("A").decayed("2d") <= 1.5 && events("B").exists()`, `events().decayed("1d") == 2`,
	`events("A").interests(e, e.properties.s, "1d")`, `events().interests(e, e.name, "2d").A > 0.6`, `events().top_interest(e, e.properties.s, "1d")`,
	`quintile(events("A").sum(e, e.properties.n)) >= 3`, `quantile(events("A").last(), 4)`, `quintile(events("A").within("3d").count()) + quintile(events("B").last())`,
	`events("A").count() > 2 ? events("A").last(e, e.properties.s) : profile.country`,
	`age(profile.last_order_at) < duration("12d")`, `events("A").sum(e, e.properties.n) / events("A").count()`,
	`events("A").within("3d").count() >= 2 && events("A").within("8h").count() < 3`, `events("A").within("1d").count() > 5 || events("A").within("4d").count() == 1`,
}

func randomEvent(t *rapid.T, i int) *Event {
	value := rapid.OneOf(rapid.Just[any](nil), rapid.Map(rapid.IntRange(0, 30), func(n int) any { return float64(n) / 10 }), rapid.Just[any]("x"))
	e := &Event{
		MessageID: fmt.Sprint("m", i), Type: "track", Name: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name"),
		At:         noon.UnixMicro() - rapid.Int64Range(-3, 10).Draw(t, "day")*day + rapid.Int64Range(0, 1).Draw(t, "µs"),
		Properties: map[string]any{"n": value.Draw(t, "n"), "s": rapid.SampledFrom([]any{"x", "y", "z", nil, 1.0, true}).Draw(t, "s")},
	}
	if rapid.Bool().Draw(t, "list") {
		e.Properties["list"] = []any{map[string]any{"q": float64(rapid.IntRange(0, 3).Draw(t, "q"))}}
	}
	e.Tie = uint64(i * 7919 % 101)
	return e
}

// On any history in any order of arrival, with the clock moving and profiles merging in between, the incremental reading
// equals the naive one, and never changes at a moment that NextChange did not announce.
func TestIncrementalEqualsNaive(t *testing.T) {
	programs, kept := make([]*Program, len(behaviours)), map[*Program][]*Term{}
	for i, text := range behaviours {
		p, err := Value(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		programs[i], kept[p] = p, Share(p)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(programs).Draw(t, "program")
		terms := kept[p]
		now := noon.UnixMicro()
		var events []*Event
		parts := [2]map[string]*Aggregate{{}, {}} // two profiles, merged later
		merged := false
		state := func(term *Term, part int) *Aggregate {
			if merged {
				part = 0
			}
			if parts[part][term.Key] == nil {
				parts[part][term.Key] = &Aggregate{}
			}
			return parts[part][term.Key]
		}
		check := func() any {
			s := scope(now, nil)
			sorted := slices.Clone(events)
			slices.SortFunc(sorted, func(a, b *Event) int {
				if (Entry{At: a.At, Tie: a.Tie}).before(Entry{At: b.At, Tie: b.Tie}) {
					return -1
				}
				return 1
			})
			s.Events = slices.DeleteFunc(sorted, func(e *Event) bool { return e.At > now })
			s.Aggregate = func(term *Term) *Aggregate {
				a := state(term, 0)
				a.Advance(term, now)
				// What is stored and read again is the same.
				copied, err := DecodeAggregate(a.Append(nil))
				if err != nil {
					t.Fatal(err)
				}
				return copied
			}
			got, want := p.Result(s), p.NaiveResult(s)
			if merged && !reflect.DeepEqual(got, want) {
				t.Fatalf("%s at %v:\n got %v\nwant %v", p.Text, time.UnixMicro(now).UTC(), got, want)
			}
			return got
		}
		steps := rapid.IntRange(1, 30).Draw(t, "steps")
		for i := range steps {
			if rapid.IntRange(0, 3).Draw(t, "move") == 0 {
				now += rapid.Int64Range(0, 2*day).Draw(t, "later")
			}
			e := randomEvent(t, i)
			events = append(events, e)
			for _, term := range terms {
				if entry, ok := term.Observe(e); ok {
					a := state(term, i%2)
					a.Advance(term, now)
					a.Add(term, entry, now)
				}
			}
			if !merged && i > steps/2 {
				for _, term := range terms {
					state(term, 0).Merge(term, state(term, 1), now)
				}
				merged = true
			}
			check()
		}
		if !merged {
			return
		}
		before := check()
		s := scope(now, nil)
		s.Aggregate = func(term *Term) *Aggregate { return state(term, 0) }
		next := p.NextChange(s)
		if next == 0 {
			next = now + 40*day
		}
		for _, at := range []int64{now + (next-now)/2, next - 1} {
			if at <= now {
				continue
			}
			now = at
			if after := check(); !reflect.DeepEqual(after, before) {
				t.Fatalf("%s changed from %v to %v at %v, before the announced %v", p.Text, before, after, at, next)
			}
		}
		now = next
		check()
	})
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "1w2d3h": 219 * time.Hour, "1.5d": 36 * time.Hour, "10m": 10 * time.Minute,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: got %v %v, want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "d", "90", "x", "5y", "1000000d", "1e9d"} {
		if d, err := ParseDuration(bad); err == nil {
			t.Errorf("%q was read as %v", bad, d)
		}
	}
}

func FuzzCondition(f *testing.F) {
	for _, text := range behaviours {
		f.Add(text)
	}
	f.Add(`a().sum(e, e.properties.n) > 1 || f("x").count() == 0 || a().within("1d").exists()`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Value(text)
		if err != nil {
			return
		}
		s := scope(noon.UnixMicro(), []*Event{{MessageID: "m", Name: "A", Type: "track", At: noon.UnixMicro() - 1, Properties: map[string]any{"n": 1.0}}})
		if got, want := p.Result(s), p.NaiveResult(s); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %v is not %v", text, got, want)
		}
	})
}
