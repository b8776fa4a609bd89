package expr

import (
	"math"
	"slices"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// turn tells whether a condition holds now, and when that can first change by itself. Where a condition is joined of parts,
// the parts that hold back the others decide: what is in no DACH country stays out of a segment whatever its events do.
type turn func(f *frame) (holds bool, next int64)

const never = math.MaxInt64

// turn makes a turn of e, and counts the clocks that it has found.
func (c *coder) turn(e ast.Expr, found *int) turn {
	if !joined(e) {
		return c.leaf(e, found)
	}
	args := e.AsCall().Args()
	a := c.turn(args[0], found)
	switch e.AsCall().FunctionName() {
	case operators.LogicalNot:
		return func(f *frame) (bool, int64) {
			holds, next := a(f)
			return !holds, next
		}
	case operators.LogicalAnd:
		return bothTurn(a, c.turn(args[1], found), true)
	default:
		return bothTurn(a, c.turn(args[1], found), false)
	}
}

// joined reports whether e is made of conditions.
func joined(e ast.Expr) bool {
	if e.Kind() != ast.CallKind {
		return false
	}
	switch e.AsCall().FunctionName() {
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
		return true
	}
	return false
}

// bothTurn joins two conditions: by and, where both must be true for the whole to be, or by or, where both must be false for
// the whole to be. One that is not as it must be decides alone, until it turns.
func bothTurn(a, b turn, must bool) turn {
	return func(f *frame) (bool, int64) {
		x, next := a(f)
		if x != must && next == never {
			return x, never
		}
		y, other := b(f)
		switch {
		case x == must && y == must:
			return must, min(next, other)
		case x == must:
			return y, other
		case y == must:
			return x, next
		}
		return !must, max(next, other)
	}
}

// leaf makes a turn of a condition that is not joined of others: it can change whenever anything in it does.
func (c *coder) leaf(e ast.Expr, found *int) turn {
	holds, p := c.test(e), c.program
	uses := findUses(e, p.Terms)
	var clocks []clock
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(n ast.Expr) {
		clocks = append(clocks, p.clocksOf(n)...)
	}))
	*found += len(clocks)
	return func(f *frame) (bool, int64) {
		return holds(f), p.firstChange(f.scope, uses, clocks)
	}
}

// clocksOf are the clocks of a comparison whose moving side is e.
func (p *Program) clocksOf(e ast.Expr) []clock {
	return slices.DeleteFunc(slices.Clone(p.clocks), func(c clock) bool { return c.moving != e })
}

// firstChange is the first moment after now at which one of these can change.
func (p *Program) firstChange(s *Scope, uses []use, clocks []clock) int64 {
	next := int64(never)
	for i := range uses {
		t := p.Terms[uses[i].term]
		if at := uses[i].next(t, s.Aggregate(t), s.Now); at > s.Now {
			next = min(next, at)
		}
	}
	for i := range clocks {
		for _, at := range clocks[i].changes(clocks[i].value(&frame{scope: s}).ref(), time.UnixMicro(s.Now)) {
			if at := at.UnixMicro(); at > s.Now {
				next = min(next, at)
			}
		}
	}
	return next
}

// NextChange is the first moment after Now at which the result can change by itself, 0 for never. It may name a moment
// at which nothing changes, and never misses one.
func (p *Program) NextChange(s *Scope) int64 {
	s.frame = frame{scope: s}
	next := int64(never)
	if p.turn != nil {
		_, next = p.turn(&s.frame)
	}
	if p.turn == nil || s.frame.stopped {
		next = p.firstChange(s, p.uses, p.clocks)
	}
	if next == never {
		return 0
	}
	return next
}
