package expr

import (
	"slices"
	"time"
	"unicode/utf8"
)

// Explanation says why a condition holds, or does not, for one profile at one moment.
type Explanation struct {
	At         time.Time  `json:"at"`
	Holds      bool       `json:"holds"`
	NextChange *time.Time `json:"next_change,omitempty" doc:"When it will change if nothing happens until then; absent for never"`
	Clause     Clause     `json:"clause"`
}

// Clause is a part of a condition as it is written, and what it comes to. The parts of all and any are in the order of the
// text; not has one. A leaf has a sentence for people, and where it compares, the value beside the wanted one.
type Clause struct {
	Kind       string     `json:"kind" enum:"all,any,not,leaf"`
	Text       string     `json:"text"`
	Start      int        `json:"start" doc:"Where it stands in the condition, in characters from 0"`
	End        int        `json:"end"`
	Holds      bool       `json:"holds"`
	Clauses    []Clause   `json:"clauses,omitempty"`
	Sentence   string     `json:"sentence,omitempty"`
	Operator   string     `json:"operator,omitempty"`
	Actual     any        `json:"actual,omitempty" doc:"Absent when it is not known; a length of time in seconds"`
	Wanted     any        `json:"wanted,omitempty"`
	Evidence   []Evidence `json:"evidence,omitempty" doc:"The behaviour that it looks at"`
	NextChange *time.Time `json:"next_change,omitempty"`
}

// Evidence is the value of one piece of behaviour and the events that made it so.
type Evidence struct {
	Value  any       `json:"value,omitempty"`
	Events []Witness `json:"events" doc:"Newest first"`
	More   int       `json:"more,omitempty" doc:"How many further events took part"`
}

// Witness is an event that took part. Where only what is kept of a window is known, it has nothing but its time.
type Witness struct {
	MessageID string    `json:"message_id,omitempty"`
	Name      string    `json:"name,omitempty"`
	At        time.Time `json:"at"`
	Value     any       `json:"value,omitempty"`
}

// maxWitnesses bounds the events that are listed for one piece of behaviour.
const maxWitnesses = 20

// Explain says clause by clause what a condition comes to. With Aggregate the values are those that are kept; without, they
// are computed from Events, so that what was so at any moment is answered by the events until then. Events name the
// witnesses; without them only the times of what is kept in a window are known.
func (p *Program) Explain(s *Scope) Explanation {
	x := explainer{text: p.Text, scope: s}
	holds, next := x.settle(p)
	return Explanation{At: time.UnixMicro(s.Now).UTC(), Holds: holds, NextChange: next, Clause: x.clause(clauses(p.Text))}
}

type explainer struct {
	text  string
	scope *Scope
}

func (x explainer) clause(c clause) Clause {
	out := Clause{
		Kind: c.kind, Text: x.text[c.start:c.end],
		Start: utf8.RuneCountInString(x.text[:c.start]), End: utf8.RuneCountInString(x.text[:c.end]),
	}
	if c.kind == kindLeaf {
		x.leaf(&out)
		return out
	}
	for _, part := range c.parts {
		out.Clauses = append(out.Clauses, x.clause(part))
	}
	switch holds := func(c Clause) bool { return c.Holds }; c.kind {
	case kindAny:
		out.Holds = slices.ContainsFunc(out.Clauses, holds)
	case kindNot:
		out.Holds = !out.Clauses[0].Holds
	default:
		out.Holds = !slices.ContainsFunc(out.Clauses, func(c Clause) bool { return !holds(c) })
	}
	return out
}

// leaf fills in what one comparison comes to.
func (x explainer) leaf(out *Clause) {
	p, err := compile(out.Text, true)
	if err != nil {
		return // the whole condition has been compiled, and so its leaves can be
	}
	p.condition = true
	out.Holds, out.NextChange = x.settle(p)
	n := nodeOf(out.Text, clauses(out.Text), "")
	var actual string
	switch n.Kind {
	case KindNot: // x == null
		out.Operator = "has"
		actual, _ = Text(Node{Kind: n.Nodes[0].Kind, Name: n.Nodes[0].Name, Path: n.Nodes[0].Path})
	case KindText:
		actual, out.Operator, out.Wanted = x.sides(out.Text)
	default:
		out.Operator, out.Wanted = n.Operator, n.Value
		subject := n
		subject.Operator, subject.Value = "", nil
		if n.Function == "fold" || n.Function == "version" || n.Function == "time" {
			subject.Function = ""
		}
		if n.Kind != KindSegment && n.Kind != KindSequence {
			actual, _ = Text(subject)
		}
	}
	if actual != "" {
		out.Actual = x.value(actual)
	}
	for _, t := range p.Terms {
		out.Evidence = append(out.Evidence, x.evidence(t))
	}
	out.Sentence = sentence(n, out)
}

