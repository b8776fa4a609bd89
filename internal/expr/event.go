package expr

import (
	"time"
)

// Payload gives the properties of an event, so that no more of them is decoded than conditions ask for.
type Payload interface {
	// Property is the property of that name as plain JSON, and false where there is none. An event asks for each once.
	Property(name string) (any, bool)
	// Properties are all of them; the map is not changed.
	Properties() map[string]any
}

// Event is what a behaviour term sees of an event. Terms keep in it what they have worked out, so it must not be used by
// several goroutines at once.
type Event struct {
	MessageID  string
	Type       string
	Name       string
	At         int64 // microseconds since 1970, UTC
	Tie        uint64
	Properties map[string]any // used where Payload is nil
	Payload    Payload

	frame    frame
	asked    []property // of the payload
	set      *sharedSet // whose verdicts these are
	verdicts []verdict  // on the set's filters, by their slot
}

// property is one that was asked for; the value is nil where there is none.
type property struct {
	name  string
	value any
}

// property looks one up.
func (e *Event) property(name string) (any, bool) {
	if e.Payload == nil {
		v, ok := e.Properties[name]
		return v, ok
	}
	for i := range e.asked {
		if e.asked[i].name == name {
			return e.asked[i].value, e.asked[i].value != nil
		}
	}
	v, _ := e.Payload.Property(name)
	e.asked = append(e.asked, property{name, v})
	return v, v != nil
}

func (e *Event) properties() map[string]any {
	if e.Payload != nil {
		return e.Payload.Properties()
	}
	return e.Properties
}

// Become makes e another event, whose room is used again. Nothing of the one before is left.
func (e *Event) Become(other Event) {
	asked, verdicts := e.asked[:0], e.verdicts[:0]
	*e = other
	e.asked, e.verdicts, e.set = asked, verdicts, nil
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
		if p := e.properties(); p != nil {
			return p, true
		}
		return map[string]any{}, true
	}
	return nil, false
}

func (e *Event) record() *record { return &record{"event", e.field} }

// run computes an expression over the event; missing where a part went over the cost limit.
func (e *Event) run(value code) datum {
	e.frame = frame{event: e}
	d := value(&e.frame)
	if e.frame.stopped {
		return missingDatum
	}
	return d
}
