package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	gojson "github.com/goccy/go-json"

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

// message is an event as it stands in a request.
type message struct {
	Type              string          `json:"type"`
	MessageID         string          `json:"messageId"`
	UserID            text            `json:"userId"`
	AnonymousID       text            `json:"anonymousId"`
	PreviousID        text            `json:"previousId"`
	GroupID           text            `json:"groupId"`
	Event             *string         `json:"event"`
	Name              string          `json:"name"`
	Category          string          `json:"category"`
	Properties        json.RawMessage `json:"properties"`
	Traits            json.RawMessage `json:"traits"`
	Context           json.RawMessage `json:"context"`
	Timestamp         string          `json:"timestamp"`
	OriginalTimestamp string          `json:"originalTimestamp"`
	SentAt            string          `json:"sentAt"`
}

// text is an identifier: a string, or a number as some senders have it.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := gojson.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(s)
		return nil
	}
	var v any
	if err := gojson.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v.(type) {
	case nil:
		return nil
	case float64:
		*t = text(b)
		return nil
	}
	return fmt.Errorf("must be a string or a number")
}

// Door is what the place of arrival knows about an event.
type Door struct {
	Type       Type      // the endpoint's type; empty where the body says it (batch, import)
	ReceivedAt time.Time // by our clock
	SentAt     time.Time // the batch's sentAt by the sender's clock; zero where the message must say it
	Context    json.RawMessage
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
	limit := door.MaxBytes
	if limit == 0 {
		limit = MaxEventBytes
	}
	if len(body) > limit {
		return nil, fault.Field("", "is %d bytes; an event may have at most %d", len(body), limit)
	}
	// JSON is UTF-8. What is not is read as U+FFFD, here once, so that whoever reads a part of it reads the same.
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	var m message
	if err := gojson.Unmarshal(body, &m); err != nil || !isObject(body) {
		return nil, malformed(body)
	}
	e := &Event{
		MessageID: m.MessageID, Type: door.Type,
		UserID: string(m.UserID), AnonymousID: string(m.AnonymousID), PreviousID: string(m.PreviousID), GroupID: string(m.GroupID),
		ReceivedAt: door.ReceivedAt.UTC().Truncate(time.Microsecond), Historical: door.Historical,
	}
	if e.Type == "" {
		e.Type = Type(m.Type)
		if m.Type == "" {
			return nil, fault.Field("type", "is missing; say track, identify, page, screen, group or alias")
		}
		if !e.Type.Valid() {
			return nil, fault.Field("type", "is %q; it must be track, identify, page, screen, group or alias", clip(m.Type))
		}
	}
	if e.MessageID == "" {
		e.MessageID = door.NewID()
	}
	if err := e.setPayload(&m); err != nil {
		return nil, err
	}
	if err := e.setContext(&m, door.Context); err != nil {
		return nil, err
	}
	if err := e.setName(&m); err != nil {
		return nil, err
	}
	if err := e.setTime(&m, door); err != nil {
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
	field, raw := "properties", m.Properties
	if e.Type == Identify || e.Type == Group {
		field, raw = "traits", m.Traits
	}
	if absent(raw) {
		return e.addNames(m)
	}
	if raw[0] != '{' {
		return fault.Field(field, "must be a JSON object")
	}
	if err := checkValues(field, raw); err != nil {
		return err
	}
	e.Payload = raw
	return e.addNames(m)
}

// addNames keeps the name and category of a page or screen call, which stand outside its properties.
func (e *Event) addNames(m *message) error {
	if (e.Type != Page && e.Type != Screen) || (m.Name == "" && m.Category == "") {
		return nil
	}
	properties := make(map[string]any, 8)
	maps.Copy(properties, e.Properties())
	for k, v := range map[string]string{"name": m.Name, "category": m.Category} {
		if _, taken := properties[k]; v != "" && !taken {
			properties[k] = v
		}
	}
	payload, err := gojson.Marshal(properties)
	if err != nil {
		return fault.Field("properties", "cannot be kept: %v", err)
	}
	e.Payload, e.properties = payload, properties
	return nil
}

func (e *Event) setContext(m *message, inherited json.RawMessage) error {
	raw := m.Context
	if absent(raw) {
		raw = inherited
	}
	if absent(raw) {
		return nil
	}
	if raw[0] != '{' {
		return fault.Field("context", "must be a JSON object")
	}
	if err := checkValues("context", raw); err != nil {
		return err
	}
	var c struct {
		ExternalIDs []ExternalID    `json:"externalIds"`
		Traits      json.RawMessage `json:"traits"`
	}
	if gojson.Unmarshal(raw, &c) != nil {
		return fault.Field("context.externalIds", "must be a list of objects, each with a type and an id, which are strings")
	}
	if !absent(c.Traits) && c.Traits[0] != '{' {
		return fault.Field("context.traits", "must be a JSON object")
	}
	if len(c.ExternalIDs) > maxExternalIDs {
		return fault.Field("context.externalIds", "has %d entries; at most %d are allowed", len(c.ExternalIDs), maxExternalIDs)
	}
	for i, x := range c.ExternalIDs {
		if strings.TrimSpace(x.Type) == "" || strings.TrimSpace(x.ID) == "" {
			return fault.Field(fmt.Sprintf("context.externalIds[%d]", i), "needs a type and an id")
		}
		if len(x.Type) > maxIDLength || len(x.ID) > maxIDLength {
			return fault.Field(fmt.Sprintf("context.externalIds[%d]", i), "is longer than %d bytes", maxIDLength)
		}
		if strings.IndexByte(x.Type, 0) >= 0 || strings.IndexByte(x.ID, 0) >= 0 {
			return fault.Field(fmt.Sprintf("context.externalIds[%d]", i), noNUL)
		}
	}
	e.Context, e.ExternalIDs = raw, c.ExternalIDs
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
		if m.Event == nil || *m.Event == "" {
			return fault.Field("event", "is missing; a track call names what happened, such as \"Order Completed\"")
		}
		if len(*m.Event) > maxNameLength {
			return fault.Field("event", "has %d bytes; at most %d are allowed", len(*m.Event), maxNameLength)
		}
		if strings.IndexByte(*m.Event, 0) >= 0 {
			return fault.Field("event", noNUL)
		}
		e.Name = *m.Event
	}
	return nil
}

func (e *Event) setTime(m *message, door Door) error {
	given, field := m.OriginalTimestamp, "originalTimestamp"
	if given == "" || door.Historical {
		given, field = m.Timestamp, "timestamp"
	}
	if given == "" {
		e.Timestamp = e.ReceivedAt
		return nil
	}
	at, err := parseTime(given)
	if err != nil {
		return fault.Field(field, "is %q; give a time such as 2026-01-31T12:00:00.000Z (RFC 3339)", clip(given))
	}
	sent := door.SentAt
	if m.SentAt != "" {
		if sent, err = parseTime(m.SentAt); err != nil {
			return fault.Field("sentAt", "is %q; give a time such as 2026-01-31T12:00:00.000Z (RFC 3339)", clip(m.SentAt))
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
		return fault.Field(field, "is in the year %d; it must lie between 1970 and 2200", y)
	}
	return nil
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse("2006-01-02", s)
	}
	return t, err
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
