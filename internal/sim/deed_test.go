package sim

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// The kinds of deeds.
const (
	merge    = "merge"
	unmerge  = "unmerge"
	apart    = "keep apart"
	together = "allow together"
	say      = "override"
	lift     = "lift"
	list     = "list" // by what a query says
	void     = "void" // what it said
)

// deed is what somebody does by hand with one profile, or two.
type deed struct {
	what  string
	a, b  int64
	over  override // to be set, or lifted
	at    int64    // when it was done, µs
	taken int64    // when the engine took it, µs; 0: it came to nothing
	name  string   // of an SQL segment
	rows  result   // that it lists
}

func (d *deed) String() string {
	if d.name != "" {
		return fmt.Sprint(d.what, " ", d.name, " ", d.rows)
	}
	text := fmt.Sprint(d.what, " ", d.a)
	if d.b != 0 {
		text += fmt.Sprint(" and ", d.b)
	}
	if d.over.name != "" {
		text += fmt.Sprintf(": %s %s = %v", d.over.kind, d.over.name, d.over.value)
		if d.over.until != 0 {
			text += " until " + time.UnixMicro(d.over.until).UTC().Format("01-02 15:04:05")
		}
	}
	return text
}

// do is what a deed does to a population.
func (p *population) do(d *deed) {
	switch a := p.current(d.a); d.what {
	case merge:
		b := p.current(d.b)
		p.keepApart(a.parts(), b.parts(), false)
		p.joinByHand(a, b, d.at)
	case unmerge:
		p.undo(d.b, d.at)
	case apart, together:
		p.keepApart(a.parts(), p.current(d.b).parts(), d.what == apart)
	case say:
		o := d.over
		o.at, o.of = d.at, a.ID
		a.say(o)
	case lift:
		a.lift(d.over.kind, d.over.name)
	case list, void:
		p.given[d.name] = d.rows
	}
}

// stands reports whether a deed has been done, and not taken back.
func (p *population) stands(d *deed) bool {
	if d.what == list {
		return reflect.DeepEqual(p.given[d.name], d.rows)
	}
	a, b := p.current(d.a), p.current(d.b)
	over := a.override(d.over.kind, d.over.name)
	switch d.what {
	case merge:
		return a == b
	case unmerge:
		return a != b
	case apart, together:
		return a == b || p.keptApart(a, b) == (d.what == apart)
	case say:
		return over != nil && over.value == d.over.value && over.until == d.over.until
	default:
		return over == nil
	}
}

// do has the engine carry out a deed.
func (m *machine) do(d *deed) error {
	ctx, cancel := within(patience)
	defer cancel()
	switch d.what {
	case merge:
		_, err := m.engine.Merge(ctx, d.a, d.b, engine.MergeCause{Kind: engine.MergedByHand, Note: d.String()})
		return err
	case unmerge:
		m.gate.open() // it waits for what is being filled
		_, err := m.engine.Unmerge(ctx, d.b, "", "")
		return err
	case apart:
		return m.engine.KeepApart(ctx, d.a, d.b, "", "")
	case together:
		return m.engine.AllowTogether(ctx, d.a, d.b)
	case say:
		return m.engine.Override(ctx, d.a, profile.Override{Kind: d.over.kind, Name: d.over.name, Value: d.over.value, Until: d.over.until})
	default:
		return m.engine.LiftOverride(ctx, d.a, d.over.kind, d.over.name, "")
	}
}

// done asks the tables whether a deed was carried out.
func (m *machine) done(d *deed) (bool, error) {
	ctx, cancel := within(patience)
	defer cancel()
	if d.what == list {
		have, err := m.listed(d.name)
		return reflect.DeepEqual(have, d.rows), err
	}
	if err := m.engine.Settle(ctx); err != nil {
		return false, err
	}
	a, err := m.store.Profile(ctx, d.a)
	if err != nil {
		return false, err
	}
	b := a
	if d.b != 0 {
		if b, err = m.store.Profile(ctx, d.b); err != nil {
			return false, err
		}
	}
	over := a.Override(d.over.kind, d.over.name)
	switch d.what {
	case merge: // which an event may have done meanwhile
		merges, err := m.store.MergesInto(ctx, a.Parts())
		return a.ID == b.ID && slices.ContainsFunc(merges, func(m engine.Merge) bool { return m.Cause.Note == d.String() }), err
	case unmerge:
		return a.ID != b.ID, nil
	case apart, together:
		return a.Holder().KeptApart(b.Holder()) == (d.what == apart), nil
	case say:
		return over != nil && over.Value == d.over.value && over.Until == d.over.until, nil
	default:
		return over == nil, nil
	}
}

