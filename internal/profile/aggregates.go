package profile

import (
	"cmp"
	"slices"

	"github.com/tailorbird/tailorbird/internal/expr"
)

// Aggregates are the behaviour terms kept for a profile, by the stored id of the term. What is not looked at stays in its
// stored form: an event concerns few of them.
type Aggregates struct {
	kept   []keptAggregate // by term
	stored []byte          // what the profile was last stored in
}

type keptAggregate struct {
	term       int64
	begin, end uint32          // the stored form; both 0 when it changed since. What time alone changes needs no storing
	live       *expr.Aggregate // nil: not looked at since it was loaded
}

func (a *Aggregates) find(term int64) (int, bool) {
	return slices.BinarySearchFunc(a.kept, term, func(k keptAggregate, term int64) int { return cmp.Compare(k.term, term) })
}

// Get gives the aggregate of a term to be read, nil for none.
func (a *Aggregates) Get(term int64) *expr.Aggregate {
	i, ok := a.find(term)
	if !ok {
		return nil
	}
	return a.open(i)
}

// Of gives the aggregate of a term to be changed, an empty one where there was none.
func (a *Aggregates) Of(term int64) *expr.Aggregate {
	i, ok := a.find(term)
	if !ok {
		a.kept = slices.Insert(a.kept, i, keptAggregate{term: term, live: &expr.Aggregate{}})
	}
	return a.change(i)
}

func (a *Aggregates) change(i int) *expr.Aggregate {
	live := a.open(i)
	a.kept[i].begin, a.kept[i].end = 0, 0
	return live
}

func (a *Aggregates) open(i int) *expr.Aggregate {
	k := &a.kept[i]
	if k.live == nil {
		live, err := expr.DecodeAggregate(a.stored[k.begin:k.end])
		if err != nil {
			panic(err) // what the database holds is not what we wrote: nothing may be built upon it
		}
		k.live = live
	}
	return k.live
}

// put makes the aggregate of a term the one of this stored form.
func (a *Aggregates) put(term int64, form []byte) error {
	live, err := expr.DecodeAggregate(form)
	if err != nil {
		return err
	}
	put := keptAggregate{term: term, live: live}
	if i, ok := a.find(term); ok {
		a.kept[i] = put
	} else {
		a.kept = slices.Insert(a.kept, i, put)
	}
	return nil
}

// Keep drops the aggregates of all terms but those wanted.
func (a *Aggregates) Keep(wanted func(term int64) bool) {
	a.kept = slices.DeleteFunc(a.kept, func(k keptAggregate) bool { return !wanted(k.term) })
}

// Absorb merges the aggregates of another profile in; merge joins two of one term.
func (a *Aggregates) Absorb(other *Aggregates, merge func(term int64, into, from *expr.Aggregate)) {
	for i := range other.kept {
		term, live := other.kept[i].term, other.change(i)
		if at, ok := a.find(term); ok {
			merge(term, a.change(at), live)
		} else {
			a.kept = slices.Insert(a.kept, at, keptAggregate{term: term, live: live})
		}
	}
}
