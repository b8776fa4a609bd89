package store

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

const ownerQuery = `SELECT profile_id FROM identifiers WHERE type = $1 AND value = $2`

// Owners finds the profiles that hold identifiers; those that nobody holds are absent.
func (s *Store) Owners(ctx context.Context, ids []identity.Identifier) (map[identity.Identifier]int64, error) {
	owners := make(map[identity.Identifier]int64, len(ids))
	err := s.engineView(ctx, func(c *Conn) error {
		rows := make([][]any, len(ids))
		for i, id := range ids {
			rows[i] = []any{id.Type, id.Value}
		}
		return c.QueryEach(ownerQuery, rows, func(i int, r Row) error {
			owners[ids[i]] = r.Int(0)
			return nil
		})
	})
	return owners, err
}

// LoadProfiles reads whole profiles; ids that do not exist are absent.
func (s *Store) LoadProfiles(ctx context.Context, ids []int64) (map[int64]*profile.Profile, error) {
	profiles := make(map[int64]*profile.Profile, len(ids))
	err := s.engineView(ctx, func(c *Conn) error {
		return loadProfiles(c, ids, profiles)
	})
	return profiles, err
}

func loadProfiles(c *Conn, ids []int64, into map[int64]*profile.Profile) error {
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{id}
	}
	return c.QueryEach(`SELECT `+wholeProfile("profiles")+` FROM profiles WHERE id = $1`, rows, func(i int, r Row) (err error) {
		into[ids[i]], err = readProfile(ids[i], r, 0)
		return err
	})
}

func loadProfile(c *Conn, id int64, into map[int64]*profile.Profile) error {
	return loadProfiles(c, []int64{id}, into)
}

// Profile reads one profile, or the one that it was merged into; NotFound where there is none.
func (s *Store) Profile(ctx context.Context, id int64) (p *profile.Profile, err error) {
	err = s.viewLiving(ctx, id, func(_ *Conn, living *profile.Profile) error {
		p = living
		return nil
	})
	return p, err
}

// viewLiving is View for one profile, or the one that it was merged into; NotFound where there is none.
func (s *Store) viewLiving(ctx context.Context, id int64, fn func(*Conn, *profile.Profile) error) error {
	for {
		var into int64
		err := s.viewOf(ctx, []int64{id}, func(c *Conn) error {
			loaded := map[int64]*profile.Profile{}
			if err := loadProfile(c, id, loaded); err != nil {
				return err
			}
			p := loaded[id]
			switch {
			case p == nil:
				return fault.New(fault.NotFound, "there is no such profile")
			case p.MergedInto != 0:
				into = p.MergedInto
				return nil
			}
			return fn(c, p)
		})
		if err != nil || into == 0 {
			return err
		}
		id = into // always the older of two: the chain ends
	}
}

// living follows merges to the profile that lives; 0 where there is none.
func (s *Store) living(ctx context.Context, id int64) (living int64, err error) {
	err = s.viewOf(ctx, []int64{id}, func(c *Conn) error {
		living, err = survivor(c, id)
		return err
	})
	return living, err
}

