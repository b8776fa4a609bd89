package expr

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/stdlib"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// mappingOperator is an operator of CEL that also takes a whole number beside a double, which makes it a double: of numbers in JSON
// nobody knows which of the two the next row has.
type mappingOperator struct {
	name, sign string
	apply      func(a, b ref.Val) ref.Val // nil: a has no such operator
}

var mappingOperators = []mappingOperator{
	{operators.Add, "+", func(a, b ref.Val) ref.Val {
		if x, ok := a.(traits.Adder); ok {
			return x.Add(b)
		}
		return nil
	}},
	{operators.Subtract, "-", func(a, b ref.Val) ref.Val {
		if x, ok := a.(traits.Subtractor); ok {
			return x.Subtract(b)
		}
		return nil
	}},
	{operators.Multiply, "*", func(a, b ref.Val) ref.Val {
		if x, ok := a.(traits.Multiplier); ok {
			return x.Multiply(b)
		}
		return nil
	}},
	{operators.Divide, "/", func(a, b ref.Val) ref.Val {
		if x, ok := a.(traits.Divider); ok {
			return x.Divide(b)
		}
		return nil
	}},
}

// mappingBase is CEL's own library with these operators in the place of its.
var mappingBase = sync.OnceValues(func() (*cel.Env, error) {
	own := map[string]mappingOperator{}
	without := env.NewLibrarySubset()
	for _, o := range mappingOperators {
		own[o.name] = o
		without.AddExcludedFunctions(env.NewFunction(o.name))
	}
	options := []cel.EnvOption{cel.StdLib(cel.StdLibSubset(without)), cel.EagerlyValidateDeclarations(true)}
	for _, standard := range stdlib.Functions() {
		o, ok := own[standard.Name()]
		if !ok {
			continue
		}
		var overloads []cel.FunctionOpt
		for _, one := range standard.OverloadDecls() {
			overloads = append(overloads, decls.Overload(one.ID(), one.ArgTypes(), one.ResultType()))
		}
		overloads = append(overloads,
			decls.Overload("mapping_int_double"+o.name, []*cel.Type{cel.IntType, cel.DoubleType}, cel.DoubleType),
			decls.Overload("mapping_double_int"+o.name, []*cel.Type{cel.DoubleType, cel.IntType}, cel.DoubleType),
			decls.SingletonBinaryBinding(o.calculate))
		options = append(options, cel.Function(o.name, overloads...))
	}
	return cel.NewCustomEnv(options...)
})

func (o mappingOperator) calculate(a, b ref.Val) ref.Val {
	if types.IsUnknownOrError(a) {
		return a
	}
	if types.IsUnknownOrError(b) {
		return b
	}
	switch x := a.(type) {
	case types.Int:
		if _, ok := b.(types.Double); ok {
			a = types.Double(x)
		}
	case types.Double:
		if y, ok := b.(types.Int); ok {
			b = types.Double(y)
		}
	}
	result := o.apply(a, b)
	if failed, ok := result.(*types.Err); result == nil || ok && failed.Is(noSuchOverload) {
		return o.refuse(a, b)
	}
	return result
}

var noSuchOverload = types.MaybeNoSuchOverloadErr(nil).(*types.Err)

// refuse says why two values do not go together, and what to do.
func (o mappingOperator) refuse(a, b ref.Val) ref.Val {
	left, right := mappingTypeName(a), mappingTypeName(b)
	mend := ""
	switch {
	case left == "null" || right == "null":
		mend = ": a value is missing; coalesce(row.X, 0) puts another in its place, and where leaves the row out"
	case left == "string" || right == "string":
		mend = ": double(row.X) makes a number of a text, string(row.X) a text of a number"
	}
	return types.NewErr("%s %s %s cannot be calculated%s", left, o.sign, right, mend)
}

func mappingTypeName(v ref.Val) string {
	if v == types.NullValue {
		return "null"
	}
	return v.Type().TypeName()
}
