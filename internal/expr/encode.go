package expr

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"time"
)

// The kinds of value in a stored aggregate.
const (
	storedNil = iota
	storedFalse
	storedTrue
	storedNumber
	storedText
	storedTime
	storedJSON
)

var errStored = errors.New("expr: a stored aggregate is damaged")

// Append adds the stored form of a to buf: deterministic, read by DecodeAggregate.
func (a *Aggregate) Append(buf []byte) []byte {
	buf = binary.AppendVarint(buf, a.folded.n)
	buf = binary.AppendUvarint(buf, uint64(len(a.folded.sum.partials)))
	for _, p := range a.folded.sum.partials {
		buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(p))
	}
	buf = a.folded.best.append(buf)
	buf = binary.AppendUvarint(buf, uint64(len(a.folded.counts)))
	for _, key := range slices.Sorted(maps.Keys(a.folded.counts)) {
		buf = appendText(buf, key)
		buf = binary.AppendVarint(buf, a.folded.counts[key])
	}
	buf = binary.AppendUvarint(buf, uint64(len(a.entries)))
	for _, e := range a.entries {
		buf = e.append(buf)
	}
	return buf
}

func (e Entry) append(buf []byte) []byte {
	buf = binary.AppendVarint(buf, e.At)
	buf = binary.LittleEndian.AppendUint64(buf, e.Tie)
	switch v := e.Value.(type) {
	case nil:
		return append(buf, storedNil)
	case bool:
		if v {
			return append(buf, storedTrue)
		}
		return append(buf, storedFalse)
	case float64:
		return binary.LittleEndian.AppendUint64(append(buf, storedNumber), math.Float64bits(v))
	case string:
		return appendText(append(buf, storedText), v)
	case time.Time:
		return binary.AppendVarint(append(buf, storedTime), v.UnixMicro())
	default:
		text, _ := json.Marshal(v) // plain JSON values always marshal
		return appendText(append(buf, storedJSON), string(text))
	}
}

func appendText(buf []byte, s string) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(s))), s...)
}

// DecodeAggregate reads what Append wrote.
func DecodeAggregate(data []byte) (*Aggregate, error) {
	d := decoder{data: data}
	a := &Aggregate{}
	a.folded.n = d.varint()
	for range d.length() {
		a.folded.sum.partials = append(a.folded.sum.partials, math.Float64frombits(d.fixed()))
	}
	a.folded.best = d.entry()
	for range d.length() {
		key := d.text()
		a.folded.tally(key, d.varint())
	}
	if n := d.length(); n > 0 {
		a.entries = make([]Entry, 0, n)
		for range n {
			a.entries = append(a.entries, d.entry())
		}
	}
	if d.bad || len(d.data) > 0 {
		return nil, errStored
	}
	return a, nil
}

// decoder reads a stored form; after the first damage it gives zeros.
type decoder struct {
	data []byte
	bad  bool
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.data)
	return v * int64(d.skip(n))
}

// length reads a count, which cannot exceed the bytes that are left.
func (d *decoder) length() int {
	v, n := binary.Uvarint(d.data)
	if d.skip(n) == 0 || v > uint64(len(d.data)) {
		d.bad = true
		return 0
	}
	return int(v)
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
	s := string(d.data[:n])
	d.data = d.data[n:]
	return s
}

func (d *decoder) entry() Entry {
	e := Entry{At: d.varint(), Tie: d.fixed()}
	if len(d.data) == 0 {
		d.bad = true
		return e
	}
	kind := d.data[0]
	d.skip(1)
	switch kind {
	case storedNil:
	case storedFalse, storedTrue:
		e.Value = kind == storedTrue
	case storedNumber:
		e.Value = math.Float64frombits(d.fixed())
	case storedText:
		e.Value = d.text()
	case storedTime:
		e.Value = time.UnixMicro(d.varint()).UTC()
	case storedJSON:
		if json.Unmarshal([]byte(d.text()), &e.Value) != nil {
			d.bad = true
		}
	default:
		d.bad = true
	}
	return e
}
