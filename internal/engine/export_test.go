package engine

import (
	"bytes"
	"cmp"
	"context"
	"math/bits"
	"runtime"
	"slices"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// IngestBehind takes events for which the scout has read before others, one after the other, are applied, written and forgotten.
func (e *Engine) IngestBehind(ctx context.Context, events []*event.Event, before ...[]*event.Event) error {
	var took []<-chan error
	failed := e.do(ctx, func() {
		e.forget(ctx)
		took = e.readFor(ctx, events)
		for _, others := range before {
			e.applyAlone(ctx, others)
			e.forget(ctx)
		}
	})
	if failed != nil {
		return failed
	}
	return <-took[0]
}

// IngestBehindFilling takes an event for which the scout has read before profiles were added to by the filling of rules, and what
// was added was written and forgotten, or not.
func (e *Engine) IngestBehindFilling(ctx context.Context, ev *event.Event, rules *Rules, profiles int, written bool) error {
	var took []<-chan error
	var err error
	failed := e.do(ctx, func() {
		if err = e.setRules(ctx, rules); err != nil {
			return
		}
		took = e.readFor(ctx, []*event.Event{ev})
		for len(e.unsaved.changes.Added) < profiles {
			var op func(context.Context)
			e.memory.lend(func() { op = <-e.ops })
			op(ctx)
		}
		if written {
			e.forget(ctx)
		}
	})
	if err := cmp.Or(failed, err); err != nil {
		return err
	}
	return <-took[0]
}

// IngestTogether takes events that are sent one by one in one group, while one before them is being committed.
func (e *Engine) IngestTogether(ctx context.Context, before *event.Event, events ...*event.Event) (answers []error) {
	var took []<-chan error
	failed := e.do(ctx, func() {
		sends := make([][]*event.Event, len(events))
		for i, ev := range events {
			sends[i] = []*event.Event{ev}
		}
		took = e.readFor(ctx, sends...)
		e.applyAlone(ctx, []*event.Event{before})
	})
	if failed != nil {
		return []error{failed}
	}
	for _, answer := range took {
		answers = append(answers, <-answer)
	}
	return answers
}

// applyAlone applies events that nobody waits for.
func (e *Engine) applyAlone(ctx context.Context, events []*event.Event) {
	r := &request{events: events, done: make(chan struct{})}
	for _, ev := range events {
		r.ids = append(r.ids, e.Policy.Of(ev))
	}
	e.waiting.Add(int64(len(events)))
	e.apply(ctx, []*request{r})
}

// readFor has the scout read for what is sent, and hand it on. The answers come when the loop has gone on.
func (e *Engine) readFor(ctx context.Context, sends ...[]*event.Event) (took []<-chan error) {
	e.memory.lend(func() {
		for i, events := range sends {
			answer := make(chan error, 1)
			took = append(took, answer)
			go func() { answer <- e.ingest(ctx, events, nil) }()
			for len(e.scouted) != i+1 {
				runtime.Gosched()
			}
		}
	})
	return took
}

// PackDamaged offers a profile whose stored form ends as it was never written, with everything put off that may be. It reports how
// many rules are put off still, and whether she can be had.
func (e *Engine) PackDamaged(ctx context.Context, id int64) (before, after int, free bool, err error) {
	var failed error
	err = e.do(ctx, func() {
		stored, err := e.Store.LoadProfiles(ctx, []int64{id})
		if err != nil {
			failed = err
			return
		}
		state := bytes.Clone(stored[id].State())
		state[len(state)-1] ^= 0xff
		p, err := profile.FromState(id, state)
		if err != nil {
			failed = err
			return
		}
		p.Later = slices.Clone(e.rules.unread)
		before = bits.OnesCount64(p.Later[0])
		for range 2 {
			p.Offer()
			e.packBeside(e.newState(), p)
		}
		after, free = bits.OnesCount64(p.Later[0]), p.Offer()
	})
	return before, after, free, cmp.Or(err, failed)
}

// Frozen counts what an engine with nothing to do keeps of what it wrote last.
func (e *Engine) Frozen(ctx context.Context) (n int, err error) {
	err = e.do(ctx, func() {
		e.tend(ctx, true)
		n = len(e.frozen.dirty) + len(e.frozen.added) + len(e.frozen.owners)
	})
	return n, err
}

// Forget has everything written and leave memory.
func (e *Engine) Forget(ctx context.Context) error { return e.do(ctx, func() { e.forget(ctx) }) }

// forget is Forget, in the loop.
func (e *Engine) forget(ctx context.Context) {
	e.settle(ctx)
	clear(e.profiles)
	clear(e.owners)
}
