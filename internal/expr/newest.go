package expr

import (
	"fmt"
	"math"
)

// Where the number of events in a window is only compared with small numbers, the newest few events of all time answer for
// every window: of `count() >= 3` three of them say all. So one short list serves all such windows over the same events, it
// does not grow with what customers do, and a new window over them has its history already. Which few are the newest does
// not depend on the order of arrival or of merges, as with MaxEntries.

// newestSizes are how many are kept: a few sizes, so that conditions share them.
var newestSizes = []int{4, 16, 64}

// keepNewest finds the terms of which the newest entries are enough.
func (p *Program) keepNewest() {
	for i, t := range p.Terms {
		if t.Window == 0 || t.Reducer != "count" && t.Reducer != "exists" {
			continue
		}
		most := math.Inf(-1)
		for _, u := range p.uses {
			switch {
			case u.term != i:
			case u.holds == nil:
				most = math.Inf(1)
			default:
				most = max(most, u.number)
			}
		}
		for _, size := range newestSizes {
			if most < float64(size) { // so that more than the number can be told from as many
				t.newest, t.Key = size, fmt.Sprintf("newest %d of %s", size, t.selected)
				break
			}
		}
	}
}

// number is how many entries count at now, to which the aggregate is advanced; of the newest alone, how many of these.
func (a *Aggregate) number(t *Term, now int64) int64 {
	if t.newest == 0 {
		return a.n + int64(a.window.len())
	}
	if a.window.len() == 0 {
		return 0
	}
	at := a.window.chunks[0].at // there are no more than one chunk holds
	from, n := now-t.Window.Microseconds(), 0
	for n < len(at) && at[len(at)-1-n] > from {
		n++
	}
	return int64(n)
}

// Small reports whether the term's aggregate stays small whatever a customer does: it keeps a few entries, or only what they
// come to.
func (t *Term) Small() bool { return t.newest > 0 && t.newest <= 16 || t.folds() && t.need < needTally }
