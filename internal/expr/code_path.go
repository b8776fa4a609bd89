package expr

import (
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"
)

// path is a chain of fields from a profile's record or an event's properties, such as profile.address.city.
type path struct {
	root  func(f *frame) (any, bool)
	steps []string
}

// path makes a path of selections and of indexes that are literal texts; nil where e is something else.
func (c *coder) path(e ast.Expr) *path {
	operand, field, ok := step(e)
	if !ok {
		return nil
	}
	if operand.Kind() == ast.IdentKind {
		if root := c.root(operand.AsIdent(), field); root != nil {
			return &path{root: root}
		}
		return nil
	}
	if inner, name, ok := step(operand); ok && name == "properties" && c.variable != "" && isIdent(inner, c.variable) {
		return &path{root: func(f *frame) (any, bool) { return f.event.property(field) }}
	}
	p := c.path(operand)
	if p != nil {
		p.steps = append(p.steps, field)
	}
	return p
}

// step reads one selection.
func step(e ast.Expr) (operand ast.Expr, field string, ok bool) {
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().Operand(), e.AsSelect().FieldName(), !e.AsSelect().IsTestOnly()
	case ast.CallKind:
		if call := e.AsCall(); call.FunctionName() == operators.Index && !call.IsMemberFunction() {
			field, ok = literalString(call.Args()[1])
			return call.Args()[0], field, ok
		}
	}
	return nil, "", false
}

func (c *coder) root(name, field string) func(f *frame) (any, bool) {
	if c.variable != "" {
		if name == c.variable && field != "properties" {
			return func(f *frame) (any, bool) { return f.event.field(field) }
		}
		return nil
	}
	switch name {
	case "profile":
		return func(f *frame) (any, bool) { return f.scope.Trait(field) }
	case "preferences":
		return func(f *frame) (any, bool) { return f.scope.Preference(field) }
	case "consent":
		return func(f *frame) (any, bool) { return f.scope.consent(field) }
	}
	return nil
}

// native follows the path to a plain value; nil where there is none, or where something on the way has no fields.
func (p *path) native(f *frame) any {
	v, ok := p.root(f)
	if !ok {
		return nil
	}
	for _, name := range p.steps {
		switch have := v.(type) {
		case map[string]any:
			v = have[name]
		case nil, string, float64, bool, []any, time.Time:
			return nil
		default:
			indexer, ok := adapter{}.NativeToValue(have).(traits.Indexer)
			if !ok {
				return nil
			}
			v = indexer.Get(types.String(name))
		}
	}
	return v
}

func (p *path) code() code {
	if len(p.steps) == 0 {
		root := p.root
		return func(f *frame) datum {
			v, ok := root(f)
			if !ok {
				return missingDatum
			}
			return datumOfAny(v)
		}
	}
	return func(f *frame) datum { return datumOfAny(p.native(f)) }
}

// datumOfAny takes a plain value.
func datumOfAny(v any) datum {
	switch v := v.(type) {
	case nil:
		return missingDatum
	case string:
		return datum{kept: keptText(v)}
	case float64:
		return datumNumber(v)
	case bool:
		return datum{kept: keptBool(v)}
	case time.Time:
		return datum{kept: keptTime(v)}
	}
	return datumOf(adapter{}.NativeToValue(v))
}
