package expr

import (
	"regexp"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types/traits"
)

// call makes code of the calls of the core that need not give a boolean; nil for others.
func (c *coder) call(e ast.Expr) code {
	call := e.AsCall()
	args := call.Args()
	if call.IsMemberFunction() {
		return c.textCall(e)
	}
	switch name := call.FunctionName(); name {
	case operators.Conditional:
		condition, then, otherwise := c.test(args[0]), c.code(args[1]), c.code(args[2])
		return func(f *frame) datum {
			if condition(f) {
				return then(f)
			}
			return otherwise(f)
		}
	case operators.Index:
		if p := c.path(e); p != nil {
			return p.code()
		}
	case operators.In:
		return c.in(args[0], args[1])
	case "@add", "@sub", "@mul", "@div":
		a, b, operator := c.code(args[0]), c.code(args[1]), arithmeticOf[name]
		return func(f *frame) datum { return calculateData(operator, a(f), b(f)) }
	case "@part":
		return c.part(args)
	case "@age":
		now, then := c.code(args[0]), c.code(args[1])
		return func(f *frame) datum {
			at := then(f).asTime()
			if at.kind != kindTime {
				return missingDatum
			}
			return datumDuration(now(f).time().Sub(at.time()))
		}
	}
	return nil
}

// textFunctions ask of two texts.
var textFunctions = map[string]func(s, part string) bool{
	"startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix, "contains": strings.Contains,
}

// textCall makes code of a question about a text. Where the operand is no text, CEL knows whether the function has another
// meaning.
func (c *coder) textCall(e ast.Expr) code {
	call := e.AsCall()
	name, args := call.FunctionName(), call.Args()
	if len(args) != 1 {
		return nil
	}
	if name == "matches" {
		return c.matches(e)
	}
	ask := textFunctions[name]
	if ask == nil {
		return nil
	}
	s, part, general := c.code(call.Target()), c.code(args[0]), c.cel(e)
	return func(f *frame) datum {
		a, b := s(f), part(f)
		switch {
		case a.kind == kindText && b.kind == kindText:
			return datum{kept: keptBool(ask(a.text, b.text))}
		case a.kind == kindMissing || b.kind == kindMissing:
			return missingDatum
		}
		return general(f)
	}
}

// matches makes code of a match with a pattern that is a literal.
func (c *coder) matches(e ast.Expr) code {
	text, ok := literalString(e.AsCall().Args()[0])
	if !ok {
		return nil
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		return nil
	}
	s := c.code(e.AsCall().Target())
	return func(f *frame) datum {
		d := s(f)
		if d.kind != kindText {
			return missingDatum
		}
		return datum{kept: keptBool(pattern.MatchString(d.text))}
	}
}

// in asks whether a list has an item. Unlike ==, it does not read texts as times.
func (c *coder) in(item, list ast.Expr) code {
	if isIdent(list, "segments") {
		return nil
	}
	x := c.code(item)
	if literals, ok := literalItems(list); ok {
		return func(f *frame) datum {
			d := x(f)
			for _, have := range literals {
				if sameData(d, have) {
					return datum{kept: keptBool(true)}
				}
			}
			return datum{kept: keptBool(false)}
		}
	}
	p := c.path(list)
	if p == nil {
		return nil
	}
	return func(f *frame) datum {
		d, v := x(f), p.native(f)
		if list, ok := v.([]any); ok {
			for _, have := range list {
				if sameData(d, datumOfAny(have)) {
					return datum{kept: keptBool(true)}
				}
			}
			return datum{kept: keptBool(false)}
		}
		container, ok := adapter{}.NativeToValue(v).(traits.Container)
		if !ok {
			return missingDatum
		}
		return datumOf(container.Contains(d.ref()))
	}
}

// literalItems reads a list of literals.
func literalItems(list ast.Expr) ([]datum, bool) {
	if list.Kind() != ast.ListKind {
		return nil, false
	}
	var items []datum
	for _, item := range list.AsList().Elements() {
		if item.Kind() != ast.LiteralKind {
			return nil, false
		}
		items = append(items, datumOf(item.AsLiteral()))
	}
	return items, true
}

// arithmeticOf is the operator that a null-safe function stands for.
var arithmeticOf = map[string]string{
	"@add": operators.Add, "@sub": operators.Subtract, "@mul": operators.Multiply, "@div": operators.Divide,
}

// calculateData does what arithmetic does, with numbers at once.
func calculateData(operator string, a, b datum) datum {
	switch {
	case a.kind == kindMissing || b.kind == kindMissing:
		return missingDatum
	case a.isNumber() && b.isNumber() && (a.kind == kindNumber || b.kind == kindNumber):
		x, y := a.float(), b.float()
		switch operator {
		case operators.Add:
			x += y
		case operators.Subtract:
			x -= y
		case operators.Multiply:
			x *= y
		default:
			x /= y
		}
		return datumNumber(x)
	case a.kind == kindInt && b.kind == kindInt && a.small() && b.small():
		switch x, y := a.int(), b.int(); {
		case operator == operators.Add:
			return datumInt(x + y)
		case operator == operators.Subtract:
			return datumInt(x - y)
		case operator == operators.Multiply:
			return datumInt(x * y)
		case y != 0:
			return datumInt(x / y)
		}
		return missingDatum
	}
	return datumOf(arithmetic(operator)(a.ref(), b.ref()))
}

// small reports whether no operation on an integer and another such one overflows.
func (d datum) small() bool { return d.int() > -1<<31 && d.int() < 1<<31 }

func (d datum) isNumber() bool { return d.kind == kindNumber || d.kind == kindInt }

// float is the number of a kindNumber or kindInt.
func (d datum) float() float64 {
	if d.kind == kindInt {
		return float64(d.int())
	}
	return d.number()
}

func datumDuration(d time.Duration) datum {
	return datum{kept: kept{kind: kindDuration, bits: uint64(d)}}
}
