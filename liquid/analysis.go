package liquid

import (
	"slices"
	"strings"
)

// Analysis is what a template needs, known without running it. Its partials named in quotes are included.
type Analysis struct {
	Variables []Variable // in the order of the source, each use once
	Partials  []string   // names of partials in quotes, sorted
	Dynamic   bool       // a partial is chosen by a variable, so that there may be more of everything
	Objects   []string   // registered objects that the template may load, sorted
}

// Variable is one use of a variable that the data must provide.
type Variable struct {
	// Path is the name and the properties, such as "customer.first_name", "products[].price" for a field of the items
	// of a list, or "order["line items"]" for a name that needs quotes.
	Path         string
	Template     string // name of the partial; empty for the template itself
	Line, Column int    // from 1
	Output       bool   // it is written, or goes into what is written
	Fallback     bool   // a filter such as default stands behind it, or a condition around it tests it
}

// use is a Variable while it is compiled.
type use struct {
	path             string
	root             string
	pos              int32
	output, fallback bool
}

// Analyze lists the variables, partials and objects of the template.
func (t *Template) Analyze() Analysis {
	var a Analysis
	seen := map[*program]bool{}
	t.analyze(t.program, &a, seen, nil)
	slices.Sort(a.Partials)
	a.Partials = slices.Compact(a.Partials)
	slices.Sort(a.Objects)
	a.Objects = slices.Compact(a.Objects)
	return a
}

// analyze adds what a program uses. Names in bound are arguments of a render or include and not part of the data.
func (t *Template) analyze(p *program, a *Analysis, seen map[*program]bool, bound map[string]bool) {
	if seen[p] {
		return
	}
	seen[p] = true
	for _, u := range p.uses {
		if bound[u.root] {
			continue
		}
		if _, ok := t.engine.objects[u.root]; ok {
			a.Objects = append(a.Objects, u.root)
			continue
		}
		if _, ok := t.engine.globals[u.root]; ok {
			continue
		}
		v := Variable{Path: u.path, Template: p.name, Output: u.output, Fallback: u.fallback}
		v.Line, v.Column = p.position(int(u.pos))
		a.Variables = append(a.Variables, v)
	}
	for i := range p.partials {
		t.analyzePartial(&p.partials[i], a, seen, bound)
	}
}

func (t *Template) analyzePartial(spec *partialSpec, a *Analysis, seen map[*program]bool, outer map[string]bool) {
	if spec.literal == "" {
		a.Dynamic = true
		return
	}
	a.Partials = append(a.Partials, spec.literal)
	t.mu.Lock()
	p := t.partials[partialKey{spec.literal, spec.context}]
	t.mu.Unlock()
	if p == nil {
		return
	}
	bound := map[string]bool{"forloop": true}
	for name := range outer {
		bound[name] = true
	}
	for _, arg := range spec.args {
		bound[arg.name] = true
	}
	for _, l := range spec.locals {
		bound[l.name] = true
	}
	if spec.bound != nil {
		name := spec.alias
		if name == "" {
			name = spec.literal[strings.LastIndexByte(spec.literal, '/')+1:]
		}
		bound[name] = true
	}
	if spec.isolated {
		t.analyzeIsolated(p, a, seen)
		return
	}
	t.analyze(p, a, seen, bound)
}

// analyzeIsolated adds the objects of a partial that was rendered. It sees no variables of the data.
func (t *Template) analyzeIsolated(p *program, a *Analysis, seen map[*program]bool) {
	inner := Analysis{}
	t.analyze(p, &inner, seen, nil)
	a.Objects = append(a.Objects, inner.Objects...)
	a.Partials = append(a.Partials, inner.Partials...)
	a.Dynamic = a.Dynamic || inner.Dynamic
}

// use notes a variable for analysis, unless the template makes it itself.
func (p *parser) use(e *expression) {
	path := p.pathText(e)
	if path == "" {
		return
	}
	root := path
	if i := strings.IndexAny(path, ".["); i > 0 {
		root = path[:i]
	}
	p.program.uses = append(p.program.uses, use{
		path: path, root: root, pos: e.pos, fallback: slices.Contains(p.guards, path),
	})
}

// pathText is the path of a variable in the data, or "" if it is not part of the data.
func (p *parser) pathText(e *expression) string {
	var b strings.Builder
	switch e.kind {
	case exprLocal:
		for name, path := range p.loops {
			if p.localSlot(name) == e.slot {
				b.WriteString(path)
			}
		}
	case exprVariable:
		name := p.program.names[e.slot]
		path, made := p.aliases[name]
		if !made {
			path = name
		}
		b.WriteString(path)
	}
	if b.Len() == 0 {
		return ""
	}
	for i := range e.path {
		b.WriteString(e.path[i].text())
	}
	return b.String()
}

func (p *parser) localSlot(name string) int32 {
	for i := len(p.locals) - 1; i >= 0; i-- {
		if p.locals[i].name == name {
			return p.locals[i].slot
		}
	}
	return -1
}

func (s *segment) text() string {
	switch {
	case s.index != nil && s.index.kind == exprConstant:
		return "[" + s.index.constant.String() + "]"
	case s.index != nil:
		return "[]"
	case isPlainName(s.name):
		return "." + s.name
	}
	return "[" + string(appendQuoted(nil, s.name)) + "]"
}

func isPlainName(s string) bool {
	if s == "" || !isNameStart(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isWord(s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}
