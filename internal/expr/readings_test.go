package expr

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// writer writes random expressions of the language.
type writer struct {
	*rand.Rand
	event bool // inside a condition on events
}

func pick[T any](w *writer, of ...T) T { return of[w.IntN(len(of))] }

func (w *writer) field() string {
	if w.event {
		return pick(w, "e.properties.n", "e.properties.s", "e.properties.t", "e.properties.o.x", "e.properties.list", "e.name", "e.timestamp",
			`e.properties["n"]`, "e.properties.s.x", "e.message_id", "e.type")
	}
	return pick(w, "profile.n", "profile.s", "profile.t", "profile.b", "profile.list", "profile.o.x", "profile.o.y.z", `profile["s"]`,
		"profile.s.x", "profile.absent", "profile.absent.x", "preferences.p", "profile.huge", "profile.odd", "consent.marketing", "profile.o")
}

func (w *writer) literal() string {
	return pick(w, "1", "0", "-3", "2.5", "1e300", "9007199254740993", "1u", `"x"`, `"DE"`, `""`, `"ß"`, `"2026-01-10T00:00:00Z"`, `"1985-03-01"`, "true", "false", "null",
		`timestamp("2026-01-10T00:00:00Z")`, `duration("2d")`, `[1, 2.5, "x"]`, `["2026-01-10T00:00:00Z", "DE", true]`, "[]", `{"a": 1}`, `timestamp("2026-01-10T00:00:00.000000001Z")`)
}

func (w *writer) behaviour() string {
	text := pick(w, `events("A")`, `events("B")`, `events()`)
	if w.IntN(3) > 0 {
		text += pick(w, `.within("3d")`, `.within("36h")`)
	}
	if w.IntN(4) == 0 {
		text += pick(w, `.after("2026-01-18")`, `.before("2026-01-19T06:00:00Z")`, `.between("2026-01-16", "2026-01-20")`)
	}
	if w.IntN(2) == 0 {
		text += ".where(e, " + (&writer{w.Rand, true}).boolean(2) + ")"
	}
	if w.IntN(6) == 0 {
		return text + pick(w, ".days()", `.days("Europe/Berlin")`, `.frequency("1d")`, ".lifecycle()", `.lifecycle("12h")`, `.lifecycle("6h", "2d", "3d")`)
	}
	if w.IntN(5) == 0 {
		text = pick(w, `events("A")`, `events()`)
		return text + pick(w, `.decayed("1d")`, `.decayed("40h")`, `.interests(e, e.properties.s, "1d")`, `.top_interest(e, e.name, "3d")`)
	}
	end := pick(w, "count", "exists", "first", "last", "sum", "avg", "min", "max", "first", "last", "distinct", "most_common")
	if w.IntN(2) == 0 && (end == "first" || end == "last") || end == "count" || end == "exists" {
		return text + "." + end + "()"
	}
	return text + "." + end + "(e, " + (&writer{w.Rand, true}).value(2) + ")"
}

func (w *writer) value(depth int) string {
	if depth <= 0 {
		return pick(w, w.field, w.field, w.literal)()
	}
	switch n := w.IntN(14); {
	case n < 4:
		return w.field()
	case n < 6:
		return w.literal()
	case n < 8:
		return fmt.Sprintf("(%s %s %s)", w.value(depth-1), pick(w, "+", "-", "*", "/", "%"), w.value(depth-1))
	case n < 9:
		return fmt.Sprintf("(%s ? %s : %s)", w.boolean(depth-1), w.value(depth-1), w.value(depth-1))
	case n < 10:
		return fmt.Sprintf("%s(%s)", pick(w, "size", "string", "double", "int", "fold"), w.value(depth-1))
	case n < 12 && !w.event:
		if w.IntN(6) == 0 {
			return fmt.Sprintf("%s(%s)", pick(w, "quintile", "quintile"), w.value(depth-1))
		}
		return w.behaviour()
	}
	return w.boolean(depth - 1)
}

