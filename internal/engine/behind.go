package engine

import (
	"context"
	"sync"
)

// behind is what readers must know of what is not written yet. It is shared with them.
type behind struct {
	mu     sync.Mutex
	open   map[int64]struct{} // profiles that changed since the last whole commit began
	saving map[int64]struct{} // profiles of the whole commit that is under way
}

// add warns of what changed since it was last asked to.
func (b *behind) add(c *Changes) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		b.open = make(map[int64]struct{}, len(c.marked))
	}
	for _, id := range c.marked {
		b.open[id] = struct{}{}
	}
	c.marked = nil
}

// save begins a whole commit.
func (b *behind) save(c *Changes) {
	b.add(c)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saving, b.open = b.open, nil
}

// saved ends it.
func (b *behind) saved() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saving = nil
}

// reset begins anew.
func (b *behind) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.saving = nil, nil
}

// concerns reports whether any of the profiles (none: any at all) has changes that are not written.
func (b *behind) concerns(profiles []int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(profiles) == 0 {
		return len(b.open)+len(b.saving) > 0
	}
	for _, id := range profiles {
		_, open := b.open[id]
		if _, saving := b.saving[id]; open || saving {
			return true
		}
	}
	return false
}

// Settle returns once what follows from every acknowledged event can be read from the store: of these profiles, or of all
// when none is named.
func (e *Engine) Settle(ctx context.Context, profiles ...int64) error {
	if !e.behind.concerns(profiles) {
		return nil
	}
	var err error
	failed := e.do(ctx, func() { err = e.saved(context.WithoutCancel(ctx)) })
	if failed != nil {
		return failed
	}
	return err
}
