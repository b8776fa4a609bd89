package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// checkValues says what is wrong with an object that is kept as it came: syntax, depth, or a number that no one can
// read.
func checkValues(field string, raw []byte) error {
	if err := scan(field, raw); err != nil {
		return err
	}
	if !json.Valid(raw) {
		return fault.Field(field, "is not valid JSON")
	}
	return nil
}

// scan looks in one pass for nesting that is too deep and for numbers that are out of range.
func scan(field string, raw []byte) error {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '"':
			i = endOfString(raw, i)
		case '{', '[':
			if depth++; depth > maxDepth {
				return fault.Field(field, "is nested more than %d levels deep; make it flatter", maxDepth)
			}
		case '}', ']':
			depth--
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			end, long := endOfNumber(raw, i)
			if long {
				if _, err := strconv.ParseFloat(string(raw[i:end]), 64); errors.Is(err, strconv.ErrRange) {
					return fault.Field(field, "holds the number %s, which is out of range", clip(string(raw[i:end])))
				}
			}
			i = end - 1
		}
	}
	return nil
}

// endOfString gives the place of the quote that ends the string which begins at i.
func endOfString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return i
}

// endOfNumber gives the place after the number that begins at i, and whether it is long enough to be out of range: the
// largest number has 309 digits, or an exponent of three.
func endOfNumber(raw []byte, i int) (end int, long bool) {
	start, exponent := i, -1
	for ; i < len(raw); i++ {
		switch c := raw[i]; {
		case c >= '0' && c <= '9', c == '.':
		case c == 'e', c == 'E':
			exponent = i
		case (c == '+' || c == '-') && exponent == i-1:
		default:
			return i, i-start > 200 || exponent >= 0 && i-exponent > 3
		}
	}
	return i, i-start > 200 || exponent >= 0 && i-exponent > 3
}

// isObject reports whether JSON that was read is an object.
func isObject(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && body[0] == '{'
}

// malformed says in plain words why a body is no event: where its JSON breaks, or which member has the wrong type.
func malformed(body []byte) error {
	if !isObject(body) {
		return fault.Field("", "the event is not a JSON object")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		if field := tooDeep(body); field != "" {
			return scan(field, bytes.Repeat([]byte("["), maxDepth+1))
		}
		var broken *json.SyntaxError
		if errors.As(err, &broken) {
			return fault.Field("", "the event is not a JSON object: it breaks off or goes wrong at byte %d", broken.Offset)
		}
		return fault.Field("", "the event is not a JSON object")
	}
	for _, name := range []string{"userId", "anonymousId", "previousId", "groupId"} {
		if kind := kindOf(members[name]); kind != "" && kind != "a string" && kind != "a number" {
			return fault.Field(name, "must be a string or a number, not %s", kind)
		}
	}
	for _, name := range []string{"type", "messageId", "event", "name", "category", "timestamp", "originalTimestamp", "sentAt"} {
		if kind := kindOf(members[name]); kind != "" && kind != "a string" {
			return fault.Field(name, "must be a string, not %s", kind)
		}
	}
	return fault.Field("", "the event cannot be read; its members are those of Segment's specification")
}

// tooDeep names the member of an object that the decoder gave up at because of its depth; empty where that is not why.
func tooDeep(body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	depth, member := 0, ""
	for {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				depth++
			} else {
				depth--
			}
			if depth > maxDepth+1 {
				return member
			}
		case string:
			if depth == 1 {
				member = t // a member's name, or a value that the next name takes the place of
			}
		}
	}
}

// kindOf names the kind of a JSON value; empty for one that is missing or null.
func kindOf(raw json.RawMessage) string {
	if absent(raw) {
		return ""
	}
	switch raw[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return strings.TrimSpace(string(raw))
	}
	return "a number"
}
