package expr

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// storedVersion is the first byte of a stored aggregate.
const storedVersion = 1

// The parts of a stored aggregate, in this order; its second byte says which there are.
const (
	storedFolded  = 1 << iota // the number of folded entries
	storedSum                 // the partials of their sum
	storedBest                // the one of them that counts
	storedCounts              // how many of each value
	storedWindow              // the entries inside the window
	storedWaiting             // the entries dated after the present
	storedBare                // entries are nothing but times
	storedFading              // what fades, by days
)

// The kinds of value in a stored aggregate.
const (
	storedNil = iota
	storedFalse
	storedTrue
	storedNumber  // 8 bytes
	storedInteger // a varint
	storedCents   // a varint, of hundredths
	storedText
	storedTime // seconds and nanoseconds
	storedJSON
)

// storedUnits are what stored times are counted in: the largest of which all of them are multiples.
var storedUnits = []int64{1_000_000, 1_000, 1}

// Append adds the stored form of a to buf: deterministic, read by DecodeAggregate. Times are stored as differences; an entry
// of a count takes two to five bytes, one with a value eight more (its tie) and the value's; of what fades, a day takes two
// bytes and each of its values two or three.
func (a *Aggregate) Append(buf []byte) []byte {
	parts := byte(0)
	note := func(part byte, there bool) {
		if there {
			parts |= part
		}
	}
	counts := a.n > 0 && a.counts != nil
	note(storedFolded, a.n > 0)
	note(storedSum, a.n > 0 && len(a.sum.partials) > 0)
	note(storedBest, a.n > 0 && a.best != Entry{})
	note(storedCounts, counts)
	note(storedWindow, a.window.len() > 0)
	note(storedWaiting, a.waiting != nil)
	note(storedFading, a.fading != nil)
	bare := a.best.Value == kept{} && a.window.bare() && (a.waiting == nil || a.waiting.bare())
	note(storedBare, bare)
	buf = append(buf, storedVersion, parts)
	if parts&storedFolded != 0 {
		buf = binary.AppendVarint(buf, a.n)
	}
	if parts&storedSum != 0 {
		buf = binary.AppendUvarint(buf, uint64(len(a.sum.partials)))
		for _, p := range a.sum.partials {
			buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(p))
		}
	}
	if parts&storedBest != 0 {
		buf = binary.AppendVarint(buf, a.best.At)
		if !bare {
			buf = detail{a.best.Tie, a.best.Value}.append(buf)
		}
	}
	if counts {
		buf = binary.AppendUvarint(buf, uint64(len(a.counts.counts)))
		for _, key := range a.counts.keys() {
			buf = wire.AppendText(buf, key)
			buf = binary.AppendVarint(buf, a.counts.counts[key])
		}
	}
	if parts&storedWindow != 0 {
		buf = a.window.append(buf)
	}
	if parts&storedWaiting != 0 {
		buf = a.waiting.append(buf)
	}
	if parts&storedFading != 0 {
		buf = a.fading.append(buf)
	}
	return buf
}

// append stores the names that are left once, in their order, and days as differences.
func (f *fading) append(buf []byte) []byte {
	place := make([]int, len(f.names))
	for i := range place {
		place[i] = -1
	}
	var used []int32
	for _, d := range f.days {
		for _, c := range d.counts {
			if place[c.value] < 0 {
				place[c.value] = 0
				used = append(used, c.value)
			}
		}
	}
	slices.SortFunc(used, func(a, b int32) int { return strings.Compare(f.names[a], f.names[b]) })
	buf = binary.AppendUvarint(binary.AppendVarint(buf, f.floor), uint64(len(used)))
	for i, value := range used {
		place[value] = i
		buf = wire.AppendText(buf, f.names[value])
	}
	buf = binary.AppendUvarint(buf, uint64(len(f.days)))
	before := int64(0)
	for _, d := range f.days {
		buf = binary.AppendUvarint(binary.AppendVarint(buf, d.day-before), uint64(len(d.counts)))
		before = d.day
		slices.SortFunc(d.counts, func(a, b valueCount) int { return place[a.value] - place[b.value] })
		for _, c := range d.counts {
			buf = binary.AppendUvarint(binary.AppendUvarint(buf, uint64(place[c.value])), uint64(c.n))
		}
	}
	return buf
}

func (t *timeline) bare() bool { return len(t.chunks) == 0 || t.chunks[0].rest == nil }

func (t *timeline) append(buf []byte) []byte {
	unit := 0
	for i := range t.chunks {
		for _, at := range t.chunks[i].at {
			for at%storedUnits[unit] != 0 {
				unit++
			}
		}
	}
	buf = binary.AppendUvarint(buf, uint64(t.n))
	buf = append(buf, byte(unit))
	before := int64(0)
	for i := range t.chunks {
		for _, at := range t.chunks[i].at {
			at /= storedUnits[unit]
			buf = binary.AppendVarint(buf, at-before)
			before = at
		}
	}
	for i := range t.chunks {
		for _, d := range t.chunks[i].rest {
			buf = d.append(buf)
		}
	}
	return buf
}

func (d detail) append(buf []byte) []byte {
	return d.value.append(binary.LittleEndian.AppendUint64(buf, d.tie))
}

func (k kept) append(buf []byte) []byte {
	switch k.kind {
	case kindBool:
		if k.bool() {
			return append(buf, storedTrue)
		}
		return append(buf, storedFalse)
	case kindNumber:
		f := k.number()
		for i, scale := range []float64{1, 100} {
			if n := math.Round(f * scale); math.Abs(n) < 1<<53 && math.Float64bits(n/scale) == k.bits {
				return binary.AppendVarint(append(buf, storedInteger+byte(i)), int64(n))
			}
		}
		return binary.LittleEndian.AppendUint64(append(buf, storedNumber), k.bits)
	case kindText:
		return wire.AppendText(append(buf, storedText), k.text)
	case kindTime:
		return binary.AppendUvarint(binary.AppendVarint(append(buf, storedTime), k.int()), uint64(k.nanos))
	case kindJSON:
		return wire.AppendText(append(buf, storedJSON), k.text)
	}
	return append(buf, storedNil)
}
