package expr

import (
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/parser"
)

// mappingFunctions are what a mapping has beyond CEL's own: docs/import.md describes them.
func mappingFunctions() []cel.EnvOption {
	text := func(name string, convert func(string) string) cel.EnvOption {
		return cel.Function(name, cel.Overload("mapping_"+name, []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.String(convert(string(v.(types.String)))) })))
	}
	options := []cel.EnvOption{
		text("trim", strings.TrimSpace),
		text("lower", strings.ToLower),
		text("upper", strings.ToUpper),
		cel.Function("number",
			cel.Overload("mapping_number", []*cel.Type{cel.StringType}, cel.DoubleType,
				cel.UnaryBinding(func(v ref.Val) ref.Val { return mappingNumber(string(v.(types.String)), ".") })),
			cel.Overload("mapping_number_mark", []*cel.Type{cel.StringType, cel.StringType}, cel.DoubleType,
				cel.BinaryBinding(func(v, mark ref.Val) ref.Val {
					return mappingNumber(string(v.(types.String)), string(mark.(types.String)))
				}))),
		cel.Function("timestamp",
			cel.Overload("mapping_timestamp_layout", []*cel.Type{cel.StringType, cel.StringType}, cel.TimestampType,
				cel.BinaryBinding(func(v, layout ref.Val) ref.Val {
					return parseMappingTime(string(v.(types.String)), string(layout.(types.String)), "UTC")
				})),
			cel.Overload("mapping_timestamp_layout_zone", []*cel.Type{cel.StringType, cel.StringType, cel.StringType}, cel.TimestampType,
				cel.FunctionBinding(func(args ...ref.Val) ref.Val {
					return parseMappingTime(string(args[0].(types.String)), string(args[1].(types.String)), string(args[2].(types.String)))
				}))),
		cel.Function(mappingSumName, cel.Overload("mapping_sum", []*cel.Type{cel.ListType(cel.DynType)}, cel.DynType,
			cel.UnaryBinding(mappingSum))),
		cel.Function("round",
			cel.Overload("mapping_round", []*cel.Type{cel.DoubleType, cel.IntType}, cel.DoubleType,
				cel.BinaryBinding(func(v, places ref.Val) ref.Val {
					return mappingRound(float64(v.(types.Double)), int64(places.(types.Int)))
				})),
			cel.Overload("mapping_round_int", []*cel.Type{cel.IntType, cel.IntType}, cel.DoubleType,
				cel.BinaryBinding(func(v, places ref.Val) ref.Val {
					return mappingRound(float64(v.(types.Int)), int64(places.(types.Int)))
				}))),
		cel.Macros(parser.NewGlobalMacro("sum", 3, expandMappingSum)),
	}
	return append(options, mappingCoalesce())
}

// mappingCoalesce gives the first argument that is neither null nor empty text, else null.
func mappingCoalesce() cel.EnvOption {
	pick := func(args ...ref.Val) ref.Val {
		for _, value := range args {
			if value != types.NullValue && value != types.String("") {
				return value
			}
		}
		return types.NullValue
	}
	const most = 8
	var overloads []cel.FunctionOpt
	for n := 1; n <= most; n++ {
		arguments := make([]*cel.Type, n)
		for i := range arguments {
			arguments[i] = cel.DynType
		}
		name := "mapping_coalesce_" + strconv.Itoa(n)
		switch n {
		case 1:
			overloads = append(overloads, cel.Overload(name, arguments, cel.DynType, cel.UnaryBinding(func(v ref.Val) ref.Val { return pick(v) })))
		case 2:
			overloads = append(overloads, cel.Overload(name, arguments, cel.DynType, cel.BinaryBinding(func(a, b ref.Val) ref.Val { return pick(a, b) })))
		default:
			overloads = append(overloads, cel.Overload(name, arguments, cel.DynType, cel.FunctionBinding(pick)))
		}
	}
	return cel.Function("coalesce", overloads...)
}

const mappingSumName = "@sum"

// expandMappingSum turns sum(list, i, term) into @sum(list.map(i, term)).
func expandMappingSum(helper parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
	terms, err := parser.MakeMap(helper, args[0], args[1:])
	if err != nil {
		return nil, err
	}
	return helper.NewCall(mappingSumName, terms), nil
}

// mappingSum adds numbers; null terms count as nothing. Whole numbers give a whole number. Others are added with Neumaier's
// compensation (Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, 1974) and the result is
// rounded to the fifteen digits that a double keeps of any decimal, counted from the largest term: sums of money come
// out as the decimals that they are.
func mappingSum(list ref.Val) ref.Val {
	var (
		whole             int64
		total, correction float64
		largest           float64
		fractions         bool
	)
	for it := list.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		var term float64
		switch v := it.Next().(type) {
		case types.Null:
			continue
		case types.Int:
			next := whole + int64(v)
			if (next > whole) != (v > 0) && v != 0 {
				return types.NewErr("sum: the whole numbers exceed 64 bits")
			}
			whole = next
			continue
		case types.Double:
			term = float64(v)
		default:
			return types.NewErr("sum: a %s is not a number", v.Type().TypeName())
		}
		fractions = true
		next := total + term
		if math.Abs(total) >= math.Abs(term) {
			correction += (total - next) + term
		} else {
			correction += (term - next) + total
		}
		total = next
		largest = max(largest, math.Abs(term), math.Abs(total))
	}
	if !fractions {
		return types.Int(whole)
	}
	result := total + correction + float64(whole)
	largest = max(largest, math.Abs(float64(whole)))
	if largest == 0 || math.IsInf(largest, 0) || math.IsNaN(result) {
		return types.Double(result)
	}
	return mappingRound(result, int64(14-math.Floor(math.Log10(largest))))
}

// mappingRound gives the nearest decimal with so many places after the point; negative places round to tens, hundreds, ….
func mappingRound(value float64, places int64) ref.Val {
	if places > 300 || math.IsNaN(value) || math.IsInf(value, 0) {
		return types.Double(value)
	}
	if places < 0 {
		unit := math.Pow(10, float64(min(-places, 308)))
		return types.Double(math.Round(value/unit) * unit)
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(value, 'f', int(places), 64), 64)
	if err != nil {
		return types.NewErr("round: %v", err)
	}
	if rounded == 0 {
		rounded = 0 // not minus zero
	}
	return types.Double(rounded)
}

// mappingNumber reads a decimal as people write it: mark is the decimal mark, "." or ","; spaces and the other mark group
// digits and are dropped.
func mappingNumber(text, mark string) ref.Val {
	group := ","
	switch mark {
	case ".":
	case ",":
		group = "."
	default:
		return types.NewErr("number: the decimal mark must be \".\" or \",\", not %s", mappingQuote(mark))
	}
	plain := strings.NewReplacer(group, "", " ", "", "\u00a0", "", "\u202f", "", "'", "", mark, ".").Replace(strings.TrimSpace(text))
	value, err := strconv.ParseFloat(plain, 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return types.NewErr("%s is not a number", mappingQuote(text))
	}
	return types.Double(value)
}
