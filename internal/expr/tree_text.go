package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// maxNodes bounds a tree given from outside, and maxNesting its depth.
const (
	maxNodes   = 500
	maxNesting = 20
)

// Text writes a tree as a condition, such that Tree reads the same from it. Errors are Invalid, with the path of the
// node as Field, such as nodes[2].operator; they do not replace those of Condition, which checks the text.
func Text(n Node) (string, error) {
	w := &treeWriter{}
	text := w.node(n, "", false, 0)
	if w.err != nil {
		return "", w.err
	}
	return text, nil
}

type treeWriter struct {
	count int
	err   error
}

func (w *treeWriter) fail(path, format string, args ...any) string {
	if w.err == nil {
		w.err = fault.Field(strings.TrimPrefix(path, "."), format, args...)
	}
	return ""
}

// node writes a node that stands beside others, or alone. Inside says that it is about an event.
func (w *treeWriter) node(n Node, path string, inside bool, depth int) string {
	if w.count++; w.count > maxNodes || depth > maxNesting {
		return w.fail(path, "a condition has at most %d parts, nested at most %d deep", maxNodes, maxNesting)
	}
	switch n.Kind {
	case KindAll, KindAny:
		return w.group(n, path, inside, depth)
	case KindNot:
		if len(n.Nodes) != 1 {
			return w.fail(path+".nodes", "not takes exactly one node")
		}
		text := w.node(n.Nodes[0], path+".nodes[0]", inside, depth+1)
		if n.Nodes[0].isGroup() || !simple.MatchString(text) {
			text = "(" + text + ")"
		}
		return "!" + text
	case KindSegment:
		if n.Name == "" || inside {
			return w.fail(path+".name", "name the segment")
		}
		return quote(n.Name) + " in segments"
	case KindText:
		if _, err := parse(n.Text); err != nil {
			return w.fail(path+".text", "%s", fault.All(err)[0].Message)
		}
		if strings.Contains(n.Text, "//") {
			return "(" + n.Text + "\n)" // a comment would take the bracket with it
		}
		return "(" + n.Text + ")"
	}
	return w.leaf(n, path, inside)
}

func (n Node) isGroup() bool { return n.Kind == KindAll || n.Kind == KindAny || n.Kind == KindText }

// simple is what may follow ! without brackets.
var simple = regexp.MustCompile(`^(has\(profile\.\w+\)|\w+(\.\w+)+)$`)

func (w *treeWriter) group(n Node, path string, inside bool, depth int) string {
	if len(n.Nodes) == 0 {
		return w.fail(path+".nodes", "a group needs at least one node")
	}
	sign := " && "
	if n.Kind == KindAny {
		sign = " || "
	}
	return w.join(n.Nodes, sign, path+".nodes", inside, depth)
}

