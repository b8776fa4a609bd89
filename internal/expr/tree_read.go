package expr

import (
	"math"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Tree reads a condition as a form shows it. What no form can show becomes a node of kind text. It does not check types:
// Condition does. Errors are as those of Condition.
func Tree(text string) (Node, error) {
	if _, err := parse(text); err != nil {
		return Node{}, err
	}
	return nodeOf(text, clauses(text), ""), nil
}

// parse reads text as CEL without the macros of behaviour.
func parse(text string) (ast.Expr, error) {
	raw, issues := environments().raw.Parse(text)
	if issues.Err() != nil {
		return nil, explain(issues)
	}
	return raw.NativeRep().Expr(), nil
}

// nodeOf reads a clause. Inside a where variable is the name of the event; elsewhere it is "".
func nodeOf(text string, c clause, variable string) Node {
	if c.kind == kindLeaf {
		leaf := text[c.start:c.end]
		if e, err := parse(leaf); err == nil {
			if n, ok := (treeReader{variable}).leaf(e, leaf); ok {
				return n
			}
		}
		return Node{Kind: KindText, Text: leaf}
	}
	n := Node{Kind: c.kind}
	for _, part := range c.parts {
		n.Nodes = append(n.Nodes, nodeOf(text, part, variable))
	}
	return n
}

// treeReader recognises leaves.
type treeReader struct{ variable string }

func (r treeReader) leaf(e ast.Expr, text string) (Node, bool) {
	if e.Kind() != ast.CallKind {
		if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
			n, ok := r.field(e)
			n.Operator = "has"
			return n, ok
		}
		return r.field(e)
	}
	call := e.AsCall()
	name, args := call.FunctionName(), call.Args()
	for operator, method := range nodeMethods {
		if name == method && call.IsMemberFunction() && len(args) == 1 {
			return r.compared(call.Target(), operator, args[0], text)
		}
	}
	if name == operators.In || isComparison(name) {
		switch {
		case name == operators.In && isIdent(args[1], "segments"):
			segment, ok := literalString(args[0])
			return Node{Kind: KindSegment, Name: segment}, ok && r.variable == ""
		case name == operators.In && args[1].Kind() == ast.ListKind:
			return r.compared(args[0], "in", args[1], text)
		case name == operators.In:
			return r.compared(args[1], "includes", args[0], text)
		}
		sign, _ := operators.FindReverse(name)
		return r.comparison(sign, args, text)
	}
	return r.subject(e, text)
}

// comparison reads a sign between two values.
func (r treeReader) comparison(sign string, args []ast.Expr, text string) (Node, bool) {
	if isNull(args[1]) && (sign == "==" || sign == "!=") {
		n, ok := r.field(args[0])
		n.Operator = "has"
		if sign == "==" {
			n = Node{Kind: KindNot, Nodes: []Node{n}}
		}
		return n, ok
	}
	if n, ok := r.compared(args[0], sign, args[1], text); ok {
		return n, true
	}
	return r.compared(args[1], mirrored[sign], args[0], text)
}

// mirrored are the signs when both sides change places.
var mirrored = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func isNull(e ast.Expr) bool { return e.Kind() == ast.LiteralKind && e.AsLiteral() == types.NullValue }

// compared reads a subject, an operator and a fixed value.
func (r treeReader) compared(subject ast.Expr, operator string, fixed ast.Expr, text string) (Node, bool) {
	n, ok := r.subject(subject, text)
	if !ok || n.Operator != "" {
		return n, false
	}
	n.Operator = operator
	if n.Function == "" && slices.Contains(nodeSigns, operator) {
		if at, ok := callOf(fixed, "timestamp"); ok {
			n.Function, n.Value = "time", at
			return n, true
		}
		if isIdent(fixed, "now") && operator[0] != '=' && operator[0] != '!' {
			n.Function, n.Value = "time", "now"
			return n, true
		}
	}
	switch n.Function {
	case "age":
		n.Value, ok = callOf(fixed, "duration")
		return n, ok
	case "fold", "version":
		if inner, found := callOf(fixed, n.Function); found {
			n.Value = inner
			return n, true
		}
		value, ok := literalString(fixed)
		n.Value = value
		return n, ok && (n.Function == "version" || fold(value) == value)
	}
	if fixed.Kind() == ast.ListKind {
		list := []any{}
		for _, item := range fixed.AsList().Elements() {
			value, ok := literalValue(item)
			if !ok {
				return n, false
			}
			list = append(list, value)
		}
		n.Value = list
		return n, operator == "in" || operator == "includes_any" || operator == "includes_all"
	}
	n.Value, ok = literalValue(fixed)
	return n, ok
}

// callOf reads a call of a function with one text.
func callOf(e ast.Expr, function string) (string, bool) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != function || len(e.AsCall().Args()) != 1 || e.AsCall().IsMemberFunction() {
		return "", false
	}
	return literalString(e.AsCall().Args()[0])
}

// literalValue reads a text, a boolean, or a number that JSON holds exactly.
func literalValue(e ast.Expr) (any, bool) {
	if n, ok := literalNumber(e); ok {
		return n, math.Abs(n) < 1<<53 || e.AsLiteral().Type() == types.DoubleType
	}
	if e.Kind() != ast.LiteralKind {
		return nil, false
	}
	switch v := e.AsLiteral().(type) {
	case types.String:
		return string(v), true
	case types.Bool:
		return bool(v), true
	}
	return nil, false
}

// subject reads what a leaf is about: a field, behaviour, or a function of either.
func (r treeReader) subject(e ast.Expr, text string) (Node, bool) {
	if e.Kind() != ast.CallKind {
		return r.field(e)
	}
	call := e.AsCall()
	if !call.IsMemberFunction() && slices.Contains(nodeFunctions, call.FunctionName()) && len(call.Args()) > 0 {
		n, ok := r.subject(call.Args()[0], text)
		if !ok || n.Function != "" {
			return n, false
		}
		n.Function = call.FunctionName()
		if len(call.Args()) == 2 {
			n.Zone, ok = literalString(call.Args()[1])
		}
		return n, ok
	}
	if r.variable == "" {
		if call.IsMemberFunction() || call.FunctionName() == "sequence" {
			return r.happening(e, text)
		}
	}
	return r.field(e)
}

// field reads profile.name.path and the like, and inside a where a property.
func (r treeReader) field(e ast.Expr) (Node, bool) {
	var path []string
	for {
		var name string
		var ok bool
		var of ast.Expr
		switch {
		case e.Kind() == ast.SelectKind:
			name, of, ok = e.AsSelect().FieldName(), e.AsSelect().Operand(), true
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Index:
			of = e.AsCall().Args()[0]
			name, ok = literalString(e.AsCall().Args()[1])
		}
		if !ok {
			return Node{}, false
		}
		path = append([]string{name}, path...)
		if of.Kind() == ast.IdentKind {
			return r.rooted(of.AsIdent(), path)
		}
		e = of
	}
}

func (r treeReader) rooted(root string, path []string) (Node, bool) {
	n := Node{Name: path[0]}
	if len(path) > 1 {
		n.Path = path[1:]
	}
	if r.variable != "" {
		if root != r.variable || path[0] != "properties" || len(path) < 2 {
			return n, false
		}
		n.Kind, n.Name, n.Path = KindProperty, path[1], nil
		if len(path) > 2 {
			n.Path = path[2:]
		}
		return n, true
	}
	for kind, name := range nodeRoots {
		if root == name {
			n.Kind = kind
			return n, kind != KindConsent || len(n.Path) == 0
		}
	}
	return n, false
}
