package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/server"
)

func (c conditions) Vocabulary(ctx context.Context) (server.Vocabulary, error) {
	var v server.Vocabulary
	all, err := c.app.registry.All(ctx)
	if err != nil {
		return v, err
	}
	if v.EventNames, v.Traits, _, err = c.app.store.Words(ctx); err != nil {
		return v, err
	}
	for _, d := range all.Of(definition.Trait) {
		v.Traits = append(v.Traits, d.Name)
	}
	slices.Sort(v.Traits)
	v.Traits = slices.Compact(v.Traits)
	for _, d := range all.Of(definition.Segment) {
		v.Segments = append(v.Segments, d.Name)
	}
	for _, f := range expr.Functions() {
		v.Functions = append(v.Functions, server.Function(f))
	}
	return v, nil
}

// promptly is how long what only makes an answer more helpful may keep it waiting.
const promptly = 100 * time.Millisecond

func (c conditions) Known(ctx context.Context) (expr.Known, error) {
	all, err := c.app.registry.All(ctx)
	if err != nil {
		return expr.Known{}, err
	}
	known := expr.Known{Segments: []string{}}
	for _, d := range all.Of(definition.Segment) {
		known.Segments = append(known.Segments, d.Name)
	}
	soon, cancel := context.WithTimeout(ctx, promptly)
	defer cancel()
	events, traits, complete, err := c.app.store.Words(soon)
	switch {
	case soon.Err() != nil && ctx.Err() == nil: // the loop is busy: new names may not be in the tables yet
		return known, nil
	case err != nil || !complete:
		return known, err
	}
	if len(events) > 0 {
		known.Events = append(events, event.Names...)
	}
	if len(traits) > 0 {
		known.Traits = slices.Concat(traits, profile.Kept, toldTraits)
		for _, d := range all.Of(definition.Trait) {
			known.Traits = append(known.Traits, d.Name)
		}
	}
	return known, nil
}

func (c conditions) Properties(ctx context.Context) (map[string]expr.Seen, error) {
	return c.app.known.get(func() (map[string]expr.Seen, error) { return c.app.engine.Properties(ctx, promptly) })
}

// sparing keeps what was found for a hundred times as long as it took to find, so that finding it takes a hundredth of the
// time however often it is asked for; nothing is kept of nothing, which may be something at any moment. It is ready to be
// used as it is, by many at once.
type sparing[V any] struct {
	mu    sync.Mutex
	found map[string]V
	until time.Time
}

// get gives what there is, which find finds where the last is too old.
func (s *sparing[V]) get(find func() (map[string]V, error)) (map[string]V, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := time.Now()
	if begun.Before(s.until) {
		return s.found, nil
	}
	found, err := find()
	if err == nil && len(found) > 0 {
		s.found, s.until = found, time.Now().Add(100*time.Since(begun))
	}
	return found, err
}
