package sim

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
)

// moment is who was in which segment at one, by what was known and defined then.
type moment struct {
	at      int64
	defined []definition
	in      map[int64]map[string]bool
}

// remember keeps what a check found to be true, to be asked for later on.
func (w *world) remember(p *population, kept *contents) {
	m := moment{at: w.clock.lived().UnixMicro(), defined: w.defined, in: map[int64]map[string]bool{}}
	for id, c := range p.living {
		m.in[id] = c.at(time.UnixMicro(m.at).UTC(), w.defined, kept.cuts).segments
	}
	w.past = append(w.past, m)
	pass(time.Millisecond) // what comes now comes later
}

// comparePast has the engine explain some of what was true at a check long ago, and compares that. Who was taken apart since
// had another past.
func (w *world) comparePast(say func(format string, args ...any)) {
	r := w.rand(uint64(w.step) + 1<<35)
	for range min(len(w.past), 3) {
		m := pick(r, w.past)
		ids := slices.DeleteFunc(slices.Sorted(maps.Keys(m.in)), func(id int64) bool { return w.chronicle.again[id] })
		if len(ids) == 0 {
			continue
		}
		id, name := pick(r, ids), pickSegment(r, m.defined)
		ctx, cancel := within(patience)
		reason, err := w.m.engine.Explain(ctx, compile(m.defined), id, name, m.at, engine.Then)
		cancel()
		if err != nil {
			w.fail("why profile %d was in %s: %v", id, name, err)
		}
		if w.tally.past++; reason.Value != m.in[id][name] {
			say("profile %d is said to have been in %s at %v: %v, want %v", id, name, time.UnixMicro(m.at).UTC(), reason.Value, m.in[id][name])
		}
	}
}

// pickSegment draws one of which the past can be told: what the rows of queries held beside whom they listed is not kept.
func pickSegment(r *rand.Rand, defined []definition) string {
	var names []string
	for _, d := range defined {
		if d.segment && !strings.Contains(d.text, "profile.sql.") {
			names = append(names, d.name)
		}
	}
	return pick(r, names)
}
