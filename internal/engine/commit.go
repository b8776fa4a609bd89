package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// flight is the commit of a group.
type flight struct {
	group  []*request
	whole  bool // it holds what follows from the group, and from all before
	batch  *Batch
	relied bool // on what was remembered
	err    error
	again  [][]*request // where it failed, how the loop tries again; nil: not, the requests were answered
	ended  time.Time
	done   chan struct{}
}

// changes is what follows from events, where the commit holds that; nil also for no commit.
func (f *flight) changes() *Changes {
	if f == nil {
		return nil
	}
	return f.batch.Changes
}

// afresh are the groups in which the requests of a commit that failed are tried again; none: they are answered.
func (f *flight) afresh() (groups [][]*request) {
	switch {
	case f.err == nil:
	case isStale(f.err) && patient(f.group):
		return [][]*request{f.group}
	case len(f.group) > 1 && fault.CodeOf(f.err) != fault.Unavailable: // one of them is to blame
		for _, r := range f.group {
			groups = append(groups, []*request{r})
		}
	}
	return groups
}

// flying reports whether a commit is under way that has not ended.
func (u *unsaved) flying() bool { return u.flight != nil && !over(u.flight.done) }

// over reports whether a commit has ended.
func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// apply steps through the events of a group and sends them to be committed; they are answered then.
func (e *Engine) apply(ctx context.Context, group []*request) {
	for {
		err := e.guarded("an event could not be applied", func() error {
			if err := e.steady(ctx); err != nil {
				return err
			}
			return e.applyGroup(ctx, group)
		})
		e.endTurn() // that came to nothing
		switch {
		case err == nil:
			return
		case errors.Is(err, errGround):
			continue
		case isStale(err) && patient(group):
			rest(ctx)
			continue
		case len(group) > 1 && fault.CodeOf(err) != fault.Unavailable:
			for _, r := range group { // one of them is to blame: the others shall not suffer
				e.apply(ctx, []*request{r})
			}
			return
		}
		e.answer(group, time.Now(), err)
		return
	}
}

// errGround says that what a group stood upon could not be committed.
var errGround = fault.New(fault.Unavailable, "the events before could not be committed")

// answer ends requests.
func (e *Engine) answer(group []*request, start time.Time, err error) {
	n := countEvents(group)
	e.waiting.Add(-int64(n))
	e.status.applied(n, start, err)
	for _, r := range group {
		r.err = err
		close(r.done)
	}
	if err != nil {
		e.Log.Error("events could not be committed", "events", n, "error", err)
	}
}

// guarded is what step comes to; a panic, which is our defect or the database's damage, becomes its error: this, and why.
func (e *Engine) guarded(failed string, step func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e.unsaved.lost, e.unsaved.mended = true, false
			err = fault.New(fault.Internal, "%s: %v", failed, r)
			e.Log.Error("the engine panicked", "error", err, "stack", string(debug.Stack()))
		}
	}()
	return step()
}

// naming has a panic say whom it is about, where it is deferred.
func naming(profileID int64) {
	if r := recover(); r != nil {
		panic(fmt.Errorf("profile %d: %v", profileID, r))
	}
}

// applyGroup steps through a group while the one before it is being committed, and begins its own commit. What follows is
// committed with it where nodes look at it, where the place in a topic must be right, and where somebody's consent changed.
func (e *Engine) applyGroup(ctx context.Context, group []*request) error {
	start := time.Now()
	e.believe(group)
	fresh, ids, messages, err := e.unknown(ctx, group)
	if err != nil {
		return err
	}
	positions := positionsOf(group)
	if len(fresh) == 0 && len(positions) == 0 { // all have been seen before, the last of them perhaps in the commit under way
		if err := e.land(); err != nil {
			return err
		}
		e.answer(group, start, nil)
		return nil
	}
	if err := e.beginGroup(ctx, positions); err != nil {
		return err
	}
	state, err := e.state(ctx, fresh, ids)
	if err != nil {
		return err
	}
	now := e.now()
	e.stepping()
	for i, ev := range fresh {
		state.Step(ev, ids[i], now)
		e.learning.see(ev, now)
		e.memory.lendSometimes(i)
	}
	for _, a := range state.Changes.Events {
		e.watch(a.ProfileID)
	}
	e.nextID = state.NextID
	b := &Batch{Now: now, Events: state.Changes.Events, Positions: positions}
	whole := e.Nodes != nil || len(positions) > 0 || state.Changes.Urgent
	if whole {
		if err := cmp.Or(e.land(), e.landSave()); err != nil {
			e.unsaved.lost = true
			return err
		}
		e.complete(b)
	} else {
		e.pack(state, now)
	}
	commit, prepareErr := e.Store.Prepare(b)
	if !whole {
		err = e.land()
	}
	if err := cmp.Or(err, prepareErr); err != nil {
		e.unsaved.lost = true
		return err
	}
	f := &flight{group: group, whole: whole, batch: b, relied: e.relying, done: make(chan struct{})}
	e.handOver()
	e.unsaved.carry(messages)
	e.launch(ctx, f, commit)
	return nil
}

