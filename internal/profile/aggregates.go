package profile

import (
	"cmp"
	"slices"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/wire"
)

// Aggregates are the behaviour terms kept for a profile, by the stored id of the term. What is not looked at stays in its
// stored form: an event concerns few of them.
type Aggregates struct {
	kept   []keptAggregate // by term
	unread []byte          // in place of kept, until one of them is looked for: the end of stored
	stored []byte          // what the profile was last stored in
	live   []liveAggregate // those that were looked at since, and large ones that were before; by term
	room   []expr.Aggregate
}

const roomAtOnce = 4 // aggregates that lie together in memory, so that the collector follows fewer things

type keptAggregate struct {
	term       int64
	begin, end uint32 // the stored form; both 0 where there is none yet
}

type liveAggregate struct {
	term    int64
	changed bool // since it was stored. What time alone changes needs no storing
	*expr.Aggregate
}

// read makes kept what is looked at.
func (a *Aggregates) read() {
	if a.unread == nil {
		return
	}
	d := wire.NewDecoder(a.unread)
	a.unread = nil
	n := d.Length()
	a.kept = make([]keptAggregate, 0, n+1)
	for range n {
		term, form := d.Varint(), d.Bytes()
		end := len(a.stored) - d.Left()
		a.kept = append(a.kept, keptAggregate{term: term, begin: uint32(end - len(form)), end: uint32(end)})
	}
}

// anyUnwanted reports whether there is an aggregate of a term that is not wanted, of those that are unread.
func (a *Aggregates) anyUnwanted(wanted func(term int64) bool) bool {
	d := wire.NewDecoder(a.unread)
	for range d.Length() {
		if !wanted(d.Varint()) {
			return true
		}
		d.Bytes()
	}
	return false
}

func (a *Aggregates) find(term int64) (int, bool) {
	a.read()
	return slices.BinarySearchFunc(a.kept, term, func(k keptAggregate, term int64) int { return cmp.Compare(k.term, term) })
}

func (a *Aggregates) findLive(term int64) (int, bool) {
	return slices.BinarySearchFunc(a.live, term, func(l liveAggregate, term int64) int { return cmp.Compare(l.term, term) })
}

// open gives an aggregate, which has been looked at then; nil where there is none.
func (a *Aggregates) open(term int64) *liveAggregate {
	if i, ok := a.findLive(term); ok {
		return &a.live[i]
	}
	i, ok := a.find(term)
	if !ok {
		return nil
	}
	aggregate := a.empty()
	if err := aggregate.Decode(a.stored[a.kept[i].begin:a.kept[i].end]); err != nil {
		panic(err) // what the database holds is not what we wrote: nothing may be built upon it
	}
	return a.begin(term, aggregate)
}

// empty is an aggregate of nothing.
func (a *Aggregates) empty() *expr.Aggregate {
	if len(a.room) == 0 {
		a.room = make([]expr.Aggregate, roomAtOnce)
	}
	aggregate := &a.room[0]
	a.room = a.room[1:]
	return aggregate
}

// begin opens the aggregate of a term that is not open yet.
func (a *Aggregates) begin(term int64, aggregate *expr.Aggregate) *liveAggregate {
	if a.live == nil {
		a.live = make([]liveAggregate, 0, 2*roomAtOnce)
	}
	i, _ := a.findLive(term)
	a.live = slices.Insert(a.live, i, liveAggregate{term, false, aggregate})
	return &a.live[i]
}

// Get gives the aggregate of a term to be read, nil for none.
func (a *Aggregates) Get(term int64) *expr.Aggregate {
	if live := a.open(term); live != nil {
		return live.Aggregate
	}
	return nil
}

// Of gives the aggregate of a term to be changed, an empty one where there was none.
func (a *Aggregates) Of(term int64) *expr.Aggregate {
	live := a.open(term)
	if live == nil {
		i, _ := a.find(term)
		a.kept = slices.Insert(a.kept, i, keptAggregate{term: term})
		live = a.begin(term, a.empty())
	}
	live.changed = true
	return live.Aggregate
}

// put makes the aggregate of a term the one of this stored form.
func (a *Aggregates) put(term int64, form []byte) error {
	live, err := expr.DecodeAggregate(form)
	if err == nil {
		*a.Of(term) = *live
	}
	return err
}

// Keep drops the aggregates of all terms but those wanted.
func (a *Aggregates) Keep(wanted func(term int64) bool) {
	if a.unread != nil && !a.anyUnwanted(wanted) {
		return
	}
	a.read()
	a.kept = slices.DeleteFunc(a.kept, func(k keptAggregate) bool { return !wanted(k.term) })
	a.live = slices.DeleteFunc(a.live, func(l liveAggregate) bool { return !wanted(l.term) })
}

// Absorb merges the aggregates of another profile in; merge joins two of one term.
func (a *Aggregates) Absorb(other *Aggregates, merge func(term int64, into, from *expr.Aggregate)) {
	other.read()
	for _, k := range other.kept {
		theirs := other.Of(k.term)
		if _, have := a.find(k.term); have {
			merge(k.term, a.Of(k.term), theirs)
		} else {
			*a.Of(k.term) = *theirs
		}
	}
}
