package expr

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

// Names inside a compiled expression that nobody can write.
const (
	historyVar = "@history" // the profile's events, for the naive evaluation
	termPrefix = "@term"    // the value of a behaviour term, for the incremental one
)

// Purposes for which a customer may allow mail, each asked as consent.PURPOSE; consentTrait is what events change when
// they speak of it.
var Purposes = []string{"marketing"}

const consentTrait = "subscribed"

// shape is what a function over events takes: nothing, a variable and an expression over it, a text, or three arguments.
type shape struct{ bare, valued, text, three bool }

func (s shape) takes(arguments int) bool {
	return arguments < 4 && [...]bool{s.bare, s.text, s.valued, s.three}[arguments]
}

// The functions over events. The three arguments of lifecycle are texts; elsewhere a text follows variable and expression.
var reducers = map[string]shape{
	"count":       {bare: true},
	"exists":      {bare: true},
	"first":       {bare: true, valued: true},
	"last":        {bare: true, valued: true},
	"sum":         {valued: true},
	"avg":         {valued: true},
	"min":         {valued: true},
	"max":         {valued: true},
	"distinct":    {valued: true},
	"most_common": {valued: true},
	"days":        {bare: true, text: true},
	"frequency":   {text: true},
	"lifecycle":   {bare: true, text: true, three: true},
	"decayed":     {text: true},
	"interests":   {three: true},

	"top_interest": {three: true},
}

// Function is one entry of the vocabulary that editors offer.
type Function struct {
	Name, Signature, Doc string
}

// Functions lists what a condition can call beyond CEL's own functions.
func Functions() []Function {
	return []Function{
		{"events", `events("Name")`, "the customer's events of that name; events() is all of them"},
		{"where", `.where(e, e.properties.x == "y")`, "only the events for which the condition holds"},
		{"within", `.within("90d")`, "only the events of the last 90 days (s, m, h, d, w)"},
		{"between", `.between("2026-11-01", "2026-12-01")`, "only the events from the first time on, and before the second (UTC)"},
		{"before", `.before("2026-12-01")`, "only the events before that time"},
		{"after", `.after("2026-11-01")`, "only the events from that time on"},
		{"count", `.count()`, "how many events"},
		{"exists", `.exists()`, "whether there is one"},
		{"sum", `.sum(e, e.properties.total)`, "the sum of a number over the events; 0 when there are none"},
		{"avg", `.avg(e, e.properties.total)`, "the mean of a number over the events"},
		{"min", `.min(e, e.properties.price)`, "the smallest value"},
		{"max", `.max(e, e.properties.price)`, "the largest value"},
		{"distinct", `.distinct(e, e.properties.category)`, "how many different values"},
		{"most_common", `.most_common(e, e.properties.category)`, "the most frequent value; the smaller one of two as frequent"},
		{"days", `.days() or .days("Europe/Berlin")`, "on how many days of the calendar, in UTC or in a time zone"},
		{"frequency", `.frequency("30d")`, "how many come in that time, on average from the first to the last"},
		{"lifecycle", `.lifecycle() or .lifecycle("30d", "90d", "180d")`, "new, active, at_risk, lapsed or lost: by the customer's own rhythm, or by time since the last event"},
		{"decayed", `.decayed("30d")`, "how many events, each counting half as much after every such time"},
		{"interests", `.interests(e, e.properties.category, "30d")`, "the share of each value, events counting half as much after every such time"},
		{"top_interest", `.top_interest(e, e.properties.category, "30d")`, "the value with the greatest share"},
		{"quintile", `quintile(profile.lifetime_value) == 5`, "the fifth of all customers that a value lies in, 5 for the highest"},
		{"quantile", `quantile(profile.lifetime_value, 10) == 10`, "the same with another number of parts, 2 to 100"},
		{"sequence", `sequence("Product Viewed", "Product Added").within("1h")`, "whether events came in this order, the last so soon after the first"},
		{"without", `.without("Order Completed")`, "in a sequence: with none of these in between"},
		{"during", `.during("30d")`, "in a sequence: all of it in the last 30 days"},
		{"first", `.first() or .first(e, e.properties.x)`, "the time, or a value, of the first event"},
		{"last", `.last() or .last(e, e.properties.x)`, "the time, or a value, of the last event"},
		{"age", `age(profile.last_order_at) < duration("30d")`, "how long ago a time was"},
		{"anniversary", `anniversary(profile.birthday) <= 7`, "days until the date's next anniversary, 0 on the day; a time zone may follow"},
		{"years", `years(profile.birthday) >= 18`, "whole years since a date; a time zone may follow"},
		{"fold", `fold(profile.city) == fold("Zürich")`, "a text without differences of case, to compare with another"},
		{"version", `version(profile.app_version) >= version("1.10")`, "a release number, to compare with another"},
		{"distance", `distance(profile.lat, profile.lon, 52.52, 13.405) < 50`, "kilometres between two places, in degrees of latitude and longitude"},
		{"containsAny", `profile.tags.containsAny(["a", "b"])`, "whether a list holds one of these"},
		{"containsAll", `profile.tags.containsAll(["a", "b"])`, "whether a list holds all of these"},
		{"duration", `duration("30d")`, "a length of time (s, m, h, d, w)"},
		{"has", `has(profile.phone)`, "whether there is a value"},
	}
}

