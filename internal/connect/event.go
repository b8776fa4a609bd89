package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// eventWriter makes the JSON of events, in the shape of Segment's HTTP tracking API. It is not safe for concurrent use.
type eventWriter struct {
	plan   *plan
	buffer []byte
	items  []expr.MappingItem
}

// event makes the event of one row, or of the items in scope. messageID is asked where the mapping does not tell.
func (w *eventWriter) event(scope *expr.MappingScope, items []expr.MappingItem, messageID func() string) (json.RawMessage, error) {
	w.items = items
	w.buffer = append(w.buffer[:0], '{')
	known := identity{}
	for i := range w.plan.fields {
		field := &w.plan.fields[i]
		before := len(w.buffer)
		w.name(field.message)
		wrote, err := w.field(scope, field, &known, messageID)
		if err != nil {
			return nil, err
		}
		if !wrote {
			w.buffer = w.buffer[:before]
		}
	}
	if err := known.check(); err != nil {
		return nil, err
	}
	w.buffer = append(w.buffer, '}')
	if len(w.buffer) > maxEvent {
		return nil, fault.New(fault.TooLarge, "the event has %d bytes, more than the %d that an event may have", len(w.buffer), maxEvent)
	}
	return append(json.RawMessage(nil), w.buffer...), nil
}

// identity is what an event must say to be acceptable.
type identity struct {
	kind  string
	owned bool // by a user or an anonymous id
	what  bool // has the field that events of its type need
}

func (k *identity) check() error {
	if !k.owned {
		return fault.Field("user_id", "user_id and anonymous_id are both empty")
	}
	if needed := eventTypes[k.kind]; needed != "" && !k.what {
		return fault.Field(needed, "it is empty, and a %s event needs it", k.kind)
	}
	return nil
}

// field writes the value of one field of the message; false if it is to be left out.
func (w *eventWriter) field(scope *expr.MappingScope, field *eventField, known *identity, messageID func() string) (bool, error) {
	switch field.field {
	case "type":
		known.kind = field.fixed
		if field.fixed == "" {
			value, err := w.text(scope, field)
			if err != nil {
				return false, err
			}
			if _, ok := eventTypes[value]; !ok {
				return false, fault.Field("type", "%q is not a type of event: use identify, track, page, screen, group or alias", value)
			}
			known.kind = value
		}
		w.buffer = expr.AppendJSONText(w.buffer, known.kind)
		return true, nil
	case "timestamp":
		return true, w.timestamp(scope, field)
	case "properties", "traits", "context":
		return w.object(scope, &field.shape)
	case "message_id":
		id := ""
		if field.shape.expr != nil {
			var err error
			if id, err = w.text(scope, field); err != nil {
				return false, err
			}
		}
		if id == "" {
			id = messageID()
		}
		w.buffer = expr.AppendJSONText(w.buffer, id)
		return true, nil
	}
	value, err := w.text(scope, field)
	if err != nil || value == "" {
		return false, err
	}
	switch field.field {
	case "user_id", "anonymous_id":
		known.owned = true
	case eventTypes[known.kind]:
		known.what = true
	}
	w.buffer = expr.AppendJSONText(w.buffer, value)
	return true, nil
}

func (w *eventWriter) name(name string) {
	if last := w.buffer[len(w.buffer)-1]; last != '{' && last != '[' {
		w.buffer = append(w.buffer, ',')
	}
	w.buffer = expr.AppendJSONText(w.buffer, name)
	w.buffer = append(w.buffer, ':')
}

func (w *eventWriter) text(scope *expr.MappingScope, field *eventField) (string, error) {
	value, err := field.shape.expr.Eval(scope)
	if err != nil {
		return "", inField(field.field, err)
	}
	text, err := textOf(value)
	if err != nil {
		return "", inField(field.field, err)
	}
	return text, nil
}

func (w *eventWriter) timestamp(scope *expr.MappingScope, field *eventField) error {
	value, err := field.shape.expr.Eval(scope)
	if err != nil {
		return inField("timestamp", err)
	}
	switch value.Kind {
	case expr.MappingTime:
		w.buffer = value.AppendJSON(w.buffer)
		return nil
	case expr.MappingText:
		at, err := time.Parse(time.RFC3339Nano, value.Text)
		if err != nil {
			return fault.Field("timestamp", "%q is not a time such as 2011-12-10T08:00:00Z: use timestamp(text, layout, zone)", value.Text)
		}
		w.buffer = append(w.buffer, '"')
		w.buffer = at.UTC().AppendFormat(w.buffer, time.RFC3339Nano)
		w.buffer = append(w.buffer, '"')
		return nil
	case expr.MappingNull:
		return fault.Field("timestamp", "it is empty: what happened in the past needs its time")
	}
	return fault.Field("timestamp", "%s is not a time: use timestamp(text, layout, zone)", value.AppendJSON(nil))
}

