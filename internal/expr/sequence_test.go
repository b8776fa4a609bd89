package expr

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// past makes events, each named by a letter, an hour apart and the last at noon; a dot is an hour without.
func past(names string) []*Event {
	var events []*Event
	for i, name := range names {
		if name != '.' {
			at := noon.Add(-time.Duration(len(names)-1-i) * time.Hour)
			events = append(events, &Event{MessageID: fmt.Sprint("m", i), Name: string(name), At: at.UnixMicro(), Tie: uint64(i)})
		}
	}
	return events
}

func TestSequences(t *testing.T) {
	for _, c := range []struct {
		events, text string
		want         bool
	}{
		{"AB", `sequence("A", "B")`, true},
		{"BA", `sequence("A", "B")`, false},
		{"A", `sequence("A", "A")`, false},
		{"AA", `sequence("A", "A")`, true},
		{"A..B", `sequence("A", "B").within("3h")`, true},
		{"A..B", `sequence("A", "B").within("179m")`, false},
		{"A.A.B", `sequence("A", "B").within("2h")`, true},
		{"AXB", `sequence("A", "B").without("X")`, false},
		{"AXAB", `sequence("A", "B").without("X")`, true},
		{"XAB", `sequence("A", "B").without("X")`, true},
		{"ABX", `sequence("A", "B").without("X")`, true},
		{"ACB", `sequence("A", "C", "B").without("C")`, false},
		{"AB", `sequence("A", "B").without("A", "B")`, true},
		{"AAB", `sequence("A", "B").without("A", "B")`, true}, // the ends are not between
		{"ABAB", `sequence("A", "A", "B").without("B")`, false},
		{"AAB", `sequence("A", "A", "B").without("B")`, true},
		{"A..B", `sequence("A", "B").during("3h")`, false},
		{"A..B", `sequence("A", "B").during("181m")`, true},
		{"ABCD", `sequence("A", "B", "C", "D")`, true},
		{"ABDC", `sequence("A", "B", "C", "D")`, false},
		{"ABDCD", `sequence("A", events(), "D").within("3h")`, true},
		{"AB", `sequence("A", "B").before("2026-01-20T12:00:00Z")`, false},
		{"AB.", `sequence("A", "B").before("2026-01-20T12:00:00Z")`, true},
		{"AB", `sequence("A", "B").between("2026-01-20T11:00:00Z", "2026-01-20T12:00:01Z")`, true},
		{"AB", `sequence("A", "B").after("2026-01-20T11:00:01Z")`, false},
		{"AB", `sequence(events("A").before("2026-01-20T11:00:01Z"), events("B").after("2026-01-20T12:00:00Z"))`, true},
	} {
		p, err := Condition(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		s := scope(noon.UnixMicro(), past(c.events))
		if got, naive := p.Result(s), p.NaiveResult(s); got != c.want || naive != c.want {
			t.Errorf("%s over %s: got %v, naively %v", c.text, c.events, got, naive)
		}
	}
}

// Sequences over histories that arrive in any order in two profiles that merge, beyond their bound, hold when the naive
// reading says so, and change at the very moment that was announced.
func TestSequencesOverRandomHistories(t *testing.T) {
	was := maxSequence
	maxSequence = 12
	t.Cleanup(func() { maxSequence = was })
	texts := []string{
		`sequence("A", "B", "C")`, `sequence("A", "B", "C").within("3h").during("9h")`, `sequence("A", "C").without("B").within("2h").during("5h")`,
		`sequence("B", "B").within("1h").during("20h")`, `sequence("A", "B", "A", "C").without("D", "E").during("30h")`,
		`sequence(events("A").where(e, e.properties.n > 2), events().where(e, e.properties.n < 1)).within("90m").during("7h")`,
	}
	held := 0
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 7))
		p, err := Condition(texts[seed%uint64(len(texts))])
		if err != nil {
			t.Fatal(err)
		}
		term, now := p.Terms[0], noon.UnixMicro()
		var all []*Event
		parts := [2]*Aggregate{{}, {}}
		merge := 5 + random.IntN(20)
		check := func() any {
			slices.SortFunc(all, func(a, b *Event) int {
				return map[bool]int{true: -1, false: 1}[Entry{At: a.At, Tie: a.Tie}.before(Entry{At: b.At, Tie: b.Tie})]
			})
			due := slices.IndexFunc(all, func(e *Event) bool { return e.At > now })
			if due < 0 {
				due = len(all)
			}
			s := scope(now, all[:due])
			parts[0].Advance(term, now)
			stored, err := DecodeAggregate(parts[0].Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			s.Aggregate = func(*Term) *Aggregate { return stored }
			got, want := p.Result(s), p.NaiveResult(s)
			if got != want {
				t.Fatalf("%s, seed %d, %d events: got %v, want %v", p.Text, seed, len(all), got, want)
			}
			if got == true {
				held++
			}
			return got
		}
		for i := range 40 {
			now += random.Int64N(int64(time.Hour / time.Microsecond))
			e := &Event{
				MessageID: fmt.Sprint("m", i), Name: string("ABCDEX"[random.IntN(6)]), At: now + (random.Int64N(8)-6)*30*60_000_000*random.Int64N(2), Tie: random.Uint64(),
				Properties: map[string]any{"n": float64(random.IntN(5))},
			}
			all = append(all, e)
			if entry, ok := term.Observe(e); ok {
				part := 0
				if i < merge && i%2 == 0 {
					part = 1
				}
				parts[part].Advance(term, now)
				parts[part].Add(term, entry, now)
			}
			if i == merge {
				parts[0].Merge(term, parts[1], now)
			}
			if i < merge {
				continue
			}
			before := check()
			s := scope(now, nil)
			s.Aggregate = func(*Term) *Aggregate { return parts[0] }
			if next := p.NextChange(s); next != 0 && random.IntN(3) == 0 {
				now = next - 1
				if after := check(); after != before {
					t.Fatalf("%s, seed %d: changed before the announced %v", p.Text, seed, time.UnixMicro(next))
				}
				now = next
				check()
			}
		}
	}
	if held < 500 {
		t.Errorf("the sequences held only %d times", held)
	}
}

func TestDaysAndFrequency(t *testing.T) {
	at := func(moments ...string) (events []*Event) {
		for i, text := range moments {
			moment, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, &Event{MessageID: fmt.Sprint(i), Name: "A", At: moment.UnixMicro(), Tie: uint64(i)})
		}
		return events
	}
	late := at("2026-01-01T23:30:00Z", "2026-01-02T00:30:00Z", "2026-01-02T22:30:00Z", "2026-01-11T23:30:00Z")
	for _, c := range []struct {
		events []*Event
		text   string
		want   bool
	}{
		{late, `events("A").days() == 3`, true},
		{late, `events("A").days("Europe/Berlin") == 2`, true},
		{late, `events("A").days("America/New_York") == 3`, true},
		{nil, `events("A").days() == 0`, true},
		// Three gaps in ten days: 9 in 30.
		{late, `events("A").frequency("30d") == 9`, true},
		{late, `events("A").frequency("10d") == 3`, true},
		{late[:1], `events("A").frequency("30d") >= 0`, false},
		{at("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), `events("A").frequency("30d") >= 0`, false},
	} {
		p, err := Condition(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		s := scope(noon.UnixMicro(), c.events)
		if got, naive := p.Result(s), p.NaiveResult(s); got != c.want || naive != c.want {
			t.Errorf("%s: got %v, naively %v", c.text, got, naive)
		}
	}
}
