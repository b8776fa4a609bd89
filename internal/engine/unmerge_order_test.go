package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// holders tells who has which card, and of whom each is made: "b: 1 of [3]".
func (f *fixture) holders(cards ...string) (all []string) {
	for _, b := range cards {
		p := f.profile("card", b)
		if n := len(slices.DeleteFunc(slices.Clone(p.Identifiers), func(id identity.Identifier) bool { return id.Value != b })); n != 1 {
			f.t.Fatalf("profile %d has %s %d times", p.ID, b, n)
		}
		slices.Sort(p.Absorbed)
		all = append(all, fmt.Sprint(b, ": ", p.ID, " of ", p.Absorbed))
	}
	return all
}

// shown is a visit to the shop with these cards.
func shown(cards ...string) map[string]any {
	var ids []map[string]any
	for _, c := range cards {
		ids = append(ids, map[string]any{"type": "card", "id": c})
	}
	return map[string]any{"type": "track", "event": "A", "context": map[string]any{"externalIds": ids}}
}

// Events of one request are lived again in the order in which they happened, which need not be that in which they came:
// merges that they made may then come in another order, and which of them was later is no longer what it was.
func TestMergesThatWereLivedAgainInAnotherOrderAreUndone(t *testing.T) {
	for undone, want := range map[int64]string{
		3: "[a: 1 of [4] b: 2 of [] c: 3 of [] d: 1 of [4]]",
		4: "[a: 1 of [3] b: 2 of [] c: 1 of [3] d: 4 of []]",
	} {
		f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
		for _, b := range []string{"a", "b", "c", "d"} {
			f.send(f.now(), shown(b))
		}
		both := func(at time.Time, other string) *event.Event { return f.decode(at, shown("a", other)) }
		f.advance(time.Minute)
		if err := f.Ingest(context.Background(), []*event.Event{both(f.now(), "b")}); err != nil {
			t.Fatal(err)
		}
		f.advance(time.Hour)
		if err := f.Ingest(context.Background(), []*event.Event{both(f.now(), "c"), both(f.now().Add(-time.Minute), "d")}); err != nil {
			t.Fatal(err)
		}
		for _, loser := range []int64{2, undone} {
			f.advance(time.Minute)
			f.unmerge(loser)
			f.verify()
		}
		if got := fmt.Sprint(f.holders("a", "b", "c", "d")); got != want {
			t.Errorf("without %d: %s, want %s", undone, got, want)
		}
		f.close()
	}
}

// A profile that is a part of another when it joins a third is one still when life without a merge lets it join sooner.
func TestAUnitThatJoinsSoonerBringsItsParts(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	ctx := context.Background()
	for _, b := range []string{"a", "b", "c", "d"} {
		f.send(f.now(), shown(b))
	}
	link := func(one, other string) {
		f.advance(time.Minute)
		f.send(f.now(), shown(one, other))
	}
	link("a", "b")
	if err := f.KeepApart(ctx, 1, 3, "", ""); err != nil {
		t.Fatal(err)
	}
	link("a", "c") // refused
	if err := f.AllowTogether(ctx, 1, 3); err != nil {
		t.Fatal(err)
	}
	link("c", "d")
	link("a", "c")
	for _, undone := range []struct {
		loser int64
		want  string
	}{
		{2, "[a: 1 of [3 4] b: 2 of [] c: 1 of [3 4] d: 1 of [3 4]]"},
		{3, "[a: 1 of [] b: 2 of [] c: 3 of [4] d: 3 of [4]]"},
	} {
		f.advance(time.Minute)
		f.unmerge(undone.loser)
		f.verify()
		if got := fmt.Sprint(f.holders("a", "b", "c", "d")); got != undone.want {
			t.Errorf("without %d: %s, want %s", undone.loser, got, undone.want)
		}
	}
}

// An answer to a mail, whose address nobody has, stands with whom it named: who joins somebody sooner without a merge, and is
// taken apart from him later, has kept it.
func TestAnAnswerStaysWithWhomItNames(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	ctx := context.Background()
	const a, b, c = 1, 2, 3
	for _, card := range []string{"a", "b", "c"} {
		f.send(f.now(), shown(card))
	}
	step := func(e map[string]any) { f.advance(time.Minute); f.send(f.now(), e) }
	step(shown("b", "c"))
	if err := f.KeepApart(ctx, a, c, "", ""); err != nil {
		t.Fatal(err)
	}
	step(shown("b", "a")) // refused
	f.advance(time.Minute)
	f.own(b, event.NameEmailClicked, `{"message_id":"of nobody"}`)
	if err := f.AllowTogether(ctx, a, c); err != nil {
		t.Fatal(err)
	}
	step(shown("a", "b"))
	f.unmerge(c)
	f.verify()
	f.unmerge(b)
	f.verify()
	for id, want := range map[int64]int{a: 0, b: 1, c: 0} {
		events, _, err := f.store.Timeline(ctx, id, "", 50)
		if err != nil {
			t.Fatal(err)
		}
		answers := 0
		for _, e := range events {
			if e.Name == event.NameEmailClicked {
				answers++
			}
		}
		if answers != want {
			t.Errorf("profile %d answered %d times, want %d", id, answers, want)
		}
	}
}

// Whom somebody is kept apart from is a part of another meanwhile: when that one is taken apart, too, it holds for the part alone.
func TestKeptApartHoldsForWhomItWasSaidOf(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	ctx := context.Background()
	const a, b, c, d = 1, 2, 3, 4
	for _, browser := range []string{"a", "b", "c", "d"} {
		f.send(f.now(), shown(browser))
	}
	keepApart := func(one, other int64) {
		if err := f.KeepApart(ctx, one, other, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	keepApart(a, c)
	keepApart(b, d)
	for _, both := range [][]string{{"c", "d"}, {"a", "b"}} {
		f.advance(time.Minute)
		f.send(f.now(), shown(both...))
	}
	f.unmerge(b)
	f.unmerge(d)
	f.verify()
	for _, pair := range []struct {
		one, other int64
		want       fault.Code
	}{{a, d, fault.NotFound}, {b, c, fault.NotFound}, {a, c, ""}, {b, d, ""}, {a, b, ""}, {c, d, ""}} {
		if err := f.AllowTogether(ctx, pair.one, pair.other); fault.CodeOf(err) != pair.want {
			t.Errorf("%d and %d: %v", pair.one, pair.other, err)
		}
	}
}