// launch begins a commit, after which its group is answered.
func (e *Engine) launch(ctx context.Context, f *flight, commit Commit) {
	if !f.whole {
		e.trimCaches()
		e.behind.add(e.unsaved.changes)
		e.unsaved.changes.Events = nil
	}
	e.unsaved.pace = len(f.batch.Events)
	e.unsaved.flight = f
	e.flights++
	start := time.Now()
	go func() {
		defer e.landSoon(f)
		defer close(f.done)
		f.err, f.ended = commit.Run(ctx), time.Now()
		if f.err == nil && f.whole {
			e.behind.saved()
		}
		if f.again = f.afresh(); f.again == nil {
			e.answer(f.group, start, f.err)
		}
	}()
}

// landSoon has the loop try again what a commit that failed leaves to be tried, though nobody else may ask for anything.
func (e *Engine) landSoon(f *flight) {
	if f.again == nil {
		return
	}
	select {
	case e.ops <- e.settle:
	case <-e.done:
	}
}

// land waits for the commit that is under way. errGround says that it failed: what is in memory is no longer true.
func (e *Engine) land() error {
	f := e.unsaved.flight
	if f == nil {
		return nil
	}
	e.memory.lend(func() { <-f.done })
	e.unsaved.flight, e.unsaved.busy = nil, time.Now()
	if f.err == nil {
		e.held(f.batch.Filled)
		return nil
	}
	e.unsaved.again = f.again
	e.lose(f.err, f.batch, f.relied)
	return errGround
}

// steady is sound, unless the commit under way is still to end: then memory is taken to be true. Where what follows from events
// could not be saved, it must be before more of them are taken.
func (e *Engine) steady(ctx context.Context) error {
	switch {
	case e.unsaved.owed:
		return e.saved(ctx)
	case e.unsaved.flying() && !e.unsaved.lost:
		return nil
	}
	return e.sound(ctx)
}

// sound waits for the commit under way and, where it failed, brings memory back to what the disk holds.
func (e *Engine) sound(ctx context.Context) error {
	_ = e.land() // tells by lost
	if e.unsaved.lost {
		e.abandonSave()
		if err := e.recoverState(ctx); err != nil {
			for _, group := range e.unsaved.again {
				e.answer(group, time.Now(), err)
			}
			e.unsaved.again = nil
			return err
		}
	}
	if e.unsure {
		e.unsure = false // follow comes back here
		if err := e.follow(ctx, e.rules.withCuts(e.cuts)); err != nil {
			e.unsure = true
			return err
		}
	}
	again := e.unsaved.again
	e.unsaved.again = nil
	for _, group := range again {
		e.apply(ctx, group)
	}
	if e.unsaved.flight != nil {
		return e.sound(ctx)
	}
	return nil
}

// replay brings memory to where the last run left off, under the rules as far as they were filled then.
func (e *Engine) replay(ctx context.Context, rules *Rules) error {
	sync, err := e.Rules.SyncRules(ctx, 0, rules.termKeys(), rules.fingerprints())
	if err != nil {
		return err
	}
	rules.identify(sync)
	e.rules, e.filling = rules, newFilling(rules, sync, true)
	if err := e.recoverState(ctx); err != nil {
		return err
	}
	if err := e.saved(ctx); err != nil {
		return err
	}
	e.rules, e.filling = nil, nil
	return nil
}

