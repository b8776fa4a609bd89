package engine

import (
	"context"
	"maps"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Events are the truth, and what follows from them is worked out again wherever it is lost. So under load only the events
// of a group are made durable at once, which is what the answer promises; what follows from them (profiles, memberships,
// identifiers, reports) is saved some groups later, when the same profile has often changed many times over, and while
// further groups are committed. Until then it is in memory, and readers who ask for it wait for it to be saved (Settle).
// After a crash, or a commit that failed, the groups since then are stepped through again, at the times that they were
// stepped through first.
//
// A save holds everything as it was between two groups. Profiles are put into their stored form a few at a time, and one
// that is about to change before its turn.
const (
	saveAfter   = 5 * time.Second       // under load, how long what follows stays unsaved
	saveAt      = 60_000                // and of how many profiles
	saveIdle    = 20 * time.Millisecond // when nothing more arrives
	saveStretch = 200                   // profiles put into their stored form between two groups; as many as there were events, if these are more
)

// unsaved is what is on its way to the disk, or still to be sent there.
type unsaved struct {
	changes  *Changes        // what follows from the groups since the last save or whole commit
	soon     map[int64]int64 // unsaved profiles that time changes up to the horizon, and when; perhaps others
	horizon  int64           // µs; whom time changes behind it is looked for when it is reached
	progress int64           // how far a filling has come, which is to be saved with it; 0: as before
	filled   bool            // all have been filled, which is to be saved with it too
	since    time.Time       // when the first of them was stepped
	pace     int             // events of the last group
	busy     time.Time       // when there was last something to do
	flight   *flight         // the commit that is under way; nil for none
	carried  carried
	open     []stepped    // whom groups were about that may not have been packed since, the oldest group first
	opened   int          // events of these
	saving   *saving      // the save that is under way; nil for none
	next     *saving      // the one after it, for which somebody waits; nil: nobody does
	owed     bool         // a save failed, and none has held since: nothing more is taken on credit
	lost     bool         // memory is not what the disk holds, and must be replayed
	mended   bool         // what is wrong in it has been forgotten already
	again    [][]*request // requests of a commit that failed, in the groups in which they are tried again
}

// empty reports whether there is nothing to save that is not being saved.
func (u *unsaved) empty() bool {
	return len(u.changes.Dirty) == 0 && len(u.changes.Days) == 0 && u.progress == 0 && !u.filled
}

func newUnsaved() unsaved {
	return unsaved{changes: NewChanges(), soon: map[int64]int64{}, horizon: 1, since: time.Now()}
}

// saving is a whole commit beside those of groups.
type saving struct {
	batch  *Batch
	commit Commit
	left   map[int64]bool // profiles that are not in their stored form yet
	ground *flight        // the group that it stands upon as the last; nil: it is durable
	begun  bool           // the disk has it

	err  error
	done chan struct{}
}

func newSaving() *saving { return &saving{done: make(chan struct{})} }

// durable is the number of the last save or whole commit that the store has.
func (e *Engine) durable() int64 {
	if e.unsaved.saving != nil {
		return e.wholes - 1
	}
	return e.wholes
}

// holds reports whether what is known of a profile is not, or may not be, in the store.
func (u *unsaved) holds(id int64) bool {
	if u.changes.Dirty[id] || u.saving != nil && u.saving.batch.Changes.Dirty[id] {
		return true
	}
	_, added := u.added(id)
	return added
}

// added is what a filling added to a profile, as far as the store may not have it.
func (u *unsaved) added(id int64) (profile.Addition, bool) {
	for _, c := range [...]*Changes{u.changes, u.saving.changes(), u.flight.changes()} {
		if c != nil {
			if a, is := c.Added[id]; is {
				return a.Addition, true
			}
		}
	}
	return nil, false
}

// addTo adds that to a profile as the store has it.
func (u *unsaved) addTo(p *profile.Profile) {
	if a, is := u.added(p.ID); is {
		add(p, a)
	}
}

// stateWith is the stored form of a profile as the store has it, or had it, with what was added to it before it was read, or has
// been since.
func (u *unsaved) stateWith(p *profile.Profile, before profile.Addition) []byte {
	add(p, before)
	u.addTo(p)
	return p.State()
}

func add(p *profile.Profile, a profile.Addition) {
	if err := p.Add(a); err != nil {
		panic(err) // we have just made it
	}
}

// changes is what it saves; nil for no save.
func (s *saving) changes() *Changes {
	if s == nil {
		return nil
	}
	return s.batch.Changes
}

// dueIn is how long an idle loop leaves things as they are; false when there is nothing to do. Whoever waits for the commit
// under way is about to send more.
func (u *unsaved) dueIn() (time.Duration, bool) {
	switch {
	case u.lost:
	case u.saving != nil:
		return 0, !u.saving.begun // its end is told
	case u.empty() && u.next == nil:
		return 0, false
	case u.next != nil && !u.flying():
		return 0, true
	case u.flying():
		return saveIdle, true
	case u.flight != nil:
		return max(0, saveIdle-time.Since(u.flight.ended)), true
	}
	return max(0, saveIdle-time.Since(u.busy)), true
}

// tend begins a save when it is time, and brings the one under way further. idle says that there is nothing else to do.
func (e *Engine) tend(ctx context.Context, idle bool) {
	u := &e.unsaved
	if idle {
		e.frozen = frozen{} // nothing is left that was read before it
	}
	left, due := u.dueIn()
	due = idle && due && left == 0
	switch s := u.saving; {
	case u.lost || e.Nodes != nil:
		if due {
			e.settle(ctx)
		}
	case s == nil && due && u.empty(): // what somebody waits for has come by itself
		e.failing(e.land())
		e.relieve(nil)
	case s == nil && (due || u.next != nil || time.Since(u.since) > saveAfter || len(u.changes.Dirty) > e.SaveAt):
		if !u.empty() {
			e.failing(e.beginSave())
		}
	case s == nil:
	case !s.begun:
		e.failing(e.takeSome(max(e.SaveStretch, u.pace)))
		if len(s.left) == 0 && !u.lost {
			e.runSave(ctx)
		}
	case over(s.done):
		e.failing(e.landSave())
	}
}

// relieve ends the wait for a save of which nothing is left to be done, or which cannot be.
func (e *Engine) relieve(err error) {
	if s := e.unsaved.next; s != nil && (err != nil || !e.unsaved.lost) {
		e.unsaved.next = nil
		s.err = err
		close(s.done)
	}
}

// stepping notes that something is about to follow.
func (e *Engine) stepping() {
	if e.unsaved.empty() {
		e.unsaved.since = time.Now()
	}
}

// failing tells of what nobody waits for. It is met again, and told, by whoever comes next.
func (e *Engine) failing(err error) {
	if err == nil {
		return
	}
	e.status.failed(err)
	e.unsaved.busy = time.Now().Add(time.Second)
	if e.nextDue != 0 {
		e.nextDue = max(e.nextDue, e.now()+time.Second.Microseconds())
	}
	e.Log.Error("what follows from events could not be written; trying again in a second", "error", err)
}

const unfollowed = "what follows from events could not be worked out"

// safely does what nobody waits for but for its end. A panic is met again, and told, by whoever comes next.
func (e *Engine) safely(do func()) {
	if err := e.guarded(unfollowed, func() error { do(); return nil }); err != nil {
		e.failing(err)
		e.relieve(err)
	}
}

// freeze gives a batch everything that is still to be saved, but for the profiles. No other save may be under way.
func (e *Engine) freeze(b *Batch) {
	e.trimCaches()
	u := &e.unsaved
	b.Turn, b.Changes, b.Progress, b.Filled = e.turn, u.changes, u.progress, u.filled
	u.changes, u.progress, u.filled, u.since = b.Changes.next(), 0, false, time.Now()
	e.behind.save(b.Changes)
	e.wholes++
	e.epoch, e.frozen = e.epoch+1, frozen{b.Changes.Dirty, b.Changes.Added, b.Changes.Owners}
	if e.Nodes != nil {
		b.Versions = make(Versions, len(b.Changes.Dirty))
		for id := range e.relied {
			b.Versions[id] = e.versions[id]
		}
	}
	for id := range b.Changes.Dirty {
		if e.Nodes != nil {
			b.Versions[id] = e.versions[id]
			e.versions[id]++
		}
		if f := e.filling; f != nil && id > f.Done {
			f.touched[id] = e.wholes
		}
	}
}

// ripe is a profile that is about to be put into its stored form.
func (e *Engine) ripe(s *State, id, now int64) *profile.Profile {
	defer naming(id)
	p := e.profile(id)
	s.workOut(p)
	s.settleTimer(p, now)
	if next := p.Timers.Next(); next != 0 && (e.nextDue == 0 || next < e.nextDue) {
		e.nextDue = next
	}
	return p
}

// complete puts everything that is still to be saved into a batch. No commit may be under way.
func (e *Engine) complete(b *Batch) {
	e.freeze(b)
	s := e.newState()
	for id := range b.Changes.Dirty {
		b.Profiles = append(b.Profiles, e.ripe(s, id, b.Now))
	}
	e.fired = Due{}
}

// beginSave begins to save everything that there is. No other save may be under way.
func (e *Engine) beginSave() (err error) {
	u := &e.unsaved
	s := u.next
	if s == nil {
		s = newSaving()
	}
	s.batch = &Batch{Now: e.now()}
	s.ground = u.flight
	e.freeze(s.batch)
	s.left = maps.Clone(s.batch.Changes.Dirty)
	u.saving, u.next = s, nil
	if s.commit, err = e.Store.Prepare(s.batch); err != nil {
		e.endSave(err)
	}
	return err
}

// takeSome takes up to n profiles into the save under way.
func (e *Engine) takeSome(n int) error {
	ids := make([]int64, 0, min(n, len(e.unsaved.saving.left)))
	for id := range e.unsaved.saving.left {
		if ids = append(ids, id); len(ids) == n {
			break
		}
	}
	return e.take(ids)
}

// take takes profiles into the save under way, as far as they are still to be taken.
func (e *Engine) take(ids []int64) error {
	save := e.unsaved.saving
	if save == nil || len(save.left) == 0 {
		return nil
	}
	s := e.newState()
	for i, id := range ids {
		if !save.left[id] {
			continue
		}
		e.memory.lendSometimes(i)
		delete(save.left, id)
		if err := e.guarded(unfollowed, func() error { return save.commit.Add(e.ripe(s, id, save.batch.Now)) }); err != nil {
			e.endSave(err)
			return err
		}
	}
	return nil
}

// runSave sends the save to the disk. The loop is told of its end.
func (e *Engine) runSave(ctx context.Context) {
	s := e.unsaved.saving
	s.begun = true
	go func() {
		if s.ground != nil {
			<-s.ground.done
			s.err = s.ground.err
		}
		if s.err == nil {
			s.err = s.commit.Run(ctx)
		}
		if s.err == nil {
			e.behind.saved()
		}
		close(s.done)
		select {
		case e.ops <- func(context.Context) {}:
		case <-e.done:
		}
	}()
}

// landSave brings the save under way to its end. An error says that it failed: what is in memory is no longer true.
func (e *Engine) landSave() error {
	s := e.unsaved.saving
	if s == nil {
		return nil
	}
	if !s.begun {
		if err := e.takeSome(len(s.left)); err != nil {
			return err
		}
		e.runSave(context.Background())
	}
	e.memory.lend(func() { <-s.done })
	e.unsaved.saving, e.fired, e.nextDue = nil, Due{}, 1 // what is due can be read once more
	if e.unsaved.owed = s.err != nil; s.err != nil {
		e.unsaved.lost = true
		return s.err
	}
	e.held(s.batch.Filled)
	return nil
}

// endSave gives up a save that has not been sent to the disk.
func (e *Engine) endSave(err error) {
	s := e.unsaved.saving
	e.unsaved.saving, e.unsaved.lost, e.unsaved.owed = nil, true, true
	s.err = err
	close(s.done)
}

// abandonSave ends the save under way because what is in memory is no longer true.
func (e *Engine) abandonSave() {
	if s := e.unsaved.saving; s != nil && !s.begun {
		e.endSave(errGround)
		return
	}
	_ = e.landSave() // memory is lost anyway
}

// covering is the save that will have everything stepped through so far; nil: everything is saved.
func (e *Engine) covering() *saving {
	u := &e.unsaved
	switch {
	case u.empty():
		return u.saving
	case u.next == nil:
		u.next = newSaving() // begun by tend
	}
	return u.next
}

// wait returns when a save has ended; nil is none.
func (e *Engine) wait(ctx context.Context, s *saving) error {
	if s == nil {
		return nil
	}
	select {
	case <-s.done:
		return s.err
	case <-e.done:
		return fault.New(fault.Unavailable, "the server is stopping")
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the engine is busy")
	}
}

// saved makes everything durable that has been stepped through, and what follows from it, while the loop waits.
func (e *Engine) saved(ctx context.Context) error {
	if err := e.sound(ctx); err != nil {
		return err
	}
	if err := e.landSave(); err != nil {
		return err
	}
	if !e.unsaved.empty() {
		if err := e.commit(ctx, e.newState(), &Batch{Now: e.now()}); err != nil {
			return err
		}
	}
	e.unsaved.owed = false
	return nil
}

// settle is saved where nobody waits for the outcome.
func (e *Engine) settle(ctx context.Context) { e.failing(e.saved(ctx)) }

// commit makes a state's changes durable, with everything before them. When that fails, what is in memory is no longer
// true.
func (e *Engine) commit(ctx context.Context, s *State, b *Batch) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	if err := e.landSave(); err != nil {
		return err
	}
	e.nextID = s.NextID
	e.complete(b)
	commit, err := e.Store.Prepare(b)
	if err == nil {
		relying := e.relying
		e.handOver()
		e.memory.lend(func() { err = commit.Run(ctx) })
		if err != nil {
			e.lose(err, b, relying)
			return e.stale(err)
		}
	}
	if err != nil {
		e.unsaved.lost = true
		return err
	}
	e.behind.saved()
	e.held(b.Filled)
	return nil
}

// held notes that a whole commit held, which may say that everything has been filled.
func (e *Engine) held(filled bool) {
	if filled {
		e.filled()
	}
}
