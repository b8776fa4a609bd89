package store

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment"
)

const (
	clockSetting    = "engine_clock"
	revisionSetting = "revision"
	sweepSetting    = "sweep" // profiles may hold what deleted definitions left
)

// revision counts the changes of definitions and cut points.
func revision(c *Conn) (n int64, err error) {
	_, err = c.One(`SELECT value FROM settings WHERE name = $1`, []any{revisionSetting}, func(r Row) error {
		n, err = strconv.ParseInt(r.Text(0), 10, 64)
		return err
	})
	return n, err
}

// holdRules keeps everybody else from working by the rules, and from changing them, until the transaction ends.
func holdRules(c *Conn) error { return c.Serial(rulesSubject) }

// rulesSubject names what is worked by in turns, and changed alone.
const rulesSubject = "rules"

// revise counts one more.
func revise(c *Conn) error {
	if err := holdRules(c); err != nil {
		return err
	}
	_, err := c.Exec(`INSERT INTO settings (name, value) VALUES ($1, '1')
		ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(settings.value AS BIGINT) + 1 AS TEXT)`, revisionSetting)
	return err
}

// Board implements engine.Nodes.
func (s *Store) Board(ctx context.Context) (b engine.Board, err error) {
	err = s.read(ctx, func(c *Conn) error {
		b, err = boardOf(c)
		return err
	})
	return b, err
}

func boardOf(c *Conn) (b engine.Board, err error) {
	if b.Revision, err = revision(c); err != nil {
		return b, err
	}
	if b.Clock, err = clockOf(c); err != nil {
		return b, err
	}
	b.Filling, err = fillingOf(c)
	return b, err
}

// SyncRules implements engine.RulesStore.
func (s *Store) SyncRules(ctx context.Context, believed int64, terms []string, nodes map[string]string) (sync engine.Sync, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		if err := holdRules(c); err != nil {
			return err
		}
		agreed, err := revision(c)
		if err != nil {
			return err
		}
		if believed != 0 && believed != agreed {
			return &engine.Stale{Cause: fault.New(fault.Unavailable, "the definitions have changed")}
		}
		sync = engine.Sync{Terms: map[string]int64{}, Nodes: map[string]int64{}}
		kept, err := keptRules(c)
		if err != nil {
			return err
		}
		if kept.follows(terms, nodes) {
			kept.resume(&sync)
			return nil
		}
		if err := syncTerms(c, kept.terms, terms, &sync); err != nil {
			return err
		}
		if err := syncNodes(c, kept.nodes, nodes, &sync); err != nil {
			return err
		}
		sweep, err := c.Int(`SELECT count(*) FROM settings WHERE name = $1`, sweepSetting)
		if err != nil {
			return err
		}
		sync.Sweep = sweep > 0
		return s.beginFilling(c, &sync)
	})
	if err == nil {
		s.log.began(sync.Filling.Boundary)
	}
	return sync, err
}

// kept are the rules that the tables follow, and their filling.
type kept struct {
	terms   map[string]keptTerm
	nodes   map[string]keptNode
	filling engine.Filling
	sweep   bool
}

type keptTerm struct {
	id     int64
	filled bool
}

type keptNode struct {
	id          int64
	fingerprint string
	built, born bool
}