// environments are the two readings of one text: checked, where behaviour is a list of events and naive evaluation is
// CEL's own; and raw, where calls on events stay calls, to be lifted into terms.
var environments = sync.OnceValue(func() (e struct{ checked, raw, run *cel.Env }) {
	object := cel.MapType(cel.StringType, cel.DynType)
	events := cel.ListType(cel.DynType)
	language := []cel.EnvOption{
		cel.StdLib(), cel.ClearMacros(), cel.Macros(cel.StandardMacros...), ext.Strings(), ext.Math(), ext.Sets(),
		cel.CustomTypeAdapter(adapter{}), cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		cel.ParserRecursionLimit(64), cel.ParserExpressionSizeLimit(maxSource),
		cel.Variable("profile", object), cel.Variable("preferences", object), cel.Variable("scores", object), cel.Variable("consent", object),
		cel.Variable("segments", cel.ListType(cel.StringType)), cel.Variable("now", cel.TimestampType),
		cel.Variable(historyVar, events),
		cel.Function("age", cel.Overload("age", []*cel.Type{cel.DynType}, cel.DurationType)), // nullSafe replaces these three
		inZone("anniversary"), inZone("years"),
		mixedArithmetic("_+_"), mixedArithmetic("_-_"), mixedArithmetic("_*_"), mixedArithmetic("_/_"),
		cel.Function("@events", cel.Overload("@events", []*cel.Type{events, cel.StringType}, events, cel.BinaryBinding(eventsNamed))),
		cel.Function("@within", cel.Overload("@within", []*cel.Type{events, cel.IntType, cel.TimestampType}, events, cel.FunctionBinding(eventsWithin))),
		cel.Function("@between", cel.Overload("@between", []*cel.Type{events, cel.IntType, cel.IntType}, events, cel.FunctionBinding(eventsBetween))),
	}
	for name, need := range needs {
		if need != needAll && need != needFading {
			language = append(language, naiveReducer(name), naiveReducer(bounded+name))
		}
	}
	language = append(language, attributeFunctions()...)
	language = append(language, frequencyFunctions()...)
	language = append(language, lifecycleFunctions()...)
	language = append(language, fadingFunctions()...)
	language = append(language, quantileFunctions()...)
	language = append(language, sequenceFunction())
	checked, err := cel.NewCustomEnv(append(slices.Clone(language), cel.Macros(behaviourMacros()...))...)
	if err != nil {
		panic(err) // a defect of this file, found by any test
	}
	if e.raw, err = cel.NewCustomEnv(language...); err != nil {
		panic(err)
	}
	if e.run, err = cel.NewCustomEnv(append(slices.Clone(language), nullSafeFunctions()...)...); err != nil {
		panic(err)
	}
	e.checked = checked
	return e
})

// inZone declares a function of a date that takes a time zone, or none.
func inZone(name string) cel.EnvOption {
	return cel.Function(name,
		cel.Overload(name, []*cel.Type{cel.DynType}, cel.IntType),
		cel.Overload(name+"_zone", []*cel.Type{cel.DynType, cel.StringType}, cel.IntType))
}

