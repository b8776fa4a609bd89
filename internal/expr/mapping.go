package expr

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// MappingEnv compiles the expressions that turn the rows of a file into events. They see the variable row, one record
// of the file, and, where rows are gathered, items, the list of what was made of the rows of one event.
//
// A column that is absent reads as null where rows are JSON; it is a compile error where the columns are known. null
// may stand beside any other type in a condition: row.X == "" ? null : int(row.X).
type MappingEnv struct {
	env     *cel.Env
	types   *mappingTypes
	message bool // rows are messages of a topic
}

// MappingField is a named and compiled expression, a member of the item that a row becomes.
type MappingField struct {
	Name string
	Expr *MappingExpr
}

// NewMappingEnv makes the environment for a file with the given columns, all of them text, or for JSON objects of any
// shape where columns is nil. With items the variable of that name exists, a list of objects with these fields.
func NewMappingEnv(columns []string, items []MappingField) (*MappingEnv, error) {
	vocabulary, err := newMappingTypes(columns, items)
	if err != nil {
		return nil, err
	}
	options := append([]cel.EnvOption{
		cel.CustomTypeAdapter(vocabulary),
		cel.CustomTypeProvider(vocabulary),
		cel.Variable(rowName, cel.ObjectType(rowType)),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxMappingSource),
		ext.Strings(),
		ext.Math(),
	}, mappingFunctions()...)
	if items != nil {
		options = append(options, cel.Variable(itemsName, cel.ListType(cel.ObjectType(itemType))))
	}
	base, err := mappingBase()
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the mapping environment cannot be built")
	}
	env, err := base.Extend(options...)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the mapping environment cannot be built")
	}
	return &MappingEnv{env: env, types: vocabulary}, nil
}

// NewMessageEnv makes the environment for messages of a topic. Their value, a JSON object of any shape, is the row; the
// variable message is what stands around it, MappingRow.Message, whose absent parts read as null too.
func NewMessageEnv() (*MappingEnv, error) {
	m, err := NewMappingEnv(nil, nil)
	if err == nil {
		m.message = true
	}
	return m, err
}

const (
	rowName, itemsName = "row", "items"
	messageName        = "message"
	messagePath        = "\x01message" // where paths that begin with message hang below row; no JSON member is told apart by it
	rowType, itemType  = "tailorbird.row", "tailorbird.item"
	maxMappingSource   = 16 << 10 // characters of one expression
)

// MappingExpr is a compiled expression. It is safe for use by several goroutines.
type MappingExpr struct {
	program  cel.Program
	kind     *types.Type
	fold     mappingFold
	column   int // of foldColumn, foldInt and foldDouble
	constant MappingValue
	columns  []int
	items    bool
}

// mappingFold names the expressions that are answered without CEL, because they are what most rows consist of.
type mappingFold uint8

const (
	foldNone     mappingFold = iota
	foldConstant             // "GBP"
	foldColumn               // row.X
	foldInt                  // int(row.X)
	foldDouble               // double(row.X)
)

// Columns lists the positions of the columns that the expression reads, ascending; nil where rows are JSON.
func (e *MappingExpr) Columns() []int { return e.columns }

// UsesItems tells whether the expression reads the gathered items.
func (e *MappingExpr) UsesItems() bool { return e.items }

// Compile reads one expression. What is wrong with it comes back as one or several joined *fault.Error with Line and
// Column inside source; Field is left for the caller to name.
func (m *MappingEnv) Compile(source string) (*MappingExpr, error) {
	if strings.TrimSpace(source) == "" {
		return nil, &fault.Error{Code: fault.Invalid, Message: "the expression is empty", Line: 1, Column: 1}
	}
	parsed, issues := m.env.Parse(source)
	if issues.Err() != nil {
		return nil, mappingIssues(issues)
	}
	rewriting := mappingRewriter{
		tree: parsed.NativeRep(), columns: m.types.index, message: m.message, factory: ast.NewExprFactory(), used: map[int]bool{},
	}
	if err := rewriting.run(); err != nil {
		return nil, err
	}
	checked, issues := m.env.Check(parsed)
	if issues.Err() != nil {
		return nil, mappingIssues(issues)
	}
	compiled := &MappingExpr{kind: checked.OutputType(), columns: sortedMappingColumns(rewriting.used), items: rewriting.items}
	if compiled.foldable(checked.NativeRep().Expr(), m.types.index) {
		return compiled, nil
	}
	program, err := m.env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		// Constant parts are computed while planning: a bad constant such as int("x") shows here.
		return nil, &fault.Error{Code: fault.Invalid, Message: err.Error(), Line: 1, Column: 1}
	}
	compiled.program = program
	return compiled, nil
}

func mappingIssues(issues *cel.Issues) error {
	var all []error
	for _, e := range issues.Errors() {
		message := e.Message
		if strings.HasPrefix(message, "Syntax error: ") {
			message = "syntax error: " + strings.TrimPrefix(message, "Syntax error: ")
		}
		all = append(all, &fault.Error{
			Code: fault.Invalid, Message: message, Line: max(e.Location.Line(), 1), Column: max(e.Location.Column()+1, 1),
		})
	}
	return errors.Join(all...)
}

