package store

import (
	"encoding/binary"
	"math/bits"
)

// filter is a Bloom filter over 16-byte hashes: sixteen bits and eleven probes a hash, one false alarm in two thousand.
// It says for certain that something is not there.
type filter []uint64

const (
	filterBits   = 16
	filterProbes = 11
)

func newFilter(n int) filter { return make(filter, max(1, (n*filterBits+63)/64)) }

// probe gives the word and the bit of a hash's i-th probe. The hash is random, so that its halves serve as two hash
// functions (Kirsch and Mitzenmacher, 2006).
func (f filter) probe(hash []byte, i uint64) (word int, mask uint64) {
	a, b := binary.LittleEndian.Uint64(hash), binary.LittleEndian.Uint64(hash[8:])
	high, _ := bits.Mul64(a+i*b, uint64(len(f))*64)
	return int(high / 64), 1 << (high % 64)
}

func (f filter) add(hash []byte) {
	for i := range uint64(filterProbes) {
		word, mask := f.probe(hash, i)
		f[word] |= mask
	}
}

func (f filter) mayHave(hash []byte) bool {
	for i := range uint64(filterProbes) {
		if word, mask := f.probe(hash, i); f[word]&mask == 0 {
			return false
		}
	}
	return true
}

func (f filter) bytes() []byte {
	b := make([]byte, 0, 8*len(f))
	for _, w := range f {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

func filterOf(b []byte) filter {
	f := make(filter, len(b)/8)
	for i := range f {
		f[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return f
}
