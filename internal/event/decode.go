package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Limits of the tracking API, as Segment's: bytes of JSON.
const (
	MaxEventBytes = 32 << 10
	MaxBatchBytes = 500 << 10
	// History gathers many rows into one event, so that the import endpoint takes larger ones.
	MaxImportEventBytes = 1 << 20
	MaxImportBatchBytes = 4 << 20
	maxIDLength         = 512
	maxNameLength       = 512
	maxExternalIDs      = 32
	maxDepth            = 64 // objects and lists inside one another, the outermost included
)

const noNUL = "holds a NUL character; leave it out"

// Door is what the place of arrival knows about an event.
type Door struct {
	Type       Type      // the endpoint's type; empty where the body says it (batch, import)
	ReceivedAt time.Time // by our clock
	Historical bool
	MaxBytes   int           // 0: MaxEventBytes
	NewID      func() string // makes a message id for a message without one
}

// Decode reads one event from its JSON. A bad one gives an Invalid fault whose Field is the member's name, such as
// "userId"; callers put the place in the batch before it.
//
// The timestamp is corrected for the sender's clock as Segment does: receivedAt - (sentAt - originalTimestamp). Without
// sentAt, and for history, the given timestamp stands; without any, it is the time of arrival. A live event is not dated after its arrival.
func Decode(body []byte, door Door) (*Event, error) {
	r := ReadEvent(body)
	// JSON is UTF-8. What is not is read as U+FFFD, here once, so that whoever reads a part of it reads the same.
	if !r.isText() {
		r = ReadEvent(bytes.ToValidUTF8(body, []byte("\uFFFD")))
	}
	return r.event(door)
}

// event makes the event. It stands in raw, which goes wrong after that many bytes; 0: it is JSON.
func (m *message) event(raw []byte, broken int, door *Door, of *inherited) (*Event, error) {
	limit := door.MaxBytes
	if limit == 0 {
		limit = MaxEventBytes
	}
	if len(raw) > limit {
		return nil, fault.Field("", "is %d bytes; an event may have at most %d", len(raw), limit)
	}
	if !isObject(raw) {
		return nil, fault.Field("", "the event is not a JSON object")
	}
	if broken > 0 {
		return nil, fault.Field("", "the event is not a JSON object: it breaks off or goes wrong at byte %d", broken)
	}
	if err := m.checkKinds(); err != nil {
		return nil, err
	}
	e := &Event{
		MessageID: m.text(fieldMessageID), Type: door.Type,
		UserID: m.text(fieldUserID), AnonymousID: m.text(fieldAnonymousID), PreviousID: m.text(fieldPreviousID), GroupID: m.text(fieldGroupID),
		ReceivedAt: door.ReceivedAt.UTC().Truncate(time.Microsecond), Historical: door.Historical,
	}
	if e.Type == "" {
		given := m.bytes(fieldType)
		if len(given) == 0 {
			return nil, fault.Field("type", "is missing; say track, identify, page, screen, group or alias")
		}
		if e.Type = typeOf(given); e.Type == "" {
			return nil, fault.Field("type", "is %q; it must be track, identify, page, screen, group or alias", clip(string(given)))
		}
	}
	if e.MessageID == "" {
		e.MessageID = door.NewID()
	}
	if err := e.setPayload(m); err != nil {
		return nil, err
	}
	if err := e.setContext(m, of); err != nil {
		return nil, err
	}
	if err := e.setName(m); err != nil {
		return nil, err
	}
	if err := e.setTime(m, door, of.sentAt); err != nil {
		return nil, err
	}
	return e, e.check()
}

func (e *Event) check() error {
	ids := []struct{ field, value string }{
		{"messageId", e.MessageID},
		{"userId", e.UserID},
		{"anonymousId", e.AnonymousID},
		{"previousId", e.PreviousID},
		{"groupId", e.GroupID},
	}
	for _, id := range ids {
		if len(id.value) > maxIDLength {
			return fault.Field(id.field, "has %d bytes; at most %d are allowed", len(id.value), maxIDLength)
		}
		if id.value != "" && strings.TrimSpace(id.value) == "" {
			return fault.Field(id.field, "is only white space; give an identifier, or leave it out")
		}
		if strings.IndexByte(id.value, 0) >= 0 {
			return fault.Field(id.field, noNUL)
		}
	}
	if e.UserID == "" && e.AnonymousID == "" && len(e.ExternalIDs) == 0 {
		return fault.Field("userId", "userId or anonymousId is required")
	}
	if e.Type == Alias && e.PreviousID == "" {
		return fault.Field("previousId", "is required for alias")
	}
	if e.Type == Alias && e.UserID == "" {
		return fault.Field("userId", "is required for alias")
	}
	if e.Type == Group && e.GroupID == "" {
		return fault.Field("groupId", "is required for group")
	}
	return nil
}

func (e *Event) setPayload(m *message) error {
	f := fieldProperties
	if e.Type == Identify || e.Type == Group {
		f = fieldTraits
	}
	raw := m.raw(f)
	if raw != nil {
		if err := m.checkObject(f); err != nil {
			return err
		}
	}
	if e.Type == Page || e.Type == Screen {
		e.Payload = withNames(raw, m)
	} else {
		e.Payload = bytes.Clone(raw)
	}
	return nil
}

