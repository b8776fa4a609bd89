package store

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomBlocks hold random records, and hashes of which many begin alike.
func randomBlocks(random *rand.Rand, n int) (blocks []*block) {
	for range n {
		b := &block{records: pack(func(to *packed) {
			for _, r := range randomRecords(random, random.IntN(60)) {
				to.add(r)
			}
		})}
		for range random.IntN(60) {
			var hash [idSize]byte
			for _, i := range []int{0, 7, 8, 15} {
				hash[i] = byte(random.UintN(3)) * 127
			}
			b.hashes = append(b.hashes, hash)
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// The order of records is that of the bytes of their keys, whichever of its words differ, and then that in which they came.
func TestRecordsOfBlocksStandInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	for n := range 40 {
		blocks := randomBlocks(random, n)
		var all []record
		var ids [][idSize]byte
		for _, b := range blocks {
			all = slices.AppendSeq(all, b.records.all())
			ids = append(ids, b.hashes...)
		}
		slices.SortStableFunc(all, func(a, b record) int { return bytes.Compare(a.key, b.key) })
		slices.SortFunc(ids, func(a, b [idSize]byte) int { return bytes.Compare(a[:], b[:]) })
		if got := slices.Collect(byKey(blocks, nil)); !slices.EqualFunc(got, all, sameRecord) {
			t.Fatalf("%d records of %d blocks are not in order", len(all), n)
		}
		if !slices.Equal(idsInOrder(blocks), ids) {
			t.Fatalf("%d ids of %d blocks are not in order", len(ids), n)
		}
		profiles := []int64{3, 1}
		some := slices.DeleteFunc(all, func(r record) bool { return !slices.Contains(profiles, keyProfile(r.key)) })
		if got := slices.Collect(byKey(blocks, profiles)); !slices.EqualFunc(got, some, sameRecord) {
			t.Fatalf("%d records of two profiles are not in order", len(some))
		}
	}
}
