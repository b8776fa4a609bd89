package expr

import (
	"fmt"
	"testing"
)

// Programs of a set use one term for each key, and ask an event's payload and their common conditions once.
func TestSharing(t *testing.T) {
	var programs []*Program
	for i, text := range []string{
		`events("A").where(e, e.properties.s == "x").count() > 1`, `events("A").where(f, f.properties.s == "x").count() > 2`,
		`events("A").where(e, e.properties.s == "x").within("3d").sum(e, e.properties.n) > 1.0`, `events("B").count() > 1`,
	} {
		p, err := Condition(text)
		if err != nil {
			t.Fatal(i, err)
		}
		programs = append(programs, p)
	}
	terms := Share(programs...)
	if len(terms) != 3 || programs[0].Terms[0] != programs[1].Terms[0] || terms[0].where[0] != terms[1].where[0] {
		t.Fatalf("%d terms", len(terms))
	}
	for i, term := range terms {
		if term.Slot != i {
			t.Errorf("term %d has the slot %d", i, term.Slot)
		}
	}
	payload := &lazy{map[string]any{"s": "x", "n": 2.0}, map[string]int{}}
	e := &Event{Name: "A", At: noon.UnixMicro(), Payload: payload}
	now := noon.UnixMicro()
	kept := make([]*Aggregate, len(terms))
	for _, term := range terms {
		kept[term.Slot] = &Aggregate{}
		if entry, ok := term.Observe(e); ok {
			kept[term.Slot].Add(term, entry, now)
		}
	}
	if fmt.Sprint(payload.asked) != "map[n:1 s:1]" {
		t.Errorf("asked for %v", payload.asked)
	}
	s := scope(now, nil)
	s.Aggregate = func(term *Term) *Aggregate { return kept[term.Slot] }
	for i, want := range []bool{false, false, true, false} {
		if got := programs[i].Result(s); got != want {
			t.Errorf("%s: got %v", programs[i].Text, got)
		}
	}
	// The same event under another set of terms.
	other, err := Condition(`events("A").where(e, e.properties.s == "y").count() + events("A").where(e, e.properties.s == "y").max(e, e.properties.n) > 0`)
	if err != nil {
		t.Fatal(err)
	}
	for _, term := range Share(other) {
		if _, ok := term.Observe(e); ok {
			t.Error("a verdict of another set was believed")
		}
	}
}
