package liquid

import (
	"fmt"
	"maps"
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

// Analyze lists the variables, partials and objects of the template. What a partial is given counts as the variable
// that the caller gave, at the place in the partial where it is used.
func (t *Template) Analyze() Analysis {
	a := analyzer{template: t, seen: map[string]bool{}}
	a.program(t.program, bindings{open: true})
	slices.Sort(a.found.Partials)
	a.found.Partials = slices.Compact(a.found.Partials)
	slices.Sort(a.found.Objects)
	a.found.Objects = slices.Compact(a.found.Objects)
	return a.found
}

// bindings say what the names in a program stand for: paths in the data, or "" for what is made by templates. Other
// names are those of the data if open is set, and nothing in a partial that was rendered.
type bindings struct {
	paths map[string]string
	open  bool
}

type analyzer struct {
	template *Template
	found    Analysis
	seen     map[string]bool // programs with their bindings
}

// maxAnalyzed bounds how many uses of partials are looked into.
const maxAnalyzed = 1000

func (a *analyzer) program(p *program, b bindings) {
	at := cursor{source: p.source}
	for _, u := range p.uses {
		path, bound := b.paths[u.root]
		engine := a.template.engine
		switch {
		case bound && path == "":
			continue
		case bound:
			path += u.path[len(u.root):]
		case engine.objects[u.root] != nil:
			a.found.Objects = append(a.found.Objects, u.root)
			continue
		case engine.globals[u.root] != nil || !b.open:
			continue
		default:
			path = u.path
		}
		v := Variable{Path: path, Template: p.name, Output: u.output, Fallback: u.fallback}
		v.Line, v.Column = at.position(int(u.pos))
		a.found.Variables = append(a.found.Variables, v)
	}
	for i := range p.partials {
		a.partial(p, &p.partials[i], b)
	}
}

func (a *analyzer) partial(caller *program, spec *partialSpec, outer bindings) {
	if spec.literal == "" {
		a.found.Dynamic = true
		return
	}
	a.found.Partials = append(a.found.Partials, spec.literal)
	t := a.template
	t.mu.Lock()
	p := t.partials[partialKey{spec.literal, spec.context}]
	t.mu.Unlock()
	if p == nil {
		return
	}
	given := bindings{paths: map[string]string{}}
	if !spec.isolated {
		for _, alias := range caller.aliases[:spec.aliases] {
			given.paths[alias.name] = alias.path
		}
		for _, l := range spec.locals {
			given.paths[l.name] = l.path
		}
	}
	maps.Copy(given.paths, spec.bindings.paths)
	inner := given.through(outer)
	if !spec.isolated {
		inner.open = outer.open
		for name, path := range outer.paths {
			if _, ok := inner.paths[name]; !ok {
				inner.paths[name] = path
			}
		}
	}
	key := fmt.Sprint(p.name, spec.context, inner)
	if a.seen[key] || len(a.seen) >= maxAnalyzed {
		return
	}
	a.seen[key] = true
	a.program(p, inner)
}

// through returns the bindings with their paths, which are those of the calling program, resolved by its own bindings.
func (b bindings) through(outer bindings) bindings {
	paths := map[string]string{"forloop": ""}
	for name, path := range b.paths {
		root := rootOf(path)
		if resolved, ok := outer.paths[root]; ok {
			if resolved == "" {
				path = ""
			} else {
				path = resolved + path[len(root):]
			}
		} else if !outer.open {
			path = ""
		}
		if len(path) > maxPath {
			path = ""
		}
		paths[name] = path
	}
	return bindings{paths: paths}
}

func rootOf(path string) string {
	if i := strings.IndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return path
}

// bind notes what a partial is given.
func (p *parser) bind(spec *partialSpec) {
	paths := map[string]string{}
	for _, arg := range spec.args {
		paths[arg.name] = p.pathText(arg.expr)
	}
	if spec.bound != nil {
		name := spec.alias
		if name == "" {
			name = spec.literal[strings.LastIndexByte(spec.literal, '/')+1:]
		}
		paths[name] = p.pathText(spec.bound)
		if spec.loop && paths[name] != "" {
			paths[name] += "[]"
		}
	}
	spec.bindings = bindings{paths: paths}
}

// use notes a variable for analysis, unless the template makes it itself.
func (p *parser) use(e *expression) {
	path := p.pathText(e)
	if path == "" {
		return
	}
	p.program.uses = append(p.program.uses, use{
		path: path, root: rootOf(path), pos: e.pos, fallback: p.guards[path] > 0,
	})
}

// maxPath bounds the paths that analysis follows, which assignments can make longer and longer.
const maxPath = 500

// pathText is the path of a variable in the data, or "" if it is not part of the data.
func (p *parser) pathText(e *expression) string {
	var b strings.Builder
	switch e.kind {
	case exprLocal:
		for i := len(p.locals) - 1; i >= 0; i-- {
			if p.locals[i].slot == e.slot {
				b.WriteString(p.locals[i].path)
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
	if b.Len() > maxPath {
		return ""
	}
	return b.String()
}

// maxAliases bounds how many assigned variables the analysis of an include knows.
const maxAliases = 200

// alias notes that the template assigns a variable.
func (p *parser) alias(name, path string) {
	p.aliases[name] = path
	if len(p.program.aliases) < maxAliases {
		p.program.aliases = append(p.program.aliases, alias{name, path})
	}
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
