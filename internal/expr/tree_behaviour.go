package expr

import (
	"cel.dev/cel-go/common/ast"
)

// chain is a behaviour as it is written: a root call, the steps after it and the end, each with the texts of its
// arguments.
type chain struct {
	root  link
	steps []link
}

type link struct {
	name  string
	args  []ast.Expr
	texts []string
}

// chainOf reads a chain of calls, root first. The text is the one that e was read from, and may hold more beside it.
func chainOf(e ast.Expr, text string) (chain, bool) {
	var links []link
	for {
		if e.Kind() != ast.CallKind {
			return chain{}, false
		}
		call := e.AsCall()
		links = append([]link{{name: call.FunctionName(), args: call.Args()}}, links...)
		if !call.IsMemberFunction() {
			break
		}
		e = call.Target()
	}
	o := outline{text: text, tokens: tokenize(text)}
	at := 0
	for at < len(o.tokens) && o.sign(at) != links[0].name {
		at++
	}
	for i := range links {
		// Each link stands as its name, its arguments in brackets, and a dot.
		if at+1 >= len(o.tokens) || o.sign(at) != links[i].name || o.sign(at+1) != "(" {
			return chain{}, false
		}
		if links[i].texts = o.arguments(at + 1); len(links[i].texts) != len(links[i].args) {
			return chain{}, false
		}
		at = o.closing(at+1) + 2
	}
	return chain{links[0], links[1:]}, true
}

// narrow is what a form shows of the steps between events(…) and its end.
type narrow struct {
	where                     []Node
	window, from, to          string
	hasWindow, hasFrom, hasTo bool
}

// narrowing reads one step; false where it says something that was said already, or that no form shows.
func (n *narrow) step(l link) bool {
	set := func(text *string, has *bool, arg ast.Expr) bool {
		value, ok := literalString(arg)
		again := *has
		*text, *has = value, true
		return ok && !again && value != ""
	}
	if arity, ok := narrowings[l.name]; !ok || arity != len(l.args) {
		return false
	}
	switch l.name {
	case "within":
		return set(&n.window, &n.hasWindow, l.args[0])
	case "after":
		return set(&n.from, &n.hasFrom, l.args[0])
	case "before":
		return set(&n.to, &n.hasTo, l.args[0])
	case "between":
		return set(&n.from, &n.hasFrom, l.args[0]) && set(&n.to, &n.hasTo, l.args[1])
	}
	rows, ok := whereOf(l)
	n.where = append(n.where, rows...)
	return ok
}

// whereOf reads the rows of a where.
func whereOf(l link) ([]Node, bool) {
	if l.args[0].Kind() != ast.IdentKind {
		return nil, false
	}
	variable := l.args[0].AsIdent()
	n := nodeOf(l.texts[1], clauses(l.texts[1]), variable)
	if variable != eventVariable && n.speaks() {
		return nil, false
	}
	if n.Kind == KindAll {
		return n.Nodes, true
	}
	return []Node{n}, true
}

// eventVariable is the name of the event in the conditions that Text writes.
const eventVariable = "e"

// speaks reports whether a node holds text, which names variables as it was written.
func (n Node) speaks() bool {
	for _, part := range n.Nodes {
		if part.speaks() {
			return true
		}
	}
	return n.Kind == KindText
}

// eventsOf reads events(…) and gives the name.
func eventsOf(l link) (string, bool) {
	if l.name != "events" || len(l.args) > 1 {
		return "", false
	}
	if len(l.args) == 0 {
		return "", true
	}
	name, ok := literalString(l.args[0])
	return name, ok && name != ""
}

// happening reads a behaviour or a sequence.
func (r treeReader) happening(e ast.Expr, text string) (Node, bool) {
	c, ok := chainOf(e, text)
	if !ok {
		return Node{}, false
	}
	if c.root.name == "sequence" {
		return sequenceOf(c)
	}
	event, ok := eventsOf(c.root)
	if !ok || len(c.steps) == 0 {
		return Node{}, false
	}
	last := len(c.steps) - 1
	end := c.steps[last]
	var how narrow
	for _, step := range c.steps[:last] {
		if !how.step(step) {
			return Node{}, false
		}
	}
	b := &Behaviour{Event: event, Where: how.where, Within: how.window, From: how.from, To: how.to, Reducer: end.name}
	return Node{Kind: KindBehaviour, Behaviour: b}, b.ends(end)
}

// ends reads the end of a chain.
func (b *Behaviour) ends(end link) bool {
	shape, ok := reducers[end.name]
	switch {
	case !ok:
		return false
	case shape.bare && len(end.args) == 0:
		return true
	case shape.text && len(end.args) == 1:
		b.Argument, ok = literalString(end.args[0])
		return ok && b.Argument != ""
	case !shape.valued || len(end.args) != 2 || end.args[0].Kind() != ast.IdentKind:
		return false
	}
	of, ok := treeReader{end.args[0].AsIdent()}.field(end.args[1])
	b.Property, b.Path = of.Name, of.Path
	return ok
}

// sequenceOf reads a sequence.
func sequenceOf(c chain) (Node, bool) {
	s := &Sequence{}
	var ok bool
	if s.Steps, ok = stepsOf(c.root); !ok || len(s.Steps) < 2 {
		return Node{}, false
	}
	var how, outer narrow // of both only the window differs
	for _, l := range c.steps {
		switch l.name {
		case "without":
			forbidden, ok := stepsOf(l)
			if !ok {
				return Node{}, false
			}
			s.Without = append(s.Without, forbidden...)
		case "during":
			l.name = "within"
			ok = outer.step(l)
		case "where":
			ok = false
		default:
			ok = how.step(l)
		}
		if !ok {
			return Node{}, false
		}
	}
	s.Within, s.During, s.From, s.To = how.window, outer.window, how.from, how.to
	return Node{Kind: KindSequence, Sequence: s}, true
}

// stepsOf reads what is listed in sequence(…) or without(…).
func stepsOf(l link) ([]Step, bool) {
	var steps []Step
	for i, arg := range l.args {
		if name, ok := literalString(arg); ok && name != "" {
			steps = append(steps, Step{Event: name})
			continue
		}
		c, ok := chainOf(arg, l.texts[i])
		if !ok {
			return nil, false
		}
		event, ok := eventsOf(c.root)
		var how narrow
		for _, step := range c.steps {
			ok = ok && step.name == "where" && how.step(step)
		}
		if !ok {
			return nil, false
		}
		steps = append(steps, Step{event, how.where})
	}
	return steps, true
}
