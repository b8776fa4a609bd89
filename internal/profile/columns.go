package profile

import (
	"iter"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// Columns are the parts that analysts query: plain JSON objects.
func (p *Profile) Columns() (traits, computed, preferences string, err error) {
	buf := make([]byte, 0, 64+2*len(p.Traits.raw)+len(p.Computed.raw)+12*p.Computed.n)
	if len(p.Overrides)+len(p.Given) == 0 {
		buf, err = p.Traits.appendJSON(buf)
	} else {
		buf, err = appendObject(buf, storedValues(p.Told()))
	}
	if err != nil {
		return "", "", "", err
	}
	toldTo := len(buf)
	if buf, err = p.Computed.appendJSON(buf); err != nil {
		return "", "", "", err
	}
	computedTo := len(buf)
	if buf, err = p.Preferences.appendJSON(buf); err != nil {
		return "", "", "", err
	}
	all := string(buf)
	return all[:toldTo], all[toldTo:computedTo], all[computedTo:], nil
}

// storedValues are values in their stored form, in the order of their names.
func storedValues(values map[string]any) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if !yield([]byte(name), wire.AppendValue(nil, values[name])) {
				return
			}
		}
	}
}

// appendJSON adds a JSON object of all.
func (c *Computed) appendJSON(buf []byte) ([]byte, error) {
	return appendObject(buf, c.all(wire.Skip))
}

// appendObject adds a JSON object of values, each of which begins with its stored form, without those that are nil.
func appendObject(buf []byte, values iter.Seq2[[]byte, []byte]) (_ []byte, err error) {
	begin := len(buf)
	buf = append(buf, '{')
	for name, value := range values {
		if wire.IsNil(value) {
			continue
		}
		if len(buf) > begin+1 {
			buf = append(buf, ',')
		}
		if buf, err = wire.AppendStoredJSON(append(wire.AppendJSONText(buf, name), ':'), value); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}
