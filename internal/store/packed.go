package store

import (
	"bytes"
	"iter"
	"slices"
	"sync"
)

// packed is records of the log one after the other, as a compressed page holds them: two things for the collector, however
// many they are. All of them take less than 4 GB.
type packed struct {
	data   []byte
	begins []uint32 // where each of them begins
}

func (p *packed) len() int { return len(p.begins) }

// at is a record, which lies in what is packed.
func (p *packed) at(i int) record { return p.from(p.begins[i]) }

// from is the record that begins at a place.
func (p *packed) from(begin uint32) record {
	r, _, err := nextRecord(p.data[begin:], eventKeySize)
	if err != nil {
		panic(err) // it was put there, or found whole
	}
	return r
}

func (p *packed) all() iter.Seq[record] {
	return func(yield func(record) bool) {
		for _, begin := range p.begins {
			if !yield(p.from(begin)) {
				return
			}
		}
	}
}

// add puts a copy of a record behind the others.
func (p *packed) add(r record) {
	p.begins = append(p.begins, uint32(len(p.data)))
	p.data = appendRecord(p.data, r, pageSoonGone)
}

// page is the stored form.
func (p *packed) page() []byte { return finishPage(p.data, pageSoonGone) }

// unpack reads the stored form.
func unpack(page []byte) (*packed, error) {
	plain, err := plainPage(page, nil)
	p := &packed{data: plain}
	for rest := plain; err == nil && len(rest) > 0; {
		p.begins = append(p.begins, uint32(len(plain)-len(rest)))
		_, rest, err = nextRecord(rest, eventKeySize)
	}
	return p, err
}

// pack gives the records that fill adds, in no more room than they need.
func pack(fill func(to *packed)) *packed {
	to := packing.Get().(*packed)
	defer packing.Put(to)
	to.data, to.begins = to.data[:0], to.begins[:0]
	fill(to)
	return &packed{bytes.Clone(to.data), slices.Clone(to.begins)}
}

// packing is room in which records have been packed, and can be again.
var packing = sync.Pool{New: func() any { return new(packed) }}
