package profile

import (
	"cmp"
	"slices"
)

// Timers are the moments at which time alone may change what is known of a profile: one for each rule that has any, by
// the rule's stored id. Times are µs.
type Timers struct {
	set     []timer
	soonest timer // of set, where that is known: events look at it more often than they move it
	known   bool
}

type timer struct{ rule, at int64 }

// Set notes when a rule may next change; 0: never.
func (t *Timers) Set(rule, at int64) {
	switch first := t.soonest; {
	case !t.known:
	case rule == first.rule && at == first.at && at != 0:
		return
	case rule == first.rule || at != 0 && (at <= first.at || first.at == 0):
		t.known = false
	}
	i, ok := slices.BinarySearchFunc(t.set, rule, func(have timer, rule int64) int { return cmp.Compare(have.rule, rule) })
	switch {
	case ok && at == 0:
		t.set = slices.Delete(t.set, i, i+1)
	case ok:
		t.set[i].at = at
	case at != 0:
		t.set = slices.Insert(t.set, i, timer{rule, at})
	}
}

// Next is the first of the moments, 0 where there is none.
func (t *Timers) Next() int64 {
	_, at := t.First()
	return at
}

// First is the first of the moments and its rule, 0 where there is none.
func (t *Timers) First() (rule, at int64) {
	if !t.known {
		t.soonest, t.known = timer{}, true
		for _, have := range t.set {
			if t.soonest.at == 0 || have.at < t.soonest.at {
				t.soonest = have
			}
		}
	}
	return t.soonest.rule, t.soonest.at
}

// Clone is a copy.
func (t *Timers) Clone() Timers { return Timers{set: slices.Clone(t.set)} }

// Equal reports whether both have the same moments for the same rules.
func (t *Timers) Equal(other *Timers) bool { return slices.Equal(t.set, other.set) }

// Due calls each with the rules whose moment has come by now.
func (t *Timers) Due(now int64, each func(rule int64)) {
	for _, have := range t.set {
		if have.at <= now {
			each(have.rule)
		}
	}
}

// Keep drops the timers of all rules but those wanted.
func (t *Timers) Keep(wanted func(rule int64) bool) {
	t.set, t.known = slices.DeleteFunc(t.set, func(have timer) bool { return !wanted(have.rule) }), false
}
