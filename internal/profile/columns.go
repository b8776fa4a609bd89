package profile

import (
	"iter"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// Columns are the parts that analysts query: plain JSON objects.
func (p *Profile) Columns() (traits, computed, preferences string, err error) {
	buf := make([]byte, 0, 64+24*len(p.Traits)+len(p.Computed.raw)+12*p.Computed.n)
	if len(p.Overrides)+len(p.Given) > 0 {
		buf, err = appendObject(buf, each(p.Told(), p.Ordered))
	} else {
		buf, err = appendTold(buf, p.Traits, p.Ordered)
	}
	if err != nil {
		return "", "", "", err
	}
	toldTo := len(buf)
	if buf, err = p.Computed.appendJSON(buf); err != nil {
		return "", "", "", err
	}
	computedTo := len(buf)
	if buf, err = appendTold(buf, p.Preferences, p.Ordered); err != nil {
		return "", "", "", err
	}
	all := string(buf)
	return all[:toldTo], all[toldTo:computedTo], all[computedTo:], nil
}

func appendTold(buf []byte, traits map[string]Trait, ordered bool) ([]byte, error) {
	return appendObject(buf, func(yield func(string, any) bool) {
		for name, t := range each(traits, ordered) {
			if !yield(name, t.Value) {
				return
			}
		}
	})
}

// appendObject adds a JSON object of what there is a value of.
func appendObject(buf []byte, members iter.Seq2[string, any]) ([]byte, error) {
	buf = append(buf, '{')
	first := true
	for name, v := range members {
		if v == nil {
			continue
		}
		if !first {
			buf = append(buf, ',')
		}
		first = false
		var err error
		if buf, err = wire.AppendJSON(append(wire.AppendJSONText(buf, name), ':'), v); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}

// appendJSON adds a JSON object of all.
func (c *Computed) appendJSON(buf []byte) (_ []byte, err error) {
	buf = append(buf, '{')
	first := true
	for name, value := range c.all(wire.Skip) {
		if !first {
			buf = append(buf, ',')
		}
		first = false
		if buf, err = wire.AppendStoredJSON(append(wire.AppendJSONText(buf, name), ':'), value); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}

// each goes through what she told, by name where the profile is Ordered.
func each[V any](members map[string]V, ordered bool) iter.Seq2[string, V] {
	if !ordered {
		return maps.All(members)
	}
	return func(yield func(string, V) bool) {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if !yield(name, members[name]) {
				return
			}
		}
	}
}
