package engine

import (
	"context"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// Where nobody else is likely to be told about the same customers, because no other node is there or because they come from
// partitions of a topic that are this node's, a group relies on what is remembered and locks nothing, so that it can be
// stepped through while the group before, which often concerns the same customers, is being committed. That it was right is
// made sure of by the commit, which finds every profile in the version that the group stood upon, or fails. What turns
// out wrong is forgotten, and for a while nothing is relied upon.

// ErrMoved says that an identifier is not where it is remembered to be.
var ErrMoved = &Stale{fault.New(fault.Unavailable, "an identifier was taken")}

// beginGroup begins the turn of a group of events, and says whether it relies on what is remembered. One that locks waits for
// the commit under way, which must not wait for its locks.
func (e *Engine) beginGroup(ctx context.Context, positions []Position) error {
	if e.Nodes == nil {
		return nil
	}
	sure := e.filling == nil && !e.doubt.holds(time.Now())
	if !sure || !e.alone && len(positions) == 0 { // as far as is known: a turn shall not stand open meanwhile
		if err := e.land(); err != nil {
			return err
		}
	}
	if err := e.begin(ctx); err != nil {
		return err
	}
	e.alone = e.turn.Board().Alone
	if e.relying = sure && (e.alone || len(positions) > 0); e.relying {
		return nil
	}
	return e.land()
}

// rely takes the profiles that are in memory for what they are, and reads the others. That they are so is made sure of by the
// commit.
func (e *Engine) rely(ctx context.Context, wanted map[int64]bool) error {
	var ids []int64
	for id := range wanted {
		if e.profiles[id] == nil && !e.relied[id] {
			ids = append(ids, id)
		}
		e.relied[id] = true
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	loaded, versions, err := e.turn.Load(ctx, ids)
	if err != nil {
		return e.stale(err)
	}
	for _, id := range ids {
		e.versions[id] = versions[id]
	}
	e.cache(loaded)
	return nil
}

// moved drops from memory what it says wrongly of who holds the identifiers of events, and reports whether there was any.
func (e *Engine) moved(ids [][]identity.Identifier) bool {
	if e.Nodes == nil {
		return false
	}
	moved := false
	s := e.newState()
	for _, some := range ids {
		for _, id := range some {
			owner, ok := e.owners[id]
			if p := s.current(owner); ok && (p == nil || !slices.Contains(p.Identifiers, id)) {
				delete(e.owners, id)
				moved = true
			}
		}
	}
	return moved
}

// stale notes that what the turn stands upon must be read again, where an error says so.
func (e *Engine) stale(err error) error {
	if isStale(err) {
		e.overtaken = true
		e.contradicted(e.relying)
	}
	return err
}

// lose notes that a commit failed, whose batch perhaps relied on what was remembered: memory is not what the disk holds.
func (e *Engine) lose(err error, b *Batch, relied bool) {
	if !isStale(err) {
		e.unsaved.lost, e.unsaved.mended = true, false
		return
	}
	e.contradicted(relied)
	forget(e, b.Versions, b.Changes)
}

// contradicted notes that another node has changed what a turn, or a batch, stood upon. What this one has in hand is forgotten; the
// rest of what is remembered is as good a guess as it was.
func (e *Engine) contradicted(relied bool) {
	if now := time.Now(); relied {
		e.doubt.begin(now)
	}
	u := &e.unsaved
	u.lost, u.mended = true, u.mended || !u.lost
	forget(e, e.relied, u.changes)
	forget(e, e.locked, u.changes)
	e.nextDue, e.fired = 1, Due{} // look at once
}

// forget drops profiles from memory, and what changes are about.
func forget[V any](e *Engine, profiles map[int64]V, changes *Changes) {
	for id := range profiles {
		delete(e.profiles, id)
		delete(e.versions, id)
	}
	for id := range changes.Dirty {
		delete(e.profiles, id)
		delete(e.versions, id)
	}
	for id := range changes.Owners {
		delete(e.owners, id)
	}
}

// doubt is for how long nothing is relied upon.
type doubt struct {
	least time.Duration
	span  time.Duration // of the last one
	until time.Time
}

const (
	leastDoubt = time.Second
	mostDoubt  = 64 // times the least
)

func (d *doubt) holds(now time.Time) bool { return now.Before(d.until) }

// begin begins another one, because what was relied upon was wrong. It lasts twice as long as the last one when that ended less
// than the least time ago, and half as long for each such time that went well.
func (d *doubt) begin(now time.Time) {
	if d.holds(now) { // of the same cause
		return
	}
	if well := now.Sub(d.until) / d.least; well < 1 {
		d.span = min(2*d.span, mostDoubt*d.least)
	} else {
		d.span = max(d.span>>min(well, 62), d.least)
	}
	d.until = now.Add(d.span)
}