// drawDeed thinks of something to be done; nil where there is nothing.
func (w *world) drawDeed(r *rand.Rand) *deed {
	p := w.model.population()
	ids := slices.Sorted(maps.Keys(p.living))
	if len(ids) < 2 {
		return nil
	}
	a, b := pick(r, ids), pick(r, ids)
	if rivals := p.rivals(); len(rivals) > 0 && r.IntN(3) == 0 {
		both := pick(r, rivals)
		return &deed{what: merge, a: both[0], b: both[1]}
	}
	switch n := r.IntN(10); {
	case n < 3 && a != b:
		return &deed{what: merge, a: a, b: b}
	case n < 6:
		held := slices.DeleteFunc(slices.Clone(p.unions), func(u *union) bool { return u.undone })
		if len(held) > 0 {
			u := pick(r, held)
			return &deed{what: unmerge, a: u.winner.id, b: u.loser.id}
		}
	case n < 7 && a != b:
		if p.keptApart(p.living[a], p.living[b]) {
			return &deed{what: together, a: a, b: b}
		}
		return &deed{what: apart, a: a, b: b}
	case n < 9:
		o := w.drawOverride(r)
		if said := p.living[b].overrides; a != b && len(said) > 0 && r.IntN(2) == 0 { // of the same, something else
			same := pick(r, said)
			if o.kind, o.name = same.kind, same.name; same.value != true {
				o.value = true
			} else {
				o.value = false
			}
		}
		return &deed{what: say, a: a, over: o}
	default:
		now := w.clock.lived().UnixMicro()
		for _, o := range p.living[a].overrides {
			if !o.over(now) && (o.until == 0 || o.until > now+time.Hour.Microseconds()) {
				return &deed{what: lift, a: a, over: o}
			}
		}
	}
	return nil
}

// rivals are customers of whom different things were said by hand of the same.
func (p *population) rivals() (all [][2]int64) {
	ids := slices.Sorted(maps.Keys(p.living))
	for _, a := range ids {
		for _, b := range ids {
			for _, o := range p.living[a].overrides {
				if also := p.living[b].override(o.kind, o.name); a != b && also != nil && also.value != o.value {
					all = append(all, [2]int64{a, b})
				}
			}
		}
	}
	return all
}

func (w *world) drawOverride(r *rand.Rand) (o override) {
	switch r.IntN(7) {
	case 0:
		o = override{kind: profile.OverrideTrait, name: "vip", value: r.IntN(2) == 0}
	case 1:
		o = override{kind: profile.OverrideTrait, name: "city", value: pick(r, []any{"Oslo", "Bern", nil})}
	case 2:
		o = override{kind: profile.OverrideTrait, name: "orders", value: pick(r, []any{0.0, 2.0, 7.0})}
	case 3:
		o = override{kind: profile.OverrideTrait, name: "t0", value: "by hand"}
	default:
		names := []string{"s0", "s1"}
		if w.queried {
			names = append(names, "q0")
		}
		o = override{kind: profile.OverrideSegment, name: pick(r, names), value: r.IntN(2) == 0}
	}
	if w.steady && r.IntN(2) == 0 { // where the clock goes back, whether one is over is nobody's to say
		o.until = max(w.clock.lived().UnixMicro(), w.clock.now().UnixMicro()) + int64(1+r.IntN(20))*pick(r, []time.Duration{time.Hour, 24 * time.Hour}).Microseconds()
	}
	return o
}

// byHand has somebody do something. Nothing else happens in the same moment.
func (w *world) byHand(r *rand.Rand) {
	d := w.drawDeed(r)
	if d == nil {
		w.send(r)
		return
	}
	w.tally.deeds++
	if d.what == unmerge {
		w.tally.undone++
	}
	pass(time.Millisecond)
	before, lived := w.clock.now(), w.clock.lived()
	w.m.byHand = 0
	err := w.m.do(d)
	d.taken = w.m.byHand
	if d.at = before.UnixMicro(); !w.steady {
		d.at = w.clock.lived().UnixMicro()
	}
	pass(time.Millisecond)
	synctest.Wait()
	w.say("%v: %v", d, err)
	if err == nil && d.what == say && !w.steady && !w.disk.Down() {
		d.at = w.saidAt(d, lived.UnixMicro())
	}
	w.did(d, err)
}

// did takes the answer to a deed. Without one the disk decides, now or after the restart.
func (w *world) did(d *deed, err error) {
	if err == nil {
		w.model.do(d)
		return
	}
	w.quiesce()
	if !w.disk.Down() {
		w.tally.refused++
		if !ofTheDisk(err) {
			w.fail("%v was refused for no reason of the disk: %v", d, err)
		}
		if w.wasDone(d) {
			return
		}
	}
	w.undecided = append(w.undecided, d)
}

// saidAt is the moment that an override stands with, between two that the clock showed: where the clock goes back, it decides
// which of two was said later.
func (w *world) saidAt(d *deed, from int64) (at int64) {
	w.disk.Calm(func() {
		id := w.model.population().current(d.a).ID
		loaded, err := w.m.store.LoadProfiles(context.Background(), []int64{id})
		if err != nil || loaded[id] == nil || loaded[id].Override(d.over.kind, d.over.name) == nil {
			w.fail("where is %v: %v", d, err)
			return
		}
		at = loaded[id].Override(d.over.kind, d.over.name).At
	})
	if at < from || at > d.at {
		w.fail("%v stands at %d, and was said between %d and %d", d, at, from, d.at)
	}
	return at
}

// wasDone asks the disk whether a deed without an answer was done.
func (w *world) wasDone(d *deed) (done bool) {
	if w.model.population().stands(d) {
		return true // by another attempt
	}
	w.disk.Calm(func() {
		var err error
		if done, err = w.m.done(d); err != nil {
			w.fail("was %v done: %v", d, err)
		}
	})
	if done {
		w.say("%v was done", d)
		w.model.do(d)
	}
	return done
}
