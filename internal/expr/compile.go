package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/tailorbird/tailorbird/internal/fault"
)

const (
	maxSource = 8 << 10 // characters of a condition
	costLimit = 100_000 // CEL's cost units of one evaluation, where it loops over lists

	historyLimit = 50_000_000 // the same where the naive reading loops over all events
)

// Condition compiles text that says yes or no. Errors are *fault.Error, several joined, with line and column.
func Condition(text string) (*Program, error) {
	p, err := Value(text)
	if err != nil {
		return nil, err
	}
	if p.Type != "bool" && p.Type != "dyn" {
		return nil, at(1, 1, "a condition must say yes or no, and this is a %s; compare it with something, such as > 5", p.Type)
	}
	p.condition = true
	return p, nil
}

// Value compiles text that computes a trait. Errors are as those of Condition.
func Value(text string) (*Program, error) { return compile(text, false) }

// compile makes a program. A part of a condition, which is computed once and not kept, may be the present itself.
func compile(text string, part bool) (*Program, error) {
	if strings.TrimSpace(text) == "" {
		return nil, at(1, 1, "is empty; write for instance events(\"Order Completed\").count() > 5")
	}
	env := environments()
	checked, issues := env.checked.Compile(text)
	if issues.Err() != nil {
		return nil, explain(issues)
	}
	raw, issues := env.raw.Parse(text)
	if issues.Err() != nil {
		return nil, explain(issues)
	}
	p := &Program{Text: text, Type: typeName(checked.OutputType())}
	tree := raw.NativeRep()
	l := &lifter{program: p, tree: tree, part: part, quantiles: map[[2]int]string{}}
	if l.checkLiterals(); len(l.errs) > 0 {
		return nil, errors.Join(l.errs...)
	}
	lifted := l.lift(tree.Expr())
	if err := errors.Join(l.errs...); err != nil {
		return nil, err
	}
	var err error
	if err = p.encode(tree, lifted); err != nil {
		return nil, err
	}
	if !part { // of a part, people are shown the values themselves
		p.keepNewest()
	}
	naiveLimit := uint64(costLimit)
	if len(p.Terms) > 0 {
		naiveLimit = historyLimit
	}
	naiveTree := checked.NativeRep()
	l.askNaively(naiveTree)
	if p.naive, err = planWithin(naiveLimit, naiveTree, naiveTree.Expr()); err != nil {
		return nil, err
	}
	slices.Sort(p.Fields)
	p.Fields = slices.Compact(p.Fields)
	slices.Sort(p.Segments)
	p.Segments = slices.Compact(p.Segments)
	return p, nil
}

// plan makes e executable, with the null semantics of this package. The plan is made from the bare tree, without the
// checker's findings, because rewriting changes it.
func plan(tree *ast.AST, e ast.Expr) (cel.Program, error) { return planWithin(costLimit, tree, e) }

func planWithin(limit uint64, tree *ast.AST, e ast.Expr) (cel.Program, error) {
	options := []cel.ProgramOption{cel.CustomDecoratorV2(lenient)}
	if loops(e) {
		options = append(options, cel.CostLimit(limit))
	}
	bare := ast.NewAST(nullSafe(e), tree.SourceInfo())
	program, err := environments().run.PlanProgram(bare, options...)
	if err != nil {
		return nil, at(1, 1, "cannot be computed: %v", err)
	}
	return program, nil
}

func loops(e ast.Expr) bool {
	found := false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(n ast.Expr) { found = found || n.Kind() == ast.ComprehensionKind }))
	return found
}

func typeName(t *cel.Type) string {
	switch name := t.String(); {
	case strings.HasPrefix(name, "list"):
		return "list"
	case strings.HasPrefix(name, "map"):
		return "map"
	default:
		return strings.TrimPrefix(name, "google.protobuf.")
	}
}

func at(line, column int, format string, args ...any) *fault.Error {
	return &fault.Error{Code: fault.Invalid, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
}

// explain turns the checker's findings into errors in the words of a person who writes conditions.
func explain(issues *cel.Issues) error {
	var all []error
	for _, f := range fault.All(mappingIssues(issues)) {
		f.Message = plainWords(f.Message)
		all = append(all, f)
	}
	return errors.Join(all...)
}

func plainWords(message string) string {
	if syntax, ok := strings.CutPrefix(message, "syntax error: "); ok {
		return plainSyntax(syntax)
	}
	if name, ok := strings.CutPrefix(message, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(name, "'")
		if near := nearest(name); near != "" {
			return fmt.Sprintf("%q is not known here; did you mean %s?", name, near)
		}
		return fmt.Sprintf("%q is not known here; a trait is profile.%s, an event is events(\"%s\")", name, name, name)
	}
	if rest, ok := strings.CutPrefix(message, "found no matching overload for '"); ok {
		name, applied, _ := strings.Cut(rest, "' applied to ")
		name = strings.TrimPrefix(name, "@")
		if op, ok := operators.FindReverse(name); ok && op != "" {
			name = op
		}
		return fmt.Sprintf("%s does not work on %s", name, strings.NewReplacer("'", "", "list(dyn)", "a list").Replace(applied))
	}
	return message
}

// plainSyntax says in plain words what the parser found.
func plainSyntax(message string) string {
	_, rest, quoted := strings.Cut(message, "'")
	end := strings.LastIndex(rest, "'")
	if expecting := strings.Index(rest, "' expecting "); expecting >= 0 {
		end = expecting
	}
	switch {
	case !quoted || end < 0:
		return "cannot be read: " + message
	case strings.Contains(rest[:end], "<EOF>"):
		return "something is missing here at the end"
	case strings.HasPrefix(rest, "="):
		return "write == to compare"
	case strings.HasPrefix(message, "token recognition error"):
		return fmt.Sprintf("%s cannot be read here; text stands in quotes, such as \"DE\"", rest[:end])
	}
	return fmt.Sprintf("%s does not belong here", rest[:end])
}

// nearest finds the word of the language that name is within two letters of.
func nearest(name string) string {
	words := []string{"profile", "preferences", "consent", "scores", "segments", "now"}
	for _, f := range Functions() {
		words = append(words, f.Name)
	}
	return fault.Nearest(name, words, min(2, len(name)-1))
}

// position is where a node stands in the text.
func position(tree *ast.AST, id int64) (line, column int) {
	loc := tree.SourceInfo().GetStartLocation(id)
	return max(loc.Line(), 1), max(loc.Column()+1, 1)
}
