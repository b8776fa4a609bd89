package expr

import "time"

// MaxEntries bounds a term with a window: it sees the newest 50,000 of the events in its window that take part, by time
// and, in the same microsecond, by tie. Older ones leave first, both by this bound and by the window, so what is seen does
// not depend on the order of arrival, on merges, or on when the older ones were dropped. The naive reading has the same
// bound. Terms without a window see everything. docs/conditions.md tells people.
const MaxEntries = 50_000

var maxEntries = MaxEntries // tests lower it

// Entry is one event's part in an aggregate.
type Entry struct {
	At    int64  // when the event happened, µs
	Tie   uint64 // orders events of the same microsecond
	Value kept   // what the reducer needs of it
}

func (e Entry) before(f Entry) bool { return e.At < f.At || e.At == f.At && e.Tie < f.Tie }

// Aggregate is the state of one term for one profile. With a window it keeps the entries inside; without one it keeps what
// they come to. Adding, leaving and reading take constant or logarithmic time (amortised), also for late entries.
// Aggregates of the same term merge, in any order, to the same state; that is what merging profiles and filling from
// history rest on.
type Aggregate struct {
	n       int64     // folded entries, without a window
	best    Entry     // of those, for first, last, min and max
	window  timeline  // entries inside the window
	waiting *timeline // entries dated after the present; nil for none
	fading  *fading   // of what fades, all that count; nil for none

	// What all entries come to, whether folded or inside the window.
	sum    exactSum
	counts *tally
	queue  *timeline // the entries inside the window that are min or max once all older ones have left
	built  bool      // whether the three are made; a stored aggregate with a window comes without them
}

// Add takes an entry. Times up to now count, later ones wait.
func (a *Aggregate) Add(t *Term, e Entry, now int64) {
	switch {
	case !a.Wants(t, e.At, now):
	case e.At > now:
		if a.waiting == nil {
			a.waiting = &timeline{}
		}
		a.waiting.add(e, t.bare())
	default:
		a.take(t, e)
	}
}

// Wants reports whether an entry of this time could still make a difference at now. One that could not has left the window
// before it arrived, is forgotten, or is older than all of as many as are kept. A nil aggregate is an empty one.
func (a *Aggregate) Wants(t *Term, at, now int64) bool {
	switch {
	case t.sheds() && at <= now-t.Window.Microseconds():
		return false
	case t.need == needFading:
		return dayOf(at) > t.forgotten(now)
	case a == nil || t.folds():
		return true
	}
	return a.window.len() < t.bound() || at >= a.window.first().At
}

// take lets an entry count.
func (a *Aggregate) take(t *Term, e Entry) {
	if t.need == needFading {
		a.fades(func(f *fading) { f.add(dayOf(e.At), e.Value.text, 1) })
		return
	}
	if t.folds() {
		if a.n++; t.selective() && (a.n == 1 || t.better(e, a.best)) {
			a.best = e
		}
		a.count(t, e)
		return
	}
	a.build(t)
	a.window.add(e, t.bare())
	a.count(t, e)
	for a.window.len() > t.bound() {
		a.leave(t)
	}
}

// Advance moves the aggregate to now: old entries leave the window, waiting ones begin to count.
func (a *Aggregate) Advance(t *Term, now int64) {
	limit := int64(-1 << 63)
	if t.sheds() {
		limit = now - t.Window.Microseconds()
		for a.window.len() > 0 && a.window.chunks[0].at[0] <= limit {
			a.leave(t)
		}
	}
	for a.waiting != nil && a.waiting.first().At <= now {
		e := a.waiting.first()
		if a.waiting.dropFirst(); a.waiting.len() == 0 {
			a.waiting = nil
		}
		if e.At > limit {
			a.take(t, e)
		}
	}
	if a.fading != nil && a.fading.days[0].day <= t.forgotten(now) {
		a.fades(func(f *fading) { f.forget(t.forgotten(now)) })
	}
}

// fades changes what fades.
func (a *Aggregate) fades(change func(f *fading)) {
	if a.fading == nil {
		a.fading = &fading{}
	}
	change(a.fading)
	if a.n = a.fading.events; a.n == 0 {
		a.fading = nil
	}
}

// leave lets the oldest entry of the window go.
func (a *Aggregate) leave(t *Term) {
	a.build(t)
	e := a.window.first()
	a.window.dropFirst()
	if a.window.len() == 0 {
		a.sum.partials, a.counts, a.queue = a.sum.partials[:0], nil, nil
		return
	}
	switch t.need {
	case needSum:
		a.sum.add(-e.Value.number())
	case needTally:
		a.counts.add(e.Value.text, -1)
	case needMin, needMax:
		if head := a.queue.first(); head.At == e.At && head.Tie == e.Tie {
			a.queue.dropFirst()
		}
	}
}

