package expr

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Quantile is a value whose place among those of all customers a program asks for. Where the parts begin is not known to a
// customer's own events: whoever evaluates the program learns it from the population, and tells it by Scope.Cuts.
type Quantile struct {
	Key   string // the same for the same value and number of parts, whichever program asks
	Parts int    // 2 to MaxParts; customers are cut into so many parts at one point less
	value code
}

// MaxParts bounds the parts of a quantile.
const MaxParts = 100

// cutsVar holds the cut points by key.
const cutsVar = "@cuts"

// Number is the value of a quantile for a profile; false for one that has none, and so takes no part.
func (p *Program) Number(q *Quantile, s *Scope) (float64, bool) { return p.result(q.value, s).place() }

// place is a value as quantiles count: a number, a time in microseconds (a text that can be read as one too), or a length
// of time.
func (d datum) place() (float64, bool) {
	switch d := d.asTime(); d.kind {
	case kindNumber, kindInt:
		return d.float(), true
	case kindTime:
		return float64(d.time().UnixMicro()), true
	case kindDuration:
		return float64(d.int()), true
	case kindOther:
		if n, ok := d.box.(types.Uint); ok {
			return float64(n), true
		}
	}
	return 0, false
}

// partOf is the part in which a number lies, from 1: one more than the cut points below it.
func partOf(x float64, cuts []float64) int64 {
	below, _ := slices.BinarySearch(cuts, x)
	return int64(below) + 1
}

// liftQuantile replaces a quantile by a question for cut points.
func (l *lifter) liftQuantile(e ast.Expr) {
	call := e.AsCall()
	args, parts := call.Args(), 5
	if len(l.locals) > 0 {
		l.fail(e, "%s(...) cannot stand inside a loop over a list", call.FunctionName())
		return
	}
	if call.FunctionName() == "quantile" {
		n, ok := literalNumber(args[1])
		if !ok || n < 2 || n > MaxParts || n != float64(int(n)) {
			l.fail(args[1], "takes a number of parts from 2 to %d, such as quantile(profile.lifetime_value, 10)", MaxParts)
			return
		}
		parts = int(n)
	}
	q := &Quantile{Key: fmt.Sprintf("%d parts of %s", parts, canonical(args[0], "")), Parts: parts}
	if l.lift(args[0]); len(l.errs) > 0 {
		return
	}
	var err error
	if q.value, err = l.program.coded(l.tree, ast.NewExprFactory().CopyExpr(args[0])); err != nil {
		l.errs = append(l.errs, err)
		return
	}
	if !slices.ContainsFunc(l.program.Quantiles, func(have *Quantile) bool { return have.Key == q.Key }) {
		l.program.Quantiles = append(l.program.Quantiles, q)
	}
	line, column := position(l.tree, e.ID())
	l.quantiles[[2]int{line, column}] = q.Key
	askCuts(e, q.Key)
}

// askCuts makes a call of quintile or quantile one that is given the cut points of a key.
func askCuts(e ast.Expr, key string) {
	fac := ast.NewExprFactory()
	cuts := fac.NewCall(e.ID(), operators.Index, fac.NewIdent(e.ID(), cutsVar), fac.NewLiteral(e.ID(), types.String(key)))
	e.SetKindCase(fac.NewCall(e.ID(), "@part", cuts, e.AsCall().Args()[0]))
}

// askNaively does the same in a tree that was not lifted, where the calls stand at the same places.
func (l *lifter) askNaively(tree *ast.AST) {
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "quintile" && e.AsCall().FunctionName() != "quantile" {
			return
		}
		line, column := position(tree, e.ID())
		if key, ok := l.quantiles[[2]int{line, column}]; ok {
			askCuts(e, key)
		}
	}))
}

// part makes code of a question for cut points.
func (c *coder) part(args []ast.Expr) code {
	if args[0].Kind() != ast.CallKind || c.program == nil {
		return nil
	}
	key, ok := literalString(args[0].AsCall().Args()[1])
	if !ok {
		return nil
	}
	value := c.code(args[1])
	return func(f *frame) datum {
		x, ok := value(f).place()
		if !ok || f.scope.Cuts == nil {
			return missingDatum
		}
		cuts := f.scope.Cuts(key)
		if len(cuts) == 0 {
			return missingDatum
		}
		return datumInt(partOf(x, cuts))
	}
}

// cuts shows cut points to CEL.
func (s *Scope) cuts(key string) (any, bool) {
	if s.Cuts == nil {
		return nil, false
	}
	cuts := s.Cuts(key)
	return cuts, len(cuts) > 0
}

// quantileFunctions declares the functions, and what they become.
func quantileFunctions() []cel.EnvOption {
	dyn := cel.DynType
	return []cel.EnvOption{
		cel.Variable(cutsVar, cel.MapType(cel.StringType, dyn)),
		cel.Function("quintile", cel.Overload("quintile", []*cel.Type{dyn}, cel.IntType)), // askCuts replaces these two
		cel.Function("quantile", cel.Overload("quantile", []*cel.Type{dyn, cel.IntType}, cel.IntType)),
		cel.Function("@part", cel.Overload("@part", []*cel.Type{dyn, dyn}, dyn, cel.BinaryBinding(naivePart))),
	}
}

// naivePart counts the cut points that a value is above.
func naivePart(cuts, value ref.Val) ref.Val {
	list, ok := cuts.(traits.Lister)
	if !ok {
		return missingValue
	}
	var x float64
	switch v := asTime(value).(type) {
	case types.Timestamp:
		x = float64(v.UnixMicro())
	case types.Duration:
		x = float64(v.Duration)
	default:
		if !isNumber(v) || isMissing(v) {
			return missingValue
		}
		x = float64(v.ConvertToType(types.DoubleType).(types.Double))
	}
	part := types.Int(1)
	for it := list.Iterator(); it.HasNext() == types.True; {
		if cut, ok := it.Next().(types.Double); ok && x > float64(cut) {
			part++
		}
	}
	return part
}
