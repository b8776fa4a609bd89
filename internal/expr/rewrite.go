package expr

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// The operators that nullSafe replaces by functions that know what missing means.
var nullSafeNames = map[string]string{
	operators.Equals: "@eq", operators.NotEquals: "@ne", operators.Less: "@lt", operators.LessEquals: "@le",
	operators.Greater: "@gt", operators.GreaterEquals: "@ge",
	operators.Add: "@add", operators.Subtract: "@sub", operators.Multiply: "@mul", operators.Divide: "@div",
}

// nullSafeFunctions declares them. They take anything, errors too.
func nullSafeFunctions() []cel.EnvOption {
	dyn := cel.DynType
	binary := func(name string, result *cel.Type, fn func(a, b ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.Overload(name, []*cel.Type{dyn, dyn}, result, cel.OverloadIsNonStrict(), cel.BinaryBinding(fn)))
	}
	unary := func(name string, fn func(v ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.Overload(name, []*cel.Type{dyn}, cel.BoolType, cel.OverloadIsNonStrict(), cel.UnaryBinding(fn)))
	}
	ordered := func(name string, holds func(c int) bool) cel.EnvOption {
		return binary(name, cel.BoolType, func(a, b ref.Val) ref.Val {
			c, ok := compare(a, b)
			return types.Bool(ok && holds(c))
		})
	}
	calendar := func(name string, count func(d, today date) int) cel.EnvOption {
		return cel.Function(name, cel.Overload(name, []*cel.Type{dyn, dyn, dyn}, dyn, cel.FunctionBinding(overCalendar(count))))
	}
	return []cel.EnvOption{
		calendar("@anniversary", untilAnniversary), calendar("@years", yearsSince),
		unary("@true", func(v ref.Val) ref.Val { return types.Bool(v == types.True) }),
		unary("@has", func(v ref.Val) ref.Val { return types.Bool(!isMissing(v)) }),
		binary("@eq", cel.BoolType, func(a, b ref.Val) ref.Val { return types.Bool(equal(a, b)) }),
		binary("@ne", cel.BoolType, func(a, b ref.Val) ref.Val {
			return types.Bool(!isMissing(a) && !isMissing(b) && !equal(a, b))
		}),
		ordered("@lt", func(c int) bool { return c < 0 }),
		ordered("@le", func(c int) bool { return c <= 0 }),
		ordered("@gt", func(c int) bool { return c > 0 }),
		ordered("@ge", func(c int) bool { return c >= 0 }),
		binary("@add", dyn, arithmetic(operators.Add)), binary("@sub", dyn, arithmetic(operators.Subtract)),
		binary("@mul", dyn, arithmetic(operators.Multiply)), binary("@div", dyn, arithmetic(operators.Divide)),
		binary("@age", dyn, func(now, then ref.Val) ref.Val {
			at, ok := asTime(then).(types.Timestamp)
			if !ok {
				return missingValue
			}
			return types.Duration{Duration: now.(types.Timestamp).Time.Sub(at.Time)}
		}),
	}
}

// arithmetic computes numbers of mixed kinds as doubles and leaves the rest to CEL.
func arithmetic(operator string) func(a, b ref.Val) ref.Val {
	return func(a, b ref.Val) ref.Val {
		if isMissing(a) || isMissing(b) {
			return missingValue
		}
		if isNumber(a) && isNumber(b) && a.Type() != b.Type() {
			a, b = a.ConvertToType(types.DoubleType), b.ConvertToType(types.DoubleType)
		}
		return calculate(operator, a, b)
	}
}

// nullSafe rewrites a parsed expression in place so that missing values follow the rules of value.go. It returns e.
func nullSafe(e ast.Expr) ast.Expr {
	fac := ast.NewExprFactory()
	switch e.Kind() {
	case ast.CallKind:
		nullSafeCall(fac, e)
	case ast.SelectKind:
		sel := e.AsSelect()
		nullSafe(sel.Operand())
		if sel.IsTestOnly() {
			field := fac.NewSelect(e.ID(), sel.Operand(), sel.FieldName())
			e.SetKindCase(fac.NewCall(e.ID(), "@has", field))
		}
	case ast.ListKind:
		for _, item := range e.AsList().Elements() {
			nullSafe(item)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			nullSafe(entry.AsMapEntry().Key())
			nullSafe(entry.AsMapEntry().Value())
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		for _, part := range []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()} {
			nullSafe(part)
		}
	}
	return e
}