func (w *writer) boolean(depth int) string {
	if depth <= 0 {
		return fmt.Sprintf("%s %s %s", w.value(0), pick(w, "==", "!=", "<", "<=", ">", ">="), w.value(0))
	}
	switch w.IntN(14) {
	case 0, 1:
		return fmt.Sprintf("(%s && %s)", w.boolean(depth-1), w.boolean(depth-1))
	case 2, 3:
		return fmt.Sprintf("(%s || %s)", w.boolean(depth-1), w.boolean(depth-1))
	case 4:
		return fmt.Sprintf("!(%s)", w.value(depth-1))
	case 5:
		return fmt.Sprintf("has(%s)", pick(w, "profile.s", "profile.absent", "profile.o.x", "profile.s.x", "profile.odd"))
	case 6:
		return fmt.Sprintf("%s %s null", w.value(depth-1), pick(w, "==", "!="))
	case 7:
		return fmt.Sprintf("%s in %s", w.value(depth-1), pick(w, w.literal(), w.field(), `["x", "DE", 1, 2.5, true, null]`))
	case 8:
		return fmt.Sprintf("%s.%s(%s)", w.value(depth-1), pick(w, "startsWith", "endsWith", "contains"), pick(w, `"D"`, `"x"`, `""`, w.value(0)))
	case 9:
		return fmt.Sprintf("%s.matches(%s)", w.value(depth-1), pick(w, `"^D"`, `"[xß]$"`))
	case 10:
		if !w.event {
			return pick(w, `sequence("A", "B").within("2d")`, `sequence("A", "B", "A").during("4d")`, `sequence("B", "A").without("B")`,
				`anniversary(profile.t) <= 7`, `years(profile.t) >= 18`, `profile.list.containsAny(["x", 1])`, `version(profile.s) >= "1"`,
				`distance(profile.n, profile.b, 1.0, 2.5) < 500.0`, `fold(profile.s) == fold("SS")`, `preferences.p`, `consent.sms`,
				`"vip" in segments`, `"other" in segments`, `age(profile.t) < duration("30d")`, "profile.t <= now", `profile.list.exists(x, x == 1)`)
		}
	case 11:
		return w.field()
	case 12, 13:
		if !w.event {
			window := pick(w, `.within("3d")`, `.within("5d")`, "")
			return pick(w, fmt.Sprintf(`events("A").lifecycle(%s) %s "%s"`, pick(w, "", `"12h"`, `"6h", "2d", "3d"`), pick(w, "==", "!="), pick(w, Stages...)),
				fmt.Sprintf(`events().decayed("1d") %s %d.%d`, pick(w, "==", "!=", "<", "<=", ">", ">="), w.IntN(5), w.IntN(2)*5),
				`events().interests(e, e.name, "1d").A > 0.5`,
				fmt.Sprintf(`events("A")%s.count() %s %d`, window, pick(w, "==", "!=", "<", "<=", ">", ">="), w.IntN(5)),
				fmt.Sprintf(`events("B")%s.exists()`, window), fmt.Sprintf(`events()%s.sum(e, e.properties.n) > %d.5`, window, w.IntN(4)))
		}
	}
	return fmt.Sprintf("%s %s %s", w.value(depth-1), pick(w, "==", "!=", "<", "<=", ">", ">="), w.value(depth-1))
}

// plainValue is any value that a trait or a property can have.
func (w *writer) plainValue(depth int) any {
	n := w.IntN(14)
	if depth == 0 {
		n = w.IntN(11)
	}
	switch n {
	case 0:
		return nil
	case 1:
		return w.IntN(2) == 0
	case 2, 3:
		return pick(w, 0, 1, 2.5, -3, 1e300, math.MaxFloat64, 9007199254740992, 0.1, math.Copysign(0, -1), 1e-300)
	case 4:
		return float64(w.IntN(5))
	case 5:
		return pick(w, math.NaN(), math.Inf(1), 1, 2)
	case 6, 7, 8:
		return pick(w, "x", "DE", "", "ß", "SS", "Dx", "1", "\xff", "true", "名前")
	case 9, 10:
		return pick(w, "2026-01-10T00:00:00Z", "1985-03-01", "2026-01-10T01:00:00+01:00", "2026-01-19T12:00:00.5Z", "2026-13-01")
	case 11, 12:
		list := []any{}
		for range w.IntN(4) {
			list = append(list, w.plainValue(depth-1))
		}
		return list
	}
	return map[string]any{"x": w.plainValue(depth - 1), "y": map[string]any{"z": w.plainValue(0)}}
}

// lazy is a payload that counts what is asked of it.
type lazy struct {
	values map[string]any
	asked  map[string]int
}

func (l *lazy) Property(name string) (any, bool) {
	l.asked[name]++
	v, ok := l.values[name]
	return v, ok
}
func (l *lazy) Properties() map[string]any { return l.values }

