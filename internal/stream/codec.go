package stream

import (
	"encoding/binary"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// An event in the topic is what the door decoded, checked and corrected, so that whoever applies it has nothing to judge.
//
//	version       1 byte, now 1
//	type          1 byte: 0 track, 1 identify, 2 page, 3 screen, 4 group, 5 alias
//	flags         1 byte: 1 it was imported
//	timestamp     varint, microseconds since 1970, UTC
//	received at   the same
//	profile       varint: the profile that one of our own links named, 0 for none
//	texts         each a uvarint of its bytes and the bytes: message id, name, user id, anonymous id, previous id,
//	              group id, payload (JSON), context (JSON)
//
// Varints are those of Protocol Buffers, zigzag where they are signed. A release may read forms older than its own; one that is
// newer it refuses, so that nothing is misread while releases run side by side.
const version = 1

var types = [...]event.Type{event.Track, event.Identify, event.Page, event.Screen, event.Group, event.Alias}

const historical = 1

// Append writes an event in the form of the topic.
func Append(to []byte, e *event.Event) []byte {
	kind, flags := byte(0), byte(0)
	for i, t := range types {
		if t == e.Type {
			kind = byte(i)
		}
	}
	if e.Historical {
		flags |= historical
	}
	to = append(to, version, kind, flags)
	to = binary.AppendVarint(to, e.Timestamp.UnixMicro())
	to = binary.AppendVarint(to, e.ReceivedAt.UnixMicro())
	to = binary.AppendVarint(to, e.ProfileID)
	for _, text := range [...]string{e.MessageID, e.Name, e.UserID, e.AnonymousID, e.PreviousID, e.GroupID} {
		to = append(binary.AppendUvarint(to, uint64(len(text))), text...)
	}
	for _, text := range [...][]byte{e.Payload, e.Context} {
		to = append(binary.AppendUvarint(to, uint64(len(text))), text...)
	}
	return to
}

// Read reads what Append wrote; the event keeps parts of from. Unavailable: a newer release wrote it. Invalid: it is
// none of ours.
func Read(from []byte) (*event.Event, error) {
	broken := fault.New(fault.Invalid, "the message is none that Tailorbird wrote; nobody else may write to the topic")
	if len(from) < 3 {
		return nil, broken
	}
	if from[0] > version {
		return nil, fault.New(fault.Unavailable, "the message was written by a newer release (form %d, this one knows %d); upgrade this node", from[0], version)
	}
	if from[0] != version || int(from[1]) >= len(types) || from[2]&^historical != 0 {
		return nil, broken
	}
	e := &event.Event{Type: types[from[1]], Historical: from[2]&historical != 0}
	var numbers [3]int64
	rest := from[3:]
	for i := range numbers {
		n, size := binary.Varint(rest)
		if size <= 0 {
			return nil, broken
		}
		numbers[i], rest = n, rest[size:]
	}
	e.Timestamp, e.ReceivedAt, e.ProfileID = time.UnixMicro(numbers[0]).UTC(), time.UnixMicro(numbers[1]).UTC(), numbers[2]
	var texts [8][]byte
	for i := range texts {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return nil, broken
		}
		texts[i], rest = rest[size:size+int(n)], rest[size+int(n):]
	}
	if len(rest) > 0 || len(texts[0]) == 0 {
		return nil, broken
	}
	for i, to := range [...]*string{&e.MessageID, &e.Name, &e.UserID, &e.AnonymousID, &e.PreviousID, &e.GroupID} {
		*to = string(texts[i])
	}
	if len(texts[6]) > 0 {
		e.Payload = texts[6]
	}
	if len(texts[7]) > 0 {
		e.Context = texts[7]
	}
	e.RestoreExternalIDs()
	return e, nil
}

// keyOf is by what the topic keeps order: all events of one key are in one partition, in the order in which they came.
//
// It is the user id, else the anonymous id, else what else names the customer. So the events of a known customer are in
// order, and those of an unknown visitor are. Between a visitor's last anonymous event and the first one under a user id
// there is no order, and none is needed: both name the anonymous id, so that whichever comes first makes the profile and
// the other finds it, or joins the two; and what events say is ordered by when it happened, not by when it arrived.
func keyOf(e *event.Event) []byte {
	switch {
	case e.UserID != "":
		return []byte("u" + e.UserID)
	case e.AnonymousID != "":
		return []byte("a" + e.AnonymousID)
	case e.ProfileID != 0:
		return binary.AppendVarint([]byte("p"), e.ProfileID)
	case len(e.ExternalIDs) > 0:
		return []byte("x" + e.ExternalIDs[0].Type + "\x00" + e.ExternalIDs[0].ID)
	}
	return []byte("m" + e.MessageID)
}
