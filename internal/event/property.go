package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

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

// plain decodes a valid JSON value. Most are numbers and short words, which take a fraction of what the decoder does.
func plain(raw []byte) (v any) {
	switch raw[0] {
	case '"':
		text := raw[1 : len(raw)-1]
		if !slices.ContainsFunc(text, func(c byte) bool { return c == '\\' || c >= utf8.RuneSelf }) {
			return string(text)
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if n, err := strconv.ParseFloat(string(raw), 64); err == nil {
			return n
		}
	}
	_ = gojson.Unmarshal(raw, &v) // validated by Decode
	return v
}

// member finds a member of a valid JSON object: the last one of that name, as decoders have it; nil where there is none.
func member(object json.RawMessage, name string) (found []byte) {
	i := skipSpace(object, 0)
	if i == len(object) || object[i] != '{' {
		return nil
	}
	for i++; ; {
		i = skipSpace(object, i)
		if i >= len(object) || object[i] != '"' {
			return found
		}
		end := afterString(object, i)
		matches := isName(object[i:end], name)
		i = skipSpace(object, end)
		if i >= len(object) || object[i] != ':' {
			return found
		}
		from := skipSpace(object, i+1)
		i = skipValue(object, from)
		if matches {
			found = object[from:i]
		}
		i = skipSpace(object, i)
		if i >= len(object) || object[i] != ',' {
			return found
		}
		i++
	}
}

// isName compares a JSON string with a name.
func isName(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name
	}
	var s string
	return json.Unmarshal(quoted, &s) == nil && s == name
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// afterString goes past a string that begins at i.
func afterString(b []byte, i int) int { return min(endOfString(b, i)+1, len(b)) }

// skipValue goes past a value that begins at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = afterString(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // of the object around
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}
