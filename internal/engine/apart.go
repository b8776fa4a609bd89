package engine

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Apart records who decided that two profiles are two people.
type Apart struct {
	One, Other  int64
	Actor, Note string
}

// partsApart records it of all that two are made of: should one of them be taken apart later, it holds for each part.
func partsApart(one, other []int64, actor, note string) (all []Apart) {
	for _, a := range one {
		for _, b := range other {
			all = append(all, Apart{a, b, actor, note})
		}
	}
	return all
}

// KeepApart makes sure that no event joins two profiles, whatever identifiers it carries. It fails with NotFound where
// one of them does not exist, and with Conflict where they are one.
func (e *Engine) KeepApart(ctx context.Context, a, b int64, actor, note string) error {
	return e.relate(ctx, a, b, func(one, other *profile.Profile, batch *Batch) error {
		one.KeepApart(other.Parts()...)
		other.KeepApart(one.Parts()...)
		batch.Apart = partsApart(one.Parts(), other.Parts(), actor, note)
		return nil
	})
}

// AllowTogether ends that two profiles are kept apart: the next event that carries identifiers of both joins them. It
// fails with NotFound where they are not kept apart.
func (e *Engine) AllowTogether(ctx context.Context, a, b int64) error {
	return e.relate(ctx, a, b, func(one, other *profile.Profile, batch *Batch) error {
		if !one.Holder().KeptApart(other.Holder()) {
			return fault.New(fault.NotFound, "the two profiles are not kept apart")
		}
		batch.Together = allowTogether(one, other)
		return nil
	})
}

// allowTogether ends that two profiles are kept apart, and lists the pairs by which they were.
func allowTogether(one, other *profile.Profile) (pairs [][2]int64) {
	for _, id := range one.AllowTogether(other.Parts()) {
		for _, part := range one.Parts() {
			pairs = append(pairs, [2]int64{id, part})
		}
	}
	for _, id := range other.AllowTogether(one.Parts()) {
		for _, part := range other.Parts() {
			pairs = append(pairs, [2]int64{id, part})
		}
	}
	return pairs
}

// relate changes what holds between two living profiles.
func (e *Engine) relate(ctx context.Context, a, b int64, change func(one, other *profile.Profile, b *Batch) error) (err error) {
	failed := e.do(ctx, func() {
		ctx := context.WithoutCancel(ctx)
		s, one, other, found := e.two(ctx, a, b)
		if err = found; err != nil {
			return
		}
		batch := &Batch{Now: e.now()}
		if err = change(one, other, batch); err != nil {
			return
		}
		s.Changes.mark(one.ID)
		s.Changes.mark(other.ID)
		err = e.commit(ctx, s, batch)
	})
	if failed != nil {
		return failed
	}
	return err
}

// two loads two living profiles.
func (e *Engine) two(ctx context.Context, a, b int64) (s *State, one, other *profile.Profile, err error) {
	if err := e.load(ctx, map[int64]bool{a: true, b: true}); err != nil {
		return nil, nil, nil, err
	}
	s = e.newState()
	one, other = s.current(a), s.current(b)
	switch {
	case one == nil || other == nil:
		return nil, nil, nil, fault.New(fault.NotFound, "there is no such profile")
	case one == other:
		return nil, nil, nil, fault.New(fault.Conflict, "the two are one profile already")
	}
	return s, one, other, nil
}
