package profile

import (
	"encoding/json"
	"strconv"
)

// Columns are the parts that analysts query: plain JSON objects.
func (p *Profile) Columns() (traits, computed, preferences string, err error) {
	if len(p.Overrides) > 0 {
		traits, err = object(p.Told(), func(v any) any { return v })
	} else {
		traits, err = told(p.Traits)
	}
	if err != nil {
		return "", "", "", err
	}
	if computed, err = object(p.Computed, func(v any) any { return v }); err != nil {
		return "", "", "", err
	}
	preferences, err = told(p.Preferences)
	return traits, computed, preferences, err
}

func told(traits map[string]Trait) (string, error) {
	return object(traits, func(t Trait) any { return t.Value })
}

// object writes a JSON object of what there is a value of.
func object[V any](members map[string]V, value func(V) any) (string, error) {
	buf := make([]byte, 0, 64+32*len(members))
	buf = append(buf, '{')
	for name, member := range members {
		v := value(member)
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
