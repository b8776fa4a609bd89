package profile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"
	"slices"

	"github.com/tailorbird/tailorbird/internal/wire"
)

// Timers are the moments at which time alone may change what is known of a profile: one for each rule that has any, by
// the rule's stored id. Times are µs.
type Timers struct {
	set     []timer
	stored  []byte // in place of set, until one of them is moved
	soonest timer  // where that is known: events look at it more often than they move it
	known   bool
}

type timer struct{ rule, at int64 }

// all goes through them by rule.
func (t *Timers) all() iter.Seq[timer] {
	if t.stored == nil {
		return slices.Values(t.set)
	}
	return func(yield func(timer) bool) {
		d := wire.NewDecoder(t.stored)
		for range d.Length() {
			if !yield(timer{d.Varint(), d.Varint()}) {
				return
			}
		}
	}
}

// open makes the set what is changed.
func (t *Timers) open() {
	if t.stored != nil {
		t.set, t.stored = slices.AppendSeq(make([]timer, 0, wire.NewDecoder(t.stored).Length()+1), t.all()), nil
	}
}

// append stores them.
func (t *Timers) append(buf []byte) []byte {
	if t.stored != nil {
		return append(buf, t.stored...)
	}
	buf = binary.AppendUvarint(buf, uint64(len(t.set)))
	for _, one := range t.set {
		buf = binary.AppendVarint(binary.AppendVarint(buf, one.rule), one.at)
	}
	return buf
}

// share makes do with what they were stored in, which nobody changes.
func (t *Timers) share(stored []byte) { t.set, t.stored = nil, stored }

// decode reads what append wrote; it keeps the data.
func (t *Timers) decode(d *wire.Decoder) {
	t.stored = d.Span(func() {
		for range d.Length() {
			d.Varint()
			d.Varint()
		}
	})
}

// Set notes when a rule may next change; 0: never.
func (t *Timers) Set(rule, at int64) {
	switch first := t.soonest; {
	case !t.known:
	case rule == first.rule && at == first.at && at != 0:
		return
	case rule == first.rule || at != 0 && (at <= first.at || first.at == 0):
		t.known = false
	}
	t.open()
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
		for have := range t.all() {
			if t.soonest.at == 0 || have.at < t.soonest.at {
				t.soonest = have
			}
		}
	}
	return t.soonest.rule, t.soonest.at
}

// Clone is a copy.
func (t *Timers) Clone() Timers { return Timers{set: slices.Clone(t.set), stored: t.stored} }

// Equal reports whether both have the same moments for the same rules.
func (t *Timers) Equal(other *Timers) bool {
	if t.stored != nil && other.stored != nil {
		return bytes.Equal(t.stored, other.stored)
	}
	t.open()
	other.open()
	return slices.Equal(t.set, other.set)
}

// Due calls each with the rules whose moment has come by now.
func (t *Timers) Due(now int64, each func(rule int64)) {
	for have := range t.all() {
		if have.at <= now {
			each(have.rule)
		}
	}
}

// Keep drops the timers of all rules but those wanted.
func (t *Timers) Keep(wanted func(rule int64) bool) {
	for have := range t.all() {
		if !wanted(have.rule) {
			t.open()
			t.set, t.known = slices.DeleteFunc(t.set, func(have timer) bool { return !wanted(have.rule) }), false
			return
		}
	}
}