func keptRules(c *Conn) (*kept, error) {
	k := &kept{terms: map[string]keptTerm{}, nodes: map[string]keptNode{}}
	err := c.Query(`SELECT key, id, filled FROM terms`, nil, func(r Row) error {
		k.terms[r.Text(0)] = keptTerm{r.Int(1), r.Int(2) == 1}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = c.Query(`SELECT key, id, fingerprint, built, born FROM rules`, nil, func(r Row) error {
		k.nodes[r.Text(0)] = keptNode{r.Int(1), r.Text(2), r.Int(3) == 1, r.Int(4) == 1}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if k.filling, err = fillingOf(c); err != nil {
		return nil, err
	}
	sweep, err := c.Int(`SELECT count(*) FROM settings WHERE name = $1`, sweepSetting)
	k.sweep = sweep > 0
	return k, err
}

// follows reports whether the tables follow these very rules, or are being filled for them.
func (k *kept) follows(terms []string, nodes map[string]string) bool {
	if len(k.terms) != len(terms) || len(k.nodes) != len(nodes) {
		return false
	}
	whole := !k.sweep
	for _, key := range terms {
		t, have := k.terms[key]
		if !have {
			return false
		}
		whole = whole && t.filled
	}
	for key, fingerprint := range nodes {
		n, have := k.nodes[key]
		if !have || n.fingerprint != fingerprint {
			return false
		}
		whole = whole && n.built
	}
	return whole || k.filling.ID != 0
}

// resume tells what the filling that is on its way still lacks.
func (k *kept) resume(sync *engine.Sync) {
	sync.Sweep, sync.Filling = k.sweep, k.filling
	for _, key := range slices.Sorted(maps.Keys(k.terms)) {
		t := k.terms[key]
		sync.Terms[key] = t.id
		if !t.filled {
			sync.Unfilled = append(sync.Unfilled, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(k.nodes)) {
		n := k.nodes[key]
		sync.Nodes[key] = n.id
		if !n.built {
			sync.Unbuilt = append(sync.Unbuilt, key)
			if !n.born {
				sync.Fresh = append(sync.Fresh, key)
			}
		}
	}
}

// beginFilling notes what is history for the filling that is about to begin, if there is anything to be filled.
func (s *Store) beginFilling(c *Conn, sync *engine.Sync) (err error) {
	if err := endFilling(c); err != nil {
		return err
	}
	if len(sync.Unfilled) == 0 && len(sync.Unbuilt) == 0 && !sync.Sweep {
		return nil
	}
	f := &sync.Filling
	// What follows from later blocks is not in the tables yet, and will be what follows from the new rules.
	if f.Boundary, err = s.log.boundary(c); err != nil {
		return err
	}
	if f.Through, err = lastProfile(c); err != nil {
		return err
	}
	f.ID, err = c.Insert(`INSERT INTO fillings (boundary, through, done) VALUES ($1, $2, 0)`, f.Boundary, f.Through)
	return err
}

func endFilling(c *Conn) error {
	for _, table := range []string{`DELETE FROM fillings`, `DELETE FROM filling_waits`} {
		if _, err := c.Exec(table); err != nil {
			return err
		}
	}
	return nil
}

func fillingOf(c *Conn) (f engine.Filling, err error) {
	_, err = c.One(`SELECT id, boundary, through, done FROM fillings`, nil, func(r Row) error {
		f = engine.Filling{ID: r.Int(0), Boundary: r.Int(1), Through: r.Int(2), Done: r.Int(3)}
		return nil
	})
	if err != nil {
		return f, err
	}
	err = c.Query(`SELECT profile_id FROM filling_waits WHERE profile_id > $1`, []any{f.Done}, func(r Row) error {
		f.Waiting = append(f.Waiting, r.Int(0))
		return nil
	})
	return f, err
}

// syncNodes keeps the rules that hold for everybody; a changed one begins anew under a new id.
func syncNodes(c *Conn, known map[string]keptNode, nodes map[string]string, sync *engine.Sync) error {
	for _, key := range slices.Sorted(maps.Keys(nodes)) {
		have, fingerprint := known[key], nodes[key]
		if have.built && have.fingerprint == fingerprint {
			sync.Nodes[key] = have.id
			continue
		}
		sync.Unbuilt = append(sync.Unbuilt, key)
		if !have.born {
			sync.Fresh = append(sync.Fresh, key)
		}
		if have.id != 0 && !have.born { // a filling that was overtaken may have left something
			if err := errors.Join(forgetMembers(c, key), setSetting(c, sweepSetting, "1")); err != nil {
				return err
			}
		}
		if err := forgetRule(c, key); err != nil {
			return err
		}
		id, err := c.Insert(`INSERT INTO rules (key, fingerprint, built, born) VALUES ($1, $2, 0, $3)`, key, fingerprint, have.born)
		if err != nil {
			return err
		}
		sync.Nodes[key] = id
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if _, used := nodes[key]; used {
			continue
		}
		if err := errors.Join(forgetRule(c, key), forgetMembers(c, key), setSetting(c, sweepSetting, "1")); err != nil {
			return err
		}
	}
	return nil
}

func forgetRule(c *Conn, key string) error {
	_, err := c.Exec(`DELETE FROM rules WHERE key = $1`, key)
	return errors.Join(err, forgetResult(c, key))
}

// syncTerms keeps the terms that are in use and filled; the rest begin anew under a new id, so that what profiles still
// hold under the old one is void.
func syncTerms(c *Conn, known map[string]keptTerm, terms []string, sync *engine.Sync) error {
	for key, t := range known {
		if t.filled && slices.Contains(terms, key) {
			sync.Terms[key] = t.id
			continue
		}
		if _, err := c.Exec(`DELETE FROM terms WHERE id = $1`, t.id); err != nil {
			return err
		}
	}
	for _, key := range terms {
		if _, have := sync.Terms[key]; have {
			continue
		}
		id, err := c.Insert(`INSERT INTO terms (key, filled) VALUES ($1, 0)`, key)
		if err != nil {
			return err
		}
		sync.Terms[key] = id
		sync.Unfilled = append(sync.Unfilled, key)
	}
	return nil
}

// forgetMembers empties the list of members of a segment; a computed trait has none.
func forgetMembers(c *Conn, key string) error {
	name, is := strings.CutPrefix(key, "segment ")
	if !is {
		return nil
	}
	for _, query := range []string{
		`DELETE FROM segment_days WHERE segment = $1`, `DELETE FROM segment_sizes WHERE segment = $1`, `DELETE FROM memberships WHERE segment = $1`,
	} {
		if _, err := c.Exec(query, name); err != nil {
			return err
		}
	}
	return nil
}

// ForgetRules implements engine.RulesStore.
func (s *Store) ForgetRules(ctx context.Context) error {
	return s.Update(ctx, func(c *Conn) error {
		if _, err := c.Exec(`UPDATE terms SET filled = 0`); err != nil {
			return err
		}
		if _, err := c.Exec(`UPDATE rules SET built = 0`); err != nil {
			return err
		}
		if err := endFilling(c); err != nil {
			return err
		}
		// Nothing is due before it has been worked out anew.
		for _, table := range []string{"profiles", "additions"} {
			if _, err := c.Exec(`UPDATE ` + table + ` SET next_change_at = NULL WHERE next_change_at IS NOT NULL`); err != nil {
				return err
			}
		}
		_, err := c.Exec(`DELETE FROM settings WHERE name = $1`, clockSetting)
		return err
	})
}

// Clock implements engine.RulesStore.
func (s *Store) Clock(ctx context.Context) (at int64, err error) {
	err = s.read(ctx, func(c *Conn) error {
		at, err = clockOf(c)
		return err
	})
	return at, err
}

func clockOf(c *Conn) (at int64, err error) {
	_, err = c.One(`SELECT value FROM settings WHERE name = $1`, []any{clockSetting}, func(r Row) error {
		at, err = strconv.ParseInt(r.Text(0), 10, 64)
		return err
	})
	return at, err
}

// Filling implements engine.RulesStore.
func (s *Store) Filling(ctx context.Context) (f engine.Filling, err error) {
	err = s.read(ctx, func(c *Conn) error {
		f, err = fillingOf(c)
		return err
	})
	return f, err
}

// checkBuilt fails with Unavailable where a segment's members are still being worked out.
func checkBuilt(c *Conn, segment string) error {
	built, err := c.Int(`SELECT count(*) FROM rules WHERE key = $1 AND built = 1
		AND NOT EXISTS (SELECT 1 FROM segment_queries WHERE segment = $2 AND result_at IS NULL)`, "segment "+segment, segment)
	if err == nil && built == 0 {
		err = fault.New(fault.Unavailable, "the segment %s is still being filled", segment)
	}
	return err
}

// MemberOf implements engine.RulesStore.
func (s *Store) MemberOf(ctx context.Context, profileID int64, segments []string) (map[string]bool, error) {
	member := map[string]bool{}
	err := s.read(ctx, func(c *Conn) error {
		for _, name := range segments {
			found, err := c.One(`SELECT since FROM memberships WHERE segment = $1 AND profile_id = $2`, []any{name, profileID},
				func(Row) error { return nil })
			if err != nil {
				return err
			}
			member[name] = found
		}
		return nil
	})
	return member, err
}

// Cuts implements engine.RulesStore.
func (s *Store) Cuts(ctx context.Context, at int64) (all map[string]segment.Cuts, err error) {
	err = s.read(ctx, func(c *Conn) error {
		all, err = cutsAt(c, at)
		return err
	})
	return all, err
}

func cutsAt(c *Conn, at int64) (map[string]segment.Cuts, error) {
	all := map[string]segment.Cuts{}
	err := c.Query(`SELECT key, cuts FROM quantiles WHERE since <= $1 ORDER BY key, since`, []any{at}, func(r Row) error {
		var cuts segment.Cuts
		if err := json.Unmarshal([]byte(r.Text(1)), &cuts); err != nil {
			return fault.Wrap(fault.Internal, err, "the cut points of %s cannot be read", r.Text(0))
		}
		all[r.Text(0)] = cuts
		return nil
	})
	return all, err
}

// SetCuts implements engine.RulesStore.
func (s *Store) SetCuts(ctx context.Context, learned map[string]segment.Cuts) error {
	return s.Update(ctx, func(c *Conn) error {
		if err := revise(c); err != nil {
			return err
		}
		known, err := cutsAt(c, math.MaxInt64)
		if err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(learned)) {
			cuts := learned[key]
			text, err := json.Marshal(cuts)
			if err != nil {
				return fault.Wrap(fault.Internal, err, "the cut points of %s cannot be written", key)
			}
			if have, ok := known[key]; ok && slices.Equal(have.At, cuts.At) {
				_, err = c.Exec(`UPDATE quantiles SET cuts = $1 WHERE key = $2 AND since = (SELECT max(since) FROM quantiles WHERE key = $2)`, string(text), key)
			} else {
				// Where the clock went back, what was learned at a time that is still to come is void.
				if _, err := c.Exec(`DELETE FROM quantiles WHERE key = $1 AND since > $2 AND $2 > 0`, key, cuts.LearnedAt); err != nil {
					return err
				}
				_, err = c.Exec(`INSERT INTO quantiles (key, since, cuts) VALUES ($1, $2, $3) ON CONFLICT (key, since) DO UPDATE SET cuts = excluded.cuts`,
					key, cuts.LearnedAt, string(text))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func setSetting(c *Conn, name, value string) error {
	return c.ExecEach(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		[][]any{{name, value}})
}

// writeRulesState keeps the engine's clock, and what a filling has achieved.
func writeRulesState(c *Conn, b *engine.Batch) error {
	for _, id := range b.Changes.Waiting {
		if _, err := c.Exec(`INSERT INTO filling_waits (profile_id) VALUES ($1) ON CONFLICT DO NOTHING`, id); err != nil {
			return err
		}
	}
	if b.Progress != 0 {
		if _, err := c.Exec(`UPDATE fillings SET done = $1 WHERE done < $1`, b.Progress); err != nil {
			return err
		}
	}
	if b.Filled {
		for _, held := range []string{`UPDATE terms SET filled = 1`, `UPDATE rules SET built = 1, born = 1`} {
			if _, err := c.Exec(held); err != nil {
				return err
			}
		}
		if _, err := c.Exec(`DELETE FROM settings WHERE name = $1`, sweepSetting); err != nil {
			return err
		}
		if err := endFilling(c); err != nil {
			return err
		}
	}
	_, err := c.Exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
		WHERE CAST(settings.value AS BIGINT) < CAST(excluded.value AS BIGINT)`, clockSetting, strconv.FormatInt(b.Now, 10))
	return err
}
