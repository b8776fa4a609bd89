package engine

import "github.com/tailorbird/tailorbird/internal/profile"

// The kinds of causes for which a customer enters or leaves a segment.
const (
	ByEvent      = "event"      // something the customer did, or told
	ByTime       = "time"       // a window or an age alone
	ByMerge      = "merge"      // two profiles became one
	ByUnmerge    = "unmerge"    // one profile became two again
	ByDefinition = "definition" // the segment, or one that it asks for, was defined or changed
	ByDeletion   = "deletion"   // the segment was deleted, or replaced before it held for everybody
	ByOverride   = "override"   // somebody decided it by hand, or that decision ended
	BySQL        = "sql"        // the result of a query changed
)

// Cause is why a customer entered or left a segment.
type Cause struct {
	Kind      string
	MessageID string // of the event, for ByEvent
}

// leaveFormer ends the memberships of segments that are no more, or whose name another one has now, and reports whether
// there were any.
func (s *State) leaveFormer(p *profile.Profile, at int64, another func(node int) bool) bool {
	var former []string
	for name := range p.Segments.All() {
		if n, is := s.Rules.segments[name]; !is || another(n) {
			former = append(former, name)
		}
	}
	for _, name := range former {
		s.setMembership(p, name, false, at, Cause{Kind: ByDeletion})
	}
	return len(former) > 0
}

// Transition is a customer entering or leaving a segment. It is recorded in the log of events, and is none.
type Transition struct {
	ProfileID int64
	Segment   string
	Entered   bool
	At        int64 // when it was found, µs
	Since     int64 // for one that entered: from when on the condition has held, not after At
	Cause     Cause
}