// mixedArithmetic lets the checker accept an integer literal beside a number of unknown kind; at run time every number
// in an event is a double, and nullSafe does the sum.
func mixedArithmetic(operator string) cel.EnvOption {
	id := strings.Trim(operator, "_")
	return cel.Function(operator,
		cel.Overload("mixed_id"+id, []*cel.Type{cel.IntType, cel.DoubleType}, cel.DoubleType),
		cel.Overload("mixed_di"+id, []*cel.Type{cel.DoubleType, cel.IntType}, cel.DoubleType))
}

// decimals are the functions whose result the checker knows to be a decimal, and would not see equal to a whole number.
var decimals = []string{"@sum", "@avg", "@frequency", "@decayed", "@" + bounded + "sum", "@" + bounded + "avg", "@" + bounded + "frequency", "@" + bounded + "decayed", "distance"}

// mixedEquality writes a whole number beside one of them as a decimal.
func mixedEquality(operator string) cel.Macro {
	return cel.GlobalMacro(operator, 2, func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		for i, arg := range args {
			other := args[1-i]
			if other.Kind() != ast.CallKind || !slices.Contains(decimals, other.AsCall().FunctionName()) || arg.Kind() != ast.LiteralKind {
				continue
			}
			if n, ok := arg.AsLiteral().(types.Int); ok {
				args[i] = eh.NewLiteral(types.Double(n))
			}
		}
		return eh.NewCall(operator, args...), nil
	})
}

// behaviourMacros write behaviour as plain CEL over the list of the profile's events.
func behaviourMacros() []cel.Macro {
	all := func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		name := eh.NewLiteral(types.String(""))
		if len(args) == 1 {
			if _, ok := literalString(args[0]); !ok {
				return nil, eh.NewError(args[0].ID(), `events(...) takes the name of an event in quotes, such as events("Order Completed")`)
			}
			name = args[0]
		}
		return eh.NewCall("@events", eh.NewIdent(historyVar), name), nil
	}
	macros := []cel.Macro{
		mixedEquality(operators.Equals), mixedEquality(operators.NotEquals),
		cel.GlobalMacro("events", 0, all),
		cel.GlobalMacro("events", 1, all),
		cel.ReceiverMacro("where", 2, func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
			return cel.FilterMacro.Expander()(eh, target, args)
		}),
	}
	macros = append(macros, narrowingMacros()...)
	macros = append(macros, composedMacros()...)
	macros = append(macros, refinements()...)
	macros = append(macros, sequenceMacro())
	for name, shape := range reducers {
		if composed[name] != nil || needs[name] == needFading {
			continue
		}
		if shape.bare {
			macros = append(macros, cel.ReceiverMacro(name, 0,
				func(eh cel.MacroExprFactory, target ast.Expr, _ []ast.Expr) (ast.Expr, *common.Error) {
					return eh.NewCall(naiveName(name, target), target), nil
				}))
		}
		if shape.valued {
			macros = append(macros, cel.ReceiverMacro(name, 2,
				func(eh cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
					values, err := cel.MapMacro.Expander()(eh, target, args)
					if err != nil {
						return nil, err
					}
					return eh.NewCall(naiveName(name, target), values), nil
				}))
		}
	}
	return macros
}

// bounded begins the name of a naive reducer that sees no more than a term with a window does.
const bounded = "bounded_"

// naiveName is the naive reducer over a chain of events, which the macros of its steps have already expanded.
func naiveName(name string, chain ast.Expr) string {
	for {
		switch {
		case chain.Kind() == ast.ComprehensionKind:
			chain = chain.AsComprehension().IterRange()
		case chain.Kind() != ast.CallKind || len(chain.AsCall().Args()) == 0 || chain.AsCall().FunctionName() == "@events":
			return "@" + name
		case chain.AsCall().FunctionName() == "@within":
			return "@" + bounded + name
		default:
			chain = chain.AsCall().Args()[0]
		}
	}
}

func literalString(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

func eventsNamed(list, name ref.Val) ref.Val {
	if name == types.String("") {
		return list
	}
	var kept []ref.Val
	for it := list.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		if e := it.Next(); e.(traits.Indexer).Get(types.String("name")) == name {
			kept = append(kept, e)
		}
	}
	return types.NewRefValList(adapter{}, kept)
}

