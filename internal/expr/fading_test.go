package expr

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestFading(t *testing.T) {
	events := onDays(0, 0, 10, 20) // noon on 1, 1, 11 and 21 January
	for i, category := range []any{"shoes", "hats", "hats", nil} {
		events[i].Properties = map[string]any{"category": category}
	}
	at := func(month time.Month, d, hour int) time.Time {
		return time.Date(2026, month, d, hour, 0, 0, 0, time.UTC)
	}
	for _, c := range []struct {
		text string
		at   time.Time
		want any
	}{
		{`decayed("10d")`, at(1, 21, 13), 1 + 0.5 + 2*0.25},
		{`decayed("10d")`, at(1, 21, 23), 1 + 0.5 + 2*0.25},
		{`decayed("10d")`, at(1, 31, 0), 0.5 + 0.25 + 2*0.125},
		{`decayed("10d")`, at(4, 10, 23), math.Exp2(-9.9)*2 + math.Exp2(-8.9) + math.Exp2(-7.9)}, // 99 days after the first
		{`decayed("10d")`, at(4, 11, 0), math.Exp2(-9) + math.Exp2(-8)},                          // 100 days: forgotten
		{`decayed("10d")`, at(12, 1, 0), 0.0},
		{`interests(e, e.properties.category, "10d")`, at(1, 21, 13), map[string]any{"hats": 0.75, "shoes": 0.25}},
		{`interests(e, e.properties.category, "10d")`, at(3, 21, 13), map[string]any{"hats": 0.75, "shoes": 0.25}},
		{`interests(e, e.properties.category, "10d")`, at(4, 11, 0), map[string]any{"hats": 1.0}},
		{`interests(e, e.properties.category, "10d")`, at(12, 1, 0), nil},
		{`interests(e, e.properties.category, "10d").hats > 0.7`, at(1, 21, 13), true},
		{`top_interest(e, e.properties.category, "10d")`, at(1, 21, 13), "hats"},
		{`top_interest(e, e.properties.category, "10d")`, at(12, 1, 0), nil},
	} {
		p, err := Value(`events("A").` + c.text)
		if err != nil {
			t.Fatal(err)
		}
		s := scope(c.at.UnixMicro(), events)
		got, naive := p.Result(s), p.NaiveResult(s)
		if f, ok := got.(float64); ok && math.Abs(f-c.want.(float64)) < 1e-9 {
			got = c.want
		}
		if !reflect.DeepEqual(got, c.want) || !reflect.DeepEqual(naive, p.Result(s)) {
			t.Errorf("%s at %v: got %v, naively %v, want %v", c.text, c.at, got, naive, c.want)
		}
	}
}

// Beside a number, a score is looked at again when it has come down to it, and interests when something is forgotten.
func TestFadingWakesRarely(t *testing.T) {
	for text, most := range map[string]int{
		`events("A").decayed("10d") > 1`: 1, `events("A").interests(e, e.name, "10d").A > 0.5`: 3, `events("A").decayed("10d") > 10`: 0,
	} {
		p, err := Condition(text)
		if err != nil {
			t.Fatal(err)
		}
		events := onDays(0, 1, 2)
		s := scope(events[2].At, events)
		before, woken := p.Result(s), 0
		for next := p.NextChange(s); next != 0; next = p.NextChange(s) {
			s.Now = next - 1
			if p.NaiveResult(s) != before {
				t.Errorf("%s changes before %v", text, time.UnixMicro(next).UTC())
			}
			s.Now = next
			before = p.Result(s)
			woken++
		}
		if woken > most {
			t.Errorf("%s: woken %d times", text, woken)
		}
	}
}

// Beyond the bound the oldest days are not seen, whatever the order in which events arrive and profiles merge.
func TestFadingIsBounded(t *testing.T) {
	was := maxFading
	maxFading = 12
	t.Cleanup(func() { maxFading = was })
	for _, text := range []string{`events().interests(e, e.properties.s, "2d")`, `events().decayed("2d")`, `events().top_interest(e, e.properties.s, "1d")`} {
		p, err := Value(text)
		if err != nil {
			t.Fatal(err)
		}
		term := p.Terms[0]
		for seed := range uint64(200) {
			random := rand.New(rand.NewPCG(seed, 5))
			now := noon.UnixMicro()
			parts := [2]*Aggregate{{}, {}}
			var all []*Event
			for i := range 60 {
				now += random.Int64N(day / 4)
				e := &Event{
					Name: "A", At: now - random.Int64N(25)*day*random.Int64N(2), Tie: random.Uint64(),
					Properties: map[string]any{"s": []any{fmt.Sprint(random.IntN(6)), 3.0, true, nil, ""}[random.IntN(5)]},
				}
				all = append(all, e)
				if entry, ok := term.Observe(e); ok {
					part := 0
					if i < 30 {
						part = i % 2
					}
					parts[part].Add(term, entry, now)
				}
				if i == 30 {
					parts[0].Merge(term, parts[1], now)
				}
				if i < 30 || i%5 > 0 {
					continue
				}
				slices.SortFunc(all, func(a, b *Event) int { return int(a.At - b.At) })
				s := scope(now, all)
				s.Aggregate = func(*Term) *Aggregate { return parts[0] }
				if got, want := p.Result(s), p.NaiveResult(s); !reflect.DeepEqual(got, want) {
					t.Fatalf("%s, seed %d, %d events: got %v, want %v", text, seed, i, got, want)
				}
				stored := parts[0].Append(nil)
				if parts[0], err = DecodeAggregate(stored); err != nil || !bytes.Equal(stored, parts[0].Append(nil)) {
					t.Fatalf("what is stored is read otherwise: %v", err)
				}
			}
		}
	}
}
