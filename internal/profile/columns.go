package profile

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strconv"
)

// Columns are the parts that analysts query: plain JSON objects.
func (p *Profile) Columns() (traits, computed, preferences string, err error) {
	if len(p.Overrides)+len(p.Given) > 0 {
		traits, err = object(len(p.Traits)+len(p.Overrides), each(p.Told(), p.Ordered))
	} else {
		traits, err = told(p.Traits, p.Ordered)
	}
	if err != nil {
		return "", "", "", err
	}
	if computed, err = object(p.Computed.Len(), p.Computed.All()); err != nil {
		return "", "", "", err
	}
	preferences, err = told(p.Preferences, p.Ordered)
	return traits, computed, preferences, err
}

func told(traits map[string]Trait, ordered bool) (string, error) {
	return object(len(traits), func(yield func(string, any) bool) {
		for name, t := range each(traits, ordered) {
			if !yield(name, t.Value) {
				return
			}
		}
	})
}

// object writes a JSON object of what there is a value of, of n members at most.
func object(n int, members iter.Seq2[string, any]) (string, error) {
	buf := append(make([]byte, 0, 16+24*n), '{')
	for name, v := range members {
		if v == nil {
			continue
		}
		if len(buf) > 1 {
			buf = append(buf, ',')
		}
		var err error
		if buf, err = appendJSON(append(appendString(buf, name), ':'), v); err != nil {
			return "", err
		}
	}
	return string(append(buf, '}')), nil
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

// appendJSON writes the values that most traits have by itself.
func appendJSON(buf []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return appendString(buf, v), nil
	case bool:
		return strconv.AppendBool(buf, v), nil
	case float64:
		if whole := int64(v); float64(whole) == v && whole > -1<<52 && whole < 1<<52 {
			return strconv.AppendInt(buf, whole, 10), nil
		}
	}
	text, err := json.Marshal(v)
	return append(buf, text...), err
}

func appendString(buf []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			text, _ := json.Marshal(s) // a string always marshals
			return append(buf, text...)
		}
	}
	return append(append(append(buf, '"'), s...), '"')
}
