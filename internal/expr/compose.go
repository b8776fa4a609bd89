package expr

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// composed are the reducers that are made of the terms of others. Each is given a function that makes the term of a
// reducer over the same events.
var composed = map[string]func(fac ast.ExprFactory, id int64, args []ast.Expr, term func(reducer string, args []ast.Expr) ast.Expr) (ast.Expr, *complaint){
	"days":         daysOf,
	"frequency":    frequencyOf,
	"lifecycle":    lifecycleOf,
	"top_interest": topInterestOf,
}

// daysOf counts the different days on which events were.
func daysOf(fac ast.ExprFactory, id int64, args []ast.Expr, term func(string, []ast.Expr) ast.Expr) (ast.Expr, *complaint) {
	zone, wrong := zoneOf(args)
	if wrong != nil {
		return nil, wrong
	}
	variable := fac.NewIdent(id, eventVariable)
	day := fac.NewCall(id, "@day", fac.NewSelect(id, variable, "timestamp"), fac.NewLiteral(id, types.String(zone.String())))
	return term("distinct", []ast.Expr{variable, day}), nil
}

// frequencyOf sets the number of events against the time from the first to the last.
func frequencyOf(fac ast.ExprFactory, id int64, args []ast.Expr, term func(string, []ast.Expr) ast.Expr) (ast.Expr, *complaint) {
	period, wrong := windowOf(args[0])
	if wrong != nil {
		return nil, wrong
	}
	count, first, last := term("count", nil), term("first", nil), term("last", nil)
	if count == nil || first == nil || last == nil {
		return nil, nil
	}
	return fac.NewCall(id, "@pace", count, first, last, fac.NewLiteral(id, types.Int(period.Microseconds()))), nil
}

// paceOf is how many events come in a period, of n that came in a time: the first only begins the time.
func paceOf(n, period, took int64) ref.Val {
	if n < 2 || took <= 0 {
		return missingValue
	}
	return types.Double(float64(n-1) * float64(period) / float64(took))
}

// frequencyFunctions declares what the terms become, and the naive readings.
func frequencyFunctions() []cel.EnvOption {
	dyn := cel.DynType
	naive := func(name string, most func() int) cel.EnvOption {
		return cel.Function(name, cel.Overload(name, []*cel.Type{cel.ListType(dyn), cel.IntType}, cel.DoubleType,
			cel.BinaryBinding(func(list, period ref.Val) ref.Val { return naiveFrequency(list, int64(period.(types.Int)), most()) })))
	}
	return []cel.EnvOption{
		naive("@frequency", func() int { return 1 << 62 }), naive("@"+bounded+"frequency", func() int { return maxEntries }),
		cel.Function("@pace", cel.Overload("@pace", []*cel.Type{dyn, dyn, dyn, cel.IntType}, dyn, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			n, _ := args[0].(types.Int)
			first, begun := args[1].(types.Timestamp)
			last, ended := args[2].(types.Timestamp)
			if !begun || !ended {
				return missingValue
			}
			return paceOf(int64(n), int64(args[3].(types.Int)), last.UnixMicro()-first.UnixMicro())
		}))),
		cel.Function("@day", cel.Overload("@day", []*cel.Type{dyn, cel.StringType}, dyn, cel.BinaryBinding(func(at, zone ref.Val) ref.Val {
			moment, ok := at.(types.Timestamp)
			location, err := mappingZones.get(string(zone.(types.String)), time.LoadLocation)
			if !ok || err != nil {
				return missingValue
			}
			return types.Int(dateIn(moment.Time, location).Unix() / (24 * 60 * 60))
		}))),
	}
}

// naiveFrequency walks through the gaps between the newest events of a list.
func naiveFrequency(list ref.Val, period int64, most int) ref.Val {
	moments := timesOf(list, most)
	var gaps time.Duration
	for i := 1; i < len(moments); i++ {
		gaps += moments[i].Sub(moments[i-1])
	}
	return paceOf(int64(len(moments)), period, gaps.Microseconds())
}

// timesOf are the times of the newest events of a list, oldest first.
func timesOf(list ref.Val, most int) []time.Time {
	var moments []time.Time
	for it := list.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		if at, ok := it.Next().(traits.Indexer).Get(types.String("timestamp")).(types.Timestamp); ok {
			moments = append(moments, at.Time)
		}
	}
	return moments[max(0, len(moments)-most):]
}

// composedMacros write them naively: a day as CEL's own functions tell it.
func composedMacros() []cel.Macro {
	days := func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		zone, wrong := zoneOf(args)
		if wrong != nil {
			return nil, eh.NewError(wrong.about.ID(), wrong.problem)
		}
		part := func(name string, factor int) ast.Expr {
			of := eh.NewMemberCall(name, eh.NewSelect(eh.NewIdent(eventVariable), "timestamp"), eh.NewLiteral(types.String(zone.String())))
			return eh.NewCall(operators.Multiply, of, eh.NewLiteral(types.Int(factor)))
		}
		day := eh.NewCall(operators.Add, part("getFullYear", 10000), eh.NewCall(operators.Add, part("getMonth", 100), part("getDate", 1)))
		all, err := cel.MapMacro.Expander()(eh, target, []ast.Expr{eh.NewIdent(eventVariable), day})
		if err != nil {
			return nil, err
		}
		return eh.NewCall(naiveName("distinct", target), all), nil
	}
	return []cel.Macro{
		lifecycleMacro(0), lifecycleMacro(1), lifecycleMacro(3), fadingMacro("decayed", 1), fadingMacro("interests", 3), fadingMacro("top_interest", 3),
		cel.ReceiverMacro("days", 0, days),
		cel.ReceiverMacro("days", 1, days),
		cel.ReceiverMacro("frequency", 1, func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
			period, wrong := windowOf(args[0])
			if wrong != nil {
				return nil, eh.NewError(wrong.about.ID(), wrong.problem)
			}
			return eh.NewCall(naiveName("frequency", target), target, eh.NewLiteral(types.Int(period.Microseconds()))), nil
		}),
	}
}
