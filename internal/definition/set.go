package definition

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Set is all definitions at one moment.
type Set struct{ byRef map[Ref]Definition }

// NewSet makes a set of definitions.
func NewSet(definitions []Definition) Set {
	s := Set{byRef: make(map[Ref]Definition, len(definitions))}
	for _, d := range definitions {
		s.byRef[d.Ref] = d
	}
	return s
}

// Get finds a definition.
func (s Set) Get(kind Kind, name string) (Definition, bool) {
	d, ok := s.byRef[Ref{kind, name}]
	return d, ok
}

// Of lists the definitions of a kind by name.
func (s Set) Of(kind Kind) []Definition {
	var of []Definition
	for ref, d := range s.byRef {
		if ref.Kind == kind {
			of = append(of, d)
		}
	}
	slices.SortFunc(of, func(a, b Definition) int { return strings.Compare(a.Name, b.Name) })
	return of
}

// All lists every definition, by kind in the order of Kinds, then by name.
func (s Set) All() []Definition {
	var all []Definition
	for _, k := range Kinds() {
		all = append(all, s.Of(k)...)
	}
	return all
}

// Len counts the definitions.
func (s Set) Len() int { return len(s.byRef) }

func (s Set) clone() Set { return Set{byRef: maps.Clone(s.byRef)} }

func compareRefs(a, b Ref) int {
	order := Kinds()
	return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), strings.Compare(a.Name, b.Name))
}
