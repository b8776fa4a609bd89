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
	b.note(c)
}

func (b *behind) note(c *Changes) {
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

// renew begins anew with what changed.
func (b *behind) renew(c *Changes) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.saving = nil, nil
	b.note(c)
}

// nothing reports whether everything of the profiles (none: of all) is in the store.
func (b *behind) nothing(profiles ...int64) bool {
	open, saving := b.concerns(profiles)
	return !open && !saving
}

// concerns reports whether any of the profiles (none: any at all) has changes that no commit has yet, and whether one has that
// are being committed.
func (b *behind) concerns(profiles []int64) (open, saving bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(profiles) == 0 {
		return len(b.open) > 0, len(b.saving) > 0
	}
	for _, id := range profiles {
		_, isOpen := b.open[id]
		_, isSaving := b.saving[id]
		open, saving = open || isOpen, saving || isSaving
	}
	return open, saving
}

// Settle returns once what follows from every acknowledged event can be read from the store: of these profiles, or of all
// when none is named.
func (e *Engine) Settle(ctx context.Context, profiles ...int64) error {
	if e.behind.nothing(profiles...) {
		return nil
	}
	var covering *saving
	err := e.do(ctx, func() { // only now is memory sure to be true
		covering = e.unsaved.saving
		if open, _ := e.behind.concerns(profiles); open {
			covering = e.covering()
		}
	})
	if err != nil {
		return err
	}
	return e.wait(ctx, covering)
}
