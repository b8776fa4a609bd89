package store

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/wire"
)

const (
	idSize       = 16
	eventKeySize = 24
)

// idHash stands for a message id: the first 16 bytes of its SHA-256. Two ids share one with a chance of 2^-128.
func idHash(messageID string) (h [idSize]byte) {
	sum := sha256.Sum256([]byte(messageID))
	copy(h[:], sum[:])
	return h
}

// What the flags of an event say.
const (
	historicalFlag = 1 << iota // it was imported
	ownFlag                    // it named its profile (event.ProfileID): the key has it
	movedFlag                  // it was stored before, under another profile
)

// The types of events, by their stored number. Append only.
var storedTypes = [...]event.Type{event.Track, event.Identify, event.Page, event.Screen, event.Group, event.Alias}

// encodeEvent stores what the key does not say.
func encodeEvent(e *event.Event) []byte { return appendEvent(make([]byte, 0, eventRoom(e)), e) }

// eventRoom is how many bytes that takes at most, or nearly so.
func eventRoom(e *event.Event) int {
	return 64 + len(e.Name) + len(e.MessageID) + len(e.UserID) + len(e.AnonymousID) + len(e.PreviousID) + len(e.GroupID) + len(e.Payload) + len(e.Context)
}

func appendEvent(buf []byte, e *event.Event) []byte {
	for i, t := range storedTypes {
		if t == e.Type {
			buf = append(buf, byte(i))
		}
	}
	flags := byte(0)
	if e.Historical {
		flags |= historicalFlag
	}
	if e.ProfileID != 0 {
		flags |= ownFlag
	}
	buf = append(buf, flags)
	buf = binary.AppendVarint(buf, e.ReceivedAt.UnixMicro())
	for _, s := range [...]string{e.Name, e.MessageID, e.UserID, e.AnonymousID, e.PreviousID, e.GroupID} {
		buf = wire.AppendText(buf, s)
	}
	return wire.AppendBytes(wire.AppendBytes(buf, e.Payload), e.Context)
}

// eventName reads the name alone of an event of a record; nil where it cannot be read.
func eventName(r record) []byte {
	if len(r.value) < 2 {
		return nil
	}
	data := r.value[2:]
	_, skip := binary.Varint(data)
	if skip <= 0 {
		return nil
	}
	name, _, _ := nextText(data[skip:])
	return name
}

// nextText reads a text and gives what comes after it.
func nextText(data []byte) (text, rest []byte, ok bool) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return nil, nil, false
	}
	return data[n : n+int(size)], data[n+int(size):], true
}

// readBehaviour reads of an event of a record what conditions see of it, into e, whose payload lies in the record.
func readBehaviour(r record, e *event.Event) error {
	if len(r.key) != eventKeySize || !isEvent(r) || len(r.value) < 2 {
		return errPage
	}
	name, e1 := e.Name, event.Event{Type: storedTypes[r.value[0]], Timestamp: time.UnixMicro(keyTime(r.key)).UTC()}
	_, skip := binary.Varint(r.value[2:])
	if skip <= 0 {
		return errPage
	}
	data := r.value[2+skip:]
	const texts = 7
	for i := range texts {
		text, rest, ok := nextText(data)
		if !ok {
			return errPage
		}
		switch data = rest; i {
		case 0:
			if e1.Name = name; string(text) != name { // most events have the name of the one before
				e1.Name = string(text)
			}
		case 1:
			e1.MessageID = string(text)
		case texts - 1:
			e1.Payload = text
		}
	}
	*e = e1
	return nil
}

// decodeEvent reads an event of a record.
func decodeEvent(r record) (*event.Event, error) {
	data := r.value
	if len(r.key) != eventKeySize || len(data) < 2 || int(data[0]) >= len(storedTypes) {
		return nil, errPage
	}
	e := &event.Event{Type: storedTypes[data[0]], Historical: data[1]&historicalFlag != 0}
	own := data[1]&ownFlag != 0
	e.Timestamp = time.UnixMicro(keyTime(r.key)).UTC()
	received, n := binary.Varint(data[2:])
	if n <= 0 {
		return nil, errPage
	}
	e.ReceivedAt = time.UnixMicro(received).UTC()
	data = data[2+n:]
	var payload, context string
	for _, field := range [...]*string{&e.Name, &e.MessageID, &e.UserID, &e.AnonymousID, &e.PreviousID, &e.GroupID, &payload, &context} {
		text, rest, ok := nextText(data)
		if !ok {
			return nil, errPage
		}
		*field, data = string(text), rest
	}
	if payload != "" {
		e.Payload = []byte(payload)
	}
	if context != "" {
		e.Context = []byte(context)
		e.RestoreExternalIDs()
	}
	if own {
		e.ProfileID = keyProfile(r.key)
	}
	return e, nil
}
