package event

import (
	"bytes"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// checkKinds says which text of a message is none. Identifiers may be numbers, as some senders have them.
func (m *message) checkKinds() error {
	for f := fieldUserID; f < fieldWriteKey; f++ {
		raw := m.raw(f)
		if raw == nil || raw[0] == '"' {
			continue
		}
		kind := kindOf(raw)
		if f >= fieldType {
			return fault.Field(f.String(), "must be a string, not %s", kind)
		}
		if kind != number {
			return fault.Field(f.String(), "must be a string or a number, not %s", kind)
		}
		if err := m.checkValue(f); err != nil {
			return err
		}
	}
	return nil
}

// checkObject says what is wrong with an object that is kept as it came.
func (m *message) checkObject(f field) error {
	if m.raw(f)[0] != '{' {
		return fault.Field(f.String(), "must be a JSON object")
	}
	return m.checkValue(f)
}

// checkValue says whether a value is nested too deep, or has a number that no one can read.
func (m *message) checkValue(f field) error {
	at := int(m.notes[f].flaw)
	if at == 0 {
		return nil
	}
	if c := m.body[at]; c == '{' || c == '[' {
		return fault.Field(f.String(), "is nested more than %d levels deep; make it flatter", maxDepth)
	}
	s := scanner{text: m.body, at: at}
	s.number()
	return fault.Field(f.String(), "holds the number %s, which is out of range", clip(string(m.body[at:s.at])))
}

// isObject reports whether JSON, valid or not, begins as an object does.
func isObject(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && body[0] == '{'
}

const number = "a number"

// kindOf names the kind of a JSON value other than null.
func kindOf(raw []byte) string {
	switch raw[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return string(raw)
	}
	return number
}