// naiveReducer declares a reducer over a list of values (or of events, for the bare forms), oldest first. It is the
// definition that the incremental aggregates are held against, and so is written without them.
func naiveReducer(name string) cel.EnvOption {
	result := map[string]*cel.Type{
		"count": cel.IntType, "distinct": cel.IntType, "exists": cel.BoolType, "sum": cel.DoubleType, "avg": cel.DoubleType,
	}[strings.TrimPrefix(name, bounded)]
	if result == nil {
		result = cel.DynType
	}
	return cel.Function("@"+name, cel.Overload("@"+name, []*cel.Type{cel.ListType(cel.DynType)}, result,
		cel.UnaryBinding(func(list ref.Val) ref.Val { return naive(name, list.(traits.Lister)) })))
}

func naive(name string, list traits.Lister) ref.Val {
	name, windowed := strings.CutPrefix(name, bounded)
	var values []ref.Val
	for it := list.Iterator(); it.HasNext() == types.True; {
		v := it.Next()
		if r, ok := v.(*record); ok && (name == "first" || name == "last") {
			v = r.Get(types.String("timestamp"))
		}
		if takesPart(name, v) {
			values = append(values, v)
		}
	}
	if windowed {
		values = values[max(len(values)-maxEntries, 0):]
	}
	switch name {
	case "count":
		return types.Int(len(values))
	case "exists":
		return types.Bool(len(values) > 0)
	case "sum", "avg":
		total, n := new(big.Rat), 0
		for _, v := range values {
			total.Add(total, new(big.Rat).SetFloat64(float64(v.ConvertToType(types.DoubleType).(types.Double))))
			n++
		}
		sum, _ := total.Float64()
		if name == "sum" {
			return types.Double(sum)
		}
		if n == 0 {
			return missingValue
		}
		return types.Double(sum / float64(n))
	}
	if len(values) == 0 && name != "distinct" {
		return missingValue
	}
	switch name {
	case "first":
		return adapter{}.NativeToValue(scalar(values[0]))
	case "last":
		return adapter{}.NativeToValue(scalar(values[len(values)-1]))
	case "min", "max":
		var best any
		for _, v := range values {
			v := scalar(v)
			if c := order(v, best); best == nil || c != 0 && (c < 0) == (name == "min") {
				best = v
			}
		}
		return adapter{}.NativeToValue(best)
	}
	counts := map[string]int{}
	for _, v := range values {
		key, _ := countable(export(v))
		counts[key]++
	}
	if name == "distinct" {
		return types.Int(len(counts))
	}
	var best string
	for key, n := range counts {
		if n > counts[best] || n == counts[best] && key < best {
			best = key
		}
	}
	if best == "" {
		return missingValue
	}
	return adapter{}.NativeToValue(uncountable(best))
}

// takesPart reports whether a value counts for a reducer.
func takesPart(name string, v ref.Val) bool {
	switch name {
	case "sum", "avg":
		return summable(v)
	case "min", "max":
		return orderOfKind(scalar(v)) != 0
	case "distinct", "most_common":
		_, ok := countable(export(v))
		return ok
	}
	return !isMissing(v)
}

// greatest bounds the numbers that take part in sums, so that no sum of them can overflow.
const greatest = 1e290

// summable reports whether v takes part in sums and means.
func summable(v ref.Val) bool {
	d, ok := v.ConvertToType(types.DoubleType).(types.Double)
	return ok && isNumber(v) && math.Abs(float64(d)) < greatest
}

func isNumber(v ref.Val) bool {
	switch v.(type) {
	case types.Double, types.Int, types.Uint:
		return true
	}
	return false
}

// countable gives a scalar a key that keeps kinds apart and sorts numbers after strings; ok is false for the rest.
func countable(v any) (key string, ok bool) {
	switch v := v.(type) {
	case string:
		return "a" + v, true
	case bool:
		return "b" + strconv.FormatBool(v), true
	case float64:
		return "c" + strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return "", false
}

// uncountable is the inverse of countable.
func uncountable(key string) any {
	switch key[0] {
	case 'a':
		return key[1:]
	case 'b':
		return key[1:] == "true"
	}
	f, _ := strconv.ParseFloat(key[1:], 64)
	return f
}
