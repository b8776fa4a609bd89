package engine

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// The ways in which two profiles become one.
const (
	MergedByEvent = "event"  // an event carried identifiers of both
	MergedByHand  = "manual" // a person said so
	MergedByMatch = "match"  // a probable match was accepted, by a person or by its score
)

// MergeCause is why two profiles became one.
type MergeCause struct {
	Kind        string                // MergedByEvent, MergedByHand or MergedByMatch
	MessageID   string                // of the event that linked them
	Identifiers []identity.Identifier // what that event linked them by
	Actor       string                // who did it, by the name of the API key; "" for an event
	Note        string                // why, in words: a person's, or a match's evidence
}

// Merge records that two profiles became one, with what undoing it takes.
type Merge struct {
	ID                    int64 // given by the store; 0: a new one
	Winner, Loser         int64
	At                    int64
	Cause                 MergeCause
	WinnerSide, LoserSide profile.Side
}

// merge makes loser a part of winner. Of loser another profile remains, that says so.
func (s *State) merge(winner, loser *profile.Profile, cause MergeCause, now int64) {
	s.catchUp(winner, now)
	s.catchUp(loser, now)
	s.Changes.Merges = append(s.Changes.Merges, Merge{
		Winner: winner.ID, Loser: loser.ID, At: now, Cause: cause, WinnerSide: winner.Side(), LoserSide: loser.Side(),
	})
	s.Changes.Urgent = s.Changes.Urgent || winner.Subscribed() != loser.Subscribed()
	for _, id := range loser.Identifiers {
		s.own(id, winner.ID)
	}
	s.leaveFormer(loser, now, func(node int) bool { return s.Filling.pending(node, loser.ID) && s.Filling.fresh[node] })
	for name := range loser.Segments.All() {
		s.Changes.Transitions = append(s.Changes.Transitions, Transition{loser.ID, name, false, now, now, Cause{Kind: ByMerge}})
	}
	winner.Absorb(loser, func(id int64, into, from *expr.Aggregate) {
		if t := s.Rules.termOf[id]; t != nil {
			into.Merge(t, from, now)
		}
	})
	s.setOverrideTimer(winner)
	s.Profiles[loser.ID] = &profile.Profile{ID: loser.ID, CreatedAt: loser.CreatedAt, UpdatedAt: now, MergedInto: winner.ID}
	s.Changes.mark(loser.ID)
}

// join merges two living profiles because somebody says that they are one person. The older one survives.
func (s *State) join(a, b *profile.Profile, cause MergeCause, now int64) *profile.Profile {
	winner, loser := a, b
	if loser.ID < winner.ID {
		winner, loser = loser, winner
	}
	s.merge(winner, loser, cause, now)
	s.evaluate(winner, s.Rules.allNodes(), now, Cause{Kind: ByMerge})
	s.touch(winner, now)
	return winner
}

// Merge makes two profiles one because a person, or an accepted match, says that they are one customer. No limit of
// identifiers forbids it, and it ends their being kept apart. The older profile survives; its id is the answer. It fails
// with NotFound where one of them does not exist, and with Conflict where they are one already.
func (e *Engine) Merge(ctx context.Context, a, b int64, cause MergeCause) (survivor int64, err error) {
	failed := e.do(ctx, func() {
		ctx := context.WithoutCancel(ctx)
		s, one, other, found := e.two(ctx, a, b)
		if err = found; err != nil {
			return
		}
		batch := &Batch{Now: e.now(), Together: allowTogether(one, other)}
		survivor = s.join(one, other, cause, batch.Now).ID
		err = e.commit(ctx, s, batch)
	})
	if failed != nil {
		return 0, failed
	}
	return survivor, err
}