// sides takes a comparison that no form shows apart.
func (x explainer) sides(text string) (left, operator string, right any) {
	o := outline{text: text, tokens: tokenize(text)}
	at := o.find(0, len(o.tokens), nodeSigns...)
	if len(at) != 1 || at[0] == 0 || at[0] == len(o.tokens)-1 || len(o.find(0, len(o.tokens), "?")) > 0 {
		return "", "", nil
	}
	sign := o.tokens[at[0]]
	return text[:sign.start], o.sign(at[0]), x.value(text[sign.end:])
}

// value computes a part of a leaf.
func (x explainer) value(text string) any {
	p, err := compile(text, true)
	if err != nil {
		return nil
	}
	if x.scope.Aggregate == nil {
		return p.NaiveResult(x.scope)
	}
	return p.Result(x.future())
}

// settle tells whether a program holds, and when that will change by itself.
func (x explainer) settle(p *Program) (holds bool, next *time.Time) {
	if x.scope.Aggregate == nil {
		holds = p.NaiveResult(x.scope) == true
	} else {
		holds = p.Result(x.future()) == true
	}
	const maxMoments = 1_000 // at most of them nothing changes
	future := x.future()
	for range maxMoments {
		at := p.NextChange(future)
		if at == 0 {
			return holds, nil
		}
		future.Now = at
		if (p.Result(future) == true) != holds {
			moment := time.UnixMicro(at).UTC()
			return holds, &moment
		}
	}
	return holds, nil
}

// future is the scope with aggregates of its own, which may be moved on in time.
func (x explainer) future() *Scope {
	s := *x.scope
	own := map[string]*Aggregate{}
	s.Aggregate = func(t *Term) *Aggregate {
		if a, ok := own[t.Key]; ok {
			return a
		}
		own[t.Key] = x.aggregate(t)
		return own[t.Key]
	}
	return &s
}

// aggregate is a copy of the one that is kept, or made of the events.
func (x explainer) aggregate(t *Term) *Aggregate {
	a := &Aggregate{}
	if x.scope.Aggregate != nil {
		if kept := x.scope.Aggregate(t); kept != nil {
			if copied, err := DecodeAggregate(kept.Append(nil)); err == nil {
				a = copied
			}
		}
		return a
	}
	for _, e := range x.scope.Events {
		if entry, ok := t.Observe(e); ok {
			a.Add(t, entry, x.scope.Now)
		}
	}
	return a
}

// evidence lists what made the value of a term.
func (x explainer) evidence(t *Term) Evidence {
	a := x.aggregate(t)
	out := Evidence{Value: export(a.read(t, x.scope.Now).ref()), Events: []Witness{}}
	add := func(w Witness) {
		if len(out.Events) < maxWitnesses {
			out.Events = append(out.Events, w)
		} else {
			out.More++
		}
	}
	if x.scope.Events == nil {
		times := make([]int64, 0, a.window.len())
		for e := range a.window.all() {
			times = append(times, e.At)
		}
		for _, at := range slices.Backward(times) {
			add(Witness{At: time.UnixMicro(at).UTC()})
		}
		out.More += int(a.n)
		return out
	}
	for _, w := range x.witnesses(t, a) {
		add(w)
	}
	return out
}

// witnesses are the events that made the value of a term, newest first: the one that stands for all, those of the sequence
// that was found, or else all that take part.
func (x explainer) witnesses(t *Term, a *Aggregate) []Witness {
	var out []Witness
	chosen := map[Entry]bool{}
	if a.n+int64(a.window.len()) > 0 && t.selective() {
		e := a.best
		if t.Window > 0 {
			a.build(t)
			e = a.end(t)
		}
		chosen[Entry{At: e.At}] = true
	}
	var begin int64
	found := false
	if t.need == needAll {
		begin, found = t.sequence.latest(a.window.all())
	}
	made := 0
	for _, e := range x.scope.Events {
		entry, ok := t.Observe(e)
		switch {
		case !ok || e.At > x.scope.Now || t.Window > 0 && e.At <= x.scope.Now-t.Window.Microseconds():
			continue
		case len(chosen) > 0 && !chosen[Entry{At: e.At}]:
			continue
		case found && (e.At < begin || made == len(t.sequence.steps) || int(entry.Value.number())&(1<<made) == 0):
			continue
		}
		made++
		w := Witness{MessageID: e.MessageID, Name: e.Name, At: time.UnixMicro(e.At).UTC()}
		switch {
		case t.need == needAll || t.value == nil:
		case t.need == needTally:
			w.Value = uncountable(entry.Value.text)
		default:
			w.Value = export(entry.Value.datum().ref())
		}
		out = append(out, w)
	}
	slices.Reverse(out)
	return out
}
