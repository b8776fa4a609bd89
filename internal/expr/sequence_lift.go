package expr

import (
	"fmt"
	"strconv"

	"cel.dev/cel-go/common/ast"
)

// sequenceSteps are what may follow sequence(…), with the least and the greatest number of arguments.
var sequenceSteps = map[string][2]int{
	"within": {1, 1}, "during": {1, 1}, "between": {2, 2}, "before": {1, 1}, "after": {1, 1}, "without": {1, maxForbidden},
}

// rootedInSequence reports whether e is a chain of calls that begins with sequence(…).
func rootedInSequence(e ast.Expr) bool {
	for e.Kind() == ast.CallKind && e.AsCall().IsMemberFunction() {
		e = e.AsCall().Target()
	}
	return e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "sequence" && !e.AsCall().IsMemberFunction()
}

// liftSequence replaces sequence(…) and what follows it by an identifier.
func (l *lifter) liftSequence(e ast.Expr) {
	if len(l.locals) > 0 {
		l.fail(e, "sequence(...) cannot stand inside a loop over a list")
		return
	}
	s := &sequence{}
	t := &Term{Reducer: "sequence", sequence: s}
	times := always
	var forbidden []string
	link := e
	for ; link.AsCall().IsMemberFunction(); link = link.AsCall().Target() {
		call := link.AsCall()
		name, args := call.FunctionName(), call.Args()
		if arity, ok := sequenceSteps[name]; !ok || len(args) < arity[0] || len(args) > arity[1] {
			l.fail(link, "sequence(...) says yes or no, and takes within, without, during, between, before and after")
			return
		}
		var wrong *complaint
		switch name {
		case "within":
			d, problem := windowOf(args[0])
			s.length, wrong = shorter(s.length, d.Microseconds()), problem
		case "during":
			d, problem := windowOf(args[0])
			if wrong = problem; t.Window == 0 || d < t.Window {
				t.Window = d
			}
		case "without":
			terms, texts := l.parts(args)
			s.forbidden, forbidden = append(s.forbidden, terms...), append(forbidden, texts...)
		default:
			var during span
			during, wrong = spanOf(name, args)
			times = times.and(during)
		}
		if wrong != nil {
			l.fail(wrong.about, "%s", wrong.problem)
			return
		}
	}
	var steps []string
	s.steps, steps = l.parts(link.AsCall().Args())
	switch {
	case len(l.errs) > 0:
		return
	case len(s.steps) < 2 || len(s.steps) > maxSteps:
		l.fail(link, "a sequence has two to %d steps", maxSteps)
		return
	case len(s.forbidden) > maxForbidden:
		l.fail(e, "a sequence forbids at most %d kinds of event", maxForbidden)
		return
	}
	t.From, t.To = times.from, times.to
	t.Key = fmt.Sprintf("%s during %s from %d to %d", s.key(steps, forbidden), t.Window, t.From, t.To)
	e.SetKindCase(ast.NewExprFactory().NewIdent(e.ID(), termPrefix+strconv.Itoa(l.program.addTerm(t))))
}

func shorter(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// parts reads what is listed in sequence(…) or without(…): names in quotes, or events(…) with where and absolute times.
func (l *lifter) parts(args []ast.Expr) (terms []*Term, texts []string) {
	for _, arg := range args {
		if name, ok := literalString(arg); ok {
			terms = append(terms, &Term{Event: name, From: always.from, To: always.to})
			texts = append(texts, strconv.Quote(name))
			continue
		}
		if !rootedInEvents(arg) {
			l.fail(arg, `is no step; name an event in quotes, or write events("Product Viewed").where(e, …)`)
			return nil, nil
		}
		t, text, ok := l.selection(arg)
		if !ok {
			return nil, nil
		}
		if t.Window > 0 {
			l.fail(arg, `cannot have a window of its own; the whole sequence can: sequence(…).during("30d")`)
			return nil, nil
		}
		terms, texts = append(terms, t), append(texts, text)
	}
	return terms, texts
}
