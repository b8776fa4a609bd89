package expr

import (
	"encoding/binary"
	"encoding/json"
	"math"
)

// DecodeAggregate reads what Append wrote.
func DecodeAggregate(data []byte) (*Aggregate, error) {
	if len(data) < 2 || data[0] != storedVersion {
		return nil, errStored
	}
	d, parts, a := decoder{data: data[2:]}, data[1], &Aggregate{}
	bare := parts&storedBare != 0
	if parts&storedFolded != 0 {
		a.n = d.varint()
		d.bad = d.bad || a.n <= 0
	}
	if parts&storedSum != 0 {
		for range d.length() {
			a.sum.partials = append(a.sum.partials, math.Float64frombits(d.fixed()))
		}
	}
	if parts&storedBest != 0 {
		a.best.At = d.varint()
		if !bare {
			rest := d.detail()
			a.best.Tie, a.best.Value = rest.tie, rest.value
		}
	}
	if parts&storedCounts != 0 {
		a.counts = &tally{}
		for range d.length() {
			key := d.text()
			a.counts.add(key, d.varint())
		}
	}
	if parts&storedWindow != 0 {
		a.window = d.timeline(bare)
	}
	if parts&storedWaiting != 0 {
		waiting := d.timeline(bare)
		a.waiting = &waiting
	}
	if parts&storedFading != 0 {
		a.fading = d.fading()
		d.bad = d.bad || a.fading.events == 0 || a.fading.events != a.n
	}
	if d.bad || len(d.data) > 0 {
		return nil, errStored
	}
	return a, nil
}

func (d *decoder) fading() *fading {
	f := &fading{floor: math.MinInt64}
	floor := d.varint()
	names := make([]string, d.length())
	for i := range names {
		names[i] = d.text()
	}
	day := int64(0)
	for range d.length() {
		day += d.varint()
		for range d.length() {
			i, n := d.uvarint(), int64(d.uvarint())
			if d.bad || i >= uint64(len(names)) || n <= 0 || f.pairs >= maxFading {
				d.bad = true
				return f
			}
			f.add(day, names[i], n)
		}
	}
	f.floor = floor
	return f
}

// decoder reads a stored form; after the first damage it gives zeros.
type decoder struct {
	data  []byte
	bad   bool
	texts map[string]string // in a long timeline each text once, however many entries have it; else nil
}

// timeline reads one that is not empty.
func (d *decoder) timeline(bare bool) timeline {
	var t timeline
	t.n = d.length()
	unit := int(d.byte())
	if d.bad || t.n == 0 || unit >= len(storedUnits) {
		d.bad = true
		return timeline{}
	}
	at := int64(0)
	for begin := 0; begin < t.n; begin += chunkSize {
		c := chunk{at: make([]int64, min(t.n-begin, chunkSize))}
		for i := range c.at {
			at += d.varint()
			c.at[i] = at * storedUnits[unit]
		}
		t.chunks = append(t.chunks, c)
	}
	if d.texts == nil && t.n > 64 && !bare {
		d.texts = map[string]string{}
	}
	for i := range t.chunks {
		if c := &t.chunks[i]; !bare {
			c.rest = make([]detail, len(c.at))
			for j := range c.rest {
				c.rest[j] = d.detail()
			}
		}
	}
	return t
}

func (d *decoder) detail() detail {
	tie := d.fixed()
	return detail{tie, d.kept()}
}

func (d *decoder) kept() kept {
	switch kind := d.byte(); kind {
	case storedNil:
		return kept{}
	case storedFalse, storedTrue:
		return keptBool(kind == storedTrue)
	case storedNumber:
		return kept{kind: kindNumber, bits: d.fixed()}
	case storedInteger:
		return keptNumber(float64(d.varint()))
	case storedCents:
		return keptNumber(float64(d.varint()) / 100)
	case storedText:
		return keptText(d.text())
	case storedTime:
		seconds := d.varint()
		return kept{kind: kindTime, bits: uint64(seconds), nanos: uint32(d.uvarint())}
	case storedJSON:
		text := d.text()
		d.bad = d.bad || !json.Valid([]byte(text))
		return kept{kind: kindJSON, text: text}
	}
	d.bad = true
	return kept{}
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.data)
	return v * int64(d.skip(n))
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.data)
	return v * uint64(d.skip(n))
}

// length reads a count, which cannot exceed the bytes that are left.
func (d *decoder) length() int {
	v := d.uvarint()
	if v > uint64(len(d.data)) {
		d.bad = true
		return 0
	}
	return int(v)
}

func (d *decoder) byte() byte {
	if len(d.data) == 0 {
		d.bad = true
		return 0
	}
	b := d.data[0]
	d.skip(1)
	return b
}

// skip moves on by n bytes: 1 if it could, else 0.
func (d *decoder) skip(n int) int {
	if d.bad || n <= 0 || n > len(d.data) {
		d.bad, d.data = true, nil
		return 0
	}
	d.data = d.data[n:]
	return 1
}

func (d *decoder) fixed() uint64 {
	if len(d.data) < 8 {
		d.skip(8)
		return 0
	}
	v := binary.LittleEndian.Uint64(d.data)
	d.skip(8)
	return v
}

func (d *decoder) text() string {
	n := d.length()
	if d.bad {
		return ""
	}
	s, known := d.texts[string(d.data[:n])]
	if !known {
		if s = string(d.data[:n]); d.texts != nil {
			d.texts[s] = s
		}
	}
	d.data = d.data[n:]
	return s
}
