package expr

import (
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// The naive reading of sequence(…): a function of the history, the steps and the forbidden as lists of events, and the
// limits. Each step of the chain fills in one of its arguments.
const (
	naiveSequence  = "@sequence"
	atForbidden    = 2
	atLength       = 3 // µs; 0 for any
	atDuring       = 4 // µs; 0 for all time
	atFrom, atTo   = 5, 6
	sequenceLength = 8 // arguments, the present last
)

func sequenceFunction() cel.EnvOption {
	list := cel.ListType(cel.DynType)
	return cel.Function(naiveSequence, cel.Overload(naiveSequence,
		[]*cel.Type{list, list, list, cel.IntType, cel.IntType, cel.IntType, cel.IntType, cel.TimestampType}, cel.BoolType,
		cel.FunctionBinding(hasSequence)))
}

// sequenceMacro begins a chain.
func sequenceMacro() cel.Macro {
	return cel.GlobalVarArgMacro("sequence", func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		return eh.NewCall(naiveSequence, eh.NewIdent(historyVar), eh.NewList(eventLists(eh, args)...), eh.NewList(),
			eh.NewLiteral(types.Int(0)), eh.NewLiteral(types.Int(0)), eh.NewLiteral(types.Int(always.from)), eh.NewLiteral(types.Int(always.to)),
			eh.NewIdent("now")), nil
	})
}

// eventLists writes names as the lists of their events.
func eventLists(eh cel.MacroExprFactory, args []ast.Expr) []ast.Expr {
	lists := make([]ast.Expr, len(args))
	for i, arg := range args {
		lists[i] = arg
		if _, ok := literalString(arg); ok {
			lists[i] = eh.NewCall("@events", eh.NewIdent(historyVar), arg)
		}
	}
	return lists
}

// isSequence reports whether a macro stands behind a sequence.
func isSequence(target ast.Expr) bool {
	return target.Kind() == ast.CallKind && target.AsCall().FunctionName() == naiveSequence
}

// refined is the sequence with some arguments replaced.
func refined(eh cel.MacroExprFactory, target ast.Expr, args map[int]ast.Expr) ast.Expr {
	all := slices.Clone(target.AsCall().Args())
	for i, arg := range args {
		all[i] = arg
	}
	return eh.NewCall(naiveSequence, all...)
}

func literalInt(e ast.Expr) int64 {
	n, _ := e.AsLiteral().(types.Int)
	return int64(n)
}

// refinements are the macros of the steps that only a sequence has.
func refinements() []cel.Macro {
	return []cel.Macro{
		cel.ReceiverVarArgMacro("without", func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
			if !isSequence(target) || len(args) == 0 {
				return nil, nil
			}
			have := target.AsCall().Args()[atForbidden].AsList().Elements()
			return refined(eh, target, map[int]ast.Expr{atForbidden: eh.NewList(append(slices.Clone(have), eventLists(eh, args)...)...)}), nil
		}),
		cel.ReceiverMacro("during", 1, func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
			if !isSequence(target) {
				return nil, nil
			}
			return limited(eh, target, atDuring, args[0])
		}),
	}
}

// limited lowers one of the lengths of a sequence.
func limited(eh cel.MacroExprFactory, target ast.Expr, at int, arg ast.Expr) (ast.Expr, *common.Error) {
	d, wrong := windowOf(arg)
	if wrong != nil {
		return nil, eh.NewError(wrong.about.ID(), wrong.problem)
	}
	least := shorter(literalInt(target.AsCall().Args()[at]), d.Microseconds())
	return refined(eh, target, map[int]ast.Expr{at: eh.NewLiteral(types.Int(least))}), nil
}

// hasSequence is the definition of a sequence: is there a pair of events, the first a step one and the last a last step,
// near enough, with nothing forbidden between them, and the other steps between them in order.
func hasSequence(args ...ref.Val) ref.Val {
	lists := func(v ref.Val) (sets []map[string]bool) {
		for it := v.(traits.Lister).Iterator(); it.HasNext() == types.True; {
			set := map[string]bool{}
			for each := it.Next().(traits.Lister).Iterator(); each.HasNext() == types.True; {
				set[string(each.Next().(traits.Indexer).Get(types.String("message_id")).(types.String))] = true
			}
			sets = append(sets, set)
		}
		return sets
	}
	steps, forbidden := lists(args[1]), lists(args[atForbidden])
	number := func(i int) int64 { return int64(args[i].(types.Int)) }
	begin := time.Time{}
	if number(atDuring) > 0 {
		begin = args[sequenceLength-1].(types.Timestamp).Time.Add(-time.Duration(number(atDuring)) * time.Microsecond)
	}
	type happened struct {
		id string
		at time.Time
	}
	var all []happened
	for it := args[0].(traits.Lister).Iterator(); it.HasNext() == types.True; {
		e := it.Next().(traits.Indexer)
		h := happened{string(e.Get(types.String("message_id")).(types.String)), e.Get(types.String("timestamp")).(types.Timestamp).Time}
		has := func(set map[string]bool) bool { return set[h.id] }
		within := h.at.After(begin) && h.at.UnixMicro() >= number(atFrom) && h.at.UnixMicro() < number(atTo)
		if within && (slices.ContainsFunc(steps, has) || slices.ContainsFunc(forbidden, has)) {
			all = append(all, h)
		}
	}
	all = all[max(0, len(all)-maxSequence):]
	for i, first := range all {
		if !steps[0][first.id] {
			continue
		}
		done := 1
		for _, h := range all[i+1:] {
			if number(atLength) > 0 && h.at.Sub(first.at) > time.Duration(number(atLength))*time.Microsecond {
				break
			}
			if done < len(steps) && steps[done][h.id] {
				if done++; done == len(steps) {
					return types.True
				}
			}
			if slices.ContainsFunc(forbidden, func(set map[string]bool) bool { return set[h.id] }) {
				break
			}
		}
	}
	return types.False
}
