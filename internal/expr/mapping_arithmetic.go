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
)

// mappingSigns are the operators of CEL that in a mapping also take a whole number beside a double, which makes it a double: of numbers
// in JSON nobody knows which of the two the next row has.
var mappingSigns = map[string]string{operators.Add: "+", operators.Subtract: "-", operators.Multiply: "*", operators.Divide: "/"}

// mappingBase is CEL's own library with these operators in the place of its.
var mappingBase = sync.OnceValues(func() (*cel.Env, error) {
	without := env.NewLibrarySubset()
	for operator := range mappingSigns {
		without.AddExcludedFunctions(env.NewFunction(operator))
	}
	options := []cel.EnvOption{cel.StdLib(cel.StdLibSubset(without)), cel.EagerlyValidateDeclarations(true)}
	for _, standard := range stdlib.Functions() {
		operator := standard.Name()
		if mappingSigns[operator] == "" {
			continue
		}
		var overloads []cel.FunctionOpt
		for _, one := range standard.OverloadDecls() {
			overloads = append(overloads, decls.Overload(one.ID(), one.ArgTypes(), one.ResultType()))
		}
		overloads = append(overloads,
			decls.Overload("mapping_int_double"+operator, []*cel.Type{cel.IntType, cel.DoubleType}, cel.DoubleType),
			decls.Overload("mapping_double_int"+operator, []*cel.Type{cel.DoubleType, cel.IntType}, cel.DoubleType),
			decls.SingletonBinaryBinding(func(a, b ref.Val) ref.Val { return mappingCalculate(operator, a, b) }))
		options = append(options, cel.Function(operator, overloads...))
	}
	return cel.NewCustomEnv(options...)
})

func mappingCalculate(operator string, a, b ref.Val) ref.Val {
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
	result := operate(operator, a, b)
	if failed, ok := result.(*types.Err); result == nil || ok && failed.Is(noSuchOverload) {
		return mappingRefuse(operator, a, b)
	}
	return result
}

var noSuchOverload = types.MaybeNoSuchOverloadErr(nil).(*types.Err)

// mappingRefuse says why two values do not go together, and what to do.
func mappingRefuse(operator string, a, b ref.Val) ref.Val {
	left, right := mappingTypeName(a), mappingTypeName(b)
	mend := ""
	switch {
	case left == "null" || right == "null":
		mend = ": a value is missing; coalesce(row.X, 0) puts another in its place, and where leaves the row out"
	case left == "string" || right == "string":
		mend = ": double(row.X) makes a number of a text, string(row.X) a text of a number"
	}
	return types.NewErr("%s %s %s cannot be calculated%s", left, mappingSigns[operator], right, mend)
}

func mappingTypeName(v ref.Val) string {
	if v == types.NullValue {
		return "null"
	}
	return v.Type().TypeName()
}
