package profile

import (
	"time"

	"github.com/tailorbird/tailorbird/internal/identity"
)

// View is a profile as the outside sees it.
type View struct {
	ID          string                `json:"id"`
	Label       string                `json:"label" doc:"How a person would call her: the name, else e-mail, else user id"`
	Traits      map[string]any        `json:"traits"`
	Computed    map[string]any        `json:"computed"`
	Preferences map[string]any        `json:"preferences"`
	Identifiers []identity.Identifier `json:"identifiers"`
	Segments    []Membership          `json:"segments"`
	Subscribed  bool                  `json:"subscribed"`
	CreatedAt   time.Time             `json:"created_at"`
	UpdatedAt   time.Time             `json:"updated_at"`
	FirstSeenAt time.Time             `json:"first_seen_at"`
	LastSeenAt  time.Time             `json:"last_seen_at"`
	Merged      []Merge               `json:"merged" doc:"Profiles that merged into this one, latest first"`
	Overrides   []OverrideView        `json:"overrides" doc:"What a person said, which wins over events"`
	Apart       []Apart               `json:"apart" doc:"Profiles that no event joins with this one"`
}

// Name is how the outside calls a profile.
type Name struct {
	ID    string
	Label string
}

// Membership says since when a profile is in a segment.
type Membership struct {
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

// Merge is the record of one profile that merged into another.
type Merge struct {
	ProfileID   string                `json:"profile_id" doc:"The profile that is no more"`
	At          time.Time             `json:"at"`
	Cause       string                `json:"cause" enum:"event,manual,match"`
	MessageID   string                `json:"message_id,omitempty" doc:"The event that linked the two"`
	Identifiers []identity.Identifier `json:"identifiers" doc:"What that event linked them by"`
	By          string                `json:"by,omitempty" doc:"Who did it, where no event did"`
	Note        string                `json:"note,omitempty" doc:"Why, in words"`
}

// Query says which profiles are asked for. Empty fields ask for all.
type Query struct {
	Text    string // the beginning of an identifier or of a word of the name
	Segment string
	Cursor  string // of the page before
	Limit   int
}

// Apart is somebody's decision that another profile is another person.
type Apart struct {
	ProfileID string    `json:"profile_id"`
	Since     time.Time `json:"since"`
	By        string    `json:"by" doc:"Who decided so"`
	Note      string    `json:"note,omitempty" doc:"Why, in words"`
}

// OverrideView is an override as the outside sees it.
type OverrideView struct {
	Kind     string     `json:"kind" enum:"segment,trait"`
	Name     string     `json:"name"`
	Value    any        `json:"value" doc:"For a segment whether the customer is in it; for a trait its value, null for none"`
	Since    time.Time  `json:"since"`
	Until    *time.Time `json:"until,omitempty" doc:"When it ends by itself"`
	By       string     `json:"by" doc:"Who said so"`
	Note     string     `json:"note,omitempty" doc:"Why, in words"`
	LiftedAt *time.Time `json:"lifted_at,omitempty" doc:"When it was lifted or replaced, in the history"`
	LiftedBy string     `json:"lifted_by,omitempty"`
}