// recoverState forgets what is in memory and steps again through the events whose consequences are not durable.
func (e *Engine) recoverState(ctx context.Context) error {
	if !e.unsaved.mended {
		e.dropCaches()
	}
	lost := e.unsaved
	e.unsaved = newUnsaved()
	e.unsaved.lost, e.unsaved.owed, e.unsaved.again, e.unsaved.next = true, lost.owed, lost.again, lost.next
	if e.Nodes != nil { // every commit was whole, and others may have done more since
		e.unsaved.lost = false
		e.behind.renew(e.unsaved.changes)
		return e.catchUpWithNodes(ctx)
	}
	last, err := e.Store.LastProfileID(ctx)
	if err != nil {
		return err
	}
	e.nextID = last + 1
	if err := e.resume(ctx); err != nil {
		return err
	}
	err = e.Store.Unapplied(ctx, func(now int64, events []*event.Event) error {
		ids := make([][]identity.Identifier, len(events))
		for i, ev := range events {
			ids[i] = e.Policy.Of(ev)
		}
		state, err := e.state(ctx, events, ids)
		if err != nil {
			return err
		}
		return e.guarded("an event could not be applied again", func() error {
			for i, ev := range events {
				state.Step(ev, ids[i], now)
			}
			state.Changes.Events = nil
			e.nextID, e.last = state.NextID, max(e.last, now)
			return nil
		})
	})
	if err != nil {
		return err
	}
	e.behind.renew(e.unsaved.changes)
	e.watch(slices.Collect(maps.Keys(e.unsaved.changes.Dirty))...)
	e.unsaved.lost = false
	return nil
}

// unknown lists the events that have not been seen before, each once, with their identifiers, and their message ids.
func (e *Engine) unknown(ctx context.Context, group []*request) (
	fresh []*event.Event, ids [][]identity.Identifier, messages map[string]struct{}, err error,
) {
	var unread []*request // of which the scout did not say, or too long ago
	for _, r := range group {
		if r.found == nil || e.carriedSince(r.found.flights) == nil {
			r.found = nil
			unread = append(unread, r)
		}
	}
	if len(unread) > 0 {
		e.memory.lend(func() { err = e.ask(ctx, unread) })
		if err != nil {
			return nil, nil, nil, err
		}
	}
	n := countEvents(group)
	messages = make(map[string]struct{}, n)
	fresh, ids = make([]*event.Event, 0, n), make([][]identity.Identifier, 0, n)
	for _, r := range group {
		since := e.unsaved.carried
		if r.found != nil {
			since = e.carriedSince(r.found.flights)
		}
		for i, ev := range r.events {
			if _, twice := messages[ev.MessageID]; twice || r.known[i] || since.has(ev.MessageID) {
				continue
			}
			messages[ev.MessageID] = struct{}{}
			fresh = append(fresh, ev)
			ids = append(ids, r.ids[i])
		}
	}
	return fresh, ids, messages, nil
}

// ask notes which events of a group the log has.
func (e *Engine) ask(ctx context.Context, group []*request) error {
	known, err := e.Store.Known(ctx, messageIDs(group))
	if err != nil {
		return err
	}
	for _, r := range group {
		r.known, known = known[:len(r.events)], known[len(r.events):]
	}
	return nil
}

// countEvents counts the events of requests.
func countEvents(group []*request) (n int) {
	for _, r := range group {
		n += len(r.events)
	}
	return n
}

func messageIDs(group []*request) []string {
	all := make([]string, 0, countEvents(group))
	for _, r := range group {
		for _, ev := range r.events {
			all = append(all, ev.MessageID)
		}
	}
	return all
}

// carried are the message ids of the last commits of groups, the newest last. Those before it are in the log.
type carried []map[string]struct{}

const carriedCommits = 4

// carry notes the message ids of a commit.
func (u *unsaved) carry(messages map[string]struct{}) {
	if len(u.carried) == carriedCommits {
		u.carried = slices.Delete(u.carried, 0, 1)
	}
	u.carried = append(u.carried, messages)
}

// carriedSince are those of the commits that the log may not have had when so many had begun; nil where nobody knows any more.
func (e *Engine) carriedSince(flights int64) carried {
	n := int(e.flights-flights) + 1
	if n > len(e.unsaved.carried) {
		return nil
	}
	return e.unsaved.carried[len(e.unsaved.carried)-n:]
}

func (c carried) has(messageID string) bool {
	return slices.ContainsFunc(c, func(messages map[string]struct{}) bool { _, has := messages[messageID]; return has })
}
