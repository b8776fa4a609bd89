package event

import (
	"strconv"

	gojson "github.com/goccy/go-json"
)

// Property is one member of the payload, and false where there is none. It decodes no more than that.
func (e *Event) Property(name string) (any, bool) {
	if e.properties != nil {
		v, has := e.properties[name]
		return v, has
	}
	raw := member(e.Payload, name)
	if raw == nil {
		return nil, false
	}
	return plain(raw), true
}

// plain decodes a valid JSON value. Most are numbers and words, which take a fraction of what the decoder does.
func plain(raw []byte) (v any) {
	switch raw[0] {
	case '"':
		return string(unquoted(raw))
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if n, err := strconv.ParseFloat(string(raw), 64); err == nil {
			return n
		}
	}
	_ = gojson.Unmarshal(raw, &v) // validated by Decode
	return v
}

// member finds a member of a valid JSON object: the last one of that name, as decoders have it; nil where there is none.
func member(object []byte, name string) (found []byte) {
	s := scanner{text: object}
	if s.peek() != '{' {
		return nil
	}
	for more := s.enter(); more; more = s.next() {
		matches := string(unquoted(s.name())) == name
		from := s.at
		if s.value(); matches {
			found = object[from:s.at]
		}
	}
	return found
}
