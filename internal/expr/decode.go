package expr

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// DecodeAggregate reads what Append wrote.
func DecodeAggregate(data []byte) (*Aggregate, error) {
	a := &Aggregate{}
	return a, a.Decode(data)
}

// Decode is DecodeAggregate into an empty aggregate, which is of no use where it fails.
func (a *Aggregate) Decode(data []byte) error {
	if len(data) < 2 || data[0] != storedVersion {
		return fmt.Errorf("expr: a stored aggregate: %w", wire.ErrDamaged)
	}
	d, parts := decoder{Decoder: wire.NewDecoder(data[2:])}, data[1]
	bare := parts&storedBare != 0
	if parts&storedFolded != 0 {
		a.n = d.Varint()
		d.refuse(a.n <= 0)
	}
	if parts&storedSum != 0 {
		for range d.Length() {
			a.sum.partials = append(a.sum.partials, math.Float64frombits(d.Fixed()))
		}
	}
	if parts&storedBest != 0 {
		a.best.At = d.Varint()
		if !bare {
			rest := d.detail()
			a.best.Tie, a.best.Value = rest.tie, rest.value
		}
	}
	if parts&storedCounts != 0 {
		a.counts = &tally{}
		for range d.Length() {
			key := d.text()
			a.counts.add(key, d.Varint())
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
		d.refuse(a.fading.events == 0 || a.fading.events != a.n)
	}
	if err := d.Err(); err != nil {
		return fmt.Errorf("expr: a stored aggregate: %w", err)
	}
	return nil
}

func (d *decoder) fading() *fading {
	f := &fading{floor: math.MinInt64}
	floor := d.Varint()
	names := make([]string, d.Length())
	for i := range names {
		names[i] = d.text()
	}
	day := int64(0)
	for range d.Length() {
		day += d.Varint()
		for range d.Length() {
			i, n := d.Uvarint(), int64(d.Uvarint())
			if d.Failed() || i >= uint64(len(names)) || n <= 0 || f.pairs >= maxFading {
				d.Fail()
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
	*wire.Decoder
	texts map[string]string // in a long timeline each text once, however many entries have it; else nil
}

func (d *decoder) refuse(damaged bool) {
	if damaged {
		d.Fail()
	}
}

// timeline reads one that is not empty.
func (d *decoder) timeline(bare bool) timeline {
	var t timeline
	t.n = d.Length()
	unit := int(d.Byte())
	if d.Failed() || t.n == 0 || unit >= len(storedUnits) {
		d.Fail()
		return timeline{}
	}
	at := int64(0)
	for begin := 0; begin < t.n; begin += chunkSize {
		n := min(t.n-begin, chunkSize)
		c := chunk{at: make([]int64, n, min(n+n/8+2, chunkSize))} // what is opened is often added to
		for i := range c.at {
			at += d.Varint()
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
	tie := d.Fixed()
	return detail{tie, d.kept()}
}

func (d *decoder) kept() kept {
	switch kind := d.Byte(); kind {
	case storedNil:
		return kept{}
	case storedFalse, storedTrue:
		return keptBool(kind == storedTrue)
	case storedNumber:
		return kept{kind: kindNumber, bits: d.Fixed()}
	case storedInteger:
		return keptNumber(float64(d.Varint()))
	case storedCents:
		return keptNumber(float64(d.Varint()) / 100)
	case storedText:
		return keptText(d.text())
	case storedTime:
		seconds := d.Varint()
		return kept{kind: kindTime, bits: uint64(seconds), nanos: uint32(d.Uvarint())}
	case storedJSON:
		text := d.text()
		d.refuse(!json.Valid([]byte(text)))
		return kept{kind: kindJSON, text: text}
	}
	d.Fail()
	return kept{}
}

// text gives the same text once, where it keeps them.
func (d *decoder) text() string {
	raw := d.Bytes()
	s, known := d.texts[string(raw)]
	if !known {
		if s = string(raw); d.texts != nil {
			d.texts[s] = s
		}
	}
	return s
}
