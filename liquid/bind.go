package liquid

import (
	"context"
	"reflect"
)

// Bound is a template whose variables are bound to the fields of a struct type, so that a rendering finds them by
// their place in memory instead of by name. It is safe for concurrent use.
type Bound[T any] struct {
	template *Template
	shape    *shape
	fields   []*shapeField // by slot of the template; nil where T has no such field
}

// Bind binds a template to the struct type T. A field is the variable named by its `liquid` or `json` tag, else by its
// Go name; variables without a field are missing. Fields may hold whatever data maps may hold. The error is an *Error
// of kind ArgumentError if T is no struct.
func Bind[T any](t *Template) (*Bound[T], error) {
	goType := reflect.TypeFor[T]()
	if goType.Kind() != reflect.Struct {
		return nil, newError(ArgumentError, "only structs can be bound, not "+goType.String())
	}
	s := shapeOf(goType)
	if s.fields == nil {
		return nil, newError(ArgumentError, goType.String()+" has no fields that templates see")
	}
	b := &Bound[T]{template: t, shape: s, fields: make([]*shapeField, len(t.program.names))}
	for name, slot := range t.program.symbols {
		b.fields[slot] = s.field(name)
	}
	return b, nil
}

// Render is Template.Render with a struct for data. The struct is only read.
func (b *Bound[T]) Render(ctx context.Context, data *T) (string, error) {
	return b.template.render(ctx, b.input(data))
}

// AppendRender is Template.AppendRender with a struct for data. The struct is only read.
func (b *Bound[T]) AppendRender(ctx context.Context, buf []byte, data *T) ([]byte, error) {
	return b.template.appendRender(ctx, buf, b.input(data))
}

func (b *Bound[T]) input(data *T) input {
	if data == nil {
		data = new(T)
	}
	return input{record: recordOf(b.shape, recordPtr(data)), fields: b.fields}
}

// input is the data of a rendering: a map, or a struct that was bound, with its fields by slot of the template.
type input struct {
	values map[string]any
	record Value
	fields []*shapeField
}

// get returns a variable of the data by its name.
func (in *input) get(name string) (Value, bool) {
	if x, ok := in.values[name]; ok {
		return ValueOf(x), true
	}
	return in.record.Get(name)
}

// at returns the variable of a slot, if the data is a struct that has it.
func (in *input) at(slot int32) (Value, bool) {
	if field := in.fields[slot]; field != nil {
		return field.valueIn(in.record.ref.(recordPtr)), true
	}
	return Nil, false
}

// hash returns the data as one value.
func (in *input) hash() Value {
	if in.record.kind == kindHash {
		return in.record
	}
	return Value{kind: kindHash, ref: in.values}
}
