package expr

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// lifter takes the behaviour out of a parsed expression: each chain events(…)…count() becomes a term and leaves an
// identifier in its place. On the way it notes what else the expression depends on.
type lifter struct {
	program *Program
	tree    *ast.AST
	errs    []error
	part    bool     // what is compiled is only looked at once
	locals  []string // variables of the comprehensions around

	quantiles map[[2]int]string // keys by line and column
}

func (l *lifter) fail(e ast.Expr, format string, args ...any) {
	line, column := position(l.tree, e.ID())
	l.errs = append(l.errs, at(line, column, format, args...))
}

// checkLiterals refuses text in quotes that a function cannot read. It goes before lift, which takes parts away.
func (l *lifter) checkLiterals() {
	ast.PreOrderVisit(l.tree.Expr(), ast.NewExprVisitor(func(n ast.Expr) {
		if n.Kind() != ast.CallKind || len(n.AsCall().Args()) == 0 {
			return
		}
		read, ok := readers[n.AsCall().FunctionName()]
		last := n.AsCall().Args()[len(n.AsCall().Args())-1]
		text, literal := literalString(last)
		if !ok || !literal {
			return
		}
		if problem := read(text); problem != "" {
			l.fail(last, "%s", problem)
		}
	}))
}

// readers say what is wrong with the text given to a function as its last argument; "" is nothing.
var readers = map[string]func(text string) (problem string){
	"matches": func(text string) string {
		_, err := regexp.Compile(text)
		if err == nil {
			return ""
		}
		var reason *syntax.Error
		if errors.As(err, &reason) {
			err = errors.New(reason.Code.String())
		}
		return fmt.Sprintf("is no regular expression: %v", err)
	},
	"duration": func(text string) string {
		if _, err := ParseDuration(text); err != nil {
			return err.Error()
		}
		return ""
	},
	"version": func(text string) string {
		if _, ok := parseVersion(text); !ok {
			return fmt.Sprintf("%q is no version; write for instance \"1.10.2\"", text)
		}
		return ""
	},
	"timestamp": func(text string) string {
		if _, err := ParseTime(text); err != nil {
			return notATime(text)
		}
		return ""
	},
}

func notATime(text string) string {
	return fmt.Sprintf("%q is not a time; write for instance \"2026-11-01\" or \"2026-11-01T09:00:00Z\"", text)
}

