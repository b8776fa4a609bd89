package expr

import "slices"

// Watch tells which programs an event can change by what it does to one term. A program that only compares the term with
// numbers sees the same as before unless the event carries the value across one of them; and then, since an event that joins
// a window only puts off the moments at which those before it leave, the moment that NextChange named is not missed either:
// it may come before the program changes, and never after.
type Watch struct {
	term  *Term
	whole []int  // programs that see more than comparisons
	marks []mark // of the others
}

// mark is a number that a program compares the term with.
type mark struct {
	program int
	term    *Term // with the window that the program looks at
	number  float64
}

// WatchOf makes the watch of a term that Share listed, of these programs.
func WatchOf(t *Term, programs []*Program) *Watch {
	w := &Watch{term: t}
	for i, p := range programs {
		var marks []mark
		whole := false
		for _, u := range p.uses {
			if own := p.Terms[u.term]; own.Slot == t.Slot {
				marks = append(marks, mark{i, own, u.number})
				whole = whole || u.holds == nil || !own.rises()
			}
		}
		if whole {
			w.whole = append(w.whole, i)
		} else {
			w.marks = append(w.marks, marks...)
		}
	}
	// Windows of one length lie together: each is counted once.
	slices.SortStableFunc(w.marks, func(a, b mark) int { return int(a.term.Window - b.term.Window) })
	return w
}

// rises reports whether the term's value is a number that an event that joins the window never lowers, now or later; or,
// where there is no window, any number.
func (t *Term) rises() bool {
	switch t.Reducer {
	case "count", "exists", "distinct":
		return true
	case "sum":
		return t.Window == 0
	}
	return false
}

// Add adds an entry to the term's aggregate, and calls each with the programs that this can change.
func (w *Watch) Add(a *Aggregate, e Entry, now int64, each func(program int)) {
	for _, program := range w.whole {
		each(program)
	}
	if e.At > now || a.waiting != nil { // what waits is sure to come, and so changes the moments of all
		a.Add(w.term, e, now)
		for i := range w.marks {
			each(w.marks[i].program)
		}
		return
	}
	var room [2][32]int8
	before, after := room[0][:0], room[1][:0]
	if len(w.marks) > 0 {
		a.Advance(w.term, now)
		before = w.sides(a, now, before)
	}
	a.Add(w.term, e, now)
	after = w.sides(a, now, after)
	for i := range after {
		if before[i] != after[i] {
			each(w.marks[i].program)
		}
	}
}

// sides appends for each mark on which side of it the value is.
func (w *Watch) sides(a *Aggregate, now int64, to []int8) []int8 {
	var value float64
	for i := range w.marks {
		m := &w.marks[i]
		if i == 0 || m.term.Window != w.marks[i-1].term.Window {
			value = a.amount(m.term, now)
		}
		to = append(to, int8(compareFloats(value, m.number)))
	}
	return to
}

// amount is the value of a term that rises.
func (a *Aggregate) amount(t *Term, now int64) float64 {
	switch t.Reducer {
	case "sum":
		return a.sum.value()
	case "distinct":
		a.build(t)
		if a.counts == nil {
			return 0
		}
		return float64(len(a.counts.counts))
	}
	return float64(a.number(t, now))
}
