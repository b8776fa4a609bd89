package match

// dictionary gives every distinct value of a field a number, from 1, and counts in how many records it is. Values lie in
// one array without pointers, so that ten million of them cost the collector nothing.
type dictionary struct {
	text   []byte
	ends   []uint32 // of value v: text[ends[v-1]:ends[v]]
	counts []uint32 // records that have v
	table  []uint32 // open addressing; 0 is free
	filled int      // records that have any value
	mean   float64  // the chance that two records with a value have the same one
}

func newDictionary() *dictionary {
	return &dictionary{ends: []uint32{0}, counts: []uint32{0}, table: make([]uint32, 64)}
}

// value is the text of a number.
func (d *dictionary) value(v uint32) []byte { return d.text[d.ends[v-1]:d.ends[v]] }

func (d *dictionary) size() int { return len(d.ends) - 1 }

// number finds or gives the number of a text.
func (d *dictionary) number(text string) uint32 {
	if 2*len(d.ends) > len(d.table) {
		d.grow()
	}
	mask := uint64(len(d.table) - 1)
	slot := hashString(text) & mask
	for ; d.table[slot] != 0; slot = (slot + 1) & mask {
		if v := d.table[slot]; string(d.value(v)) == text {
			return v
		}
	}
	d.text = append(d.text, text...)
	d.ends = append(d.ends, uint32(len(d.text)))
	d.counts = append(d.counts, 0)
	d.table[slot] = uint32(d.size())
	return uint32(d.size())
}

func (d *dictionary) grow() {
	d.table = make([]uint32, 2*len(d.table))
	mask := uint64(len(d.table) - 1)
	for v := uint32(1); int(v) < len(d.ends); v++ {
		slot := hash(d.value(v)) & mask
		for ; d.table[slot] != 0; slot = (slot + 1) & mask {
		}
		d.table[slot] = v
	}
}

// freeze ends the adding of values.
func (d *dictionary) freeze() {
	d.table = nil
	if d.filled < 2 {
		return
	}
	var pairs float64
	for _, c := range d.counts {
		pairs += float64(c) * float64(max(c, 1)-1)
	}
	d.mean = pairs / (float64(d.filled) * float64(d.filled-1))
}

// frequency is the share of the records with a value that have this one.
func (d *dictionary) frequency(v uint32) float64 {
	return float64(d.counts[v]) / float64(max(d.filled, 1))
}

// The hash is FNV-1a with a last mixing, the same in every run.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

func hashString(s string) uint64 {
	h := uint64(hashStart)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * hashPrime
	}
	return mix(h)
}

func hash(s []byte) uint64 {
	h := uint64(hashStart)
	for _, c := range s {
		h = (h ^ uint64(c)) * hashPrime
	}
	return mix(h)
}

// mix spreads the bits of a number over all of it (the finaliser of SplitMix64; Steele, Lea, Flood 2014).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// both hashes two hashes in this order.
func both(a, b uint64) uint64 { return mix(a*hashPrime ^ b) }
