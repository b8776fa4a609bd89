// Package segment is which groups customers are in: the definitions of segments and computed traits, compiled together
// into one set with an order in which they can be evaluated.
package segment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Definition is a segment: the customers for whom a condition holds, or those whom a query lists.
type Definition struct {
	Name        string `json:"-"`
	Condition   string `json:"condition,omitempty"`
	SQL         string `json:"sql,omitempty"`
	Schedule    string `json:"schedule,omitempty"` // when the query runs, see ParseSchedule
	Description string `json:"description,omitempty"`
	WarnBelow   int    `json:"warn_below,omitempty"` // members; with fewer people are warned
}

// maxSQL bounds a query, in bytes.
const maxSQL = 20_000

// Checked completes a definition. Errors are Invalid and name the field.
func (d Definition) Checked() (Definition, error) {
	switch {
	case d.SQL == "":
		if d.Schedule != "" {
			return d, fault.Field("schedule", "goes with sql; a segment with a condition is always current")
		}
		_, err := d.program()
		return d, err
	case d.Condition != "":
		return d, fault.Field("sql", "stands beside a condition; a segment has one of them")
	case len(d.SQL) > maxSQL:
		return d, fault.Field("sql", "has %d bytes; a query has at most %d", len(d.SQL), maxSQL)
	}
	schedule, err := ParseSchedule(d.Schedule)
	d.Schedule = schedule.String()
	return d, err
}

// Uses lists the segments that the condition asks for, and the traits that it reads.
func (d Definition) Uses() (segments, traits []string) {
	if d.SQL != "" {
		return nil, nil
	}
	return usesOf(d.program())
}

// usesOf lists the segments that a program asks for, be it for what their queries say, and the traits that it reads.
func usesOf(p *expr.Program, err error) (segments, traits []string) {
	if err != nil {
		return nil, nil
	}
	segments = slices.Clone(p.Segments)
	for _, m := range p.Members {
		if m.Trait == profile.GivenTrait {
			segments = append(segments, m.Name)
		}
	}
	return segments, p.Fields
}

// program is the compiled condition. What a query says of a customer is a trait of hers, so that its segment is a
// condition as well.
func (d Definition) program() (*expr.Program, error) {
	text := d.Condition
	if d.SQL != "" {
		text = fmt.Sprintf("%q in profile.%s", d.Name, profile.GivenTrait)
	}
	p, err := expr.Condition(text)
	return p, inField("condition", err)
}

// inField says of an expression's errors which field they are in.
func inField(field string, err error) error {
	var faults []error
	for _, f := range fault.All(err) {
		located := *f
		located.Field = field
		faults = append(faults, &located)
	}
	return errors.Join(faults...)
}

// Trait is a computed trait: a value that an expression gives for each customer.
type Trait struct {
	Name        string `json:"-"`
	Expression  string `json:"expression"`
	Description string `json:"description,omitempty"`
}

// Uses lists the segments that the expression asks for, and the traits that it reads.
func (t Trait) Uses() (segments, traits []string) {
	return usesOf(expr.Value(t.Expression))
}

// Node is a compiled segment or computed trait.
type Node struct {
	Name    string
	Segment bool // else a computed trait
	Program *expr.Program
	SQL     string // of a segment by query
}

// Key tells nodes of both kinds apart.
func (n *Node) Key() string {
	if n.Segment {
		return "segment " + n.Name
	}
	return "trait " + n.Name
}

// Set is all segments and computed traits, in an order in which each stands after those that it uses.
type Set struct {
	Nodes []*Node
}

// Compile compiles definitions together. Errors are *fault.Error, joined: Field is "condition" or "expression" (of the
// definition that the message names), with line and column; a cycle and a segment that does not exist, or has no query to be
// read, are errors too.
func Compile(segments []Definition, traits []Trait) (*Set, error) {
	var nodes []*Node
	var errs []error
	for _, t := range traits {
		p, err := expr.Value(t.Expression)
		errs = append(errs, inField("expression", err))
		nodes = append(nodes, &Node{Name: t.Name, Program: p})
	}
	for _, s := range segments {
		p, err := s.program()
		errs = append(errs, err)
		nodes = append(nodes, &Node{Name: s.Name, Segment: true, Program: p, SQL: s.SQL})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	ordered, err := order(nodes)
	if err != nil {
		return nil, err
	}
	return &Set{Nodes: ordered}, nil
}

// order sorts nodes topologically, by name where nothing else decides.
func order(nodes []*Node) ([]*Node, error) {
	byKey := map[string]*Node{}
	for _, n := range nodes {
		byKey[n.Key()] = n
	}
	slices.SortFunc(nodes, func(a, b *Node) int { return strings.Compare(a.Key(), b.Key()) })
	var ordered []*Node
	const visiting, done = 1, 2
	state := map[*Node]int{}
	var path []string
	var visit func(n *Node) error
	visit = func(n *Node) error {
		path = append(path, n.Name)
		defer func() { path = path[:len(path)-1] }()
		switch state[n] {
		case done:
			return nil
		case visiting:
			from := slices.Index(path, n.Name)
			return n.fault("goes round in a circle: %s", strings.Join(path[from:], " → "))
		}
		state[n] = visiting
		for _, name := range n.Program.Segments {
			used := byKey["segment "+name]
			if used == nil {
				return n.fault("asks for the segment %q, which does not exist", name)
			}
			if err := visit(used); err != nil {
				return err
			}
		}
		for _, m := range n.Program.Members {
			if used := byKey["segment "+m.Name]; m.Trait == profile.GivenTrait && (used == nil || used.SQL == "") {
				return n.fault("reads profile.%s.%s, and there is no SQL segment %s", m.Trait, m.Name, m.Name)
			}
		}
		for _, name := range n.Program.Fields {
			if used := byKey["trait "+name]; used != nil {
				if err := visit(used); err != nil {
					return err
				}
			}
		}
		state[n] = done
		ordered = append(ordered, n)
		return nil
	}
	for _, n := range nodes {
		if err := visit(n); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}

func (n *Node) fault(format string, args ...any) error {
	field := "expression"
	if n.Segment {
		field = "condition"
	}
	return &fault.Error{Code: fault.Invalid, Field: field, Line: 1, Column: 1, Message: n.Name + " " + fmt.Sprintf(format, args...)}
}
