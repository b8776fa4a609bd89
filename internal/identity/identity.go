// Package identity is whose an event is: identifiers of any type, the limits that keep them honest, and the decision
// which profiles an event links.
package identity

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/tailorbird/tailorbird/internal/event"
)

// The identifier types that events carry by themselves. Any other comes from context.externalIds.
const (
	UserID      = "user_id"
	AnonymousID = "anonymous_id"
	Email       = "email"
	Phone       = "phone"
)

// Identifier points to a profile.
type Identifier struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// String gives the form that the API takes: "email:ada@example.com".
func (id Identifier) String() string { return id.Type + ":" + id.Value }

// Parse reads "type:value" and normalises the value. It reports false where either part is missing.
func Parse(s string) (Identifier, bool) {
	kind, value, ok := strings.Cut(s, ":")
	if !ok || kind == "" {
		return Identifier{}, false
	}
	return New(kind, value)
}

// New normalises a value: white space around it goes, an e-mail address is lower-cased, a phone number in
// international form becomes E.164. It reports false for a value that identifies nobody (empty, or an e-mail address
// without an @).
func New(kind, value string) (Identifier, bool) {
	kind, value = strings.ToLower(strings.TrimSpace(kind)), strings.TrimSpace(value)
	switch kind {
	case Email:
		value = strings.ToLower(value)
		if at := strings.LastIndexByte(value, '@'); at <= 0 || at == len(value)-1 || strings.ContainsAny(value, " \t\r\n") {
			return Identifier{}, false
		}
	case Phone:
		if n, err := phonenumbers.Parse(value, "ZZ"); err == nil {
			value = phonenumbers.Format(n, phonenumbers.E164)
		}
	}
	return Identifier{Type: kind, Value: value}, kind != "" && value != ""
}

// Of lists the identifiers that an event carries, strongest first by the policy, each once. Blocked values are left out.
func (p *Policy) Of(e *event.Event) []Identifier {
	ids := make([]Identifier, 0, 4)
	add := func(kind, value string) {
		if value == "" {
			return
		}
		id, ok := New(kind, value)
		if !ok || p.Blocked(id) {
			return
		}
		for _, have := range ids {
			if have == id {
				return
			}
		}
		ids = append(ids, id)
	}
	add(UserID, e.UserID)
	add(AnonymousID, e.AnonymousID)
	if e.Type == event.Alias {
		// Segment's alias joins a previous id, of either kind, to a user id.
		add(AnonymousID, e.PreviousID)
		add(UserID, e.PreviousID)
	}
	for _, x := range e.ExternalIDs {
		add(x.Type, x.ID)
	}
	var traits map[string]any
	if e.Type == event.Identify {
		traits = e.Properties()
	} else if len(e.Context) > 0 {
		traits = e.ContextTraits()
	}
	for _, kind := range [...]string{Email, Phone} {
		if s, ok := traits[kind].(string); ok {
			add(kind, s)
		}
	}
	p.sort(ids)
	return ids
}
