// Package event is what happened: the events of the Segment specification, decoded and validated at the door.
package event

import (
	"bytes"
	"cmp"
	"encoding/json"
	"time"

	gojson "github.com/goccy/go-json"
)

// Type is the call of Segment's specification that brought an event.
type Type string

// The types of events.
const (
	Track    Type = "track"
	Identify Type = "identify"
	Page     Type = "page"
	Screen   Type = "screen"
	Group    Type = "group"
	Alias    Type = "alias"
)

// Valid reports whether t is one of the six types.
func (t Type) Valid() bool {
	switch t {
	case Track, Identify, Page, Screen, Group, Alias:
		return true
	}
	return false
}

// typeOf finds the type of that name; empty where there is none.
func typeOf(name []byte) Type {
	for _, t := range [...]Type{Track, Identify, Page, Screen, Group, Alias} {
		if string(name) == string(t) {
			return t
		}
	}
	return ""
}

// The names under which conditions find the events that carry no name of their own.
const (
	NameIdentified     = "Identified"
	NamePageViewed     = "Page Viewed"
	NameScreenViewed   = "Screen Viewed"
	NameGroupJoined    = "Group Joined"
	NameAliased        = "Aliased"
	NameOrderCompleted = "Order Completed"
)

// The names of what a customer does with a message, as Segment's e-mail specification has them.
const (
	NameEmailDelivered  = "Email Delivered"
	NameEmailOpened     = "Email Opened"
	NameEmailClicked    = "Email Link Clicked"
	NameEmailBounced    = "Email Bounced"
	NameEmailComplained = "Email Marked as Spam"
	NameUnsubscribed    = "Unsubscribed"
	NameSubscribed      = "Subscribed"
)

// Names are those of both kinds: events that may come whatever a shop tracks.
var Names = []string{
	NameIdentified, NamePageViewed, NameScreenViewed, NameGroupJoined, NameAliased, NameOrderCompleted,
	NameEmailDelivered, NameEmailOpened, NameEmailClicked, NameEmailBounced, NameEmailComplained, NameUnsubscribed, NameSubscribed,
}

// ExternalID is an identifier of any type, from context.externalIds.
type ExternalID struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Event is one thing that happened. It is immutable once decoded.
type Event struct {
	MessageID   string // unique for all time; the sender's, or made at the door
	Type        Type
	Name        string // what events("…") in a condition matches
	UserID      string
	AnonymousID string
	PreviousID  string // alias only
	GroupID     string // group only
	ExternalIDs []ExternalID
	Timestamp   time.Time // when it happened, corrected for clock skew; UTC, whole microseconds
	ReceivedAt  time.Time // when the door took it; UTC, whole microseconds
	// Payload is the JSON object of properties (track, page, screen) or traits (identify, group); empty for none.
	Payload json.RawMessage
	Context json.RawMessage // the JSON object of context; empty for none
	// ProfileID names the owner where our own link knows it; 0: the identifiers decide.
	ProfileID int64
	// Historical events were imported: they shape profiles and segments and trigger no message.
	Historical bool

	properties map[string]any
}

// Properties decodes the payload: properties, or the traits of identify and group. The map is shared and must not be
// changed; it is nil when there is no payload.
func (e *Event) Properties() map[string]any {
	if e.properties == nil && len(e.Payload) > 0 {
		_ = gojson.Unmarshal(e.Payload, &e.properties) // validated by Decode
	}
	return e.properties
}

// Machine reports whether a machine, such as a privacy proxy or a link scanner, did in the customer's place what the event
// says of a mail. Such events are kept, and are nobody's behaviour.
func (e *Event) Machine() bool {
	return (e.Name == NameEmailOpened || e.Name == NameEmailClicked) && e.Properties()["machine"] == true
}

// ContextTraits decodes context.traits, which SDKs add to events of a known visitor.
func (e *Event) ContextTraits() map[string]any {
	if len(e.Context) == 0 {
		return nil
	}
	var c struct {
		Traits map[string]any `json:"traits"`
	}
	_ = gojson.Unmarshal(e.Context, &c)
	return c.Traits
}

// RestoreExternalIDs reads the identifiers of any type out of the context of an event that was checked at the door.
func (e *Event) RestoreExternalIDs() {
	if !bytes.Contains(e.Context, []byte(`"externalIds"`)) {
		return
	}
	var c struct {
		ExternalIDs []ExternalID `json:"externalIds"`
	}
	_ = gojson.Unmarshal(e.Context, &c)
	e.ExternalIDs = c.ExternalIDs
}

// The parameters of FNV-1a with 64 bits.
const (
	fnvOffset uint64 = 0xcbf29ce484222325
	fnvPrime  uint64 = 0x100000001b3
)

// Tie orders events that happened in the same microsecond, the same way on every machine: FNV-1a of the message id.
func Tie(messageID string) uint64 {
	h := fnvOffset
	for i := range len(messageID) {
		h = (h ^ uint64(messageID[i])) * fnvPrime
	}
	return h
}

// Compare orders events by when they happened, for slices.SortFunc.
func Compare(a, b *Event) int {
	if c := a.Timestamp.Compare(b.Timestamp); c != 0 {
		return c
	}
	return cmp.Compare(Tie(a.MessageID), Tie(b.MessageID))
}
