package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tailorbird/tailorbird/internal/profile"
)

// addedTo is what a query of profiles, under a name, selects to have what fillings added to them: to this version of theirs.
func addedTo(profiles string) string {
	return `(SELECT a.data FROM additions a WHERE a.profile_id = ` + profiles + `.id AND a.version = ` + profiles + `.version)`
}

// wholeProfile is what readProfile reads of profiles under a name.
func wholeProfile(profiles string) string {
	return profiles + `.state, ` + profiles + `.next_change_at, ` + addedTo(profiles)
}

// additions tells whether there may be any. Only a node that is alone adds some.
type additions struct {
	added  atomic.Int64 // how often some were found at the start, or written
	none   atomic.Int64 // after how many of these times there were none
	looked atomic.Int64 // when a commit looked last, µs of the engine's clock
}

func (a *additions) may() bool { return a.added.Load() != a.none.Load() }

// additionsUpkeep is how often, by the engine's clock, a commit looks whether any are left.
const additionsUpkeep = time.Minute

// lookForAdditions finds out whether there are any when the store is opened.
func (s *Store) lookForAdditions(ctx context.Context) error {
	return s.read(ctx, func(c *Conn) error {
		some, err := anyAdditions(c)
		if some {
			s.additions.added.Add(1)
		}
		return err
	})
}

func anyAdditions(c *Conn) (bool, error) {
	return c.One(`SELECT 1 FROM additions LIMIT 1`, nil, func(Row) error { return nil })
}

// readProfile reads a profile of a row that has the columns of wholeProfile from one on.
func readProfile(id int64, r Row, from int) (*profile.Profile, error) {
	var a profile.Addition
	if !r.Null(from + 2) {
		a = r.Bytes(from + 2)
	}
	p, err := profile.ReadAdded(id, r.Bytes(from), a)
	if err != nil {
		return nil, fmt.Errorf("store: profile %d: %w", id, err)
	}
	p.NamedAt(r.Int(from + 1))
	return p, nil
}

// writeAdditions keeps what a filling adds to profiles, but for those that are stored as a whole.
func (d *derived) writeAdditions(c *Conn) error {
	changes := d.batch.Changes
	rows := make([][]any, 0, len(changes.Added))
	for _, id := range slices.Sorted(maps.Keys(changes.Added)) {
		if a := changes.Added[id]; !changes.Dirty[id] {
			rows = append(rows, []any{id, orNull(a.Next), []byte(a.Addition)})
		}
	}
	if len(rows) > 0 {
		d.store.additions.added.Add(1)
	}
	return c.ExecEach(`INSERT INTO additions (profile_id, version, next_change_at, data) SELECT id, version, $2, $3 FROM profiles WHERE id = $1
		ON CONFLICT (profile_id) DO UPDATE SET version = excluded.version, next_change_at = excluded.next_change_at, data = excluded.data`, rows)
}

// dropAdditions forgets what was added to the profiles that are stored as a whole, where there may be any.
func (d *derived) dropAdditions(c *Conn) error {
	known := &d.store.additions
	d.noAdditions = 0
	if !known.may() {
		return nil
	}
	rows := make([][]any, len(d.profiles))
	for i := range d.profiles {
		rows[i] = []any{d.profiles[i].id}
	}
	if err := c.ExecEach(`DELETE FROM additions WHERE profile_id = $1`, rows); err != nil {
		return err
	}
	if now := d.batch.Now; now/additionsUpkeep.Microseconds() > known.looked.Swap(now)/additionsUpkeep.Microseconds() {
		times := known.added.Load()
		some, err := anyAdditions(c)
		if err != nil {
			return err
		}
		if !some {
			d.noAdditions = times
		}
	}
	return nil
}

// droppedAdditions remembers, once it is committed, that a commit left none. Whatever was added since counts all the same.
func (d *derived) droppedAdditions() {
	if d.noAdditions > 0 {
		d.store.additions.none.Store(d.noAdditions)
	}
}
