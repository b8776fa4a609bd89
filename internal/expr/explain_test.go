package expr

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestExplanations(t *testing.T) {
	events := past("ABA.A")
	for i, e := range events {
		e.Properties = map[string]any{"n": float64(i)}
	}
	for text, want := range map[string]string{
		`profile.country == "FR"`: `country is “DE”, “FR” wanted`, `profile.age < 40`: `age is 41, less than 40 wanted`,
		`profile.country in ["DE", "AT"]`: `country is “DE”, one of “DE”, “AT” wanted`, `profile.absent > 5`: `absent is not known, more than 5 wanted`,
		`has(profile.absent)`: `absent is not known`, `profile.absent == null`: `absent is not known`, `profile.vip`: `vip is true`,
		`"vip" in segments`: `is in the segment vip`, `"x" in segments`: `is not in the segment x`, `consent.marketing`: `allows marketing`,
		`events("A").within("7d").count() >= 3`: `3 × A in the last 7 days, at least 3 wanted; changes on 27 January 2026 at 08:00:00 UTC by itself`,
		`events("B").exists()`:                  `B happened`, `events("C").exists()`: `no C`, `events("A").sum(e, e.properties.n) > 500`: `the sum of n over A is 5, more than 500 wanted`,
		`age(events("A").last()) < duration("1d")`:                            `the last A was 0 seconds ago, less than 1 day wanted; changes on 21 January 2026 at 12:00:00 UTC by itself`,
		`age(events("B").last()) < duration("3h")`:                            `the last B was 3 hours ago, less than 3 hours wanted`,
		`age(profile.last_order_at) > duration("30d")`:                        `last_order_at was 10.5 days ago, more than 30 days wanted; changes on 9 February 2026 at 00:00:00 UTC by itself`,
		`sequence("A", "B").within("1h")`:                                     `A, then B within 1 hour happened`,
		`sequence("B", events("A")).without("X").during("2d")`:                `B, then A without X in between in the last 2 days happened; changes on 22 January 2026 at 09:00:00 UTC by itself`,
		`events("A").days() == 2`:                                             `A on 1 day, 2 wanted`,
		`profile.age + 1 > 50`:                                                `profile.age + 1 > 50: 42 beside 50`,
		`profile.tags.exists(x, x == "b")`:                                    `profile.tags.exists(x, x == "b") holds`,
		`fold(profile.country) == fold("de")`:                                 `country is “DE”, “de” wanted`,
		`profile.last_order_at < now`:                                         `last_order_at is “2026-01-10T00:00:00Z”, before now wanted`,
		`events("A").where(e, e.properties.n > 1).max(e, e.properties.n) > 2`: `the greatest of n over A as described is 3, more than 2 wanted`,
	} {
		p, err := Condition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		s := scope(noon.UnixMicro(), events)
		s.Aggregate = nil
		x := p.Explain(s)
		if x.Clause.Sentence != want {
			t.Errorf("%s:\n got %s\nwant %s", text, x.Clause.Sentence, want)
		}
		if x.Holds != x.Clause.Holds || x.Holds != p.NaiveResult(s) {
			t.Errorf("%s: %v and %v", text, x.Holds, x.Clause.Holds)
		}
	}
}

func TestEvidence(t *testing.T) {
	ids := func(text string, events []*Event) string {
		p, err := Condition(text)
		if err != nil {
			t.Fatal(err)
		}
		s := scope(noon.UnixMicro(), events)
		s.Aggregate = nil
		var all []string
		e := p.Explain(s).Clause.Evidence[0]
		for _, w := range e.Events {
			all = append(all, w.MessageID)
		}
		return fmt.Sprintf("%v %s +%d", e.Value, strings.Join(all, " "), e.More)
	}
	events := past("AXAB" + strings.Repeat("C", 30) + "..")
	for text, want := range map[string]string{
		`events("A").count() > 1`: `2 m2 m0 +0`, `events("A").last() > now`: `2026-01-19T03:00:00Z m2 +0`, `sequence("A", "B").without("X")`: `true m3 m2 +0`,
		`sequence("B", "A")`: `false m3 m2 m0 +0`, `events("A").first(e, e.name) == "A"`: `A m0 +0`,
		`events("C").within("12h").exists()`: `true m33 m32 m31 m30 m29 m28 m27 m26 m25 m24 +0`,
		`events("C").exists()`:               `true m33 m32 m31 m30 m29 m28 m27 m26 m25 m24 m23 m22 m21 m20 m19 m18 m17 m16 m15 m14 +10`,
	} {
		if got := ids(text, events); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
	// What is kept of a window has times, and of all time a number.
	p, err := Condition(`events("C").within("3h").count() > 1 || events("A").count() > 1`)
	if err != nil {
		t.Fatal(err)
	}
	s := scope(noon.UnixMicro(), events)
	s.Events = nil
	x := p.Explain(s)
	got, _ := json.Marshal([]any{x.Clause.Clauses[0].Evidence, x.Clause.Clauses[1].Evidence})
	if want := `[[{"value":1,"events":[{"at":"2026-01-20T10:00:00Z"}]}],[{"value":2,"events":[],"more":2}]]`; string(got) != want {
		t.Errorf("got %s", got)
	}
	if c := x.Clause.Clauses[1]; p.Text[c.Start:c.End] != c.Text || c.Text != `events("A").count() > 1` {
		t.Errorf("%d to %d is %q", c.Start, c.End, c.Text)
	}
}

// The explanation says what the condition comes to, by the events alone and by what is kept, and when that will change.
func TestExplanationsAgreeWithTheCondition(t *testing.T) {
	texts := conditions()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(texts).Draw(t, "condition")
		if rapid.Bool().Draw(t, "group") {
			text = "(" + text + ") " + rapid.SampledFrom([]string{"&&", "||"}).Draw(t, "joint") + " !(" + rapid.SampledFrom(texts).Draw(t, "second") + "\n)"
		}
		p, err := Condition(text)
		if err != nil {
			t.Fatal(err)
		}
		var events []*Event
		for i := range rapid.IntRange(0, 8).Draw(t, "events") {
			events = append(events, randomEvent(t, i))
		}
		events = slices.DeleteFunc(events, func(e *Event) bool { return e.At > noon.UnixMicro() })
		slices.SortFunc(events, func(a, b *Event) int {
			return map[bool]int{true: -1, false: 1}[Entry{At: a.At, Tie: a.Tie}.before(Entry{At: b.At, Tie: b.Tie})]
		})
		s := scope(noon.UnixMicro(), events)
		kept := p.Explain(s)
		s.Aggregate = nil
		x := p.Explain(s)
		if want := p.NaiveResult(s) == true; x.Holds != want || x.Clause.Holds != want || kept.Holds != want || kept.Clause.Holds != want {
			t.Fatalf("%s is %v, explained as %v, %v, %v, %v", text, want, x.Holds, x.Clause.Holds, kept.Holds, kept.Clause.Holds)
		}
		end := noon.AddDate(0, 0, 20)
		if x.NextChange != nil && x.NextChange.Before(end) {
			end = *x.NextChange
			s.Now = end.UnixMicro()
			if p.NaiveResult(s) == x.Holds {
				t.Fatalf("%s does not change at %v", text, end)
			}
		}
		for at := noon; at.Before(end); at = at.Add(7 * time.Hour) {
			if s.Now = at.UnixMicro(); p.NaiveResult(s) != x.Holds {
				t.Fatalf("%s changes by %v, before the announced %v", text, at, x.NextChange)
			}
		}
	})
}
