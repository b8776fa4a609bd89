package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// CheckTree says which leaves of a tree do not compile: Field is the path of the leaf, such as nodes[2]. What holds of
// each leaf alone may still be wrong together; that is for Condition to say, or for Value where the tree is a value.
func CheckTree(n Node, value bool) error { return checkNode(n, "", value) }

func checkNode(n Node, path string, value bool) error {
	if n.Kind == KindAll || n.Kind == KindAny || n.Kind == KindNot {
		var errs []error
		for i, part := range n.Nodes {
			errs = append(errs, checkNode(part, fmt.Sprintf("%s.nodes[%d]", path, i), false))
		}
		return errors.Join(errs...)
	}
	text, err := Text(n)
	if err == nil {
		if value {
			_, err = Value(text)
		} else {
			_, err = Condition(text)
		}
	}
	if err == nil {
		return nil
	}
	first := *fault.All(err)[0]
	if first.Line > 0 {
		first.Line, first.Column = 0, 0 // of a text that nobody has seen
	}
	first.Field = strings.TrimPrefix(path, ".")
	return &first
}
