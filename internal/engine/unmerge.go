package engine

import (
	"context"
	"math"
	"slices"

	"github.com/tailorbird/tailorbird/internal/profile"
)

// MergeStore keeps merges, and what undoing one must know.
type MergeStore interface {
	// MergeOf gives the merge that took a profile into another and holds; NotFound where there is none.
	MergeOf(ctx context.Context, loser int64) (Merge, error)
	// MergesInto lists the merges by which these profiles took others and which hold, oldest first.
	MergesInto(ctx context.Context, winners []int64) ([]Merge, error)
	// KeptApart gives, by the profile that they are kept apart from, which of these profiles are.
	KeptApart(ctx context.Context, profiles []int64) (map[int64][]int64, error)
	// SentTo lists the messages that went to these profiles.
	SentTo(ctx context.Context, profiles []int64) ([]Sent, error)
	// HistoryOf is History for some profiles alone, which is had without sorting what others did lately.
	HistoryOf(profiles []int64) History
	// OverridesOf lists all overrides that profiles ever had, by profile, oldest first.
	OverridesOf(ctx context.Context, profiles []int64) (map[int64][]OverrideLife, error)
	// TransitionsOf lists when profiles entered and left segments, each profile's in order.
	TransitionsOf(ctx context.Context, profiles []int64) ([]Transition, error)
}

// Sent is a message and the address that it went to.
type Sent struct {
	ID, ProfileID int64
	Email         string
}

// Unmerged tells what undoing a merge made.
type Unmerged struct {
	Profiles []int64 // the living profiles that the one became, oldest first
	Moved    int     // events that got another owner
}

// Unmerge takes back the merge that made a profile, loser, a part of another. Both live on as if they had never met: what
// each had is its own again, and what came since goes where its identifiers, or the address of the mail that it answers,
// point. Merges that came later stand with the side that their identifiers point to. No event joins the two again, until
// somebody merges them by hand or allows it (AllowTogether).
//
// A withdrawal of consent that was made meanwhile holds for both. Undoing waits while definitions are being filled. It
// fails with NotFound where the profile is none that merged.
func (e *Engine) Unmerge(ctx context.Context, loser int64, actor, note string) (u *Unmerged, err error) {
	for again := true; again; {
		if err := e.WaitFilled(ctx); err != nil {
			return nil, err
		}
		failed := e.do(ctx, func() {
			if again = e.filling != nil; !again {
				u, err = e.unmerge(context.WithoutCancel(ctx), loser, actor, note)
			}
		})
		if failed != nil {
			return nil, failed
		}
	}
	return u, err
}

// unmerge runs in the loop.
func (e *Engine) unmerge(ctx context.Context, loser int64, actor, note string) (*Unmerged, error) {
	if err := e.saved(ctx); err != nil {
		return nil, err
	}
	if err := e.load(ctx, map[int64]bool{loser: true}); err != nil {
		return nil, err
	}
	undo, err := e.Store.MergeOf(ctx, loser) // as it is once nobody else can undo it
	if err != nil {
		return nil, err
	}
	now := e.now()
	s := e.newState()
	root := s.current(loser)
	family := map[int64]bool{}
	for _, id := range slices.Concat(root.Absorbed, root.Apart) {
		family[id] = true
	}
	if err := e.load(ctx, family); err != nil {
		return nil, err
	}
	s.catchUp(root, now)
	f, err := e.family(ctx, root, undo)
	if err != nil {
		return nil, err
	}
	r := f.relive(s, now)
	b := &Batch{Now: now, Split: &Split{Actor: actor}, Apart: partsApart(undo.winners(), undo.losers(), actor, note)}
	u := &Unmerged{Moved: r.changes(f, b, now)}
	for _, unit := range f.units {
		if p := r.Profiles[unit.id]; p.MergedInto == 0 {
			u.Profiles = append(u.Profiles, p.ID)
		}
	}
	slices.Sort(u.Profiles)
	r.Changes.Transitions = append(s.Changes.Transitions, r.Changes.Transitions...)
	e.unsaved.changes = r.Changes
	for _, unit := range f.units {
		e.profiles[unit.id] = r.Profiles[unit.id]
	}
	for id, owner := range r.Owners {
		e.owners[id] = owner
	}
	return u, e.commit(ctx, s, b)
}

