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

// topInterestOf is the greatest of the interests.
func topInterestOf(fac ast.ExprFactory, id int64, args []ast.Expr, term func(string, []ast.Expr) ast.Expr) (ast.Expr, *complaint) {
	interests := term("interests", args)
	if interests == nil {
		return nil, nil
	}
	return fac.NewCall(id, "@top", interests), nil
}

// topOf is the name with the greatest share; of two as great, the smaller one.
func topOf(shares ref.Val) ref.Val {
	m, ok := export(shares).(map[string]any)
	if !ok {
		return missingValue
	}
	best, most := "", -1.0
	for name, v := range m {
		if share, ok := v.(float64); ok && (share > most || share == most && name < best) {
			best, most = name, share
		}
	}
	if best == "" {
		return missingValue
	}
	return types.String(best)
}

// fadingMacro writes what fades as a function over the list of [time, value], or of [time], of each event.
func fadingMacro(name string, arguments int) cel.Macro {
	return cel.ReceiverMacro(name, arguments, func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		halfLife, wrong := halfLifeOf(args[arguments-1])
		if wrong != nil {
			return nil, eh.NewError(wrong.about.ID(), wrong.problem)
		}
		variable, parts := eh.NewIdent(eventVariable), []ast.Expr(nil)
		if arguments == 3 {
			if args[0].Kind() != ast.IdentKind {
				return nil, eh.NewError(args[0].ID(), "begins with a name for the event, such as e")
			}
			variable, parts = args[0], []ast.Expr{args[1]}
		}
		pair := eh.NewList(append([]ast.Expr{eh.NewSelect(eh.NewIdent(variable.AsIdent()), "timestamp")}, parts...)...)
		pairs, err := cel.MapMacro.Expander()(eh, target, []ast.Expr{variable, pair})
		if err != nil {
			return nil, err
		}
		return eh.NewCall("@"+name, pairs, eh.NewLiteral(types.Int(halfLife)), eh.NewIdent("now")), nil
	})
}

// fadingFunctions declares what the terms become, and the naive readings.
func fadingFunctions() []cel.EnvOption {
	naive := func(name string, result *cel.Type, read func(pairs []fadingPair, halfLife time.Duration, today int64) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.Overload(name, []*cel.Type{cel.ListType(cel.DynType), cel.IntType, cel.TimestampType}, result,
			cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				halfLife, now := time.Duration(args[1].(types.Int)), args[2].(types.Timestamp).Time
				today := daysTo(now)
				return read(fadingPairs(args[0].(traits.Lister), halfLife, today), halfLife, today)
			})))
	}
	return []cel.EnvOption{
		naive("@decayed", cel.DoubleType, func(pairs []fadingPair, halfLife time.Duration, today int64) ref.Val {
			return types.Double(weigh(pairs, halfLife, today))
		}),
		naive("@interests", cel.MapType(cel.StringType, cel.DoubleType), func(pairs []fadingPair, halfLife time.Duration, _ int64) ref.Val {
			shares, _ := naiveShares(pairs, halfLife)
			if len(shares) == 0 {
				return missingValue
			}
			return adapter{}.NativeToValue(shares)
		}),
		naive("@top_interest", cel.StringType, func(pairs []fadingPair, halfLife time.Duration, _ int64) ref.Val {
			_, names := naiveShares(pairs, halfLife)
			if len(names) == 0 {
				return missingValue
			}
			return types.String(names[0])
		}),
		cel.Function("@top", cel.Overload("@top", []*cel.Type{cel.DynType}, cel.DynType, cel.UnaryBinding(topOf))),
	}
}

// fadingPair is an event's day and its value.
type fadingPair struct {
	day  int64
	name string
}

// daysTo counts the midnights until a time.
func daysTo(at time.Time) int64 {
	return time.Date(at.UTC().Year(), at.UTC().Month(), at.UTC().Day(), 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}

// fadingPairs are the pairs that are seen: of values that have a name, younger than the horizon, and of the newest days
// that are within the bound together.
func fadingPairs(list traits.Lister, halfLife time.Duration, today int64) []fadingPair {
	var all []fadingPair
	for it := list.Iterator(); it.HasNext() == types.True; {
		item := it.Next().(traits.Lister)
		at, ok := item.Get(types.Int(0)).(types.Timestamp)
		p := fadingPair{day: daysTo(at.Time)}
		if ok && item.Size() == types.Int(2) {
			p.name, ok = interestName(export(item.Get(types.Int(1))))
		}
		if ok && today-p.day < horizonOf(halfLife) {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b fadingPair) int { return int(b.day - a.day) })
	different, seen := map[fadingPair]bool{}, 0
	for from := 0; from < len(all); {
		to := from
		for ; to < len(all) && all[to].day == all[from].day; to++ {
			different[all[to]] = true
		}
		if len(different) > maxFading {
			break
		}
		from, seen = to, to
	}
	return all[:seen]
}

// weigh adds up what events count on a day.
func weigh(pairs []fadingPair, halfLife time.Duration, today int64) float64 {
	total := 0.0 // of whole numbers, and far from what a float64 cannot hold exactly
	for _, p := range pairs {
		total += float64(weightOf(today-p.day, halfLife))
	}
	return total / wholeWeight
}

// naiveShares weighs the events of each value by themselves, seen from the newest, and gives the heaviest with their names
// in order.
func naiveShares(pairs []fadingPair, halfLife time.Duration) (map[string]any, []string) {
	byName := map[string][]fadingPair{}
	for _, p := range pairs {
		byName[p.name] = append(byName[p.name], p)
	}
	var names []string
	share := map[string]float64{}
	for name, own := range byName {
		names = append(names, name)
		share[name] = weigh(own, halfLife, pairs[0].day) / weigh(pairs, halfLife, pairs[0].day)
	}
	slices.SortFunc(names, func(a, b string) int {
		if share[a] > share[b] || share[a] == share[b] && a < b {
			return -1
		}
		return 1
	})
	names = names[:min(len(names), maxInterests)]
	top := map[string]any{}
	for _, name := range names {
		top[name] = share[name]
	}
	return top, names
}