// withNames copies the properties of a page or screen call, and puts its name and category before them, which stand outside,
// unless they have such members themselves.
func withNames(properties []byte, m *message) []byte {
	var names []byte
	for _, f := range [...]field{fieldName, fieldCategory} {
		if len(m.bytes(f)) > 0 && member(properties, f.String()) == nil {
			names = append(append(names, `,"`+f.String()+`":`...), m.raw(f)...)
		}
	}
	if names == nil {
		return bytes.Clone(properties)
	}
	names[0] = '{'
	if first := (&scanner{text: properties}); properties != nil && first.enter() {
		return append(append(names, ','), properties[1:]...)
	}
	return append(names, '}')
}

// surroundings are the context of an event, and what of it is known.
type surroundings struct {
	raw         json.RawMessage
	externalIDs []ExternalID
}

func (e *Event) setContext(m *message, of *inherited) error {
	if m.raw(fieldContext) == nil {
		e.Context, e.ExternalIDs = of.context.raw, of.context.externalIDs
		return of.err
	}
	c, err := m.surroundings()
	e.Context, e.ExternalIDs = bytes.Clone(c.raw), c.externalIDs
	return err
}

// surroundings reads the context; raw is a part of the body.
func (m *message) surroundings() (c surroundings, err error) {
	if c.raw = m.raw(fieldContext); c.raw == nil {
		return c, nil
	}
	if err := m.checkObject(fieldContext); err != nil {
		return c, err
	}
	if c.externalIDs, err = m.externalIDs(); err != nil {
		return c, err
	}
	if m.raw(fieldContextTraits) != nil {
		if err := m.checkObject(fieldContextTraits); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (m *message) externalIDs() ([]ExternalID, error) {
	raw := m.raw(fieldExternalIDs)
	if raw == nil {
		return nil, nil
	}
	var ids []ExternalID
	if json.Unmarshal(raw, &ids) != nil {
		return nil, fault.Field("context.externalIds", "must be a list of objects, each with a type and an id, which are strings")
	}
	return ids, checkExternalIDs(ids)
}

func checkExternalIDs(ids []ExternalID) error {
	if len(ids) > maxExternalIDs {
		return fault.Field("context.externalIds", "has %d entries; at most %d are allowed", len(ids), maxExternalIDs)
	}
	for i, x := range ids {
		field := fmt.Sprintf("context.externalIds[%d]", i)
		if strings.TrimSpace(x.Type) == "" || strings.TrimSpace(x.ID) == "" {
			return fault.Field(field, "needs a type and an id")
		}
		if len(x.Type) > maxIDLength || len(x.ID) > maxIDLength {
			return fault.Field(field, "is longer than %d bytes", maxIDLength)
		}
		if strings.IndexByte(x.Type, 0) >= 0 || strings.IndexByte(x.ID, 0) >= 0 {
			return fault.Field(field, noNUL)
		}
	}
	return nil
}

func (e *Event) setName(m *message) error {
	switch e.Type {
	case Identify:
		e.Name = NameIdentified
	case Page:
		e.Name = NamePageViewed
	case Screen:
		e.Name = NameScreenViewed
	case Group:
		e.Name = NameGroupJoined
	case Alias:
		e.Name = NameAliased
	case Track:
		name := m.bytes(fieldEvent)
		if len(name) == 0 {
			return fault.Field("event", "is missing; a track call names what happened, such as \"Order Completed\"")
		}
		if len(name) > maxNameLength {
			return fault.Field("event", "has %d bytes; at most %d are allowed", len(name), maxNameLength)
		}
		if bytes.IndexByte(name, 0) >= 0 {
			return fault.Field("event", noNUL)
		}
		e.Name = string(name)
	}
	return nil
}

func (e *Event) setTime(m *message, door *Door, sent time.Time) error {
	f := fieldOriginalTimestamp
	if door.Historical || len(m.bytes(f)) == 0 {
		f = fieldTimestamp
	}
	if len(m.bytes(f)) == 0 {
		e.Timestamp = e.ReceivedAt
		return nil
	}
	at, err := m.time(f)
	if err != nil {
		return err
	}
	if len(m.bytes(fieldSentAt)) > 0 {
		if sent, err = m.time(fieldSentAt); err != nil {
			return err
		}
	}
	if !sent.IsZero() && !door.Historical {
		at = e.ReceivedAt.Add(-sent.Sub(at))
	}
	e.Timestamp = at.UTC().Truncate(time.Microsecond)
	if !door.Historical && e.Timestamp.After(e.ReceivedAt) {
		e.Timestamp = e.ReceivedAt // nothing has happened before it arrives; the sender's clock is ahead
	}
	if y := e.Timestamp.Year(); y < 1970 || y > 2200 {
		return fault.Field(f.String(), "is in the year %d; it must lie between 1970 and 2200", y)
	}
	return nil
}

func (m *message) time(f field) (time.Time, error) {
	given := m.bytes(f)
	t, err := time.Parse(time.RFC3339Nano, string(given))
	if err != nil {
		t, err = time.Parse(time.DateOnly, string(given))
	}
	if err != nil {
		return t, fault.Field(f.String(), "is %q; give a time such as 2026-01-31T12:00:00.000Z (RFC 3339)", clip(string(given)))
	}
	return t, nil
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
