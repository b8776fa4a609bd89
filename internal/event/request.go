package event

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// maxFaults are those of a batch that one answer lists.
const maxFaults = 20

// Request is the body of a tracking request, gone over once: where its events stand, and their members. It refers to the body,
// which must not change while events are made of it; they hold no part of it.
type Request struct {
	own    message // the members of the body itself
	broken int     // how many bytes there are up to where it goes wrong; 0: it is JSON
	wide   bool    // it holds more than ASCII
	batch  bool
	misfit bool // its batch is no list, and not null
	events []place
	notes  []note // of the events, one after the other
}

// place is where an event of a batch stands in the body, and its notes among all.
type place struct{ from, end, first, last int32 }

// ReadEvent goes over a body that is one event.
func ReadEvent(body []byte) *Request { return newRequest(body, false) }

// ReadBatch goes over a body that is an object with a list "batch" of events.
func ReadBatch(body []byte) *Request { return newRequest(body, true) }

func newRequest(body []byte, batch bool) *Request {
	r := &Request{own: message{body: body}, batch: batch}
	s := scanner{text: body}
	if s.peek() == '{' {
		r.readOwn(&s)
	} else {
		s.value()
	}
	s.end()
	if s.bad {
		r.broken = max(1, min(s.at+1, len(body)))
	}
	r.wide = s.wide
	return r
}

func (r *Request) readOwn(s *scanner) {
	var room [3]note
	for more := s.enter(); more; more = s.next() {
		f := fieldOf(s.name())
		if f == fieldBatch && r.batch {
			r.readEvents(s)
			continue
		}
		for _, n := range s.readMember(f, room[:0]) {
			if !s.bad {
				r.own.put(n)
			}
		}
	}
}

func (r *Request) readEvents(s *scanner) {
	r.events, r.notes = r.events[:0], r.notes[:0]
	if c := s.peek(); c != '[' {
		r.misfit = c != 'n'
		s.value()
		return
	}
	r.misfit = false
	if r.events == nil { // most events have a few hundred bytes, and a member for every 64 of them
		r.events, r.notes = make([]place, 0, len(s.text)/256+1), make([]note, 0, len(s.text)/64)
	}
	for more := s.enter(); more; more = s.next() {
		c, first := s.peek(), len(r.notes)
		from := s.at
		if c == '{' {
			r.notes = s.readMembers(r.notes)
		} else {
			s.value()
		}
		r.events = append(r.events, place{int32(from), int32(s.at), int32(first), int32(len(r.notes))})
	}
}

// WriteKey is the key that the body names; empty where it names none, or breaks off before.
func (r *Request) WriteKey() string {
	if !r.own.isText(fieldWriteKey) {
		return ""
	}
	return string(r.own.bytes(fieldWriteKey))
}

// Events makes the events, all or none. A bad batch gives up to maxFaults faults, each naming its event.
func (r *Request) Events(door Door) ([]*Event, error) {
	if !r.isText() {
		return nil, fault.New(fault.Invalid, "the body is not valid UTF-8; send JSON in that encoding")
	}
	if !r.batch {
		e, err := r.event(door)
		if err != nil {
			return nil, err
		}
		return []*Event{e}, nil
	}
	of, err := r.inherited()
	if err != nil {
		return nil, err
	}
	events := make([]*Event, 0, len(r.events))
	var faults []error
	for i, p := range r.events {
		m := message{body: r.own.body}
		for _, n := range r.notes[p.first:p.last] {
			m.put(n)
		}
		e, err := m.event(m.body[p.from:p.end], 0, &door, of)
		if err == nil {
			events = append(events, e)
			continue
		}
		if faults = append(faults, inBatch(i, err)); len(faults) == maxFaults {
			break
		}
	}
	return events, errors.Join(faults...)
}

// isText reports whether the body is valid UTF-8. A body of JSON can be anything else in its strings only.
func (r *Request) isText() bool { return !r.wide && r.broken == 0 || utf8.Valid(r.own.body) }

// event makes the one event that the body is.
func (r *Request) event(door Door) (*Event, error) {
	return r.own.event(r.own.body, r.broken, &door, &inherited{})
}

// inherited is what a batch says for the events that do not say it themselves.
type inherited struct {
	sentAt  time.Time // by the sender's clock; zero: it is not said
	context surroundings
	err     error // what is wrong with the context, for whom it would be
}

func (r *Request) inherited() (*inherited, error) {
	m, of := &r.own, &inherited{}
	if !isObject(m.body) {
		return nil, fault.New(fault.Invalid, "the body is not a JSON object with a list \"batch\"")
	}
	if r.broken > 0 {
		return nil, fault.Field("batch", "the body is not a JSON object: it breaks off or goes wrong at byte %d", r.broken)
	}
	const noTime = "must be a time such as 2026-01-31T12:00:00.000Z (RFC 3339)"
	if m.raw(fieldSentAt) != nil && !m.isText(fieldSentAt) {
		return nil, fault.Field("sentAt", noTime)
	}
	if m.raw(fieldWriteKey) != nil && !m.isText(fieldWriteKey) {
		return nil, fault.Field("writeKey", "must be a string")
	}
	if r.misfit {
		return nil, fault.Field("batch", "must be a list of events")
	}
	if len(r.events) == 0 {
		return nil, fault.Field("batch", "is missing or empty; it lists the events")
	}
	if raw := m.raw(fieldContext); raw != nil && raw[0] != '{' {
		return nil, fault.Field("context", "must be a JSON object")
	}
	if at := m.bytes(fieldSentAt); len(at) > 0 {
		var err error
		if of.sentAt, err = time.Parse(time.RFC3339Nano, string(at)); err != nil {
			return nil, fault.Field("sentAt", noTime)
		}
	}
	of.context, of.err = m.surroundings()
	of.context.raw = bytes.Clone(of.context.raw)
	return of, nil
}

// inBatch puts the place in the batch before the field.
func inBatch(i int, err error) error {
	f := *fault.All(err)[0]
	f.Field = strings.TrimSuffix(fmt.Sprintf("batch[%d].%s", i, f.Field), ".")
	return &f
}
