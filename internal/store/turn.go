package store

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Shared is what an engine needs where other processes use the database too; nil where none can.
func (s *Store) Shared() engine.Nodes {
	if !s.db.dialect().shared {
		return nil
	}
	return s
}

// turn is a transaction that an engine works in, step by step. It implements engine.Turn.
type turn struct {
	store   *Store
	pool    *pgxpool.Pool
	lent    *pgxpool.Conn // of it; nil: the turn has ended
	session *postgresSession
	board   engine.Board
	locked  engine.Versions // versions of the profiles that it keeps from others
}

// Turn implements engine.Nodes.
func (s *Store) Turn(ctx context.Context) (engine.Turn, error) {
	db, ok := s.db.(*postgresDatabase)
	if !ok {
		return nil, fault.New(fault.Internal, "a database that one process uses has no turns")
	}
	lent, err := db.acquire(ctx, db.engine)
	if err != nil {
		return nil, err
	}
	t := &turn{store: s, pool: db.engine, lent: lent, session: newPostgresSession(lent.Conn().PgConn()), locked: engine.Versions{}}
	t.session.begin(beginWriting)
	err = t.do(ctx, func(c *Conn) error {
		if _, err := c.Exec(c.dialect.together, rulesSubject); err != nil {
			return err
		}
		if t.board, err = boardOf(c); err != nil {
			return err
		}
		others, err := c.Int(`SELECT count(*) FROM nodes WHERE id <> $1 AND seen_at >= `+c.dialect.now+` - $2`, s.NodeID(), silence.Microseconds())
		t.board.Alone = others == 0
		return err
	})
	if err != nil {
		t.End()
		return nil, err
	}
	return t, nil
}

// do runs fn within the time that a transaction may take.
func (t *turn) do(ctx context.Context, fn func(*Conn) error) error {
	if t.lent == nil {
		return &engine.Stale{Cause: fault.New(fault.Unavailable, "the turn has ended")}
	}
	ctx, cancel := until(ctx, writeWithin)
	defer cancel()
	err := guarded(fn, &Conn{session: t.session, dialect: &postgresDialect, ctx: ctx})
	if isCode(err, stalePlan) {
		refresh(t.pool, err)
		err = &engine.Stale{Cause: fault.Wrap(fault.Unavailable, err, "the tables were changed")}
	}
	if isCode(err, idleInTransaction) { // it waited for the commit before it
		err = &engine.Stale{Cause: err}
	}
	if isInTheWay(err) { // a lock that somebody keeps is waited for once: whoever asked is told, and may ask again
		err = &engine.Stale{Cause: err}
	}
	return err
}

// Board implements engine.Turn.
func (t *turn) Board() engine.Board { return t.board }

// Lock implements engine.Turn. What is locked at once is locked in the order of ids, so that two calls never wait for each other; who
// locks more afterwards may, which PostgreSQL ends, and is tried again.
func (t *turn) Lock(ctx context.Context, remembered engine.Versions) (
	profiles map[int64]*profile.Profile, versions engine.Versions, filling engine.Filling, err error,
) {
	profiles, versions = map[int64]*profile.Profile{}, make(engine.Versions, len(remembered))
	ids, known := slices.Sorted(maps.Keys(remembered)), make([]int64, 0, len(remembered))
	for _, id := range ids {
		known = append(known, remembered[id])
	}
	err = t.do(ctx, func(c *Conn) error {
		err := c.Query(`SELECT p.id, p.version, CASE WHEN p.version <> v.known THEN p.state END, p.next_change_at, CASE WHEN p.version <> v.known THEN `+addedTo("p")+` END
			FROM unnest($1::int8[], $2::int8[]) AS v (id, known) JOIN profiles p ON p.id = v.id ORDER BY p.id FOR UPDATE OF p`, []any{ids, known},
			reading(profiles, versions))
		if err != nil {
			return err
		}
		maps.Copy(t.locked, versions)
		filling, err = fillingOf(c)
		return err
	})
	return profiles, versions, filling, err
}

// Load implements engine.Turn.
func (t *turn) Load(ctx context.Context, ids []int64) (profiles map[int64]*profile.Profile, versions engine.Versions, err error) {
	profiles, versions = make(map[int64]*profile.Profile, len(ids)), make(engine.Versions, len(ids))
	err = t.do(ctx, func(c *Conn) error {
		return c.Query(`SELECT id, version, `+wholeProfile("profiles")+` FROM profiles WHERE id = ANY ($1)`, []any{ids}, reading(profiles, versions))
	})
	return profiles, versions, err
}

// reading takes rows of an id, a version, and what wholeProfile has, whose stored form is NULL where it is not wanted.
func reading(profiles map[int64]*profile.Profile, versions engine.Versions) func(Row) error {
	return func(r Row) error {
		id := r.Int(0)
		versions[id] = r.Int(1)
		if r.Null(2) {
			return nil
		}
		p, err := readProfile(id, r, 2)
		profiles[id] = p
		return err
	}
}

