package engine

import "github.com/tailorbird/tailorbird/internal/event"

// Split is what undoing a merge changes beside profiles and identifiers.
type Split struct {
	Undone []int64         // ids of the merges that hold no longer
	Actor  string          // who undid them
	Moved  []Moved         // events that get another owner
	Since  []Since         // memberships that began at another time
	Said   []Said          // overrides that come on record for further profiles
	Sent   map[int64]int64 // messages that get another recipient, by id
	Orders []string        // message ids of the events whose conversions are worked out anew
}

// Since is when a membership began, µs.
type Since struct {
	ProfileID int64
	Segment   string
	At        int64
}

// Said is an override on record, by its id, and whom it was said of, too.
type Said struct {
	Override, ProfileID int64
}

// Moved is an event that changes its owner.
type Moved struct {
	From, To int64
	Event    *event.Event
}
