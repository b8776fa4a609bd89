package engine

import (
	"context"
	"runtime"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// memory belongs to whoever holds it: the loop, save while it waits for something, or else somebody who reads what the loop
// knows. Whatever the loop waits for, what is in memory then is as after some event, the newest of which may not be
// acknowledged yet.
type memory chan struct{}

func newMemory() memory { return make(memory, 1) }

func (m memory) give() { m <- struct{}{} }

func (m memory) take() { <-m }

// lend gives memory to readers while the loop waits.
func (m memory) lend(wait func()) {
	m.give()
	defer m.take()
	wait()
}

// giveBack ends what somebody else than the loop did with memory. The loop goes on before whoever had it: it may be waiting.
func (m memory) giveBack() {
	m.give()
	runtime.Gosched()
}

// lendSometimes gives memory to readers who wait for it, now and then in a long row of events or profiles.
func (m memory) lendSometimes(i int) {
	if i%32 == 31 {
		m.lend(func() {})
	}
}

// Unsaved gives what is known of a profile, in its stored form, where the store may not have it yet; nil where it has, or is
// about to: Settle tells when. It does not wait for anything to be written.
func (e *Engine) Unsaved(ctx context.Context, id int64) (state []byte, err error) {
	for !e.behind.nothing(id) {
		var added profile.Addition
		var is bool
		var epoch int64
		err := e.look(ctx, func() {
			if p := e.profile(id); p != nil {
				e.newState().workOut(p)
				state = p.State()
				return
			}
			added, is = e.unsaved.added(id) // to what has been written
			epoch = e.epoch
		}, id)
		if err != nil || !is {
			return state, err
		}
		stored, err := e.Store.LoadProfiles(ctx, []int64{id})
		if err != nil || stored[id] == nil {
			return nil, err
		}
		err = e.look(ctx, func() {
			if e.epoch == epoch && e.profiles[id] == nil { // else more has happened to her, and been written perhaps
				state = e.unsaved.stateWith(stored[id], added)
			}
		}, id)
		if err != nil || state != nil {
			return state, err
		}
	}
	return nil, nil
}

// UnsavedOwner gives the profile that holds an identifier that the store may not have yet; 0 where there is none.
func (e *Engine) UnsavedOwner(ctx context.Context, identifier identity.Identifier) (id int64, err error) {
	if e.behind.nothing() {
		return 0, nil
	}
	err = e.look(ctx, func() { id = e.owners[identifier] })
	return id, err
}

// look reads memory between two events. Where memory cannot be believed (what a node remembers is a guess, and so is what a
// commit that failed stood for), it has written what follows from events instead: of these profiles, or of all.
func (e *Engine) look(ctx context.Context, read func(), profiles ...int64) error {
	if e.Nodes != nil {
		return e.Settle(ctx, profiles...)
	}
	select {
	case <-e.memory:
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the engine is busy")
	}
	if e.unsaved.lost || e.unsaved.failed() {
		e.memory.giveBack()
		return e.Settle(ctx, profiles...)
	}
	defer e.memory.giveBack()
	read()
	return nil
}

// failed reports whether the commit under way has failed.
func (u *unsaved) failed() bool { return u.flight != nil && !u.flying() && u.flight.err != nil }
