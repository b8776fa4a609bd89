package expr

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// calculate applies an arithmetic operator of CEL; what it cannot do is missing.
func calculate(operator string, a, b ref.Val) ref.Val {
	result := operate(operator, a, b)
	if result == nil || isMissing(result) {
		return missingValue
	}
	return result
}

// operate applies an operator as the first value does; nil where that knows no such operator.
func operate(operator string, a, b ref.Val) ref.Val {
	switch operator {
	case operators.Add:
		if x, ok := a.(traits.Adder); ok {
			return x.Add(b)
		}
	case operators.Subtract:
		if x, ok := a.(traits.Subtractor); ok {
			return x.Subtract(b)
		}
	case operators.Multiply:
		if x, ok := a.(traits.Multiplier); ok {
			return x.Multiply(b)
		}
	case operators.Divide:
		if x, ok := a.(traits.Divider); ok {
			return x.Divide(b)
		}
	}
	return nil
}
