package expr

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Event is what a behaviour term sees of an event.
type Event struct {
	MessageID  string
	Type       string
	Name       string
	At         int64 // microseconds since 1970, UTC
	Tie        uint64
	Properties map[string]any
}

func (e *Event) field(name string) (any, bool) {
	switch name {
	case "name":
		return e.Name, true
	case "type":
		return e.Type, true
	case "timestamp":
		return time.UnixMicro(e.At).UTC(), true
	case "message_id":
		return e.MessageID, true
	case "properties":
		if e.Properties == nil {
			return map[string]any{}, true
		}
		return e.Properties, true
	}
	return nil, false
}

func (e *Event) record() *record { return &record{"event", e.field} }

// Term is a piece of behaviour that a condition asks about, lifted out of it so that it can be kept per profile as
// events arrive: a reducer over the events of one name, within a window, for which conditions hold. Terms with the same
// Key are the same, whichever condition they come from.
type Term struct {
	Key     string
	Event   string        // name of the events; "" for all
	Window  time.Duration // 0: all time
	From    int64         // µs; events before it do not take part
	To      int64         // µs; events from it on do not take part
	Reducer string        // one of the functions over events

	sequence *sequence // of a sequence, instead of an event

	need  need
	where []cel.Program // over the variable, all must hold
	value cel.Program   // nil: the event's time (first, last) or nothing (count, exists)
	vars  []string      // the variable's name in where…, then in value
}

// Names are the names of the events that can concern the term; none for all events.
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
func (t *Term) Observe(e *Event) (Entry, bool) {
	entry := Entry{At: e.At, Tie: e.Tie}
	if t.sequence != nil {
		roles := 0
		if e.At >= t.From && e.At < t.To {
			roles = t.sequence.roles(e)
		}
		entry.Value = keptNumber(float64(roles))
		return entry, roles != 0
	}
	if !t.selects(e) {
		return Entry{}, false
	}
	if t.value == nil {
		return entry, true
	}
	v, _, err := t.value.Eval(&eventActivation{t.vars[len(t.where)], e.record()})
	if err != nil || isMissing(v) {
		return Entry{}, false
	}
	var ok bool
	entry.Value, ok = t.keep(v)
	return entry, ok
}

// selects reports whether an event is one of the term's.
func (t *Term) selects(e *Event) bool {
	if t.Event != "" && t.Event != e.Name || e.At < t.From || e.At >= t.To {
		return false
	}
	if len(t.where) == 0 {
		return true
	}
	act := &eventActivation{event: e.record()}
	for i, p := range t.where {
		act.name = t.vars[i]
		if v, _, err := p.Eval(act); err != nil || v.Value() != true {
			return false
		}
	}
	return true
}

// keep brings a value into the form in which the reducer needs it; false when it has no use for it.
func (t *Term) keep(v ref.Val) (kept, bool) {
	k := keep(v)
	switch t.need {
	case needSum:
		return k, summable(v)
	case needMin, needMax:
		return k, k.ordered()
	case needTally:
		key, ok := countable(export(v))
		return keptText(key), ok
	}
	return k, k.kind != kindMissing
}

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
