package store

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
)

// head is the first two words of a key, which nearly always tell the order of two: to compare them reads nothing elsewhere.
// The hash of a message id has no more.
type head struct{ first, second uint64 }

func headOf(key []byte) head {
	return head{binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:])}
}

func (h head) compare(other head) int {
	if h.first != other.first {
		return cmp.Compare(h.first, other.first)
	}
	return cmp.Compare(h.second, other.second)
}

// place is where a record lies among blocks.
type place struct {
	head
	block, begin uint32
}

// byKey gives the records of blocks by their keys, those of one key in the order in which they came; of some profiles
// alone, unless they are nil.
func byKey(blocks []*block, profiles []int64) iter.Seq[record] {
	n := 0
	for _, b := range blocks {
		n += b.records.len()
	}
	if profiles != nil {
		n = 0 // few, most likely
	}
	places := make([]place, 0, n)
	for i, b := range blocks {
		for _, begin := range b.records.begins {
			key := b.records.data[begin:]
			if profiles == nil || slices.Contains(profiles, keyProfile(key)) {
				places = append(places, place{headOf(key), uint32(i), begin})
			}
		}
	}
	tie := func(p place) uint64 { return binary.BigEndian.Uint64(blocks[p.block].records.data[p.begin+16:]) }
	slices.SortFunc(places, func(a, b place) int {
		if c := a.compare(b.head); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(tie(a), tie(b)), cmp.Compare(a.block, b.block), cmp.Compare(a.begin, b.begin))
	})
	return func(yield func(record) bool) {
		for _, p := range places {
			if !yield(blocks[p.block].records.from(p.begin)) {
				return
			}
		}
	}
}

// idsInOrder are the hashes of message ids of blocks.
func idsInOrder(blocks []*block) (ids [][idSize]byte) {
	for _, b := range blocks {
		ids = append(ids, b.hashes...)
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

func compareIDs(a, b [idSize]byte) int { return headOf(a[:]).compare(headOf(b[:])) }
