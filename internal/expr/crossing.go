package expr

import (
	"math"

	"cel.dev/cel-go/common/ast"
)

// use is one place in a program where the value of a term is looked at. Where it is only compared with a fixed number, the
// program changes when the comparison turns, and not each time an event comes or leaves.
type use struct {
	term   int
	holds  func(c int) bool // of value compared with number; nil where the value itself matters
	number float64
}

// maxWalk is how many entries of a sum are looked at for the moment at which it can cross a number.
const maxWalk = 64

// relations say which outcomes of comparing a with b make the comparison true.
var relations = map[string]func(c int) bool{
	"@lt": func(c int) bool { return c < 0 }, "@le": func(c int) bool { return c <= 0 },
	"@gt": func(c int) bool { return c > 0 }, "@ge": func(c int) bool { return c >= 0 },
	"@eq": func(c int) bool { return c == 0 }, "@ne": func(c int) bool { return c != 0 },
}

// findUses lists where an expression, lifted and made null-safe, looks at terms.
func findUses(e ast.Expr, terms []*Term) []use {
	var uses []use
	whole := map[ast.Expr]bool{} // identifiers that a comparison has accounted for
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(n ast.Expr) {
		switch n.Kind() {
		case ast.CallKind:
			holds := relations[n.AsCall().FunctionName()]
			if holds == nil {
				return
			}
			for i, arg := range n.AsCall().Args() {
				term, isTerm := termOf(arg)
				number, isNumber := literalNumber(n.AsCall().Args()[1-i])
				if !isTerm || !isNumber {
					continue
				}
				whole[arg] = true
				u := use{term, holds, number}
				if i == 1 {
					u.holds = func(c int) bool { return holds(-c) }
				}
				uses = append(uses, u)
			}
		case ast.IdentKind:
			term, ok := termOf(n)
			if !ok || whole[n] {
				return
			}
			u := use{term: term}
			if terms[term].Reducer == "exists" {
				u.holds, u.number = relations["@gt"], 0
			}
			uses = append(uses, u)
		}
	}))
	return uses
}

// termOf reads an identifier that stands for a term.
func termOf(e ast.Expr) (int, bool) {
	if e.Kind() != ast.IdentKind {
		return 0, false
	}
	return termNumber(e.AsIdent())
}

// next is the first moment after now at which what this use sees of a term can change by itself; 0 for never. It moves the
// aggregate to now.
func (u *use) next(t *Term, a *Aggregate, now int64) int64 {
	if a == nil {
		return 0
	}
	a.Advance(t, now)
	if u.holds != nil {
		switch t.Reducer {
		case "count", "exists":
			return a.countCrosses(t, u, a.number(t, now))
		case "distinct":
			a.build(t)
			n := int64(0)
			if a.counts != nil {
				n = int64(len(a.counts.counts))
			}
			return a.countCrosses(t, u, n)
		case "sum":
			return a.sumCrosses(t, u)
		case "decayed":
			if a.fading == nil {
				return a.due()
			}
			return earlier(a.due(), a.fading.crosses(t, u.number, dayOf(now)))
		}
	}
	switch t.need {
	case needLast, needMin, needMax:
		next := a.due()
		if a.window.len() > 0 {
			a.build(t)
			next = earlier(next, a.end(t).At+t.Window.Microseconds())
		}
		return next
	}
	return a.NextChange(t, now)
}

// due is when the next waiting entry begins to count; 0 for never.
func (a *Aggregate) due() int64 {
	if a.waiting == nil {
		return 0
	}
	return a.waiting.first().At
}

// earlier is the first of two moments, of which 0 is never.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// countCrosses says when a number that each leaving entry lowers by one at most, and each waiting one raises by one at most,
// can make the comparison turn.
func (a *Aggregate) countCrosses(t *Term, u *use, n int64) int64 {
	holds := func(n int64) bool { return u.holds(compareFloats(float64(n), u.number)) }
	near := int64(math.Max(-1, math.Min(u.number, 1e15)))
	gone := 0 // entries that are kept and count no more
	if t.newest > 0 {
		gone = a.window.len() - int(n)
	}
	next := int64(0)
	now := holds(n)
	for m := min(near+1, n-1); m >= max(near-2, 0); m-- {
		if holds(m) == now {
			continue
		}
		if leaving := gone + int(n-m); leaving <= a.window.len() {
			next = a.window.at(leaving-1).At + t.Window.Microseconds()
		}
		break
	}
	for m := max(near-1, n+1); m <= near+2; m++ {
		if holds(m) == now {
			continue
		}
		if coming := m - n; a.waiting != nil && coming <= int64(a.waiting.len()) {
			next = earlier(next, a.waiting.at(int(coming-1)).At)
		}
		break
	}
	return next
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// sumCrosses says when entries that leave can bring the sum to the number. It looks at maxWalk of them, and names the
// moment at which the last of these leaves when they cannot.
func (a *Aggregate) sumCrosses(t *Term, u *use) int64 {
	next := a.due()
	if a.window.len() == 0 {
		return next
	}
	a.build(t)
	sum := a.sum.value()
	distance := math.Abs(sum - u.number)
	slack := 1e-9 * (math.Abs(sum) + math.Abs(u.number)) // far more than what rounding can come to
	side := compareFloats(sum, u.number)
	moved, looked := 0.0, 0
	for _, c := range a.window.chunks {
		for i, d := range c.rest {
			looked++
			if f := d.value.number(); f != 0 && (side == 0 || (f > 0) == (side > 0)) {
				moved += math.Abs(f)
			}
			if moved > 0 && moved*(1+1e-9)+slack >= distance || looked == maxWalk {
				return earlier(next, c.at[i]+t.Window.Microseconds())
			}
		}
	}
	return next
}
