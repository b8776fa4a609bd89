package liquid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Map is a hash that keeps the order in which its keys were set. Loops over a plain Go map go by sorted key.
type Map struct {
	keys   []string
	values map[string]any
}

// Set stores a value under a key. A key already present keeps its place.
func (m *Map) Set(key string, value any) {
	if m.values == nil {
		m.values = map[string]any{}
	}
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

// Get returns the value under a key.
func (m *Map) Get(key string) (any, bool) {
	v, ok := m.values[key]
	return v, ok
}

// Len returns the number of keys.
func (m *Map) Len() int { return len(m.keys) }

// Keys returns the keys in order. The caller must not change them.
func (m *Map) Keys() []string { return m.keys }

// UnmarshalJSON reads a JSON object, keeping the order of its keys at every depth. Numbers become json.Number.
func (m *Map) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decodeOrdered(d, 0)
	if err != nil {
		return err
	}
	got, ok := v.(*Map)
	if !ok {
		return fmt.Errorf("liquid: JSON %.20q is not an object", data)
	}
	*m = *got
	return nil
}

// maxJSONDepth bounds the nesting of what is decoded, as encoding/json does.
const maxJSONDepth = 10_000

func decodeOrdered(d *json.Decoder, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, errors.New("liquid: JSON is nested too deep")
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if delim == '[' {
		items := []any{}
		for d.More() {
			item, err := decodeOrdered(d, depth+1)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		_, err := d.Token()
		return items, err
	}
	m := &Map{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		item, err := decodeOrdered(d, depth+1)
		if err != nil {
			return nil, err
		}
		m.Set(key.(string), item)
	}
	_, err = d.Token()
	return m, err
}