// foldable recognises the expressions that need no CEL at run time. Only text columns qualify.
func (e *MappingExpr) foldable(root ast.Expr, columns map[string]int) bool {
	if root.Kind() == ast.LiteralKind {
		value, err := mappingValueOf(root.AsLiteral())
		e.constant, e.fold = value, foldConstant
		return err == nil
	}
	if columns == nil {
		return false
	}
	wanted, operand := foldColumn, root
	if root.Kind() == ast.CallKind && len(root.AsCall().Args()) == 1 && !root.AsCall().IsMemberFunction() {
		switch root.AsCall().FunctionName() {
		case "int":
			wanted = foldInt
		case "double":
			wanted = foldDouble
		default:
			return false
		}
		operand = root.AsCall().Args()[0]
	}
	path, ok := mappingPath(operand)
	if !ok || operand.AsSelect().IsTestOnly() {
		return false
	}
	e.column, e.fold = columns[path], wanted
	return true
}

// mappingRewriter adapts a parsed expression to rows before it is checked: row.a.b and row["a"] become one look-up of a path
// (so that an absent part reads as null), null becomes dyn(null) (so that it may stand beside any type), and unknown
// columns are reported with the names of those that exist.
type mappingRewriter struct {
	tree    *ast.AST
	columns map[string]int // nil where rows are JSON
	message bool           // message is a name
	factory ast.ExprFactory
	used    map[int]bool
	items   bool
	whole   int // mentions of row that are not part of a path
	errs    []error
}

func (r *mappingRewriter) run() error {
	ast.PostOrderVisit(r.tree.Expr(), ast.NewExprVisitor(r.visit))
	ast.PostOrderVisit(r.tree.Expr(), ast.NewExprVisitor(r.note))
	if r.whole > 0 {
		for _, column := range r.columns {
			if column >= 0 {
				r.used[column] = true
			}
		}
	}
	return errors.Join(r.errs...)
}

func (r *mappingRewriter) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.IdentKind:
		if r.message && e.AsIdent() == messageName {
			e.SetKindCase(r.factory.NewSelect(e.ID(), r.factory.NewIdent(r.nextID(), rowName), messagePath))
		}
	case ast.SelectKind:
		selection := e.AsSelect()
		path, ok := mappingRowOrPath(selection.Operand())
		if !ok {
			return
		}
		path = joinMappingPath(path, selection.FieldName())
		root := r.factory.NewIdent(mappingRoot(selection.Operand()).ID(), rowName)
		if selection.IsTestOnly() {
			e.SetKindCase(r.factory.NewPresenceTest(e.ID(), root, path))
		} else {
			e.SetKindCase(r.factory.NewSelect(e.ID(), root, path))
		}
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != operators.Index || len(call.Args()) != 2 || call.Args()[1].Kind() != ast.LiteralKind {
			return
		}
		name, isText := call.Args()[1].AsLiteral().(types.String)
		path, ok := mappingRowOrPath(call.Args()[0])
		if !ok || !isText {
			return
		}
		root := r.factory.NewIdent(mappingRoot(call.Args()[0]).ID(), rowName)
		e.SetKindCase(r.factory.NewSelect(e.ID(), root, joinMappingPath(path, string(name))))
	case ast.LiteralKind:
		if e.AsLiteral() == types.NullValue {
			null := r.factory.NewLiteral(r.nextID(), types.NullValue)
			e.SetKindCase(r.factory.NewCall(e.ID(), "dyn", null))
		}
	case ast.ComprehensionKind:
		for _, name := range []string{e.AsComprehension().IterVar(), e.AsComprehension().IterVar2()} {
			if name == rowName || name == itemsName || r.message && name == messageName {
				r.fail(e.ID(), "%q is already the name of the %s: choose another loop variable", name, name)
			}
		}
	}
}

// note records what the finished tree reads.
func (r *mappingRewriter) note(e ast.Expr) {
	if e.Kind() == ast.IdentKind {
		switch e.AsIdent() {
		case itemsName:
			r.items = true
		case rowName:
			r.whole++ // taken back below where the mention is the root of a path
		}
	}
	if r.columns == nil {
		return
	}
	if path, ok := mappingPath(e); ok {
		r.whole--
		column, known := r.columns[path]
		switch {
		case !known:
			r.fail(e.ID(), "the file has no column %q; it has %s", strings.ReplaceAll(path, mappingPathSeparator, "."), mappingColumnNames(r.columns))
		case column < 0:
			r.fail(e.ID(), "the file has more than one column %q: rename one of them", path)
		default:
			r.used[column] = true
		}
	}
}

func (r *mappingRewriter) nextID() int64 {
	return ast.MaxID(r.tree) + 1
}

func (r *mappingRewriter) fail(id int64, format string, args ...any) {
	at := r.tree.SourceInfo().GetStartLocation(id)
	r.errs = append(r.errs, &fault.Error{
		Code: fault.Invalid, Message: fmt.Sprintf(format, args...), Line: max(at.Line(), 1), Column: max(at.Column()+1, 1),
	})
}

const mappingPathSeparator = "\x00"

func joinMappingPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + mappingPathSeparator + name
}

// mappingPath is the path of an expression of the form row.path, after rewriting.
func mappingPath(e ast.Expr) (string, bool) {
	if e.Kind() != ast.SelectKind || e.AsSelect().Operand().Kind() != ast.IdentKind || e.AsSelect().Operand().AsIdent() != rowName {
		return "", false
	}
	return e.AsSelect().FieldName(), true
}

// mappingRowOrPath is rowPath, or the empty path for row itself.
func mappingRowOrPath(e ast.Expr) (string, bool) {
	if e.Kind() == ast.IdentKind && e.AsIdent() == rowName {
		return "", true
	}
	return mappingPath(e)
}

func mappingRoot(e ast.Expr) ast.Expr {
	if e.Kind() == ast.SelectKind {
		return e.AsSelect().Operand()
	}
	return e
}