func (w *treeWriter) join(nodes []Node, sign, path string, inside bool, depth int) string {
	parts := make([]string, len(nodes))
	for i, part := range nodes {
		parts[i] = w.node(part, fmt.Sprintf("%s[%d]", path, i), inside, depth+1)
		if (part.Kind == KindAll || part.Kind == KindAny) && len(nodes) > 1 {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, sign)
}

// leaf writes a comparison, or what stands without one.
func (w *treeWriter) leaf(n Node, path string, inside bool) string {
	subject := w.subject(n, path, inside)
	if w.err != nil {
		return ""
	}
	if n.Operator == "has" {
		if n.Function != "" || n.Behaviour != nil || n.Sequence != nil {
			return w.fail(path+".operator", "has asks for a field")
		}
		if strings.HasSuffix(subject, "]") {
			return subject + " != null" // CEL's has takes names after dots only
		}
		return "has(" + subject + ")"
	}
	switch n.Function {
	case "":
	case "time":
		return w.timed(n, subject, path)
	case "years", "anniversary":
		if n.Zone != "" {
			subject += ", " + quote(n.Zone)
		}
		subject = n.Function + "(" + subject + ")"
	default:
		if !slices.Contains(nodeFunctions, n.Function) {
			return w.fail(path+".function", "%q is not known; there is %s and time", n.Function, strings.Join(nodeFunctions, ", "))
		}
		subject = n.Function + "(" + subject + ")"
	}
	if n.Operator == "" {
		return subject
	}
	value := w.value(n, path)
	switch {
	case slices.Contains(nodeSigns, n.Operator):
		return subject + " " + n.Operator + " " + value
	case n.Operator == "in":
		return subject + " in " + value
	case n.Operator == "includes":
		return value + " in " + subject
	case nodeMethods[n.Operator] != "":
		return subject + "." + nodeMethods[n.Operator] + "(" + value + ")"
	}
	return w.fail(path+".operator", "%q is not known", n.Operator)
}

// timed writes a comparison with a time.
func (w *treeWriter) timed(n Node, subject, path string) string {
	text, ok := n.Value.(string)
	if !ok || !slices.Contains(nodeSigns, n.Operator) {
		return w.fail(path+".value", "compare with a time as text, or with now")
	}
	if text == "now" {
		return subject + " " + n.Operator + " now"
	}
	return subject + " " + n.Operator + " timestamp(" + quote(text) + ")"
}

// value writes the value of a comparison.
func (w *treeWriter) value(n Node, path string) string {
	wants := map[string]string{"age": "duration", "fold": "fold", "version": "version"}[n.Function]
	list := n.Operator == "in" || n.Operator == "includes_any" || n.Operator == "includes_all"
	switch v := n.Value.(type) {
	case []any:
		if !list || wants != "" {
			return w.fail(path+".value", "%s takes one value", n.Operator)
		}
		items := make([]string, len(v))
		for i, item := range v {
			text, ok := literal(item)
			if !ok {
				return w.fail(fmt.Sprintf("%s.value[%d]", path, i), "must be a text, a number or a boolean")
			}
			items[i] = text
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		if wants != "" {
			return wants + "(" + quote(v) + ")"
		}
	}
	text, ok := literal(n.Value)
	switch {
	case list:
		return w.fail(path+".value", "%s takes a list", n.Operator)
	case !ok:
		return w.fail(path+".value", "must be a text, a number or a boolean")
	case wants != "":
		return w.fail(path+".value", "%s takes a text", n.Function)
	}
	return text
}

func literal(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return quote(v), true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		if v == float64(int64(v)) && v < 1<<53 && v > -1<<53 {
			return strconv.FormatInt(int64(v), 10), true
		}
		text := strconv.FormatFloat(v, 'g', -1, 64)
		return text, strings.ContainsAny(text, ".e") // no infinity
	}
	return "", false
}

func quote(s string) string { return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD")) }

// subject writes what a leaf is about.
func (w *treeWriter) subject(n Node, path string, inside bool) string {
	if inside != (n.Kind == KindProperty) {
		return w.fail(path+".kind", "%q cannot stand here", n.Kind)
	}
	switch n.Kind {
	case KindBehaviour:
		if n.Behaviour == nil {
			return w.fail(path+".behaviour", "is missing")
		}
		return w.behaviour(*n.Behaviour, path+".behaviour")
	case KindSequence:
		if n.Sequence == nil {
			return w.fail(path+".sequence", "is missing")
		}
		return w.sequence(*n.Sequence, path+".sequence")
	}
	if n.Name == "" {
		return w.fail(path+".name", "is missing")
	}
	if n.Kind == KindProperty {
		return members(eventVariable+".properties", append([]string{n.Name}, n.Path...))
	}
	root, ok := nodeRoots[n.Kind]
	if !ok {
		return w.fail(path+".kind", "%q is not known", n.Kind)
	}
	return members(root, append([]string{n.Name}, n.Path...))
}

// fieldName is what may follow a dot.
var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reservedWords are those of CEL, which may not stand as names.
var reservedWords = []string{"true", "false", "null", "in"}

func members(text string, path []string) string {
	for _, name := range path {
		if fieldName.MatchString(name) && !slices.Contains(reservedWords, name) {
			text += "." + name
		} else {
			text += "[" + quote(name) + "]"
		}
	}
	return text
}

// behaviour writes events(…) to its end.
func (w *treeWriter) behaviour(b Behaviour, path string) string {
	shape, ok := reducers[b.Reducer]
	if !ok {
		return w.fail(path+".reducer", "%q is not known", b.Reducer)
	}
	text := w.events(Step{b.Event, b.Where}, path) + steps("within", b.Within) + times(b.From, b.To) + "." + b.Reducer
	switch {
	case b.Property != "" && shape.valued:
		return text + "(" + eventVariable + ", " + members(eventVariable+".properties", append([]string{b.Property}, b.Path...)) + ")"
	case b.Argument != "" && shape.text:
		return text + "(" + quote(b.Argument) + ")"
	case b.Property == "" && shape.bare:
		return text + "()"
	case shape.text:
		return w.fail(path+".argument", "%s needs one, such as 30d", b.Reducer)
	case shape.valued:
		return w.fail(path+".property", "%s needs a property", b.Reducer)
	}
	return w.fail(path+".property", "%s takes no property", b.Reducer)
}

// events writes events(…) with its where.
func (w *treeWriter) events(s Step, path string) string {
	text := "events()"
	if s.Event != "" {
		text = "events(" + quote(s.Event) + ")"
	}
	if len(s.Where) == 0 {
		return text
	}
	return text + ".where(" + eventVariable + ", " + w.join(s.Where, " && ", path+".where", true, 0) + ")"
}

func steps(name, argument string) string {
	if argument == "" {
		return ""
	}
	return "." + name + "(" + quote(argument) + ")"
}

func times(from, to string) string {
	if from != "" && to != "" {
		return ".between(" + quote(from) + ", " + quote(to) + ")"
	}
	return steps("after", from) + steps("before", to)
}

// sequence writes sequence(…).
func (w *treeWriter) sequence(s Sequence, path string) string {
	if len(s.Steps) < 2 {
		return w.fail(path+".steps", "a sequence has at least two steps")
	}
	text := "sequence(" + w.list(s.Steps, path+".steps") + ")" + steps("within", s.Within)
	if len(s.Without) > 0 {
		text += ".without(" + w.list(s.Without, path+".without") + ")"
	}
	return text + steps("during", s.During) + times(s.From, s.To)
}

func (w *treeWriter) list(all []Step, path string) string {
	texts := make([]string, len(all))
	for i, step := range all {
		if step.Event != "" && len(step.Where) == 0 {
			texts[i] = quote(step.Event)
		} else {
			texts[i] = w.events(step, fmt.Sprintf("%s[%d]", path, i))
		}
	}
	return strings.Join(texts, ", ")
}