func (w *writer) history(now int64) []*Event {
	events := make([]*Event, w.IntN(12))
	for i := range events {
		e := &Event{MessageID: fmt.Sprint("m", i), Type: "track", Name: pick(w, "A", "B"), At: now - w.Int64N(5*day), Tie: w.Uint64()}
		properties := map[string]any{"n": w.plainValue(0), "s": w.plainValue(0), "t": w.plainValue(1), "o": w.plainValue(1), "list": w.plainValue(1)}
		if e.Properties = properties; w.IntN(2) == 0 {
			e.Properties, e.Payload = nil, &lazy{properties, map[string]int{}}
		}
		events[i] = e
	}
	slices.SortFunc(events, func(a, b *Event) int {
		if (Entry{At: a.At, Tie: a.Tie}).before(Entry{At: b.At, Tie: b.Tie}) {
			return -1
		}
		return 1
	})
	return events
}

// differ compiles a random expression and compares its readings over random customers; false when it does not compile.
func differ(t *testing.T, random *rand.Rand) (ok bool) {
	w := &writer{Rand: random}
	text := pick(w, w.boolean, w.value)(1 + w.IntN(4))
	p, err := Value(text)
	if err != nil {
		return false
	}
	Share(p)
	for range 4 {
		now := noon.UnixMicro()
		profile := map[string]any{"huge": 1e308, "odd": math.NaN()}
		for _, name := range []string{"n", "s", "t", "b", "list", "o"} {
			profile[name] = w.plainValue(2)
		}
		weekly, vip := w.plainValue(1), w.IntN(2) == 0
		s := scope(now, w.history(now))
		s.Trait = func(name string) (any, bool) { v, ok := profile[name]; return v, ok }
		s.Preference = func(string) (any, bool) { return weekly, true }
		s.InSegment = func(string) bool { return vip }
		got, want := p.Result(s), p.NaiveResult(s)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n is %#v\nand naively %#v\nfor %#v,\npreference %#v, vip %v, events %s", text, got, want, profile, weekly, vip, describe(s.Events))
		}
		for _, e := range s.Events {
			if l, ok := e.Payload.(*lazy); ok {
				for name, n := range l.asked {
					if n > 1 {
						t.Fatalf("%s: asked %d times for %s", text, n, name)
					}
				}
			}
		}
	}
	return true
}

func describe(events []*Event) string {
	var text strings.Builder
	for _, e := range events {
		fmt.Fprintf(&text, "\n  %s %v %#v", e.Name, time.UnixMicro(e.At).UTC(), e.properties())
	}
	return text.String()
}

// wakes compiles a random condition and evaluates it only at the moments that it names, while time passes over a random
// customer with events of the past and the future; false when it does not compile.
func wakes(t *testing.T, random *rand.Rand) (ok bool) {
	w := &writer{Rand: random}
	p, err := Condition(w.boolean(1 + w.IntN(4)))
	if err != nil || len(p.Terms) == 0 {
		return false
	}
	now := noon.UnixMicro()
	profile := map[string]any{}
	for _, name := range []string{"n", "s", "t", "b", "list", "o"} {
		profile[name] = w.plainValue(2)
	}
	events := w.history(now + 2*day)
	at := func(moment int64) *Scope {
		s := scope(moment, events)
		s.Events = slices.DeleteFunc(slices.Clone(events), func(e *Event) bool { return e.At > moment })
		s.Trait = func(name string) (any, bool) { v, ok := profile[name]; return v, ok }
		return s
	}
	held, next := p.Result(at(now)), p.NextChange(at(now))
	for _, moment := range instants(events, now) {
		for next != 0 && next <= moment {
			held, next = p.Result(at(next)), p.NextChange(at(next))
		}
		if want := p.NaiveResult(at(moment)); held != want {
			t.Fatalf("%s is %v at %v, and %v is believed\nfor %#v, events %s", p.Text, want, time.UnixMicro(moment).UTC(), held, profile, describe(events))
		}
	}
	return true
}

// No random condition misses the moment at which it changes.
func TestReadingsAgreeInTime(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	compiled := 0
	for range 1500 {
		if wakes(t, random) {
			compiled++
		}
	}
	if t.Logf("%d conditions", compiled); compiled < 200 {
		t.Error("too few of the conditions compile")
	}
}

// The two readings agree on random expressions over random customers.
func TestReadingsAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	compiled := 0
	for range 3000 {
		if differ(t, random) {
			compiled++
		}
	}
	if t.Logf("%d expressions", compiled); compiled < 1000 {
		t.Error("too few of the expressions compile")
	}
}

func FuzzReadings(f *testing.F) {
	f.Add(uint64(1), uint64(1))
	f.Fuzz(func(t *testing.T, a, b uint64) { differ(t, rand.New(rand.NewPCG(a, b))) })
}
