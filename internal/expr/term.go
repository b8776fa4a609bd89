package expr

import (
	"math"
	"time"

	"cel.dev/cel-go/interpreter"
)

// Term is a piece of behaviour that a condition asks about, lifted out of it so that it can be kept per profile as
// events arrive: a reducer over the events of one name, within a window, for which conditions hold. Terms with the same
// Key keep the same, whichever condition they come from.
type Term struct {
	Key     string
	Event   string        // name of the events; "" for all
	Window  time.Duration // 0: all time
	From    int64         // µs; events before it do not take part
	To      int64         // µs; events from it on do not take part
	Reducer string        // one of the functions over events

	Slot int // the term's place among those that Share lists

	sequence *sequence // of a sequence, instead of an event
	weights  []int64   // of what fades, by age in days; older events count nothing

	need     need
	newest   int       // how many of the newest entries are kept, whatever the window; 0: those inside it
	selected string    // the events, as canonical text
	where    []*filter // all must hold
	value    code      // nil: the event's time (first, last) or nothing (count, exists)
}

// Names are the different names of the events that can concern the term; none for all events.
func (t *Term) Names() []string {
	if t.sequence != nil {
		return t.sequence.names()
	}
	if t.Event == "" {
		return nil
	}
	return []string{t.Event}
}

// Observe gives the entry that an event makes in the term's aggregate, and false when it makes none.
func (t *Term) Observe(e *Event) (entry Entry, ok bool) {
	switch {
	case t.sequence != nil:
		if e.At < t.From || e.At >= t.To {
			return Entry{}, false
		}
		roles := t.sequence.roles(e)
		return Entry{e.At, e.Tie, keptNumber(float64(roles))}, roles != 0
	case !t.selects(e):
		return Entry{}, false
	case t.value != nil:
		entry.Value, ok = t.keep(e.run(t.value))
	default:
		ok = true
	}
	entry.At, entry.Tie = e.At, e.Tie
	return entry, ok
}

// selects reports whether an event is one of the term's.
func (t *Term) selects(e *Event) bool {
	if t.Event != "" && t.Event != e.Name || e.At < t.From || e.At >= t.To {
		return false
	}
	for _, w := range t.where {
		if !e.passes(w) {
			return false
		}
	}
	return true
}

// keep brings a value into the form in which the reducer needs it; false when it has no use for it.
func (t *Term) keep(d datum) (kept, bool) {
	k := d.keep()
	switch t.need {
	case needSum:
		return k, k.kind == kindNumber && d.kind != kindDuration && math.Abs(k.number()) < greatest
	case needMin, needMax:
		return k, k.ordered()
	case needTally:
		key, ok := d.countable()
		return keptText(key), ok
	case needFading:
		name, ok := interestName(d.plain())
		return keptText(name), ok
	}
	return k, k.kind != kindMissing
}

// sheds reports whether entries that have left the window are dropped.
func (t *Term) sheds() bool { return t.Window > 0 && t.newest == 0 }

// forgotten is the last day of which nothing is seen any more, of what fades.
func (t *Term) forgotten(now int64) int64 { return dayOf(now) - int64(len(t.weights)) }

// eventActivation binds the one variable of a where or a value.
type eventActivation struct {
	name  string
	event *record
}

func (a *eventActivation) ResolveName(name string) (any, bool) {
	if name == a.name {
		return a.event, true
	}
	return nil, false
}

func (a *eventActivation) Parent() interpreter.Activation { return nil }
