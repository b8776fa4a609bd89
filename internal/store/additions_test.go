package store

import (
	"fmt"
	"testing"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Once the last profile that a filling added to is stored as a whole, commits no longer ask for additions, until there are some again.
func TestAdditionsAreForgottenWhenNoneAreLeft(t *testing.T) {
	s, ctx := open(t), t.Context()
	minute := additionsUpkeep.Microseconds()
	commit := func(now int64, b *engine.Batch) {
		t.Helper()
		b.Now = now
		if err := commitBatch(ctx, s, b); err != nil {
			t.Fatal(err)
		}
	}
	filled := func(ids ...int64) *engine.Batch {
		b := &engine.Batch{Changes: engine.NewChanges()}
		b.Changes.Added = map[int64]engine.Added{}
		for _, id := range ids {
			b.Changes.Added[id] = engine.Added{Addition: profile.Addition{1}}
		}
		return b
	}
	stored := func(id int64) *engine.Batch { return batchOf(nil, profile.New(id, 1), fmt.Sprint("u", id)) }
	expect := func(when string, rows int64, may bool) {
		t.Helper()
		var have int64
		err := s.View(ctx, func(c *Conn) (err error) {
			have, err = c.Int(`SELECT count(*) FROM additions`)
			return err
		})
		if err != nil || have != rows || s.additions.may() != may {
			t.Errorf("%s: %d additions and %v, want %d and %v (%v)", when, have, s.additions.may(), rows, may, err)
		}
	}
	commit(minute, stored(1))
	commit(minute, stored(2))
	expect("before any", 0, false)
	commit(minute, filled(1, 2))
	expect("filled", 2, true)
	commit(3*minute, stored(1))
	expect("one is left", 1, true)
	commit(3*minute+1, stored(2))
	expect("nobody has looked yet", 0, true)
	commit(4*minute, stored(2))
	expect("looked", 0, false)
	commit(4*minute, filled(2))
	expect("filled again", 1, true)
	// Others are added while a commit that found none is on its way to say so.
	found := derived{store: s, noAdditions: s.additions.added.Load()}
	commit(4*minute, filled(1))
	found.droppedAdditions()
	expect("added meanwhile", 2, true)
	commit(6*minute, stored(1))
	commit(7*minute, stored(2))
	expect("in the end", 0, false)
}
