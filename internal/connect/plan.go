package connect

import (
	"errors"
	"slices"

	"github.com/tailorbird/tailorbird/internal/expr"
)

// plan is a mapping bound to the columns of one file, with every expression compiled. It is read by several
// goroutines and does not change.
type plan struct {
	columns int // 0 where rows are JSON
	where   *expr.MappingExpr
	key     *expr.MappingExpr   // nil where each row is an event
	item    []expr.MappingField // what a gathered row becomes
	fields  []eventField
	types   map[string]bool
	source  string
	head    []int // columns that the fields of a gathered event read, of its first row
}

// eventField is one field of the message and how it is made.
type eventField struct {
	field, message string
	fixed          string // type only: the word itself
	shape          shape
}

// shape is a JSON value to be filled in.
type shape struct {
	kind   shapeKind
	field  string            // path in the mapping, for errors
	expr   *expr.MappingExpr // of a computed value
	object []shapeMember     // of an object, or of external ids
	list   []shape           // of a list
}

type shapeKind uint8

const (
	shapeNull     shapeKind = iota // left out
	shapeComputed                  // what the expression gives
	shapeObject
	shapeList
	shapeItems       // the gathered items
	shapeExternalIDs // [{"type":name,"id":value}, …]
)

type shapeMember struct {
	name  string
	shape shape
}

// bind compiles the mapping for the given columns, nil where rows are JSON objects. All that is wrong is reported
// together.
func (m *Mapping) bind(columns []string, source string) (*plan, error) {
	rows, err := expr.NewMappingEnv(columns, nil)
	if err != nil {
		return nil, err
	}
	return m.bindTo(rows, columns, source)
}

// bindTo is bind with the environment of the rows at hand.
func (m *Mapping) bindTo(rows *expr.MappingEnv, columns []string, source string) (_ *plan, err error) {
	b := &binder{rows: rows, events: rows}
	p := &plan{columns: len(columns), source: source, types: map[string]bool{}}
	if m.where != nil {
		p.where = b.compile(rows, m.where)
	}
	if m.gathers {
		p.key = b.compile(rows, m.key)
		for _, entry := range m.item.object {
			if compiled := b.compile(rows, entry.value); compiled != nil {
				p.item = append(p.item, expr.MappingField{Name: entry.name, Expr: compiled})
			}
		}
		if len(b.errs) > 0 {
			return nil, errors.Join(b.errs...)
		}
		if b.events, err = expr.NewMappingEnv(columns, p.item); err != nil {
			return nil, err
		}
	}
	for _, known := range eventFields {
		p.bindField(b, m, known.field, known.message)
	}
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	p.head = b.head()
	return p, nil
}

func (p *plan) bindField(b *binder, m *Mapping, name, message string) {
	written := m.fields[name]
	field := eventField{field: name, message: message}
	switch name {
	case "type":
		if _, fixed := eventTypes[written.text]; fixed {
			field.fixed = written.text
			p.fields = append(p.fields, field)
			return
		}
	case "external_ids":
		return // part of context
	}
	if written != nil {
		field.shape = b.shape(written)
	}
	if name == "context" && m.fields["external_ids"] != nil {
		ids := b.shape(m.fields["external_ids"])
		ids.kind = shapeExternalIDs
		field.shape.kind, field.shape.field = shapeObject, "context"
		field.shape.object = append(field.shape.object, shapeMember{"externalIds", ids})
	}
	if m.gathers && name == m.place[0] {
		field.shape.kind, field.shape.field = shapeObject, name
		if err := field.shape.placeItems(m.place[1:]); err != nil {
			b.errs = append(b.errs, m.key.fail("gather.items: %s already has a value: choose another place", name))
		}
	}
	if written != nil || field.shape.kind != shapeNull || name == "message_id" {
		p.fields = append(p.fields, field)
	}
}

var errPlaceTaken = errors.New("place taken")

// placeItems puts the list of items at a path below s.
func (s *shape) placeItems(path []string) error {
	for i := range s.object {
		if s.object[i].name != path[0] {
			continue
		}
		if len(path) == 1 || s.object[i].shape.kind != shapeObject {
			return errPlaceTaken
		}
		return s.object[i].shape.placeItems(path[1:])
	}
	below := shape{kind: shapeItems}
	if len(path) > 1 {
		below.kind = shapeObject
		if err := below.placeItems(path[1:]); err != nil {
			return err
		}
	}
	s.object = append(s.object, shapeMember{path[0], below})
	return nil
}

// binder compiles the expressions of one mapping and collects what is wrong with them.
type binder struct {
	rows, events *expr.MappingEnv
	errs         []error
	columns      []int
}

func (b *binder) compile(env *expr.MappingEnv, from *node) *expr.MappingExpr {
	compiled, err := env.Compile(from.text)
	if err != nil {
		b.errs = append(b.errs, from.at(err))
		return nil
	}
	return compiled
}

func (b *binder) shape(from *node) shape {
	s := shape{field: from.field}
	switch {
	case from.isNull:
		s.kind = shapeNull
	case from.isText:
		s.kind = shapeComputed
		if s.expr = b.compile(b.events, from); s.expr != nil {
			b.columns = append(b.columns, s.expr.Columns()...)
		}
	case from.object != nil:
		s.kind = shapeObject
		for _, entry := range from.object {
			s.object = append(s.object, shapeMember{entry.name, b.shape(entry.value)})
		}
	default:
		s.kind = shapeList
		for _, element := range from.list {
			s.list = append(s.list, b.shape(element))
		}
	}
	return s
}

func (b *binder) head() []int {
	slices.Sort(b.columns)
	return slices.Compact(b.columns)
}
