package expr

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// calculate applies an arithmetic operator of CEL; what it cannot do is missing.
func calculate(operator string, a, b ref.Val) ref.Val {
	result := missingValue
	switch operator {
	case operators.Add:
		if x, ok := a.(traits.Adder); ok {
			result = x.Add(b)
		}
	case operators.Subtract:
		if x, ok := a.(traits.Subtractor); ok {
			result = x.Subtract(b)
		}
	case operators.Multiply:
		if x, ok := a.(traits.Multiplier); ok {
			result = x.Multiply(b)
		}
	case operators.Divide:
		if x, ok := a.(traits.Divider); ok {
			result = x.Divide(b)
		}
	}
	if isMissing(result) {
		return missingValue
	}
	return result
}
