package expr

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Known are the names that occur, against which a condition can be held. Of a kind that has none, or of which not all are
// known, the list is nil: nothing is warned of then.
type Known struct {
	Traits, Events, Segments []string

	Properties map[string]Seen // of events, by their name
}

// Seen is what events of one name have, as far as some of them tell.
type Seen struct {
	Properties []string // by name
	Enough     bool     // were looked at to doubt a property that is not among them, where one that is has a name close to it
}

// Warning is about a condition that can be computed, and perhaps does not ask what was meant.
type Warning struct {
	Kind       string `json:"kind" enum:"trait,event,segment,property" doc:"What the name is of"`
	Name       string `json:"name" doc:"The name that is not known"`
	Message    string `json:"message"`
	Line       int    `json:"line" doc:"From 1"`
	Column     int    `json:"column" doc:"From 1, in characters"`
	Suggestion string `json:"suggestion,omitempty" doc:"A known name that is close"`
}

// Warnings lists the traits, events, properties and segments of a condition, or of another expression, that are not known,
// in the order of the text. Text that CEL cannot read has none: Condition says what is wrong with it.
func Warnings(text string, known Known) []Warning {
	raw, issues := environments().raw.Parse(text)
	if issues.Err() != nil {
		return nil
	}
	v := &nameVisitor{tree: raw.NativeRep(), known: known, warnings: []Warning{}}
	ast.PreOrderVisit(v.tree.Expr(), ast.NewExprVisitor(v.visit))
	slices.SortFunc(v.warnings, func(a, b Warning) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return v.warnings
}

type nameVisitor struct {
	tree     *ast.AST
	known    Known
	warnings []Warning
}

func (v *nameVisitor) visit(e ast.Expr) {
	if e.Kind() == ast.SelectKind && isIdent(e.AsSelect().Operand(), "profile") {
		line, column := position(v.tree, e.ID()) // of the dot; of a has(…) the bracket
		if e.AsSelect().IsTestOnly() {
			line, column = position(v.tree, e.AsSelect().Operand().ID())
			column += len("profile")
		}
		v.check("trait", e.AsSelect().FieldName(), v.known.Traits, line, column+1)
		return
	}
	if e.Kind() != ast.CallKind {
		return
	}
	call := e.AsCall()
	switch name, args := call.FunctionName(), call.Args(); {
	case len(args) == 2 && call.IsMemberFunction() && args[0].Kind() == ast.IdentKind && rootedInEvents(call.Target()):
		v.properties(eventOf(call.Target()), args[0].AsIdent(), args[1])
	case name == operators.Index && isIdent(args[0], "profile"):
		v.literal("trait", args[1], v.known.Traits)
	case name == operators.In && isIdent(args[1], "segments"):
		v.literal("segment", args[0], v.known.Segments)
	case name == "events" && len(args) == 1:
		v.literal("event", args[0], v.known.Events)
	case name == "sequence" || name == "without":
		for _, arg := range args {
			v.literal("event", arg, v.known.Events)
		}
	}
}

// eventOf is the name in the events(…) that a chain begins with.
func eventOf(chain ast.Expr) string {
	for chain.AsCall().IsMemberFunction() {
		chain = chain.AsCall().Target()
	}
	if args := chain.AsCall().Args(); len(args) == 1 {
		name, _ := literalString(args[0])
		return name
	}
	return ""
}

// properties checks what an expression over an event of that name reads.
func (v *nameVisitor) properties(event, variable string, body ast.Expr) {
	seen := v.known.Properties[event]
	if !seen.Enough {
		return
	}
	ofEvent := func(e ast.Expr) bool {
		return e.Kind() == ast.SelectKind && e.AsSelect().FieldName() == "properties" && isIdent(e.AsSelect().Operand(), variable)
	}
	check := func(name string, at int64, behind int) {
		if nearestOf(name, seen.Properties) != "" {
			line, column := position(v.tree, at)
			v.check("property", name, seen.Properties, line, column+behind)
		}
	}
	ast.PreOrderVisit(body, ast.NewExprVisitor(func(e ast.Expr) {
		switch {
		case e.Kind() == ast.SelectKind && !e.AsSelect().IsTestOnly() && ofEvent(e.AsSelect().Operand()):
			check(e.AsSelect().FieldName(), e.ID(), 1)
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Index && ofEvent(e.AsCall().Args()[0]):
			if name, ok := literalString(e.AsCall().Args()[1]); ok {
				check(name, e.AsCall().Args()[1].ID(), 0)
			}
		}
	}))
}

// nearestOf is the known name that was perhaps meant.
func nearestOf(name string, known []string) string {
	return fault.Nearest(name, known, min(2, len(name)-1))
}

func (v *nameVisitor) literal(kind string, e ast.Expr, known []string) {
	if name, ok := literalString(e); ok {
		line, column := position(v.tree, e.ID())
		v.check(kind, name, known, line, column)
	}
}

func (v *nameVisitor) check(kind, name string, known []string, line, column int) {
	if known == nil || slices.Contains(known, name) {
		return
	}
	w := Warning{Kind: kind, Name: name, Line: line, Column: column, Suggestion: nearestOf(name, known)}
	w.Message = map[string]string{
		"trait": "no customer has the trait %q so far", "event": "no event %q has come so far", "segment": "there is no segment %q",
		"property": "of the events of this name that were looked at none has the property %q",
	}[kind]
	w.Message = fmt.Sprintf(w.Message, name)
	if w.Suggestion != "" {
		w.Message += fmt.Sprintf("; did you mean %q?", w.Suggestion)
	}
	v.warnings = append(v.warnings, w)
}
