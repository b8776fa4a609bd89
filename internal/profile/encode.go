package profile

import (
	"encoding/json"

	gojson "github.com/goccy/go-json"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/report"
)

// stored is the part of a profile that its columns do not show.
type stored struct {
	Traits       map[string]Trait      `json:"traits,omitempty"`
	Preferences  map[string]Trait      `json:"preferences,omitempty"`
	Subscription *Trait                `json:"subscription,omitempty"`
	Withdrawn    bool                  `json:"withdrawn,omitempty"`
	Identifiers  []identity.Identifier `json:"identifiers,omitempty"`
	Absorbed     []int64               `json:"absorbed,omitempty"`
	Apart        []int64               `json:"apart,omitempty"`
	Segments     map[string]int64      `json:"segments,omitempty"`
	Aggregates   map[int64][]byte      `json:"aggregates,omitempty"`
	Touches      []report.Touch        `json:"touches,omitempty"`
	Computed     map[string]any        `json:"computed,omitempty"`
	NextChange   int64                 `json:"next_change,omitempty"`
	CreatedAt    int64                 `json:"created_at"`
	UpdatedAt    int64                 `json:"updated_at"`
	FirstSeenAt  int64                 `json:"first_seen_at,omitempty"`
	LastSeenAt   int64                 `json:"last_seen_at,omitempty"`
	MergedInto   int64                 `json:"merged_into,omitempty"`
}

// State is the stored form of the whole profile.
func (p *Profile) State() ([]byte, error) {
	s := stored{
		Traits: p.Traits, Preferences: p.Preferences, Withdrawn: p.Withdrawn, Identifiers: p.Identifiers, Absorbed: p.Absorbed, Apart: p.Apart, Segments: p.Segments,
		Touches: p.Touches, Computed: p.Computed, NextChange: p.NextChange, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
		FirstSeenAt: p.FirstSeenAt, LastSeenAt: p.LastSeenAt, MergedInto: p.MergedInto,
		Aggregates: make(map[int64][]byte, len(p.Aggregates)),
	}
	if p.Subscription.Value != nil {
		s.Subscription = &p.Subscription
	}
	for id, a := range p.Aggregates {
		if !a.Empty() {
			s.Aggregates[id] = a.Append(nil)
		}
	}
	return gojson.Marshal(s)
}

// FromState reads a profile back.
func FromState(id int64, data []byte) (*Profile, error) {
	var s stored
	if err := gojson.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	p := New(id, s.CreatedAt)
	p.UpdatedAt, p.FirstSeenAt, p.LastSeenAt, p.MergedInto, p.NextChange = s.UpdatedAt, s.FirstSeenAt, s.LastSeenAt, s.MergedInto, s.NextChange
	p.Withdrawn = s.Withdrawn
	p.Identifiers, p.Absorbed, p.Apart, p.Touches = s.Identifiers, s.Absorbed, s.Apart, s.Touches
	if s.Traits != nil {
		p.Traits = s.Traits
	}
	if s.Preferences != nil {
		p.Preferences = s.Preferences
	}
	if s.Computed != nil {
		p.Computed = s.Computed
	}
	if s.Segments != nil {
		p.Segments = s.Segments
	}
	if s.Subscription != nil {
		p.Subscription = *s.Subscription
	}
	for id, raw := range s.Aggregates {
		a, err := expr.DecodeAggregate(raw)
		if err != nil {
			return nil, err
		}
		p.Aggregates[id] = a
	}
	return p, nil
}

// Columns are the parts that analysts query: plain JSON objects.
func (p *Profile) Columns() (traits, computed, preferences string, err error) {
	for _, column := range []struct {
		into   *string
		values map[string]any
	}{{&traits, Values(p.Traits)}, {&computed, p.Computed}, {&preferences, Values(p.Preferences)}} {
		var text []byte
		if text, err = json.Marshal(column.values); err != nil {
			return "", "", "", err
		}
		*column.into = string(text)
	}
	return traits, computed, preferences, nil
}
