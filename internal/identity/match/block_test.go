package match

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Every pair that shares a key of a rule is met exactly once, and no other.
func TestBlocksGiveEachPairOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		n := rapid.IntRange(1, 60).Draw(t, "records")
		w := newSmallTown(seed)
		r, _ := NewRecords(townFields)
		w.households(n, func(_ int, one resident) {
			values := make([][]string, len(one))
			for i := range one {
				values[i] = one[i : i+1]
			}
			r.Add(int64(r.Len()), values)
		})
		r.freeze()
		x := &index{records: r}
		want := map[[2]uint32]bool{}
		for _, by := range rules(r.fields) {
			x.rules = append(x.rules, newBlocking(r, by))
			for a := range uint32(n) {
				for b := range a {
					if slices.ContainsFunc(by.keys(r, a, nil), func(key uint64) bool { return slices.Contains(by.keys(r, b, nil), key) }) {
						want[[2]uint32{b, a}] = true
					}
				}
			}
		}
		marks := x.newSeen()
		for a := range uint32(n) {
			x.partners(a, marks, true, func(b uint32) {
				if !want[[2]uint32{a, b}] {
					t.Fatalf("%d and %d share no key, or came twice", a, b)
				}
				delete(want, [2]uint32{a, b})
			})
		}
		if len(want) > 0 {
			t.Fatalf("never met: %v", want)
		}
	})
}

// A block of everybody costs a bounded number of pairs, is reported, and neighbours by name still meet.
func TestAnOversizedBlockIsCut(t *testing.T) {
	const n = 20_000
	r, _ := NewRecords([]Field{{Name: "id", Kind: Identifier}, {Name: "name", Kind: Surname}})
	for i := range n {
		r.Add(int64(i), [][]string{{"same for all"}, {fmt.Sprintf("name%06d", i*7919%n)}})
	}
	r.freeze()
	x, err := newIndex(t.Context(), r, Options{}.withDefaults(n))
	if err != nil {
		t.Fatal(err)
	}
	rule := x.report()[0]
	if rule.Cut != 1 || rule.CutRecords != n {
		t.Errorf("the cut was not reported: %+v", rule)
	}
	marks := x.newSeen()
	pairs, met := 0, 0
	for a := range uint32(n) {
		x.partners(a, marks, true, func(b uint32) {
			pairs++
			one, other := int(a)*7919%n, int(b)*7919%n
			if one-other == 1 || other-one == 1 {
				met++
			}
		})
	}
	if pairs > max(fewPairs, pairsPerRule*n) {
		t.Errorf("%d pairs of %d records", pairs, n)
	}
	if met != n-1 {
		t.Errorf("%d of %d neighbours met", met, n-1)
	}
}

func TestFindStopsWhenAsked(t *testing.T) {
	r, _ := newTown(1, 0.1).fill(t, 400)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Find(ctx, r, Options{Progress: func(s Stage, _ float64) {
		if s == Scoring {
			cancel()
		}
	}})
	if err == nil {
		t.Error("it went on")
	}
}

func TestFindIsTheSameEachTime(t *testing.T) {
	var first []Pair
	for range 2 {
		r, _ := newTown(5, 0.2).fill(t, 500)
		result, err := Find(t.Context(), r, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = result.Pairs
		} else if !slices.Equal(first, result.Pairs) {
			t.Error("the same records gave other pairs")
		}
	}
}