// ProfileRange reads the living profiles with from ≤ id < to, and the highest id looked at; at most limit.
func (s *Store) ProfileRange(ctx context.Context, from, to int64, limit int) (profiles []*profile.Profile, last int64, err error) {
	err = s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT id, merged_into, `+wholeProfile("profiles")+` FROM profiles WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3`, []any{from, to, limit},
			func(r Row) error {
				last = r.Int(0)
				if !r.Null(1) {
					return nil
				}
				p, err := readProfile(last, r, 2)
				profiles = append(profiles, p)
				return err
			})
	})
	return profiles, last, err
}

// LastProfileID is the highest id of a profile, 0 when there is none.
func (s *Store) LastProfileID(ctx context.Context) (id int64, err error) {
	err = s.read(ctx, func(c *Conn) error {
		id, err = lastProfile(c)
		return err
	})
	return id, err
}

func lastProfile(c *Conn) (int64, error) { return c.Int(`SELECT coalesce(max(id), 0) FROM profiles`) }

// Due implements engine.Store.
func (s *Store) Due(ctx context.Context, now int64, behind engine.Due, limit int) (due []engine.Due, next int64, err error) {
	err = s.engineView(ctx, func(c *Conn) error {
		return c.Query(`SELECT id, next_change_at FROM profiles WHERE next_change_at >= $1 AND (next_change_at > $1 OR id > $2)
			UNION ALL
			SELECT profile_id, next_change_at FROM additions WHERE next_change_at >= $1 AND (next_change_at > $1 OR profile_id > $2)
			ORDER BY 2, 1 LIMIT $3`, []any{behind.At, behind.ID, limit + 1},
			func(r Row) error {
				d := engine.Due{At: r.Int(1), ID: r.Int(0)}
				if d.At > now || len(due) == limit {
					next = d.At
					return errEnough
				}
				due = append(due, d)
				return nil
			})
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return due, next, err
}

// Prepare implements engine.Store.
func (s *Store) Prepare(b *engine.Batch) (engine.Commit, error) {
	logged := s.log.prepare(b)
	if b.Changes == nil {
		return alone{logged}, nil
	}
	d := &derived{
		store: s, logged: logged, batch: *b, counts: dayCountsOf(b), words: map[word]bool{}, profiles: make([]profileRow, 0, len(b.Changes.Dirty)),
	}
	d.batch.Profiles = nil
	s.words.fresh(b.Changes.Names, d.words)
	return d, d.Add(b.Profiles...)
}

// alone are events that are committed before what follows from them.
type alone struct{ entry }

func (a alone) Add(...*profile.Profile) error {
	return fault.New(fault.Internal, "profiles are committed with everything that follows from events")
}

func (a alone) Run(ctx context.Context) error { return a.alone(ctx) }

// derived is what follows from events, in its stored form: while it is written, the engine changes the profiles further.
type derived struct {
	store    *Store
	logged   entry
	batch    engine.Batch // without its profiles
	profiles []profileRow
	counts   dayCounts
	words    map[word]bool
	scratch  []byte

	noAdditions int64 // of additions.added, where the commit leaves none; else 0
}

// Add implements engine.Commit.
func (d *derived) Add(profiles ...*profile.Profile) error {
	for _, p := range profiles {
		d.profiles = append(d.profiles, rowOf(p, d.batch.Now))
		if d.batch.Changes.Created[p.ID] {
			d.counts.add(p.CreatedAt, "profiles", 1)
		}
	}
	return nil
}

// Run implements engine.Commit.
func (d *derived) Run(ctx context.Context) error {
	// In the order of their table, in which writing costs least; so with other rows of a commit.
	slices.SortFunc(d.profiles, func(a, b profileRow) int { return cmp.Compare(a.id, b.id) })
	if err := d.commit(ctx); err != nil {
		return err
	}
	d.logged.written()
	d.droppedAdditions()
	if d.batch.Filled {
		d.store.log.began(0)
	}
	d.store.words.keep(d.words)
	return nil
}

// commit writes in a turn, which it ends, or in a transaction of its own.
func (d *derived) commit(ctx context.Context) error {
	s, err := d.store, d.logged.ready(ctx)
	if t, ok := d.batch.Turn.(*turn); ok {
		if err != nil {
			t.End()
			return err
		}
		err = t.commit(ctx, d.write)
	} else if err == nil {
		err = s.db.update(ctx, theEngine, d.write)
	}
	fenced := errors.As(err, new(*engine.Fenced))
	if s.db.dialect().shared && !fenced && fault.CodeOf(err) == fault.Conflict { // of keys that only other nodes can have written
		err = &engine.Stale{Cause: fault.Wrap(fault.Unavailable, err, "another node wrote the same")}
	}
	return err
}

func (d *derived) write(c *Conn) error {
	if err := d.lockVersions(c); err != nil {
		return err
	}
	if err := writePositions(c, d.batch.Positions); err != nil {
		return err
	}
	if err := d.logged.write(c); err != nil {
		return err
	}
	changes := d.batch.Changes
	if err := errors.Join(d.writeAdditions(c), d.writeProfiles(c), d.dropAdditions(c)); err != nil {
		return err
	}
	if err := d.writeOwners(c); err != nil {
		return err
	}
	if err := writeMerges(c, changes.Merges); err != nil {
		return err
	}
	if err := errors.Join(writeSplit(c, &d.batch), writeApart(c, &d.batch), writeOverrides(c, &d.batch), writeGiven(c, &d.batch)); err != nil {
		return err
	}
	if err := errors.Join(writeTransitions(c, changes.Transitions), writeSince(c, &d.batch), writeSegmentCounts(c, changes.Transitions)); err != nil {
		return err
	}
	if err := writeMailFacts(c, changes.Facts, changes.Conversions); err != nil {
		return err
	}
	if err := writeCounts(c, d.counts); err != nil {
		return err
	}
	if err := writeWords(c, d.words); err != nil {
		return err
	}
	return writeRulesState(c, &d.batch)
}

// profileRow is a profile as it is to be written. A save holds many of them for seconds.
type profileRow struct {
	id                                        int64
	form                                      profile.Form
	subscribed                                bool
	createdAt, updatedAt, firstSeen, lastSeen int64
	due, mergedInto                           int64 // 0: none
	moved                                     bool  // it is due at another moment than so far, or may be
}

func rowOf(p *profile.Profile, now int64) profileRow {
	due, moved := p.Schedule(now)
	return profileRow{
		id: p.ID, form: p.Form(), subscribed: p.Subscribed(), createdAt: p.CreatedAt, updatedAt: p.UpdatedAt, firstSeen: p.FirstSeenAt, lastSeen: p.LastSeenAt,
		due: due, mergedInto: p.MergedInto, moved: moved,
	}
}

// orNull is a number, NULL for 0.
func orNull(v int64) any {
	if v == 0 {
		return nil
	}
	return v
}

// argsOf are the arguments of insertProfile, and of what else writes a profile. The names of its traits become known.
func (d *derived) argsOf(r *profileRow) ([]any, error) {
	d.store.words.freshOf(&r.form.Traits, d.words)
	traits, computed, preferences, err := r.form.Columns(&d.scratch)
	return []any{
		r.id, traits, computed, preferences, r.subscribed, r.createdAt, r.updatedAt, r.firstSeen, r.lastSeen, orNull(r.due),
		orNull(r.mergedInto), r.form.State,
	}, err
}

// writtenAtOnce is how many rows are put into arguments at a time.
const writtenAtOnce = 4096

const insertProfile = `INSERT INTO profiles (id, traits, computed, preferences, subscribed, created_at, updated_at, first_seen_at,
		last_seen_at, next_change_at, merged_into, state)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`

const replaceProfile = insertProfile + ` ON CONFLICT (id) DO UPDATE SET version = profiles.version + 1,
		traits = excluded.traits, computed = excluded.computed, preferences = excluded.preferences,
		subscribed = excluded.subscribed, created_at = excluded.created_at, updated_at = excluded.updated_at,
		first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at,
		merged_into = excluded.merged_into, state = excluded.state`

func (d *derived) writeProfiles(c *Conn) error {
	if d.batch.Versions != nil {
		return d.writeSharedProfiles(c)
	}
	room := min(len(d.profiles), writtenAtOnce)
	moved, stayed := make([][]any, 0, room), make([][]any, 0, room)
	for some := range slices.Chunk(d.profiles, writtenAtOnce) {
		moved, stayed = moved[:0], stayed[:0]
		for i := range some {
			args, err := d.argsOf(&some[i])
			switch {
			case err != nil:
				return err
			case some[i].moved:
				moved = append(moved, args)
			default:
				stayed = append(stayed, args)
			}
		}
		// An index is written where one of its columns is named, even if that stays as it is.
		if err := errors.Join(c.ExecEach(replaceProfile+`, next_change_at = excluded.next_change_at`, moved), c.ExecEach(replaceProfile, stayed)); err != nil {
			return err
		}
		for i := range some {
			if !c.dialect.shared { // where nothing is tried again, the rest is let go while others are written
				some[i] = profileRow{id: some[i].id}
			}
		}
	}
	return nil
}

// byTypeAndValue is the order of the identifiers' table.
func byTypeAndValue(a, b identity.Identifier) int {
	return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Value, b.Value))
}

func (d *derived) writeOwners(c *Conn) error {
	owners := d.batch.Changes.Owners
	rows := make([][]any, 0, len(owners))
	for _, id := range slices.SortedFunc(maps.Keys(owners), byTypeAndValue) {
		rows = append(rows, []any{id.Type, id.Value, owners[id], d.batch.Now})
	}
	if !c.dialect.shared {
		return c.ExecEach(`INSERT INTO identifiers (type, value, profile_id, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (type, value) DO UPDATE SET profile_id = excluded.profile_id`, rows)
	}
	return d.writeSharedOwners(c, rows)
}

// writeTransitions keeps who is in which segment: what all transitions of a profile and a segment come to, in the order of
// the table.
func writeTransitions(c *Conn, transitions []engine.Transition) error {
	order := make([]int, len(transitions))
	for i := range order {
		order[i] = i
	}
	same := func(i, j int) int {
		a, b := &transitions[i], &transitions[j]
		return cmp.Or(strings.Compare(a.Segment, b.Segment), cmp.Compare(a.ProfileID, b.ProfileID))
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(same(i, j), i-j) })
	var members, leavers [][]any
	for len(order) > 0 {
		n := 1
		for n < len(order) && same(order[0], order[n]) == 0 {
			n++
		}
		first, last := &transitions[order[0]], &transitions[order[n-1]]
		order = order[n:]
		switch {
		case last.Entered:
			members = append(members, []any{last.Segment, last.ProfileID, last.Since})
		case !first.Entered: // else she came and went
			leavers = append(leavers, []any{last.Segment, last.ProfileID})
		}
	}
	return errors.Join(
		c.ExecEach(`INSERT INTO memberships (segment, profile_id, since) VALUES ($1, $2, $3)
			ON CONFLICT (segment, profile_id) DO UPDATE SET since = excluded.since`, members),
		c.ExecEach(`DELETE FROM memberships WHERE segment = $1 AND profile_id = $2`, leavers))
}

// dayCount names one of the overview's figures of a day, counted from 1970.
type dayCount struct {
	day  int64
	name string
}

// dayCounts are what a batch adds to the figures.
type dayCounts map[dayCount]float64

func (c dayCounts) add(at int64, name string, n float64) {
	c[dayCount{at / (24 * time.Hour).Microseconds(), name}] += n
}

// dayCountsOf are what the events and orders of a batch add.
func dayCountsOf(b *engine.Batch) dayCounts {
	counts := dayCounts{}
	for day, n := range b.Changes.Days {
		counts[dayCount{day, "events"}] += float64(n)
	}
	for _, f := range b.Changes.Conversions {
		counts.add(f.At, "revenue", f.Revenue)
	}
	return counts
}

func writeCounts(c *Conn, counts dayCounts) error {
	inOrder := func(a, b dayCount) int { return cmp.Or(cmp.Compare(a.day, b.day), strings.Compare(a.name, b.name)) }
	var rows [][]any
	for _, k := range slices.SortedFunc(maps.Keys(counts), inOrder) {
		rows = append(rows, []any{k.day, k.name, counts[k]})
	}
	return c.ExecEach(`INSERT INTO daily_counts (day, name, value) VALUES ($1, $2, $3)
		ON CONFLICT (day, name) DO UPDATE SET value = daily_counts.value + excluded.value`, rows)
}
