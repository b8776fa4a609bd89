package expr

import (
	"math"
	"slices"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Entry is one event's part in an aggregate.
type Entry struct {
	At    int64  // when the event happened, µs
	Tie   uint64 // orders events of the same microsecond
	Value any    // nil, bool, float64, string, time.Time, []any or map[string]any
}

func (e Entry) before(f Entry) bool { return e.At < f.At || e.At == f.At && e.Tie < f.Tie }

// Aggregate is the state of one term for one profile: what has been folded, and the entries that time can still move in
// or out. Aggregates of the same term merge, in any order, to the same state; that is what merging profiles and
// filling from history rest on.
type Aggregate struct {
	folded  accumulator
	entries []Entry // by time; with a window those inside it and those to come, without one those to come
}

// Add takes an entry. Times up to now count, later ones wait.
func (a *Aggregate) Add(t *Term, e Entry, now int64) {
	switch {
	case t.Window > 0 && e.At <= now-t.Window.Microseconds():
		return // it left the window before it arrived
	case t.Window == 0 && e.At <= now:
		a.folded.fold(t.Reducer, e)
		return
	}
	i, _ := slices.BinarySearchFunc(a.entries, e, func(have, e Entry) int {
		if have.before(e) {
			return -1
		}
		return 1
	})
	a.entries = slices.Insert(a.entries, i, e)
}

// Advance moves the aggregate to now: old entries leave the window, waiting ones are folded.
func (a *Aggregate) Advance(t *Term, now int64) {
	limit := now
	if t.Window > 0 {
		limit = now - t.Window.Microseconds()
	}
	n := 0
	for n < len(a.entries) && a.entries[n].At <= limit {
		if t.Window == 0 {
			a.folded.fold(t.Reducer, a.entries[n])
		}
		n++
	}
	if n > 0 {
		a.entries = slices.Delete(a.entries, 0, n)
	}
}

// Merge adds the state of b, which is of the same term and over other events. b must not be used any more.
func (a *Aggregate) Merge(t *Term, b *Aggregate, now int64) {
	b.Advance(t, now)
	a.Advance(t, now)
	a.folded.merge(t.Reducer, &b.folded)
	for _, e := range b.entries {
		a.Add(t, e, now)
	}
}

// Empty reports whether nothing has been added, or all has left.
func (a *Aggregate) Empty() bool { return a == nil || len(a.entries) == 0 && a.folded.n == 0 }

// NextChange is the first moment after now at which the value can change by itself; 0 for never. The aggregate must
// have been advanced to now.
func (a *Aggregate) NextChange(t *Term, now int64) int64 {
	if a == nil || len(a.entries) == 0 {
		return 0
	}
	next := int64(math.MaxInt64)
	if t.Window > 0 && a.entries[0].At <= now {
		next = a.entries[0].At + t.Window.Microseconds()
	}
	i, _ := slices.BinarySearchFunc(a.entries, now, func(e Entry, now int64) int {
		if e.At <= now {
			return -1
		}
		return 1
	})
	if i < len(a.entries) {
		next = min(next, a.entries[i].At)
	}
	return next
}

// value is the term's value at now. The aggregate must have been advanced to now; nil is an empty one.
func (a *Aggregate) value(t *Term, now int64) ref.Val {
	if a == nil {
		return (&accumulator{}).result(t)
	}
	if t.Window == 0 {
		return a.folded.result(t)
	}
	var inside accumulator
	for _, e := range a.entries {
		if e.At > now {
			break
		}
		inside.fold(t.Reducer, e)
	}
	return inside.result(t)
}

// accumulator folds entries in any order to the same result.
type accumulator struct {
	n      int64
	sum    exactSum
	best   Entry // first, last, min, max
	counts map[string]int64
}

func (c *accumulator) fold(reducer string, e Entry) {
	c.n++
	switch reducer {
	case "sum", "avg":
		f, _ := e.Value.(float64)
		c.sum.add(f)
	case "first", "last", "min", "max":
		if c.n == 1 || better(reducer, e, c.best) {
			c.best = e
		}
	case "distinct", "most_common":
		key, _ := e.Value.(string)
		c.tally(key, 1)
	}
}

func (c *accumulator) tally(key string, n int64) {
	if c.counts == nil {
		c.counts = map[string]int64{}
	}
	c.counts[key] += n
}

func (c *accumulator) merge(reducer string, d *accumulator) {
	if d.n == 0 {
		return
	}
	if c.n == 0 || better(reducer, d.best, c.best) {
		c.best = d.best
	}
	c.n += d.n
	for _, p := range d.sum.partials {
		c.sum.add(p)
	}
	for key, n := range d.counts {
		c.tally(key, n)
	}
}

// better reports whether e takes the place of best. Among equal values the earlier event stands.
func better(reducer string, e, best Entry) bool {
	switch reducer {
	case "first":
		return e.before(best)
	case "last":
		return best.before(e)
	case "min", "max":
		c := order(e.Value, best.Value)
		if c == 0 {
			return e.before(best)
		}
		return (c < 0) == (reducer == "min")
	}
	return false
}

func (c *accumulator) result(t *Term) ref.Val {
	switch t.Reducer {
	case "count":
		return types.Int(c.n)
	case "exists":
		return types.Bool(c.n > 0)
	case "sum":
		return types.Double(c.sum.value())
	case "distinct":
		return types.Int(len(c.counts))
	}
	if c.n == 0 {
		return missingValue
	}
	switch t.Reducer {
	case "avg":
		return types.Double(c.sum.value() / float64(c.n))
	case "most_common":
		var best string
		for key, n := range c.counts {
			if n > c.counts[best] || n == c.counts[best] && key < best {
				best = key
			}
		}
		return adapter{}.NativeToValue(uncountable(best))
	}
	if t.value == nil {
		return types.Timestamp{Time: time.UnixMicro(c.best.At).UTC()}
	}
	return adapter{}.NativeToValue(c.best.Value)
}

// exactSum adds numbers without rounding until it is read, so that the order does not matter (Shewchuk, Adaptive
// Precision Floating-Point Arithmetic, 1997, grow-expansion; the final rounding as in Python's math.fsum).
type exactSum struct{ partials []float64 }

func (s *exactSum) add(x float64) {
	i := 0
	for _, y := range s.partials {
		if math.Abs(x) < math.Abs(y) {
			x, y = y, x
		}
		high := x + y
		if low := y - (high - x); low != 0 {
			s.partials[i] = low
			i++
		}
		x = high
	}
	s.partials = append(s.partials[:i], x)
}

func (s *exactSum) value() float64 {
	n := len(s.partials) - 1
	if n < 0 {
		return 0
	}
	high, low := s.partials[n], 0.0
	for n > 0 {
		n--
		x := high
		y := s.partials[n]
		high = x + y
		if low = y - (high - x); low != 0 {
			break
		}
	}
	// Half-way cases round by what follows.
	if n > 0 && (low < 0 && s.partials[n-1] < 0 || low > 0 && s.partials[n-1] > 0) {
		y := low * 2
		if x := high + y; y == x-high {
			high = x
		}
	}
	return high
}