// build makes what is not stored.
func (a *Aggregate) build(t *Term) {
	if a.built {
		return
	}
	a.built = true
	if t.bare() {
		return
	}
	for e := range a.window.all() {
		a.count(t, e)
	}
}

// count takes an entry into what all come to.
func (a *Aggregate) count(t *Term, e Entry) {
	switch t.need {
	case needSum:
		a.sum.add(e.Value.number())
	case needTally:
		if a.counts == nil {
			a.counts = &tally{}
		}
		a.counts.add(e.Value.text, 1)
	case needMin, needMax:
		if t.Window > 0 {
			a.enqueue(t, e)
		}
	}
}

// enqueue puts an entry into the queue, unless a later one is as good, and takes out the earlier ones that are no better.
func (a *Aggregate) enqueue(t *Term, e Entry) {
	if a.queue == nil {
		a.queue = &timeline{}
	}
	q := a.queue
	i, j := q.place(e)
	if k, l, ok := q.next(i, j); ok && !t.superior(e, q.chunks[k].entry(l)) {
		return
	}
	for {
		var ok bool
		if i, j, ok = q.previous(i, j); !ok || t.superior(q.chunks[i].entry(j), e) {
			break
		}
		q.remove(i, j)
	}
	q.add(e, false)
}

// Merge adds the state of b, which is of the same term and over other events. b must not be used any more.
func (a *Aggregate) Merge(t *Term, b *Aggregate, now int64) {
	b.Advance(t, now)
	a.Advance(t, now)
	if b.n+int64(b.window.len()) > a.n+int64(a.window.len()) {
		*a, *b = *b, *a // the fewer go to the many
	}
	if b.n > 0 {
		if t.selective() && t.better(b.best, a.best) {
			a.best = b.best
		}
		if b.fading != nil {
			a.fades(func(f *fading) { f.merge(b.fading) })
		} else {
			a.n += b.n
		}
		for _, p := range b.sum.partials {
			a.sum.add(p)
		}
		if b.counts != nil {
			for key, n := range b.counts.counts {
				a.counts.add(key, n)
			}
		}
	}
	for e := range b.window.all() {
		a.take(t, e)
	}
	if b.waiting != nil {
		for e := range b.waiting.all() {
			a.Add(t, e, now)
		}
	}
}

// Empty reports whether nothing has been added, or all has left.
func (a *Aggregate) Empty() bool {
	return a == nil || a.n == 0 && a.window.len() == 0 && a.waiting == nil
}

// NextChange is the first moment after now at which the value can change by itself; 0 for never. The aggregate must
// have been advanced to now.
func (a *Aggregate) NextChange(t *Term, now int64) int64 {
	if a == nil {
		return 0
	}
	next := int64(0)
	switch {
	case a.fading != nil:
		next = a.fading.changes(t, dayOf(now))
	case a.window.len() == 0 || t.Window == 0:
	case t.need == needAll:
		if begin, found := t.sequence.latest(a.window.all()); found {
			next = begin + t.Window.Microseconds()
		}
	default:
		if n := int(a.number(t, now)); n > 0 {
			next = a.window.at(a.window.len()-n).At + t.Window.Microseconds()
		}
	}
	if a.waiting != nil {
		if due := a.waiting.first().At; next == 0 || due < next {
			next = due
		}
	}
	return next
}

// read is the term's value at now, to which the aggregate is advanced; nil is an empty one.
func (a *Aggregate) read(t *Term, now int64) datum {
	if a == nil {
		return t.nothing()
	}
	a.Advance(t, now)
	n := a.number(t, now)
	switch {
	case t.Reducer == "count":
		return datumInt(n)
	case n == 0:
		return t.nothing()
	case t.Reducer == "exists":
		return datum{kept: keptBool(true)}
	case t.need == needAll:
		_, found := t.sequence.latest(a.window.all())
		return datum{kept: keptBool(found)}
	case t.Reducer == "decayed":
		return datum{kept: keptNumber(a.fading.weight(dayOf(now), t.weights))}
	case t.Reducer == "interests":
		return datumOfAny(a.fading.shares(t.weights))
	}
	a.build(t)
	switch t.Reducer {
	case "sum":
		return datum{kept: keptNumber(a.sum.value())}
	case "avg":
		return datum{kept: keptNumber(a.sum.value() / float64(n))}
	case "distinct":
		return datumInt(int64(len(a.counts.counts)))
	case "most_common":
		return datumOfAny(uncountable(a.counts.most()))
	}
	e := a.best
	if t.Window > 0 {
		e = a.end(t)
	}
	if t.bare() {
		return datum{kept: keptTime(time.UnixMicro(e.At))}
	}
	return e.Value.datum()
}

// end is the entry of the window that stands for all: the first, the last, the least or the greatest.
func (a *Aggregate) end(t *Term) Entry {
	switch t.need {
	case needFirst:
		return a.window.first()
	case needLast:
		return a.window.last()
	}
	return a.queue.first()
}
