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
