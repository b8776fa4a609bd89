package event

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// field is a member that means something to us, of an event or of the batch around it.
type field uint8

// The fields. Those before fieldProperties are texts; the first four of them, identifiers, may be numbers as some senders have them.
const (
	fieldUserID field = iota
	fieldAnonymousID
	fieldPreviousID
	fieldGroupID
	fieldType
	fieldMessageID
	fieldEvent
	fieldName
	fieldCategory
	fieldTimestamp
	fieldOriginalTimestamp
	fieldSentAt
	fieldWriteKey
	fieldProperties
	fieldTraits
	fieldContext
	fieldContextTraits // context.traits
	fieldExternalIDs   // context.externalIds
	fieldBatch
	noField
)

func (f field) String() string { return fieldNames[f] }

var fieldNames = [noField]string{
	"userId", "anonymousId", "previousId", "groupId", "type", "messageId", "event", "name", "category", "timestamp",
	"originalTimestamp", "sentAt", "writeKey", "properties", "traits", "context", "context.traits", "context.externalIds", "batch",
}

// fieldOf finds the field that a member's name in quotes stands for. Names match in any case, as those of encoding/json do:
// the long s and the sign of kelvin are cases of s and k.
func fieldOf(quoted []byte) field {
	var room [len("originalTimestamp")]byte
	lower := room[:0]
	for _, c := range string(unquoted(quoted)) {
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '\u017f':
			c = 's'
		case c == '\u212a':
			c = 'k'
		}
		if c >= utf8.RuneSelf || len(lower) == len(room) {
			return noField
		}
		lower = append(lower, byte(c))
	}
	switch string(lower) {
	case "userid":
		return fieldUserID
	case "anonymousid":
		return fieldAnonymousID
	case "previousid":
		return fieldPreviousID
	case "groupid":
		return fieldGroupID
	case "type":
		return fieldType
	case "messageid":
		return fieldMessageID
	case "event":
		return fieldEvent
	case "name":
		return fieldName
	case "category":
		return fieldCategory
	case "timestamp":
		return fieldTimestamp
	case "originaltimestamp":
		return fieldOriginalTimestamp
	case "sentat":
		return fieldSentAt
	case "writekey":
		return fieldWriteKey
	case "properties":
		return fieldProperties
	case "traits":
		return fieldTraits
	case "context":
		return fieldContext
	case "externalids":
		return fieldExternalIDs
	case "batch":
		return fieldBatch
	}
	return noField
}

// note says where the value of a field stands in a body.
type note struct {
	field     field
	from, end int32
	flaw      int32 // where it is nested too deep or has a number out of range; 0: nowhere
}

// readMembers goes over the object that begins at the next byte, and adds what stands in it to the notes.
func (s *scanner) readMembers(notes []note) []note {
	for more := s.enter(); more; more = s.next() {
		notes = s.readMember(fieldOf(s.name()), notes)
	}
	return notes
}

// readMember goes over the value of a member of an event. What stands in its context is noted after the context.
func (s *scanner) readMember(f field, notes []note) []note {
	if f >= fieldContextTraits {
		s.value() // a name that means something elsewhere
		return notes
	}
	i := len(notes)
	notes = append(notes, note{field: f, from: int32(s.at)})
	s.floor, s.flaw = s.depth, 0
	if f == fieldContext && s.peek() == '{' {
		notes = s.readContext(notes)
	} else {
		s.value()
	}
	notes[i].end, notes[i].flaw = int32(s.at), int32(s.flaw)
	return notes
}

func (s *scanner) readContext(notes []note) []note {
	for more := s.enter(); more; more = s.next() {
		f, from := fieldOf(s.name()), s.at
		s.value()
		switch f {
		case fieldTraits:
			notes = append(notes, note{field: fieldContextTraits, from: int32(from), end: int32(s.at)})
		case fieldExternalIDs:
			notes = append(notes, note{field: fieldExternalIDs, from: int32(from), end: int32(s.at)})
		}
	}
	return notes
}

// message is an event as it stands in a body, or what a batch says for all of its events.
type message struct {
	body  []byte
	notes [fieldBatch]note // by field
}

// put takes a note. Of members with one name the last holds, but null does not undo a text.
func (m *message) put(n note) {
	switch null := m.body[n.from] == 'n'; {
	case null && n.field < fieldProperties && n.field != fieldEvent:
		return
	case n.field == fieldContext:
		m.notes[fieldContextTraits], m.notes[fieldExternalIDs] = note{}, note{}
	}
	m.notes[n.field] = n
}

// raw is the value of a field as it stands; nil where it is missing or null.
func (m *message) raw(f field) []byte {
	n := m.notes[f]
	if n.end == 0 || m.body[n.from] == 'n' {
		return nil
	}
	return m.body[n.from:n.end]
}

// bytes is a text as it is meant, or a number as it stands. It may be a part of the body.
func (m *message) bytes(f field) []byte { return unquoted(m.raw(f)) }

func (m *message) text(f field) string { return string(m.bytes(f)) }

// isText reports whether a field is a string.
func (m *message) isText(f field) bool {
	raw := m.raw(f)
	return raw != nil && raw[0] == '"'
}

// unquoted is what a valid JSON string says, and any other value as it stands. It copies only where there are escapes.
func unquoted(raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '"' {
		return raw
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var s string
	_ = json.Unmarshal(bytes.Clone(raw), &s) // a copy, so that callers may keep theirs on the stack
	return []byte(s)
}
