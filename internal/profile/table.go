package profile

import (
	"encoding/binary"
	"iter"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// table is values by name, kept in their stored form in the order of their names. An event looks at few of them, so that a
// profile in memory is a few rows of bytes, which take no longer to load and to store than to copy.
type table struct {
	raw   []byte // name, value, name, value, …
	n     int
	owned bool // raw may be changed in place: nobody else has it
}

// skip passes over a value of one kind of table.
type skip func(data []byte) (rest []byte)

// find tells where the entry of a name is: its beginning, its value, and its end.
func (t *table) find(name string, over skip) (begin, value, end int, found bool) {
	rest := t.raw
	for len(rest) > 0 {
		begin = len(t.raw) - len(rest)
		size, n := binary.Uvarint(rest)
		have := rest[n : n+int(size)]
		rest = rest[n+int(size):]
		value = len(t.raw) - len(rest)
		rest = over(rest)
		if string(have) == name {
			return begin, value, len(t.raw) - len(rest), true
		}
	}
	return 0, 0, 0, false
}

// insert puts in the entry of a name that there is none of; stored is the value.
func (t *table) insert(name string, stored []byte, over skip) {
	at := len(t.raw)
	for rest := t.raw; len(rest) > 0; {
		size, n := binary.Uvarint(rest)
		if string(rest[n:n+int(size)]) > name {
			at = len(t.raw) - len(rest)
			break
		}
		rest = over(rest[n+int(size):])
	}
	var room [128]byte
	t.replace(at, at, append(wire.AppendText(room[:0], name), stored...))
	t.n++
}

// replace puts bytes in the place of those from begin up to end.
func (t *table) replace(begin, end int, with []byte) {
	if !t.owned {
		t.raw, t.owned = append(make([]byte, 0, len(t.raw)+len(t.raw)/4+64), t.raw...), true
	}
	t.raw = slices.Replace(t.raw, begin, end, with...)
}

func (t *table) delete(name string, over skip) bool {
	begin, _, end, found := t.find(name, over)
	if found {
		t.replace(begin, end, nil)
		t.n--
	}
	return found
}

// all goes through the names and their values.
func (t *table) all(over skip) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for rest := t.raw; len(rest) > 0; {
			size, n := binary.Uvarint(rest)
			name, value := rest[n:n+int(size)], rest[n+int(size):]
			rest = over(value)
			if !yield(name, value[:len(value)-len(rest)]) {
				return
			}
		}
	}
}

// Len is how many there are.
func (t *table) Len() int { return t.n }

// append stores the table.
func (t *table) append(buf []byte) []byte {
	return append(binary.AppendUvarint(buf, uint64(t.n)), t.raw...)
}

// share makes do with the bytes at the end of what the table was stored in, which nobody changes.
func (t *table) share(stored []byte) {
	n := len(stored)
	t.raw, t.owned = stored[n-len(t.raw):n:n], false
}

// decode reads what append wrote; it keeps the data.
func (t *table) decode(d *wire.Decoder, over func(d *wire.Decoder)) {
	t.n = d.Length()
	t.raw = d.Span(func() {
		for range t.n {
			d.Bytes()
			over(d)
		}
	})
}

// Segments are the segments that somebody is in, and since when (µs).
type Segments struct{ table }

func skipVarint(data []byte) []byte {
	_, n := binary.Varint(data)
	return data[n:]
}

// Since is when she entered a segment; false where she is not in it.
func (s *Segments) Since(name string) (at int64, in bool) {
	_, value, _, in := s.find(name, skipVarint)
	if in {
		at, _ = binary.Varint(s.raw[value:])
	}
	return at, in
}

// Enter notes that she is in a segment since a moment.
func (s *Segments) Enter(name string, at int64) {
	var room [binary.MaxVarintLen64]byte
	stored := binary.AppendVarint(room[:0], at)
	if _, value, end, found := s.find(name, skipVarint); found {
		s.replace(value, end, stored)
		return
	}
	s.insert(name, stored, skipVarint)
}

// Leave notes that she is not in a segment, and reports whether she was.
func (s *Segments) Leave(name string) bool { return s.delete(name, skipVarint) }

// All goes through them by name.
func (s *Segments) All() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for name, value := range s.all(skipVarint) {
			if at, _ := binary.Varint(value); !yield(string(name), at) {
				return
			}
		}
	}
}

// Map is a copy by name.
func (s *Segments) Map() map[string]int64 { return maps.Collect(s.All()) }

// Computed are the values of computed traits: plain JSON.
type Computed struct{ table }

// Get is the value of a trait, nil where there is none.
func (c *Computed) Get(name string) any {
	_, value, end, found := c.find(name, wire.Skip)
	if !found {
		return nil
	}
	return wire.NewDecoder(c.raw[value:end]).Value()
}

// Has reports whether a trait has a value.
func (c *Computed) Has(name string) bool {
	_, _, _, found := c.find(name, wire.Skip)
	return found
}

// Set gives a trait its value, nil: none, and reports whether it had another.
func (c *Computed) Set(name string, v any) (changed bool) {
	if v == nil {
		return c.delete(name, wire.Skip)
	}
	var room [128]byte
	stored := wire.AppendValue(room[:0], v)
	_, value, end, found := c.find(name, wire.Skip)
	if !found {
		c.insert(name, stored, wire.Skip)
		return true
	}
	if changed = string(stored) != string(c.raw[value:end]); changed {
		c.replace(value, end, stored)
	}
	return changed
}

// All goes through them by name.
func (c *Computed) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for name, value := range c.all(wire.Skip) {
			if !yield(string(name), wire.NewDecoder(value).Value()) {
				return
			}
		}
	}
}

// Map is a copy by name.
func (c *Computed) Map() map[string]any {
	values := make(map[string]any, c.n)
	maps.Insert(values, c.All())
	return values
}

// KeepComputed drops the computed traits that are not known, and reports whether there were any.
func (p *Profile) KeepComputed(known map[string]int) (dropped bool) {
	var unknown []string
	for name := range p.Computed.all(wire.Skip) {
		if _, ok := known[string(name)]; !ok {
			unknown = append(unknown, string(name))
		}
	}
	for _, name := range unknown {
		dropped = p.Computed.Set(name, nil)
	}
	return dropped
}
