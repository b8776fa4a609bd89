package store

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

// What is merged, of any number of sources with keys that are alike in any of their words, is what sorting gives.
func TestMergingIsSorting(t *testing.T) {
	random := rand.New(rand.NewPCG(19, 20))
	byBytes := func(a, b record) int { return bytes.Compare(a.key, b.key) }
	for n := range 40 {
		var cursors []*cursor
		var all []record
		for range n {
			sorted := randomRecords(random, random.IntN(50))
			slices.SortStableFunc(sorted, byBytes)
			cursors = append(cursors, &cursor{records: sorted, started: true, ended: true})
			all = append(all, sorted...)
		}
		slices.SortStableFunc(all, byBytes)
		var to []byte
		if n%2 == 1 && len(all) > 0 {
			to = all[random.IntN(len(all))].key
			all = slices.DeleteFunc(all, func(r record) bool { return bytes.Compare(r.key, to) >= 0 })
		}
		var merged []record
		if err := merge(context.Background(), cursors, to, func(r record) error { merged = append(merged, r); return nil }); err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(merged, all, sameRecord) {
			t.Fatalf("%d sources: %d records are not the %d in order", n, len(merged), len(all))
		}
	}
}
