package profile

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// Addition is what a filling from history adds to a profile, in its stored form: aggregates, moments, memberships. It is kept
// beside the profile, whose own stored form, which is far larger, need not be written for it. It says what is, not what
// changed: taken again, or after an older one, it comes to the same.
type Addition []byte

// additionForm is the first byte of an addition.
const additionForm = 1

// MostAdded is how large an addition may become, in bytes, before the profile is stored as a whole.
const MostAdded = 1024

// never is the moment of one that there is not.
const never = 0

// Mark is a profile as it was at some moment, as far as additions can tell what has become of it since.
type Mark struct {
	timers   Timers
	computed []byte
	segments []byte
}

// Mark notes how the profile is.
func (p *Profile) Mark() Mark {
	p.Segments.owned, p.Computed.owned = false, false // they are copied before they change
	return Mark{timers: p.Timers.Clone(), computed: p.Computed.raw, segments: p.Segments.raw}
}

// Timed reports whether other moments stand in the profile than at the mark.
func (p *Profile) Timed(m *Mark) bool { return !m.timers.Equal(&p.Timers) }

// AdditionSince gives what has become of the profile since a mark, with the aggregates of these terms; where it was read with an
// addition, that is a part. False says that something else changed which no addition tells, or that it would be too large.
func (p *Profile) AdditionSince(m *Mark, terms []int64) (Addition, bool) {
	if !bytes.Equal(m.computed, p.Computed.raw) {
		return nil, false
	}
	buf := append(make(Addition, 0, len(p.added)+128), p.added...)
	buf = binary.AppendVarint(append(buf, additionForm), p.UpdatedAt)
	buf = p.Timers.appendSince(buf, &m.timers)
	buf = p.Segments.appendSince(buf, m.segments)
	buf = binary.AppendUvarint(buf, uint64(len(terms)))
	for _, term := range terms {
		buf, _ = wire.AppendMade(binary.AppendVarint(buf, term), p.Aggregates.Get(term).Append)
	}
	return buf, len(buf) <= MostAdded
}

// ReadAdded is FromState for a profile with what has been added to it since; nil for nothing. It keeps both.
func ReadAdded(id int64, state []byte, a Addition) (*Profile, error) {
	p, err := FromState(id, state)
	if err == nil && len(a) > 0 {
		p.added = a
		err = p.Add(a)
	}
	return p, err
}

// Add takes an addition.
func (p *Profile) Add(a Addition) error {
	for d := wire.NewDecoder(a); ; {
		if !d.More() {
			return d.Err()
		}
		if form := d.Byte(); form != additionForm {
			return fmt.Errorf("profile: added to in the form %d, which this release does not know: %w", form, wire.ErrDamaged)
		}
		p.UpdatedAt = max(p.UpdatedAt, d.Varint())
		for range d.Length() {
			rule, at := d.Varint(), d.Varint()
			p.Timers.Set(rule, at)
		}
		for range d.Length() {
			name, at := d.Text(), d.Varint()
			if at == never {
				p.Segments.Leave(name)
			} else {
				p.Segments.Enter(name, at)
			}
		}
		for range d.Length() {
			term, form := d.Varint(), d.Bytes()
			if err := p.Aggregates.put(term, form); err != nil {
				return err
			}
		}
	}
}

// appendSince stores the moments that are others than before: how many, and each with its rule.
func (t *Timers) appendSince(buf []byte, before *Timers) []byte {
	var changed []timer
	before.open()
	t.open()
	was, is := before.set, t.set // both by rule
	for len(was)+len(is) > 0 {
		switch {
		case len(was) == 0 || len(is) > 0 && is[0].rule < was[0].rule:
			changed, is = append(changed, is[0]), is[1:]
		case len(is) == 0 || was[0].rule < is[0].rule:
			changed, was = append(changed, timer{was[0].rule, never}), was[1:]
		default:
			if was[0].at != is[0].at {
				changed = append(changed, is[0])
			}
			was, is = was[1:], is[1:]
		}
	}
	buf = binary.AppendUvarint(buf, uint64(len(changed)))
	for _, c := range changed {
		buf = binary.AppendVarint(binary.AppendVarint(buf, c.rule), c.at)
	}
	return buf
}

// appendSince stores the memberships that are others than before: how many, and of each its name and since when.
func (s *Segments) appendSince(buf, before []byte) []byte {
	n := 0
	var changed []byte
	note := func(name []byte, at int64) {
		changed = binary.AppendVarint(wire.AppendBytes(changed, name), at)
		n++
	}
	was, is := before, s.raw // both by name
	for len(was)+len(is) > 0 {
		had, since, wasRest := membership(was)
		has, at, isRest := membership(is)
		order := bytes.Compare(had, has)
		switch {
		case len(was) == 0 || len(is) > 0 && order > 0:
			note(has, at)
			is = isRest
		case len(is) == 0 || order < 0:
			note(had, never)
			was = wasRest
		default:
			if since != at {
				note(has, at)
			}
			was, is = wasRest, isRest
		}
	}
	return append(binary.AppendUvarint(buf, uint64(n)), changed...)
}

// membership is the first of a table of segments, if there is any.
func membership(raw []byte) (name []byte, since int64, rest []byte) {
	if len(raw) == 0 {
		return nil, 0, nil
	}
	size, n := binary.Uvarint(raw)
	name, raw = raw[n:n+int(size)], raw[n+int(size):]
	since, n = binary.Varint(raw)
	return name, since, raw[n:]
}
