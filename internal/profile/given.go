package profile

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// GivenTrait is the trait under which conditions and templates see what queries say: an object with a member for each SQL
// segment whose result lists the customer, which holds the further columns of her row. No event tells it.
const GivenTrait = "sql"

// Given is a row of an SQL segment's result. It stands until the next result differs.
type Given struct {
	Segment string
	Row     int64          // the profile that the row names: this one, or one that merged into it
	Columns map[string]any // the further columns: plain JSON without objects, lists and nulls
	At      int64          // since when a row names the profile, µs
}

func (g Given) compare(h Given) int {
	return cmp.Or(cmp.Compare(g.Segment, h.Segment), cmp.Compare(g.Row, h.Row))
}

// Give takes a row in place of an older one that names the same profile, whose beginning it keeps. It reports whether
// anything differs.
func (p *Profile) Give(g Given) bool {
	i, found := slices.BinarySearchFunc(p.Given, g, Given.compare)
	if !found {
		p.Given = slices.Insert(slices.Clone(p.Given), i, g)
		return true
	}
	if maps.Equal(p.Given[i].Columns, g.Columns) {
		return false
	}
	p.Given = slices.Clone(p.Given)
	p.Given[i].Columns = g.Columns
	return true
}

// Ungive drops the rows for which drop says so, and reports whether there were any.
func (p *Profile) Ungive(drop func(Given) bool) bool {
	if !slices.ContainsFunc(p.Given, drop) {
		return false
	}
	p.Given = slices.DeleteFunc(slices.Clone(p.Given), drop)
	return true
}

// given is the value of GivenTrait; nil where no result lists her. Of several rows of one segment the one that names the
// profile itself counts, else that of the oldest profile.
func (p *Profile) given() map[string]any {
	if len(p.Given) == 0 {
		return nil
	}
	all := make(map[string]any, len(p.Given))
	for _, g := range p.Given {
		if _, have := all[g.Segment]; have && g.Row != p.ID {
			continue
		}
		columns := make(map[string]any, len(g.Columns))
		maps.Copy(columns, g.Columns)
		all[g.Segment] = columns
	}
	return all
}

// absorbGiven takes over the rows of a profile that merges into this one.
func (p *Profile) absorbGiven(other []Given) {
	if len(other) > 0 {
		p.Given = slices.SortedFunc(slices.Values(slices.Concat(p.Given, other)), Given.compare)
	}
}

func appendGiven(buf []byte, given []Given) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(given)))
	for _, g := range given {
		buf = binary.AppendVarint(binary.AppendVarint(wire.AppendText(buf, g.Segment), g.Row), g.At)
		buf = binary.AppendUvarint(buf, uint64(len(g.Columns)))
		for _, name := range slices.Sorted(maps.Keys(g.Columns)) {
			buf = wire.AppendValue(wire.AppendText(buf, name), g.Columns[name])
		}
	}
	return buf
}

func decodeGiven(d *wire.Decoder) (given []Given) {
	for range d.Length() {
		g := Given{Segment: d.Name(), Row: d.Varint(), At: d.Varint()}
		for range d.Length() {
			if g.Columns == nil {
				g.Columns = map[string]any{}
			}
			name := d.Name()
			g.Columns[name] = d.Value()
		}
		given = append(given, g)
	}
	return given
}
