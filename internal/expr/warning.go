package expr

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Known are the names that occur, against which a condition can be held.
type Known struct {
	Traits, Events, Segments []string

	// Properties are those of each event, perhaps from a sample: only a name that is close to one of them is warned of.
	Properties map[string][]string
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

// Warnings lists the traits, events and segments of a condition that are not known. Text that CEL cannot read has none:
// Condition says what is wrong with it.
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
	known := v.known.Properties[event]
	ast.PreOrderVisit(body, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.SelectKind || e.AsSelect().IsTestOnly() {
			return
		}
		of, name := e.AsSelect().Operand(), e.AsSelect().FieldName()
		if of.Kind() != ast.SelectKind || of.AsSelect().FieldName() != "properties" || !isIdent(of.AsSelect().Operand(), variable) ||
			nearestOf(name, known) == "" {
			return
		}
		line, column := position(v.tree, e.ID())
		v.check("property", name, known, line, column+1)
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
	if slices.Contains(known, name) {
		return
	}
	w := Warning{Kind: kind, Name: name, Line: line, Column: column, Suggestion: nearestOf(name, known)}
	w.Message = map[string]string{
		"trait": "no customer has the trait %q so far", "event": "no event %q has come so far", "segment": "there is no segment %q", "property": "no event of this name has had the property %q so far",
	}[kind]
	w.Message = fmt.Sprintf(w.Message, name)
	if w.Suggestion != "" {
		w.Message += fmt.Sprintf("; did you mean %q?", w.Suggestion)
	}
	v.warnings = append(v.warnings, w)
}