// lift changes e in place and returns it.
func (l *lifter) lift(e ast.Expr) ast.Expr {
	switch e.Kind() {
	case ast.CallKind:
		l.liftCall(e)
	case ast.IdentKind:
		l.note(e)
	case ast.SelectKind:
		l.liftSelect(e)
	case ast.ListKind:
		for _, item := range e.AsList().Elements() {
			l.lift(item)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			l.lift(entry.AsMapEntry().Key())
			l.lift(entry.AsMapEntry().Value())
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		l.lift(c.IterRange())
		l.lift(c.AccuInit())
		l.locals = append(l.locals, c.IterVar(), c.AccuVar())
		for _, part := range []ast.Expr{c.LoopCondition(), c.LoopStep(), c.Result()} {
			l.lift(part)
		}
		l.locals = l.locals[:len(l.locals)-2]
	}
	return e
}

func (l *lifter) liftSelect(e ast.Expr) {
	sel := e.AsSelect()
	if isIdent(sel.Operand(), "profile") {
		l.program.Fields = append(l.program.Fields, sel.FieldName())
		return
	}
	l.noteMember(sel.Operand(), sel.FieldName())
	if isIdent(sel.Operand(), "consent") {
		if !slices.Contains(Purposes, sel.FieldName()) {
			l.fail(e, "there is no purpose %s; there is consent.%s", sel.FieldName(), strings.Join(Purposes, ", consent."))
		}
		l.program.Fields = append(l.program.Fields, consentTrait)
		return
	}
	l.lift(sel.Operand())
}

// noteMember records that a name is looked for in e, where that is a trait.
func (l *lifter) noteMember(e ast.Expr, name string) {
	switch e.Kind() {
	case ast.SelectKind:
		if isIdent(e.AsSelect().Operand(), "profile") {
			l.program.Members = append(l.program.Members, Member{e.AsSelect().FieldName(), name})
		}
	case ast.CallKind:
		if call := e.AsCall(); call.FunctionName() == operators.Index && isIdent(call.Args()[0], "profile") {
			if trait, ok := literalString(call.Args()[1]); ok {
				l.program.Members = append(l.program.Members, Member{trait, name})
			}
		}
	}
}

// note records what a bare identifier makes the expression depend on.
func (l *lifter) note(e ast.Expr) {
	switch name := e.AsIdent(); name {
	case "profile":
		l.fail(e, "name the trait: profile.country or profile[\"country\"]")
	case "preferences":
		l.program.Preferences = true
	case "consent":
		l.fail(e, "name the purpose: consent.%s", strings.Join(Purposes, ", consent."))
	case "segments":
		l.fail(e, "ask for one segment by its name: \"vip\" in segments")
	case "now":
		if l.part {
			return
		}
		l.fail(e, "now can only be compared with a time on the other side, such as profile.trial_ends_at > now")
	}
}

func (l *lifter) liftCall(e ast.Expr) {
	call := e.AsCall()
	name, args := call.FunctionName(), call.Args()
	if rootedInSequence(e) {
		l.liftSequence(e)
		return
	}
	if call.IsMemberFunction() {
		if shape, ok := reducers[name]; ok && rootedInEvents(call.Target()) {
			if shape.takes(len(args)) {
				l.liftTerm(e)
				return
			}
		}
		if rootedInEvents(e) {
			l.fail(e, "events(...) must end with count(), exists() or another function that makes one value of them")
			return
		}
		l.lift(call.Target())
	}
	switch {
	case name == "events":
		l.fail(e, "events(...) must end with count(), exists() or another function that makes one value of them")
		return
	case clockFunctions[name].wants != "" && !l.part:
		if _, wrong := zoneOf(args[1:]); wrong != nil {
			l.fail(wrong.about, "%s", wrong.problem)
			return
		}
		l.fail(e, "%s(...) must be compared with %s", name, clockFunctions[name].wants)
		return
	case name == operators.In && isIdent(args[1], "segments"):
		segment, ok := literalString(args[0])
		if !ok {
			l.fail(args[0], "name the segment in quotes: \"vip\" in segments")
			return
		}
		l.program.Segments = append(l.program.Segments, segment)
		return
	case name == operators.Index && isIdent(args[0], "profile"):
		field, ok := literalString(args[1])
		if !ok {
			l.fail(args[1], "name the trait in quotes: profile[\"country\"]")
			return
		}
		l.program.Fields = append(l.program.Fields, field)
		return
	case name == operators.Index:
		if member, ok := literalString(args[1]); ok {
			l.noteMember(args[0], member)
		}
	case name == operators.In:
		if member, ok := literalString(args[0]); ok {
			l.noteMember(args[1], member)
		}
	case name == "quintile" || name == "quantile":
		l.liftQuantile(e)
		return
	case isComparison(name):
		if l.liftClock(name, args[0], args[1]) || l.liftClock(name, args[1], args[0]) {
			return
		}
	}
	for _, arg := range args {
		l.lift(arg)
	}
}

// rootedInEvents reports whether e is a chain of calls that begins with events(…).
func rootedInEvents(e ast.Expr) bool {
	for e.Kind() == ast.CallKind {
		call := e.AsCall()
		if !call.IsMemberFunction() {
			return call.FunctionName() == "events"
		}
		if arity, ok := narrowings[call.FunctionName()]; !ok || arity != len(call.Args()) {
			return false
		}
		e = call.Target()
	}
	return false
}

// liftTerm replaces a whole chain by an identifier.
func (l *lifter) liftTerm(e ast.Expr) {
	if len(l.locals) > 0 {
		l.fail(e, "events(...) cannot stand inside a loop over a list")
		return
	}
	call := e.AsCall()
	fac := ast.NewExprFactory()
	term := func(reducer string, args []ast.Expr) ast.Expr {
		t, selection, ok := l.selection(call.Target())
		if !ok {
			return nil
		}
		t.Reducer = reducer
		valueText := ""
		if needs[reducer] == needFading {
			halfLife, wrong := halfLifeOf(args[len(args)-1])
			if wrong != nil {
				l.fail(wrong.about, "%s", wrong.problem)
				return nil
			}
			if t.Window > 0 {
				l.fail(call.Target(), "%s(...) forgets by itself; leave out within(...)", call.FunctionName())
				return nil
			}
			t.weights = weightsOf(halfLife)
			reducer += " by " + halfLife.String()
		}
		if len(args) >= 2 {
			program, text, ok := l.eventProgram(args[0], args[1], false)
			if !ok {
				return nil
			}
			t.value, valueText = program, text
		}
		t.selected = selection
		t.Key = fmt.Sprintf("%s(%s) of %s within %s", reducer, valueText, selection, t.Window)
		return fac.NewIdent(e.ID(), termPrefix+strconv.Itoa(l.program.addTerm(t)))
	}
	var lifted ast.Expr
	if compose := composed[call.FunctionName()]; compose != nil {
		var wrong *complaint
		if lifted, wrong = compose(fac, e.ID(), call.Args(), term); wrong != nil {
			l.fail(wrong.about, "%s", wrong.problem)
		}
	} else {
		lifted = term(call.FunctionName(), call.Args())
	}
	if lifted != nil {
		e.SetKindCase(lifted)
		l.liftStage(e)
	}
}

// selection reads events(…) with its narrowing: a term without a reducer, and which events it is over, as canonical text
// without the window.
func (l *lifter) selection(link ast.Expr) (*Term, string, bool) {
	t := &Term{}
	times := always
	var wheres []string
	for link.AsCall().IsMemberFunction() {
		step := link.AsCall()
		switch name := step.FunctionName(); name {
		case "within":
			d, wrong := windowOf(step.Args()[0])
			if wrong != nil {
				l.fail(wrong.about, "%s", wrong.problem)
				return nil, "", false
			}
			if t.Window == 0 || d < t.Window {
				t.Window = d
			}
		case "where":
			program, text, ok := l.eventProgram(step.Args()[0], step.Args()[1], true)
			if !ok {
				return nil, "", false
			}
			t.where = append(t.where, &filter{text: text, holds: program})
			wheres = append(wheres, text)
		default:
			s, wrong := spanOf(name, step.Args())
			if wrong != nil {
				l.fail(wrong.about, "%s", wrong.problem)
				return nil, "", false
			}
			times = times.and(s)
		}
		link = step.Target()
	}
	t.From, t.To = times.from, times.to
	if args := link.AsCall().Args(); len(args) == 1 {
		t.Event, _ = literalString(args[0])
	}
	during := ""
	if times != always {
		during = fmt.Sprintf(" from %d to %d", t.From, t.To)
	}
	return t, fmt.Sprintf("%s%s where %s", strconv.Quote(t.Event), during, strings.Join(wheres, " && ")), true
}

// eventProgram compiles a where or a value, which sees nothing but the event.
func (l *lifter) eventProgram(variable, body ast.Expr, boolean bool) (code, string, bool) {
	if variable.Kind() != ast.IdentKind {
		l.fail(variable, "begins with a name for the event, such as e")
		return nil, "", false
	}
	if isIdent(body, variable.AsIdent()) {
		l.fail(body, "say what of the event is meant, such as %s.properties.total", variable.AsIdent())
		return nil, "", false
	}
	if !boolean && body.Kind() == ast.CallKind && body.AsCall().FunctionName() == "version" {
		l.fail(body, "a version can only be compared; take the text itself, such as %s.properties.version", variable.AsIdent())
		return nil, "", false
	}
	before := len(l.errs)
	l.onlyEvent(variable.AsIdent(), body)
	if len(l.errs) > before {
		return nil, "", false
	}
	text := canonical(body, variable.AsIdent())
	if boolean {
		fac := ast.NewExprFactory()
		body = fac.NewCall(body.ID(), "@true", body)
	}
	c := &coder{tree: l.tree, variable: variable.AsIdent()}
	program := c.code(nullSafe(body))
	if c.err != nil {
		l.errs = append(l.errs, c.err)
		return nil, "", false
	}
	return program, text, true
}

// eventFields are the fields that an event has in a condition.
var eventFields = []string{"name", "type", "timestamp", "message_id", "properties"}

// onlyEvent checks that an expression reads the event, its known fields and nothing else.
func (l *lifter) onlyEvent(variable string, body ast.Expr) {
	bound := map[string]bool{variable: true}
	ast.PreOrderVisit(body, ast.NewExprVisitor(func(n ast.Expr) {
		switch n.Kind() {
		case ast.ComprehensionKind:
			bound[n.AsComprehension().IterVar()], bound[n.AsComprehension().AccuVar()] = true, true
		case ast.IdentKind:
			if !bound[n.AsIdent()] {
				l.fail(n, "a condition on events sees only the event %s, not %s", variable, n.AsIdent())
			}
		case ast.SelectKind:
			if field := n.AsSelect().FieldName(); isIdent(n.AsSelect().Operand(), variable) && !slices.Contains(eventFields, field) {
				l.fail(n, "an event has no %s; its properties are %s.properties.%s", field, variable, field)
			}
		case ast.CallKind:
			if name := n.AsCall().FunctionName(); slices.Contains([]string{"events", "quintile", "quantile"}, name) || clockFunctions[name].wants != "" {
				l.fail(n, "%s(...) cannot stand inside a condition on events", name)
			}
		}
	}))
}

func isIdent(e ast.Expr, name string) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == name }

