package expr

import (
	"math"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// clock is a comparison with the present. From the value that it looks at it knows when its outcome can next change.
type clock struct {
	moving  ast.Expr // the side of it that is the present or counts from it
	value   code
	changes func(v ref.Val, now time.Time) []time.Time
}

// clockFunctions are the functions of the present. Each must stand beside a fixed value, for only then is it known when
// the comparison will turn.
var clockFunctions = map[string]struct {
	wants   string // what it must be compared with
	changes func(args []ast.Expr, operator string, fixed ast.Expr) func(ref.Val, time.Time) []time.Time
}{
	"age": {`a fixed duration, such as age(profile.last_order_at) < duration("30d")`, ageClock},
	"anniversary": {"a number of days, such as anniversary(profile.birthday) <= 7", func(args []ast.Expr, _ string, fixed ast.Expr) func(ref.Val, time.Time) []time.Time {
		return calendarClock(args, fixed, anniversaryChanges)
	}},
	"years": {"a number, such as years(profile.birthday) >= 18", func(args []ast.Expr, _ string, fixed ast.Expr) func(ref.Val, time.Time) []time.Time {
		return calendarClock(args, fixed, yearsChanges)
	}},
}

func ageClock(_ []ast.Expr, operator string, fixed ast.Expr) func(ref.Val, time.Time) []time.Time {
	if !isRelation(operator) || fixed.Kind() != ast.CallKind || fixed.AsCall().FunctionName() != "duration" || len(fixed.AsCall().Args()) != 1 {
		return nil
	}
	text, _ := literalString(fixed.AsCall().Args()[0])
	d, err := ParseDuration(text)
	if err != nil {
		return nil
	}
	return timeChanges(d)
}

// timeChanges are the changes of a comparison of the present with a time and an offset.
func timeChanges(offset time.Duration) func(ref.Val, time.Time) []time.Time {
	return func(v ref.Val, _ time.Time) []time.Time {
		at, ok := asTime(v).(types.Timestamp)
		if !ok {
			return nil
		}
		due := at.Time.Add(offset)
		return []time.Time{due, due.Add(time.Microsecond)} // >= and < change at the first, > and <= at the second
	}
}

// maxCalendarNumber bounds what a count of days or years is compared with.
const maxCalendarNumber = 10_000

func calendarClock(args []ast.Expr, fixed ast.Expr, changes func(date, float64, time.Time, *time.Location) []time.Time) func(ref.Val, time.Time) []time.Time {
	number, ok := literalNumber(fixed)
	if !ok || math.Abs(number) > maxCalendarNumber {
		return nil
	}
	zone, wrong := zoneOf(args[1:])
	if wrong != nil {
		return nil
	}
	return func(v ref.Val, now time.Time) []time.Time {
		d, ok := asDate(v, zone)
		if !ok {
			return nil
		}
		return changes(d, number, now, zone)
	}
}

// zoneOf reads the argument that names a time zone; UTC where there is none.
func zoneOf(args []ast.Expr) (*time.Location, *complaint) {
	if len(args) == 0 {
		return time.UTC, nil
	}
	text, ok := literalString(args[0])
	if !ok || text == "" || text == "Local" {
		return nil, &complaint{args[0], `takes the name of a time zone in quotes, such as "Europe/Berlin"`}
	}
	zone, err := time.LoadLocation(text)
	if err != nil {
		return nil, &complaint{args[0], text + ` is no time zone; write for instance "Europe/Berlin"`}
	}
	return zone, nil
}

func literalNumber(e ast.Expr) (float64, bool) {
	if e.Kind() != ast.LiteralKind {
		return 0, false
	}
	switch n := e.AsLiteral().(type) {
	case types.Int:
		return float64(n), true
	case types.Double:
		return float64(n), true
	}
	return 0, false
}

func isRelation(name string) bool {
	switch name {
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		return true
	}
	return false
}

func isComparison(name string) bool {
	return isRelation(name) || name == operators.Equals || name == operators.NotEquals
}

// liftClock handles a comparison whose outcome the passing of time changes: a function of the present with a fixed
// value, or a time with now. It notes when that will be.
func (l *lifter) liftClock(operator string, moving, fixed ast.Expr) bool {
	var then ast.Expr
	var changes func(ref.Val, time.Time) []time.Time
	switch {
	case isIdent(moving, "now") && isRelation(operator):
		then, changes = fixed, timeChanges(0)
	case moving.Kind() == ast.CallKind && len(moving.AsCall().Args()) > 0:
		call := moving.AsCall()
		f, ok := clockFunctions[call.FunctionName()]
		if !ok {
			return false
		}
		if then, changes = call.Args()[0], f.changes(call.Args(), operator, fixed); changes == nil {
			return false
		}
	default:
		return false
	}
	if len(l.locals) > 0 {
		l.fail(moving, "cannot depend on the time of day inside a loop over a list")
		return true
	}
	l.lift(then)
	if len(l.errs) > 0 {
		return true
	}
	copied := ast.NewExprFactory().CopyExpr(then)
	value, err := l.program.coded(l.tree, copied)
	if err != nil {
		l.errs = append(l.errs, err)
		return true
	}
	l.program.clocks = append(l.program.clocks, clock{moving, value, changes})
	return true
}