// object writes properties, traits or context.
func (w *eventWriter) object(scope *expr.MappingScope, s *shape) (bool, error) {
	start := len(w.buffer)
	wrote, err := w.shape(scope, s)
	if err != nil || !wrote {
		return false, err
	}
	if w.buffer[start] != '{' {
		return false, fault.Field(s.field, "the result must be an object, not %s", w.buffer[start:min(len(w.buffer), start+40)])
	}
	return true, nil
}

// shape writes a value; false if it is to be left out.
func (w *eventWriter) shape(scope *expr.MappingScope, s *shape) (bool, error) {
	switch s.kind {
	case shapeComputed:
		value, err := s.expr.Eval(scope)
		if err != nil {
			return false, inField(s.field, err)
		}
		if value.Kind == expr.MappingNull {
			return false, nil
		}
		w.buffer = value.AppendJSON(w.buffer)
		return true, nil
	case shapeObject:
		return true, w.members(scope, s)
	case shapeList:
		return true, w.elements(scope, s)
	case shapeItems:
		w.writeItems()
		return true, nil
	case shapeExternalIDs:
		return w.externalIDs(scope, s)
	}
	return false, nil
}

func (w *eventWriter) members(scope *expr.MappingScope, s *shape) error {
	w.buffer = append(w.buffer, '{')
	for i := range s.object {
		before := len(w.buffer)
		w.name(s.object[i].name)
		wrote, err := w.shape(scope, &s.object[i].shape)
		if err != nil {
			return err
		}
		if !wrote {
			w.buffer = w.buffer[:before]
		}
	}
	w.buffer = append(w.buffer, '}')
	return nil
}

func (w *eventWriter) elements(scope *expr.MappingScope, s *shape) error {
	w.buffer = append(w.buffer, '[')
	for i := range s.list {
		before := len(w.buffer)
		if w.buffer[before-1] != '[' {
			w.buffer = append(w.buffer, ',')
		}
		wrote, err := w.shape(scope, &s.list[i])
		if err != nil {
			return err
		}
		if !wrote {
			w.buffer = w.buffer[:before]
		}
	}
	w.buffer = append(w.buffer, ']')
	return nil
}

func (w *eventWriter) externalIDs(scope *expr.MappingScope, s *shape) (bool, error) {
	start := len(w.buffer)
	w.buffer = append(w.buffer, '[')
	for i := range s.object {
		value, err := s.object[i].shape.evalText(scope)
		if err != nil {
			return false, err
		}
		if value == "" {
			continue
		}
		if len(w.buffer) > start+1 {
			w.buffer = append(w.buffer, ',')
		}
		w.buffer = append(w.buffer, `{"type":`...)
		w.buffer = expr.AppendJSONText(w.buffer, s.object[i].name)
		w.buffer = append(w.buffer, `,"id":`...)
		w.buffer = expr.AppendJSONText(w.buffer, value)
		w.buffer = append(w.buffer, '}')
	}
	w.buffer = append(w.buffer, ']')
	return len(w.buffer) > start+2, nil
}

func (s *shape) evalText(scope *expr.MappingScope) (string, error) {
	if s.expr == nil {
		return "", fault.Field(s.field, "it must be an expression")
	}
	value, err := s.expr.Eval(scope)
	if err != nil {
		return "", inField(s.field, err)
	}
	text, err := textOf(value)
	if err != nil {
		return "", inField(s.field, err)
	}
	return text, nil
}

func (w *eventWriter) writeItems() {
	w.buffer = append(w.buffer, '[')
	for i := range w.items {
		if i > 0 {
			w.buffer = append(w.buffer, ',')
		}
		w.buffer = append(w.buffer, '{')
		for j, value := range w.items[i].Values {
			if value.Kind == expr.MappingNull {
				continue
			}
			w.name(w.plan.item[j].Name)
			w.buffer = value.AppendJSON(w.buffer)
		}
		w.buffer = append(w.buffer, '}')
		if len(w.buffer) > 2*maxEvent {
			break // too large already; event refuses it
		}
	}
	w.buffer = append(w.buffer, ']')
}

// rowMessageID identifies a row by where it stands and what it says, so that the same file gives the same ids and
// another file of the same name does not.
func rowMessageID(source string, line int64, row string) string {
	sum := sha256.Sum256([]byte(row))
	return source + "-" + strconv.FormatInt(line, 10) + "-" + hex.EncodeToString(sum[:8])
}

// keyMessageID identifies a gathered event by its key.
func keyMessageID(source, key string) string {
	const longest = 128
	if len(key) > longest {
		sum := sha256.Sum256([]byte(key))
		key = hex.EncodeToString(sum[:])
	}
	return source + "-" + key
}
