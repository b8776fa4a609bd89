package expr

import (
	"math"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// narrowings are the steps between events(…) and its end, with how many arguments each takes.
var narrowings = map[string]int{"where": 2, "within": 1, "between": 2, "before": 1, "after": 1}

// span is a range of absolute time in µs, from ≤ t < to.
type span struct{ from, to int64 }

var always = span{math.MinInt64, math.MaxInt64}

// and is what both ranges have.
func (s span) and(t span) span { return span{max(s.from, t.from), min(s.to, t.to)} }

// complaint says what is wrong with an argument.
type complaint struct {
	about   ast.Expr
	problem string
}

// spanOf reads the arguments of between, before and after.
func spanOf(name string, args []ast.Expr) (span, *complaint) {
	var moments [2]int64
	for i, arg := range args {
		text, ok := literalString(arg)
		if !ok {
			return span{}, &complaint{arg, name + `(...) takes times in quotes, such as "2026-11-01" or "2026-11-01T09:00:00Z"`}
		}
		t, err := ParseTime(text)
		if err != nil {
			return span{}, &complaint{arg, notATime(text)}
		}
		moments[i] = t.UnixMicro()
	}
	switch name {
	case "before":
		return span{always.from, moments[0]}, nil
	case "after":
		return span{moments[0], always.to}, nil
	}
	if moments[0] >= moments[1] {
		return span{}, &complaint{args[1], "must be later than the first time"}
	}
	return span{moments[0], moments[1]}, nil
}

// windowOf reads the argument of within.
func windowOf(arg ast.Expr) (time.Duration, *complaint) {
	text, ok := literalString(arg)
	if !ok {
		return 0, &complaint{arg, `within(...) takes a duration in quotes, such as within("90d")`}
	}
	d, err := ParseDuration(text)
	if err != nil {
		return 0, &complaint{arg, err.Error()}
	}
	if d <= 0 {
		return 0, &complaint{arg, "a window must be longer than nothing"}
	}
	return d, nil
}

// narrowingMacros write the steps as functions over the list of the profile's events.
func narrowingMacros() []cel.Macro {
	macros := []cel.Macro{
		cel.ReceiverMacro("within", 1, func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
			if isSequence(target) {
				return limited(eh, target, atLength, args[0])
			}
			window, wrong := windowOf(args[0])
			if wrong != nil {
				return nil, eh.NewError(wrong.about.ID(), wrong.problem)
			}
			return eh.NewCall("@within", target, eh.NewLiteral(types.Int(window.Microseconds())), eh.NewIdent("now")), nil
		}),
	}
	for _, name := range []string{"between", "before", "after"} {
		macros = append(macros, cel.ReceiverMacro(name, narrowings[name],
			func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
				s, wrong := spanOf(name, args)
				if wrong != nil {
					return nil, eh.NewError(wrong.about.ID(), wrong.problem)
				}
				if isSequence(target) {
					have := target.AsCall().Args()
					s = s.and(span{literalInt(have[atFrom]), literalInt(have[atTo])})
					return refined(eh, target, map[int]ast.Expr{atFrom: eh.NewLiteral(types.Int(s.from)), atTo: eh.NewLiteral(types.Int(s.to))}), nil
				}
				return eh.NewCall("@between", target, eh.NewLiteral(types.Int(s.from)), eh.NewLiteral(types.Int(s.to))), nil
			}))
	}
	return macros
}

func eventsWithin(args ...ref.Val) ref.Val {
	from := args[2].(types.Timestamp).Time.Add(-time.Duration(args[1].(types.Int)) * time.Microsecond)
	return eventsAt(args[0], func(at time.Time) bool { return at.After(from) })
}

func eventsBetween(args ...ref.Val) ref.Val {
	from, to := int64(args[1].(types.Int)), int64(args[2].(types.Int))
	return eventsAt(args[0], func(at time.Time) bool { return from <= at.UnixMicro() && at.UnixMicro() < to })
}

// eventsAt keeps the events of a list whose time is as wanted.
func eventsAt(list ref.Val, wanted func(time.Time) bool) ref.Val {
	var kept []ref.Val
	for it := list.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		e := it.Next()
		if at, ok := e.(traits.Indexer).Get(types.String("timestamp")).(types.Timestamp); ok && wanted(at.Time) {
			kept = append(kept, e)
		}
	}
	return types.NewRefValList(adapter{}, kept)
}
