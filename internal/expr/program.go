// Package expr is the one language of conditions: CEL, with functions for behaviour. A text is compiled once into a
// Program with two readings. The lifted one takes each piece of behaviour (a Term) from an Aggregate that is kept per
// profile as events arrive; the naive one computes it from the list of all events. They must agree; the naive one is
// the definition.
package expr

import (
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Program is a compiled condition or computed trait. It is immutable and safe for concurrent use.
type Program struct {
	Text        string
	Type        string   // of the result: bool, int, double, string, timestamp, duration, list, map or dyn
	Terms       []*Term  // the behaviour it asks about
	Fields      []string // the traits it reads
	Members     []Member // of those, what it names within one
	Segments    []string // the segments it asks for
	Preferences bool     // whether it reads preferences
	Quantiles   []*Quantile

	condition bool
	lifted    code
	naive     cel.Program
	clocks    []clock
	uses      []use
	turn      turn // nil where the result is no condition joined of others
}

// Member is what a program names within a trait: "a" of profile.trait.a, profile.trait["a"] and "a" in profile.trait.
type Member struct{ Trait, Name string }

// addTerm gives the term's place, shared with an equal one.
func (p *Program) addTerm(t *Term) int {
	i := slices.IndexFunc(p.Terms, func(have *Term) bool { return have.Key == t.Key })
	if i < 0 {
		i = len(p.Terms)
		t.need = needs[t.Reducer]
		p.Terms = append(p.Terms, t)
	}
	return i
}

// Scope is what a program sees of one profile at one moment.
type Scope struct {
	Now        int64 // µs
	Trait      func(name string) (any, bool)
	Preference func(name string) (any, bool)
	Consent    func(purpose string) (any, bool) // nil: what the trait subscribed says
	InSegment  func(name string) bool
	Cuts       func(key string) []float64 // where the parts of a Quantile begin, ascending; none: not known. Nil: none is known
	Aggregate  func(*Term) *Aggregate     // nil for an empty one; it is advanced to Now when it is read. Not used by the naive reading
	Events     []*Event                   // all, oldest first, none later than Now. Only used by the naive reading

	frame frame
}

// Result evaluates the program incrementally: nil, bool, float64, string, []any or map[string]any; a bool for a
// condition. A scope serves one evaluation at a time.
func (p *Program) Result(s *Scope) any {
	d := p.result(p.lifted, s)
	if p.condition {
		return d.isTrue()
	}
	return d.plain()
}

// NaiveResult evaluates the program from the list of events, by CEL alone.
func (p *Program) NaiveResult(s *Scope) any {
	v, _, err := p.naive.Eval(&activation{program: p, scope: s})
	if err != nil {
		v = missingValue // over the cost limit
	}
	if p.condition {
		return v == types.True
	}
	return export(v)
}

// consent is what the customer allows for a purpose.
func (s *Scope) consent(purpose string) (any, bool) {
	if s.Consent != nil {
		return s.Consent(purpose)
	}
	return s.Trait(consentTrait)
}

// activation resolves the names of a program.
type activation struct {
	program *Program
	scope   *Scope
}

func (a *activation) Parent() interpreter.Activation { return nil }

func (a *activation) ResolveName(name string) (any, bool) {
	s := a.scope
	switch name {
	case "profile":
		return &record{"profile", s.Trait}, true
	case "preferences":
		return &record{"preferences", s.Preference}, true
	case "consent":
		return &record{"consent", s.consent}, true
	case "scores":
		return &record{"scores", func(string) (any, bool) { return nil, false }}, true
	case "segments":
		return &record{"segments", func(name string) (any, bool) { return true, s.InSegment(name) }}, true
	case cutsVar:
		return &record{"cuts", s.cuts}, true
	case "now":
		return types.Timestamp{Time: time.UnixMicro(s.Now).UTC()}, true
	case historyVar:
		events := make([]ref.Val, len(s.Events))
		for i, e := range s.Events {
			events[i] = e.record()
		}
		return types.NewRefValList(adapter{}, events), true
	}
	if i, ok := termNumber(name); ok {
		t := a.program.Terms[i]
		return s.Aggregate(t).read(t, s.Now).ref(), true
	}
	return nil, false
}

// Clocked reports whether the program compares something with the present.
func (p *Program) Clocked() bool { return len(p.clocks) > 0 }

// Lasting reports whether what the program says of the past stays so until there is another event: nothing in it has a window, fades,
// or is compared with the present.
func (p *Program) Lasting() bool {
	return !p.Clocked() && !slices.ContainsFunc(p.Terms, func(t *Term) bool {
		return t.Window > 0 || t.need == needFading || t.sequence != nil
	})
}