func nullSafeCall(fac ast.ExprFactory, e ast.Expr) {
	call := e.AsCall()
	if call.IsMemberFunction() {
		nullSafe(call.Target())
	}
	args := call.Args()
	for _, arg := range args {
		nullSafe(arg)
	}
	name := call.FunctionName()
	switch name {
	case operators.LogicalAnd, operators.LogicalOr:
		e.SetKindCase(fac.NewCall(e.ID(), name, truth(fac, args[0]), truth(fac, args[1])))
	case operators.LogicalNot:
		e.SetKindCase(fac.NewCall(e.ID(), name, truth(fac, args[0])))
	case operators.Conditional:
		e.SetKindCase(fac.NewCall(e.ID(), name, truth(fac, args[0]), args[1], args[2]))
	case operators.Equals, operators.NotEquals:
		// x == null asks whether x is missing.
		for i, arg := range args {
			if arg.Kind() != ast.LiteralKind || arg.AsLiteral() != types.NullValue {
				continue
			}
			has := fac.NewCall(e.ID(), "@has", args[1-i])
			if name == operators.Equals {
				has = fac.NewCall(e.ID(), operators.LogicalNot, has)
			}
			e.SetKindCase(has)
			return
		}
		e.SetKindCase(fac.NewCall(e.ID(), nullSafeNames[name], args...))
	case "age":
		e.SetKindCase(fac.NewCall(e.ID(), "@age", fac.NewIdent(e.ID(), "now"), args[0]))
	case "anniversary", "years":
		zone := fac.NewLiteral(e.ID(), types.String("UTC"))
		if len(args) == 2 {
			zone = args[1]
		}
		e.SetKindCase(fac.NewCall(e.ID(), "@"+name, fac.NewIdent(e.ID(), "now"), args[0], zone))
	case "duration":
		if text, ok := literalString(args[0]); ok {
			if d, err := ParseDuration(text); err == nil {
				e.SetKindCase(fac.NewLiteral(e.ID(), types.Duration{Duration: d}))
			}
		}
	case "timestamp":
		if text, ok := literalString(args[0]); ok {
			if t, err := ParseTime(text); err == nil {
				e.SetKindCase(fac.NewLiteral(e.ID(), types.Timestamp{Time: t}))
			}
		}
	default:
		if safe, ok := nullSafeNames[name]; ok {
			e.SetKindCase(fac.NewCall(e.ID(), safe, args...))
		}
	}
}

// truth makes sure that e is a boolean: missing is false.
func truth(fac ast.ExprFactory, e ast.Expr) ast.Expr {
	if e.Kind() == ast.CallKind {
		switch e.AsCall().FunctionName() {
		case "@eq", "@ne", "@lt", "@le", "@gt", "@ge", "@has", "@true", operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
			return e
		}
	}
	return fac.NewCall(e.ID(), "@true", e)
}

// lenient is the decorator that makes the failure of any other function, a field of what has no fields, and a loop over
// what is no list a missing value.
func lenient(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	if attribute, ok := i.(interpreter.InterpretableAttribute); ok {
		return lenientAttribute{attribute}, nil
	}
	if _, ok := i.(interpreter.InterpretableConst); ok {
		return i, nil
	}
	return lenientPart{i}, nil
}

type lenientPart struct{ interpreter.InterpretableV2 }

func (l lenientPart) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return orMissing(l.InterpretableV2.Exec(frame))
}

func (l lenientPart) Eval(a interpreter.Activation) ref.Val {
	return orMissing(l.InterpretableV2.Eval(a))
}

type lenientAttribute struct {
	interpreter.InterpretableAttribute
}

func (l lenientAttribute) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return orMissing(l.InterpretableAttribute.Exec(frame))
}

func (l lenientAttribute) Eval(a interpreter.Activation) ref.Val {
	return orMissing(l.InterpretableAttribute.Eval(a))
}

func orMissing(v ref.Val) ref.Val {
	if types.IsError(v) {
		return missingValue
	}
	return v
}
