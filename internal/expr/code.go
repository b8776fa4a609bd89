package expr

import (
	"errors"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/interpreter"
)

// code computes a value, and test a truth, of an expression: closures over small values, for the common core of the
// language. What is not in the core is left to CEL, from the smallest part around it that can stand alone. The naive reading
// is CEL's throughout, which keeps the two apart enough to be held against each other.
type (
	code func(f *frame) datum
	test func(f *frame) bool
)

// frame is what code sees: a profile at a moment, or an event.
type frame struct {
	scope   *Scope
	event   *Event
	stopped bool // a part went over the cost limit, so that the whole has no result
}

// coder turns an expression that is lifted and null-safe into code.
type coder struct {
	tree     *ast.AST
	program  *Program          // whose terms the expression asks for; nil over an event
	variable string            // that stands for the event; "" over a profile
	left     map[ast.Expr]code // what has been left to CEL
	err      error
}

// coded makes code of an expression over a profile.
func (p *Program) coded(tree *ast.AST, e ast.Expr) (code, error) {
	c := &coder{tree: tree, program: p}
	run := c.code(nullSafe(e))
	return run, c.err
}

// encode makes what evaluates the lifted expression, and what tells when it changes.
func (p *Program) encode(tree *ast.AST, e ast.Expr) error {
	c := &coder{tree: tree, program: p}
	p.lifted = c.code(nullSafe(e))
	p.uses = findUses(e, p.Terms)
	if found := 0; joined(e) {
		if p.turn = c.turn(e, &found); found != len(p.clocks) {
			p.turn = nil // a clock that stands in no part: all are asked
		}
	}
	return c.err
}

// code makes code of e.
func (c *coder) code(e ast.Expr) code {
	switch e.Kind() {
	case ast.LiteralKind:
		d := datumOf(e.AsLiteral())
		return func(*frame) datum { return d }
	case ast.IdentKind:
		if run := c.ident(e.AsIdent()); run != nil {
			return run
		}
	case ast.SelectKind:
		if p := c.path(e); p != nil {
			return p.code()
		}
	case ast.CallKind:
		if run := c.call(e); run != nil {
			return run
		}
		if holds := c.logic(e); holds != nil {
			return func(f *frame) datum { return datum{kept: keptBool(holds(f))} }
		}
	}
	return c.cel(e)
}

// test makes a test of e: whether it is true, which nothing but the boolean is.
func (c *coder) test(e ast.Expr) test {
	if e.Kind() == ast.CallKind {
		if holds := c.logic(e); holds != nil {
			return holds
		}
	}
	run := c.code(e)
	return func(f *frame) bool { return run(f).isTrue() }
}

func (c *coder) ident(name string) code {
	if c.program == nil {
		return nil
	}
	if name == "now" {
		return func(f *frame) datum { return datum{kept: keptTime(time.UnixMicro(f.scope.Now))} }
	}
	if i, ok := termNumber(name); ok {
		program := c.program
		return func(f *frame) datum {
			t := program.Terms[i]
			return f.scope.Aggregate(t).read(t, f.scope.Now)
		}
	}
	return nil
}

// logic makes a test of what is always a boolean; nil for anything else.
func (c *coder) logic(e ast.Expr) test {
	call := e.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd:
		a, b := c.test(args[0]), c.test(args[1])
		return func(f *frame) bool { return a(f) && b(f) }
	case operators.LogicalOr:
		a, b := c.test(args[0]), c.test(args[1])
		return func(f *frame) bool { return a(f) || b(f) }
	case operators.LogicalNot:
		a := c.test(args[0])
		return func(f *frame) bool { return !a(f) }
	case "@true":
		return c.test(args[0])
	case "@has":
		a := c.code(args[0])
		return func(f *frame) bool { return a(f).kind != kindMissing }
	case "@eq", "@ne":
		return c.equality(args[0], args[1], name == "@eq")
	case "@lt", "@le", "@gt", "@ge":
		holds := relations[name]
		a, b := c.code(args[0]), c.code(args[1])
		return func(f *frame) bool {
			n, ok := compareData(a(f), b(f))
			return ok && holds(n)
		}
	case operators.In:
		if isIdent(args[1], "segments") && c.program != nil {
			if name, ok := literalString(args[0]); ok {
				return func(f *frame) bool { return f.scope.InSegment(name) }
			}
		}
	}
	return nil
}

// equality compares two values; beside a literal text the other need not be looked at any closer.
func (c *coder) equality(left, right ast.Expr, wanted bool) test {
	if _, ok := literalString(left); ok {
		left, right = right, left
	}
	a := c.code(left)
	if text, ok := literalString(right); ok {
		d := datum{kept: keptText(text)}
		return func(f *frame) bool {
			v := a(f)
			if v.kind == kindText {
				return (v.text == text) == wanted
			}
			return v.kind != kindMissing && equalData(v, d) == wanted
		}
	}
	b := c.code(right)
	return func(f *frame) bool {
		v, w := a(f), b(f)
		return v.kind != kindMissing && w.kind != kindMissing && equalData(v, w) == wanted
	}
}

// cel leaves an expression to CEL.
func (c *coder) cel(e ast.Expr) code {
	if run := c.left[e]; run != nil {
		return run
	}
	program, err := plan(c.tree, e)
	if err != nil {
		c.err = errors.Join(c.err, err)
		return func(*frame) datum { return missingDatum }
	}
	variable, owner := c.variable, c.program
	run := func(f *frame) datum { return f.eval(program, &activation{program: owner, scope: f.scope}) }
	if owner == nil {
		run = func(f *frame) datum { return f.eval(program, &eventActivation{variable, f.event.record()}) }
	}
	if c.left == nil {
		c.left = map[ast.Expr]code{}
	}
	c.left[e] = run
	return run
}

func (f *frame) eval(program cel.Program, a interpreter.Activation) datum {
	v, _, err := program.Eval(a)
	if err == nil {
		return datumOf(v)
	}
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) {
		f.stopped = true
	}
	return missingDatum
}

// termNumber reads the name that stands for a term.
func termNumber(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, termPrefix)
	if !ok {
		return 0, false
	}
	n := 0
	for _, r := range digits {
		if r < '0' || r > '9' {
			return 0, false // CEL asks for @term0.x before it asks for @term0
		}
		n = n*10 + int(r-'0')
	}
	return n, true
}

// result runs the code of a program over a profile; missing where a part went over the cost limit.
func (p *Program) result(run code, s *Scope) datum {
	s.frame = frame{scope: s}
	d := run(&s.frame)
	if s.frame.stopped {
		return missingDatum
	}
	return d
}

// isTrue reports whether d is the boolean true.
func (d datum) isTrue() bool { return d.kind == kindBool && d.bits != 0 }

// plain is what export gives.
func (d datum) plain() any {
	switch d.kind {
	case kindMissing:
		return nil
	case kindBool:
		return d.isTrue()
	case kindNumber:
		return d.number()
	case kindInt:
		return float64(d.int())
	case kindText:
		return validText(d.text)
	}
	return export(d.ref())
}
