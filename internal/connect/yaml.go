package connect

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// node is a value of a mapping file with its position: a text, a list or an object, whose members keep their order.
type node struct {
	field   string // path from the top, such as properties.total
	line    int    // of the first character of text
	column  int
	exact   bool // text stands in the file character by character, so that positions inside it can be told
	object  []member
	list    []*node
	text    string
	isText  bool
	isNull  bool
	isBlock bool // text's lines are indented in the file by column-1
}

type member struct {
	name  string
	value *node
}

func (n *node) fail(format string, args ...any) error {
	err := fault.Field(n.field, format, args...)
	err.Line, err.Column = n.line, n.column
	return err
}

// at moves positions inside the text of n to the mapping file and names the field.
func (n *node) at(err error) error {
	var moved []error
	for _, f := range fault.All(err) {
		at := *f
		at.Field = n.field
		switch {
		case !n.exact || at.Line == 0:
			at.Line, at.Column = n.line, n.column
		case n.isBlock || at.Line == 1:
			at.Line, at.Column = n.line+at.Line-1, n.column+at.Column-1
		default:
			at.Line += n.line - 1
		}
		moved = append(moved, &at)
	}
	return errors.Join(moved...)
}

// parseYAML reads the one document of a mapping file.
func parseYAML(name string, data []byte) (*node, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		var syntax interface{ GetToken() *token.Token }
		failure := fault.Field(name, "this is not YAML: %s", firstLine(err))
		if errors.As(err, &syntax) && syntax.GetToken() != nil {
			failure.Line, failure.Column = syntax.GetToken().Position.Line, syntax.GetToken().Position.Column
		}
		return nil, failure
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fault.Field(name, "a mapping is one YAML document with fields such as type, event and user_id")
	}
	top, err := convert("", file.Docs[0].Body, 0)
	if err != nil {
		return nil, err
	}
	if top.object == nil {
		return nil, fault.Field(name, "a mapping is an object with fields such as type, event and user_id")
	}
	return top, nil
}

func firstLine(err error) string {
	var pretty interface{ GetMessage() string }
	if errors.As(err, &pretty) {
		return pretty.GetMessage()
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

const maxDepth = 16 // of nested objects and lists in a mapping

func convert(field string, from ast.Node, depth int) (*node, error) {
	position := from.GetToken().Position
	to := &node{field: field, line: position.Line, column: position.Column}
	if depth > maxDepth {
		return nil, to.fail("the mapping is nested more than %d levels deep", maxDepth)
	}
	switch from := from.(type) {
	case *ast.MappingNode:
		to.object = []member{}
		for _, pair := range from.Values {
			if err := to.add(pair, depth); err != nil {
				return nil, err
			}
		}
	case *ast.MappingValueNode:
		if err := to.add(from, depth); err != nil {
			return nil, err
		}
	case *ast.SequenceNode:
		to.list = []*node{}
		for _, value := range from.Values {
			element, err := convert(field+"[]", value, depth+1)
			if err != nil {
				return nil, err
			}
			to.list = append(to.list, element)
		}
	case *ast.StringNode:
		to.isText, to.text = true, from.Value
		switch from.Token.Type {
		case token.SingleQuoteType, token.DoubleQuoteType:
			to.column++
			to.exact = !strings.ContainsAny(from.Value, "'\\\n\t") && (from.Token.Type == token.SingleQuoteType || !strings.Contains(from.Value, `"`))
		default:
			to.exact = !strings.Contains(from.Value, "\n")
		}
	case *ast.LiteralNode:
		to.isText, to.text = true, from.Value.Value
		to.exact, to.isBlock = strings.HasPrefix(from.Start.Value, "|"), true
		to.line++
		if first := from.Value.Token; first != nil {
			origin := strings.TrimLeft(first.Origin, "\n")
			to.column = 1 + len(origin) - len(strings.TrimLeft(origin, " "))
		}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		to.isText, to.exact, to.text = true, true, from.GetToken().Value
	case *ast.NullNode:
		to.isNull = true
	default:
		return nil, to.fail("anchors, aliases and tags have no place in a mapping: write the value out")
	}
	return to, nil
}

func (n *node) add(pair *ast.MappingValueNode, depth int) error {
	key := pair.Key.GetToken()
	at := &node{field: n.field, line: key.Position.Line, column: key.Position.Column}
	name, isText := pair.Key.(ast.ScalarNode)
	if !isText {
		return at.fail("the name of a field must be text")
	}
	text := name.GetToken().Value
	for _, m := range n.object {
		if m.name == text {
			return at.fail("the field %q stands twice", text)
		}
	}
	path := text
	if n.field != "" {
		path = n.field + "." + text
	}
	value, err := convert(path, pair.Value, depth+1)
	if err != nil {
		return err
	}
	n.object = append(n.object, member{text, value})
	return nil
}