// Due implements engine.Turn.
func (t *turn) Due(ctx context.Context, now int64, limit int) (ids []int64, err error) {
	err = t.do(ctx, func(c *Conn) error {
		for _, query := range []string{
			`SELECT id FROM profiles WHERE next_change_at <= $1 ORDER BY next_change_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
			`SELECT p.id FROM additions a JOIN profiles p ON p.id = a.profile_id WHERE a.next_change_at <= $1
				ORDER BY a.next_change_at LIMIT $2 FOR UPDATE OF p SKIP LOCKED`, // of a database that was another's (copy)
		} {
			if err := c.Query(query, []any{now, limit}, func(r Row) error { ids = append(ids, r.Int(0)); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	return ids, err
}

// Soonest implements engine.Nodes. It reads no further in the index than until that moment: behind it lie the moments of all
// customers, each as often as it has been put off since the table was vacuumed.
func (s *Store) Soonest(ctx context.Context, until int64) (at int64, err error) {
	err = s.engineView(ctx, func(c *Conn) error {
		at, err = c.Int(`SELECT least((SELECT min(next_change_at) FROM profiles WHERE next_change_at <= $1),
			(SELECT min(next_change_at) FROM additions WHERE next_change_at <= $1))`, until)
		return err
	})
	return at, err
}

// commit writes the rest of the turn and ends it.
func (t *turn) commit(ctx context.Context, write func(*Conn) error) error {
	defer t.End()
	return t.do(ctx, func(c *Conn) error {
		if err := write(c); err != nil {
			return err
		}
		return t.session.end(c.ctx, "COMMIT")
	})
}

// End implements engine.Turn.
func (t *turn) End() {
	if t.lent != nil {
		giveBack(t.lent, t.session)
		t.lent = nil
	}
}

// profileIDs is the setting of the last id of a profile that was reserved.
const profileIDs = "profile_ids"

// ReserveProfileIDs implements engine.Nodes.
func (s *Store) ReserveProfileIDs(ctx context.Context, n int64) (first int64, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		if err := c.Serial(profileIDs); err != nil {
			return err
		}
		last, err := c.Int(`SELECT CAST(value AS BIGINT) FROM settings WHERE name = $1`, profileIDs)
		if err != nil {
			return err
		}
		used, err := lastProfile(c)
		if err != nil {
			return err
		}
		first = max(last, used) + 1
		return setSetting(c, profileIDs, strconv.FormatInt(first+n-1, 10))
	})
	return first, err
}

// errVersion says that a profile is not what the engine remembered.
var errVersion = &engine.Stale{Cause: fault.New(fault.Unavailable, "another node has changed a profile")}

// lockVersions makes sure of the profiles that the batch stands upon, and keeps other nodes from them. It comes before all that
// a commit writes, so that whoever waits for a profile has nothing for which the one who has it may wait. Profiles that the
// batch made have ids that nobody else uses.
func (d *derived) lockVersions(c *Conn) error {
	var locked engine.Versions
	if t, ok := d.batch.Turn.(*turn); ok {
		locked = t.locked
	}
	var ids []int64
	for id, version := range d.batch.Versions {
		if has, sure := locked[id]; !d.batch.Changes.Created[id] && (!sure || has != version) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found := make(map[int64]int64, len(ids))
	err := c.Query(`SELECT id, version FROM profiles WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, []any{ids}, func(r Row) error {
		found[r.Int(0)] = r.Int(1)
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if found[id] != d.batch.Versions[id] {
			return errVersion
		}
	}
	return nil
}

// writeSharedProfiles is writeProfiles where other nodes do so too.
func (d *derived) writeSharedProfiles(c *Conn) error {
	var fresh, known [][]any
	for i := range d.profiles {
		row := &d.profiles[i]
		args, err := d.argsOf(row)
		switch {
		case err != nil:
			return err
		case d.batch.Versions[row.id] == 0:
			fresh = append(fresh, args)
		default:
			known = append(known, args)
		}
	}
	if err := c.ExecEach(insertProfile, fresh); err != nil {
		return err
	}
	return c.ExecEach(`UPDATE profiles SET version = version + 1, traits = $2, computed = $3, preferences = $4, subscribed = $5,
			created_at = $6, updated_at = $7, first_seen_at = $8, last_seen_at = $9, next_change_at = $10, merged_into = $11, state = $12
		WHERE id = $1`, known)
}

// writeSharedOwners keeps who holds identifiers where other nodes do so too: one that somebody holds whom this batch does
// not change has been taken by another node meanwhile, and so has a new one that is there already.
func (d *derived) writeSharedOwners(c *Conn, rows [][]any) error {
	changed := make(map[int64]bool, len(d.profiles))
	for _, row := range d.profiles {
		changed[row.id] = true
	}
	keys := make([][]any, len(rows))
	for i, r := range rows {
		keys[i] = r[:2]
	}
	held := make([]bool, len(rows))
	var moved [][]any
	err := c.QueryEach(`SELECT profile_id FROM identifiers WHERE type = $1 AND value = $2`, keys, func(i int, r Row) error {
		held[i] = true
		switch owner := r.Int(0); {
		case owner == rows[i][2].(int64):
		case changed[owner]:
			moved = append(moved, rows[i][:3])
		default:
			return engine.ErrMoved
		}
		return nil
	})
	if err != nil {
		return err
	}
	var fresh [][]any
	for i, r := range rows {
		if !held[i] {
			fresh = append(fresh, r)
		}
	}
	if err := c.ExecEach(`UPDATE identifiers SET profile_id = $3 WHERE type = $1 AND value = $2`, moved); err != nil {
		return err
	}
	return c.ExecEach(`INSERT INTO identifiers (type, value, profile_id, created_at) VALUES ($1, $2, $3, $4)`, fresh)
}
