package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

// glance looks at customers by their identifiers while a slow disk is still writing what they did, and time changes again what is
// true of them. What can be read then is what is true then: timers fire though nothing about them is written.
func (w *world) glance(r *rand.Rand) {
	var windows []time.Duration
	for _, d := range w.defined {
		if d.window > 0 {
			windows = append(windows, d.window)
		}
	}
	if len(windows) == 0 || !w.steady {
		w.send(r)
		return
	}
	w.mu.Lock()
	fired := time.Since(w.unfired) > time.Second
	w.mu.Unlock()
	if !fired { // the engine tries again after one, and until then what is due is not true of anybody
		w.disk.Plan(faultfs.Plan{})
		pass(2 * time.Second)
		synctest.Wait()
	}
	slow := time.Duration(1+r.IntN(100)) * time.Millisecond
	w.disk.Plan(faultfs.Plan{Delay: func(int) time.Duration { return slow }})
	req := w.crowd.brink(r, w.clock.now(), windows, 100*slow)
	w.deliver(r, req)
	if w.ranked || w.refused || len(w.undecided) > 0 || len(w.m.engine.Status().Building) > 0 {
		return // what is true is not known yet
	}
	for range 1 + r.IntN(4) {
		pass(time.Duration(r.Int64N(int64(30 * slow))))
		synctest.Wait()
		for _, msg := range req.messages {
			if e := w.model.events[msg.id]; e != nil {
				w.glanceAt(w.model.policy.Of(e))
			}
		}
	}
	w.disk.Plan(faultfs.Plan{})
}

// glanceAt compares what is read of customers by identifiers with what is true of them at this moment.
func (w *world) glanceAt(ids []identity.Identifier) {
	p := w.model.population()
	for _, id := range ids {
		var c *customer
		for _, one := range p.living {
			if slices.Contains(one.Identifiers, id) {
				c = one
			}
		}
		if c == nil { // it is past a limit
			continue
		}
		asked := w.clock.now()
		ctx, cancel := within(patience)
		view, err := w.m.store.ProfileBy(ctx, id)
		cancel()
		if err != nil {
			w.fail("%s cannot be read: %v", id, err)
		}
		if !w.clock.now().Equal(asked) {
			continue // who merged is read as she is written: it was true at some moment since
		}
		w.tally.glances++
		if problems := c.glimpsed(view, c.at(w.clock.now(), w.defined, nil)); len(problems) > 0 {
			w.fail("profile %d is read by %s while the disk is slow: %s", c.ID, id, problems)
		}
	}
}

// glimpsed compares a customer as she is read with what is true of her.
func (c *customer) glimpsed(view profile.View, is *person) (problems []string) {
	in := map[string]bool{}
	for _, m := range view.Segments {
		in[m.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(is.segments)) {
		if in[name] != is.segments[name] {
			problems = append(problems, fmt.Sprintf("in %s: %v, want %v", name, in[name], is.segments[name]))
		}
	}
	computed, err := json.Marshal(view.Computed)
	if have, want := object(string(computed)), plain(is.computed); err != nil || !reflect.DeepEqual(have, want) {
		problems = append(problems, fmt.Sprintf("computed traits %v, want %v, %v", have, want, err))
	}
	return problems
}