// changes turns a life lived again into what must be written, and counts the events that got another owner.
func (r *reliving) changes(f *family, b *Batch, now int64) (changed int) {
	lived := r.Changes
	r.Changes = NewChanges()
	for _, m := range f.later {
		if i := slices.IndexFunc(lived.Merges, func(made Merge) bool { return made.ID == 0 && made.brings(m.other) }); i >= 0 {
			made := &lived.Merges[i]
			made.ID = m.ID
			if made.Cause.MessageID == m.Cause.MessageID {
				made.At, made.Cause = m.At, m.Cause
			}
			continue
		}
		b.Split.Undone = append(b.Split.Undone, m.ID)
	}
	b.Split.Undone = append(b.Split.Undone, f.undo.ID)
	r.Changes.Merges = lived.Merges
	for i, a := range lived.Events {
		// To whom it came then, whatever she became a part of later: should that be undone, too, it is hers.
		if stored := f.events[i].stored; f.events[i].open && stored != a.ProfileID {
			b.Split.Moved = append(b.Split.Moved, Moved{From: stored, To: a.ProfileID, Event: a.Event})
			if !slices.Contains(r.current(a.ProfileID).Parts(), stored) {
				changed++
			}
		}
		if f.events[i].open && f.events[i].since {
			b.Split.Orders = append(b.Split.Orders, a.Event.MessageID)
		}
	}
	for _, c := range lived.Conversions {
		if slices.Contains(b.Split.Orders, c.Event) {
			c.ProfileID = r.current(c.ProfileID).ID
			r.Changes.Conversions = append(r.Changes.Conversions, c)
		}
	}
	b.Split.Said = f.saidOfAll()
	b.Split.Sent = map[int64]int64{}
	for _, m := range f.sent {
		if owner := r.addressee(m.Email); owner != nil && owner != r.current(m.ProfileID) {
			b.Split.Sent[m.ID] = owner.ID
		}
	}
	for id, owner := range r.Owners {
		r.Changes.Owners[id] = owner
	}
	for _, unit := range f.units {
		p := r.Profiles[unit.id]
		r.Changes.mark(p.ID)
		before := map[string]int64{}
		if p.ID == f.root.ID {
			before = f.root.Segments.Map()
		}
		r.transitions(p, before, b, now)
	}
	return changed
}

// transitions records by what memberships the profile that comes out of undoing a merge differs from the one before.
func (r *reliving) transitions(p *profile.Profile, before map[string]int64, b *Batch, now int64) {
	for _, name := range r.Rules.segmentNames() {
		since, in := p.Segments.Since(name)
		began, was := before[name]
		switch {
		case in && was && since != began:
			b.Split.Since = append(b.Split.Since, Since{p.ID, name, since})
		case in && !was:
			r.Changes.Transitions = append(r.Changes.Transitions, Transition{p.ID, name, true, now, since, Cause{Kind: ByUnmerge}})
		case was && !in:
			r.Changes.Transitions = append(r.Changes.Transitions, Transition{p.ID, name, false, now, now, Cause{Kind: ByUnmerge}})
		}
	}
}

// winners are the profiles that the winner was made of, losers those of the loser.
func (m Merge) winners() []int64 { return append([]int64{m.Winner}, m.WinnerSide.Absorbed...) }

func (m Merge) losers() []int64 { return append([]int64{m.Loser}, m.LoserSide.Absorbed...) }

// parts counts the profiles that a merge made one.
func (m Merge) parts() int { return len(m.winners()) + len(m.losers()) }

// brings reports whether a merge made a profile, or what it had become, a part of another.
func (m Merge) brings(id int64) bool {
	return slices.Contains(m.winners(), id) || slices.Contains(m.losers(), id)
}

// unborn is when a profile without events began.
const unborn = math.MaxInt64
