package store

import (
	"errors"
	"strconv"
	"strings"
)

// treeNode is a node of a statement as PostgreSQL has understood it: a value of its type pg_node_tree, which
// src/backend/nodes/outfuncs.c writes. Fields hold words; whatever holds further nodes gives them as children.
type treeNode struct {
	tag      string // such as FUNCEXPR
	words    map[string]string
	numbers  map[string][]int64 // lists of numbers
	children []*treeNode
}

func newTreeNode(tag string) *treeNode {
	return &treeNode{tag: tag, words: map[string]string{}, numbers: map[string][]int64{}}
}

var errTree = errors.New("store: a node tree of PostgreSQL cannot be read")

// parseTree reads a tree. It takes nothing for granted: what it does not understand fails.
func parseTree(text string) (*treeNode, error) {
	r := &treeReader{words: treeWords(text)}
	root := newTreeNode("")
	if err := r.value(root, ""); err != nil {
		return nil, err
	}
	if len(r.words) > 0 || len(root.children) == 0 {
		return nil, errTree
	}
	return root, nil
}

// each calls fn with the node and all below it.
func (n *treeNode) each(fn func(*treeNode) error) error {
	if n.tag != "" {
		if err := fn(n); err != nil {
			return err
		}
	}
	for _, child := range n.children {
		if err := child.each(fn); err != nil {
			return err
		}
	}
	return nil
}

// number is the id in a field; 0 where there is none.
func (n *treeNode) number(field string) int64 {
	id, _ := strconv.ParseInt(n.words[field], 10, 64)
	return id
}

// treeWords cuts a tree into words, and the brackets ( ) { }. A backslash makes the next character part of a word.
func treeWords(text string) (words []string) {
	begin := -1
	end := func(i int) {
		if begin >= 0 {
			words = append(words, text[begin:i])
			begin = -1
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ' ' || c == '\n' || c == '\t':
			end(i)
		case strings.IndexByte("(){}", c) >= 0:
			end(i)
			words = append(words, text[i:i+1])
		default:
			if begin < 0 {
				begin = i
			}
			if c == '\\' {
				i++
			}
		}
	}
	end(len(text))
	return words
}

type treeReader struct{ words []string }

func (r *treeReader) next() string {
	if len(r.words) == 0 {
		return ""
	}
	word := r.words[0]
	r.words = r.words[1:]
	return word
}

func (r *treeReader) ahead(word string) bool { return len(r.words) > 0 && r.words[0] == word }

// node reads {TAG :field value …}, behind its bracket.
func (r *treeReader) node() (*treeNode, error) {
	n := newTreeNode(r.next())
	if n.tag == "" || strings.ContainsAny(n.tag, `:(){}\`) {
		return nil, errTree
	}
	for !r.ahead("}") {
		field, ok := strings.CutPrefix(r.next(), ":")
		if _, twice := n.words[field]; !ok || field == "" || twice {
			return nil, errTree
		}
		if err := r.value(n, field); err != nil {
			return nil, err
		}
	}
	r.next()
	return n, nil
}

// value reads what a field of a node holds: a node, a list of values, or a word, behind which a constant has its bytes.
func (r *treeReader) value(n *treeNode, field string) error {
	switch word := r.next(); word {
	case "", ")", "}":
		return errTree
	case "{":
		child, err := r.node()
		if err != nil {
			return err
		}
		n.children = append(n.children, child)
	case "(":
		return r.list(n, field)
	default:
		if field != "" {
			n.words[field] = word
		}
		if r.ahead("[") {
			for !r.ahead("]") {
				if r.next() == "" {
					return errTree
				}
			}
			r.next()
		}
	}
	return nil
}

// list reads the items of a list, behind its bracket. One of numbers has a letter before them.
func (r *treeReader) list(n *treeNode, field string) error {
	if len(r.words) > 0 && (r.ahead("i") || r.ahead("o") || r.ahead("x") || r.ahead("b")) {
		r.next()
		for !r.ahead(")") {
			id, err := strconv.ParseInt(r.next(), 10, 64)
			if err != nil {
				return errTree
			}
			n.numbers[field] = append(n.numbers[field], id)
		}
	}
	for !r.ahead(")") {
		if err := r.value(n, ""); err != nil {
			return err
		}
	}
	r.next()
	return nil
}