// canonical writes an expression so that the same one reads the same, whatever its variable is called.
func canonical(e ast.Expr, variable string) string {
	list := func(items []ast.Expr) string {
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i] = canonical(item, variable)
		}
		return strings.Join(texts, ", ")
	}
	switch e.Kind() {
	case ast.IdentKind:
		if e.AsIdent() == variable {
			return "$"
		}
		return e.AsIdent()
	case ast.LiteralKind:
		if s, ok := e.AsLiteral().(types.String); ok {
			return strconv.Quote(string(s))
		}
		return fmt.Sprintf("%T:%v", e.AsLiteral(), e.AsLiteral().Value())
	case ast.SelectKind:
		s := e.AsSelect()
		suffix := ""
		if s.IsTestOnly() {
			suffix = "?"
		}
		return canonical(s.Operand(), variable) + "." + s.FieldName() + suffix
	case ast.CallKind:
		c := e.AsCall()
		args := c.Args()
		if c.IsMemberFunction() {
			return canonical(c.Target(), variable) + "." + c.FunctionName() + "(" + list(args) + ")"
		}
		return c.FunctionName() + "(" + list(args) + ")"
	case ast.ListKind:
		return "[" + list(e.AsList().Elements()) + "]"
	case ast.MapKind:
		var parts []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			parts = append(parts, entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
		return "{" + list(parts) + "}"
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		return "fold " + c.IterVar() + " " + list([]ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()})
	}
	return "?"
}
