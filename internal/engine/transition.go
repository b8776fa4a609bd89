package engine

// The kinds of causes for which a customer enters or leaves a segment.
const (
	ByEvent      = "event"      // something the customer did, or told
	ByTime       = "time"       // a window or an age alone
	ByMerge      = "merge"      // two profiles became one
	ByUnmerge    = "unmerge"    // one profile became two again
	ByDefinition = "definition" // the segment, or one that it asks for, was defined or changed
	ByOverride   = "override"   // somebody decided it by hand, or that decision ended
	BySQL        = "sql"        // the result of a query changed
)

// Cause is why a customer entered or left a segment.
type Cause struct {
	Kind      string
	MessageID string // of the event, for ByEvent
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
