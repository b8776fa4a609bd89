package expr

import "slices"

// Share makes programs use one aggregate for each key, that of the Term at its Slot of the list. It is for programs that
// nothing evaluates yet, and that are in no other set. A condition on events that several terms have in common is evaluated once for
// each event.
func Share(programs ...*Program) []*Term {
	var terms []*Term
	byKey, byText, uses := map[string]*Term{}, map[string]*filter{}, map[string]int{}
	set := &sharedSet{}
	for _, p := range programs {
		for i, t := range p.Terms {
			if byKey[t.Key] == nil {
				t.Slot = len(terms)
				byKey[t.Key], terms = t, append(terms, t)
				t.eachFilter(func(w **filter) {
					text := (*w).text
					if byText[text] == nil {
						byText[text] = *w
					}
					*w = byText[text]
					uses[text]++
				})
			}
			if t.Slot = byKey[t.Key].Slot; t.newest == 0 { // else its window is its own
				p.Terms[i] = byKey[t.Key]
			}
		}
	}
	for text, w := range byText {
		if uses[text] > 1 {
			w.set, w.slot = set, set.filters
			set.filters++
		}
	}
	return terms
}

// sharedSet is programs compiled to be used together.
type sharedSet struct{ filters int }

// filter is a condition on events.
type filter struct {
	text  string // the same for the same condition
	holds code   // true, or not
	set   *sharedSet
	slot  int // in the set's verdicts, where there is a set
}

// eachFilter goes through the conditions on events of a term and, in a sequence, of its parts.
func (t *Term) eachFilter(do func(w **filter)) {
	for i := range t.where {
		do(&t.where[i])
	}
	if t.sequence == nil {
		return
	}
	for _, part := range slices.Concat(t.sequence.steps, t.sequence.forbidden) {
		part.eachFilter(do)
	}
}

// verdict is what a filter says of an event.
type verdict uint8

const (
	unasked verdict = iota
	passes
	fails
)

// passes reports whether a filter holds for the event.
func (e *Event) passes(w *filter) bool {
	if w.set == nil {
		return e.run(w.holds).isTrue()
	}
	if e.set != w.set {
		e.set, e.verdicts = w.set, append(e.verdicts[:0], make([]verdict, w.set.filters)...)
	}
	v := &e.verdicts[w.slot]
	if *v == unasked {
		if *v = fails; e.run(w.holds).isTrue() {
			*v = passes
		}
	}
	return *v == passes
}
