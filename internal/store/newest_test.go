package store

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// What is read backward, from blocks and from runs of several pages, is what is read forward, from any place on.
func TestTheNewestRecordsComeFirst(t *testing.T) {
	ctx, s := context.Background(), open(t)
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 6 {
		commitEvents(t, s, random, fmt.Sprint("r", i), 3000)
		if i%2 == 1 && i < 5 {
			compact(t, s)
		}
	}
	profiles := []int64{7, 3, 12}
	h := s.historyOf(profiles)
	defer h.Close()
	var all []record
	for _, id := range profiles {
		if err := h.records(ctx, id, id+1, func(r record) error {
			all = append(all, record{slices.Clone(r.key), slices.Clone(r.value)})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(all, func(a, b record) int { return bytes.Compare(placeOf(b), placeOf(a)) })
	for _, from := range []int{0, 1, len(all) / 3, len(all) - 1} {
		for _, limit := range []int{1, 50, len(all)} {
			want := all[from:min(from+limit, len(all))]
			place := placeOf(want[0])
			if from == 0 {
				place = nil
			}
			var got []record
			err := h.newest(ctx, profiles, place, func(r record) error {
				if place != nil && bytes.Compare(placeOf(r), place) > 0 { // at the same moment
					return nil
				}
				if got = append(got, r); len(got) == limit {
					return errEnough
				}
				return nil
			})
			if err != nil || len(got) != len(want) {
				t.Fatalf("%d records from the place %d on, want %d; %v", len(got), from, len(want), err)
			}
			for i := range got {
				if !bytes.Equal(got[i].key, want[i].key) || !bytes.Equal(got[i].value, want[i].value) {
					t.Fatalf("from the place %d on, record %d is %x, want %x", from, i, got[i].key, want[i].key)
				}
			}
		}
	}
}

func BenchmarkTimelinePage(b *testing.B) {
	s := openFiles(b)
	random := rand.New(rand.NewPCG(7, 8))
	for i := range 10 {
		commitEvents(b, s, random, fmt.Sprint("r", i), 20_000)
		compact(b, s)
	}
	for b.Loop() {
		if _, _, err := s.Timeline(b.Context(), 7, "", 50); err != nil {
			b.Fatal(err)
		}
	}
}
