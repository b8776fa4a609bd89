package expr

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxSequence bounds sequences: one looks at the newest 1,000 of the events that are a step of it, or forbidden in it,
// inside its outer range. The naive reading has the same bound.
const MaxSequence = 1_000

var maxSequence = MaxSequence // tests lower it

// Limits of one sequence.
const (
	maxSteps     = 8
	maxForbidden = 4
)

// sequence is what sequence(…) asks of a customer's events: that there are some, one for each step, in this order, the last
// at most so long after the first, and between those two none of the forbidden.
type sequence struct {
	steps     []*Term // each selects events
	forbidden []*Term
	length    int64 // µs; 0 for any
}

// The roles that an event can have are bits of a number: 1<<i for step i, and forbiddenRole.
const forbiddenRole = 1 << maxSteps

// roles tells what an event is in a sequence; 0 for nothing.
func (s *sequence) roles(e *Event) (roles int) {
	for i, step := range s.steps {
		if step.selects(e) {
			roles |= 1 << i
		}
	}
	for _, t := range s.forbidden {
		if t.selects(e) {
			roles |= forbiddenRole
		}
	}
	return roles
}

// latest finds the complete sequence that begins last and gives its beginning. For each number of steps it remembers the
// last moment at which a beginning of the sequence so long began: what begins later lasts shorter and has less in between.
func (s *sequence) latest(entries iter.Seq[Entry]) (begin int64, found bool) {
	type beginning struct {
		at  int64
		has bool
	}
	last := len(s.steps) - 1
	var begun [maxSteps]beginning // by the number of steps that have been made, less one
	for e := range entries {
		roles := int(e.Value.number())
		for i := last; i > 0; i-- {
			b := begun[i-1]
			if roles&(1<<i) == 0 || !b.has || s.length > 0 && e.At-b.at > s.length {
				continue
			}
			if i < last {
				if !begun[i].has || b.at > begun[i].at {
					begun[i] = b
				}
			} else if !found || b.at > begin {
				begin, found = b.at, true
			}
		}
		if roles&forbiddenRole != 0 {
			clear(begun[:last])
		}
		if roles&1 != 0 {
			begun[0] = beginning{e.At, true}
		}
	}
	return begin, found
}

// names are the events that have a role; nil for all.
func (s *sequence) names() []string {
	var names []string
	for _, list := range [][]*Term{s.steps, s.forbidden} {
		for _, t := range list {
			if t.Event == "" {
				return nil
			}
			if !slices.Contains(names, t.Event) {
				names = append(names, t.Event)
			}
		}
	}
	return names
}

// key is the canonical text of a sequence over the texts of its parts.
func (s *sequence) key(steps, forbidden []string) string {
	return "sequence(" + strings.Join(steps, ", ") + ") long " + time.Duration(s.length*1000).String() + " without " +
		strconv.Itoa(len(forbidden)) + " " + strings.Join(forbidden, ", ")
}
