package store

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment"
)

const (
	clockSetting = "engine_clock"
	sweepSetting = "sweep" // profiles may hold what deleted definitions left
	fillSetting  = "filling"
)

// SyncRules implements engine.RulesStore.
func (s *Store) SyncRules(ctx context.Context, terms []string, nodes map[string]string) (sync engine.Sync, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		sync = engine.Sync{Terms: map[string]int64{}, Nodes: map[string]int64{}}
		if err := syncTerms(c, terms, &sync); err != nil {
			return err
		}
		if err := syncNodes(c, nodes, &sync); err != nil {
			return err
		}
		sweep, err := c.Int(`SELECT count(*) FROM settings WHERE name = $1`, sweepSetting)
		sync.Sweep = sweep > 0
		return err
	})
	return sync, err
}

// syncNodes keeps the rules that hold for everybody; a changed one begins anew under a new id.
func syncNodes(c *Conn, nodes map[string]string, sync *engine.Sync) error {
	type rule struct {
		id          int64
		fingerprint string
		born        bool
	}
	known := map[string]rule{}
	err := c.Query(`SELECT key, id, fingerprint, born FROM rules`, nil, func(r Row) error {
		known[r.Text(0)] = rule{r.Int(1), r.Text(2), r.Int(3) == 1}
		return nil
	})
	if err != nil {
		return err
	}
	for key, fingerprint := range nodes {
		have := known[key]
		if have.fingerprint == fingerprint {
			sync.Nodes[key] = have.id
			continue
		}
		sync.Unbuilt = append(sync.Unbuilt, key)
		if !have.born {
			sync.Fresh = append(sync.Fresh, key)
		}
		if have.id != 0 && !have.born { // a filling that was overtaken or cut short may have left something
			if err := errors.Join(forgetMembers(c, key), setSetting(c, sweepSetting, "1")); err != nil {
				return err
			}
		}
		if err := forgetRule(c, key); err != nil {
			return err
		}
		id, err := c.Insert(`INSERT INTO rules (key, fingerprint, born) VALUES ($1, '', $2)`, key, have.born)
		if err != nil {
			return err
		}
		sync.Nodes[key] = id
	}
	for key := range known {
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
	return err
}

// syncTerms keeps the terms that are in use and filled; the rest begin anew under a new id, so that what profiles still
// hold under the old one is void.
func syncTerms(c *Conn, terms []string, sync *engine.Sync) error {
	var dropped []int64
	err := c.Query(`SELECT id, key, filled FROM terms`, nil, func(r Row) error {
		if r.Int(2) == 1 && slices.Contains(terms, r.Text(1)) {
			sync.Terms[r.Text(1)] = r.Int(0)
		} else {
			dropped = append(dropped, r.Int(0))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range dropped {
		if _, err := c.Exec(`DELETE FROM terms WHERE id = $1`, id); err != nil {
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
	if _, err := c.Exec(`DELETE FROM segment_days WHERE segment = $1`, name); err != nil {
		return err
	}
	_, err := c.Exec(`DELETE FROM memberships WHERE segment = $1`, name)
	return err
}

// ForgetRules implements engine.RulesStore.
func (s *Store) ForgetRules(ctx context.Context) error {
	return s.Update(ctx, func(c *Conn) error {
		if _, err := c.Exec(`UPDATE terms SET filled = 0`); err != nil {
			return err
		}
		if _, err := c.Exec(`UPDATE rules SET fingerprint = ''`); err != nil {
			return err
		}
		// Nothing is due before it has been worked out anew.
		if _, err := c.Exec(`UPDATE profiles SET next_change_at = NULL WHERE next_change_at IS NOT NULL`); err != nil {
			return err
		}
		_, err := c.Exec(`DELETE FROM settings WHERE name = $1`, clockSetting)
		return err
	})
}

// Clock implements engine.RulesStore.
func (s *Store) Clock(ctx context.Context) (at int64, err error) {
	err = s.read(ctx, func(c *Conn) error {
		_, err := c.One(`SELECT value FROM settings WHERE name = $1`, []any{clockSetting}, func(r Row) error {
			at, err = strconv.ParseInt(r.Text(0), 10, 64)
			return err
		})
		return err
	})
	return at, err
}

// Progress implements engine.RulesStore.
func (s *Store) Progress(ctx context.Context) (progress string, err error) {
	err = s.read(ctx, func(c *Conn) error {
		_, err := c.One(`SELECT value FROM settings WHERE name = $1`, []any{fillSetting}, func(r Row) error {
			progress = r.Text(0)
			return nil
		})
		return err
	})
	return progress, err
}

// checkBuilt fails with Unavailable where a segment's members are still being worked out.
func checkBuilt(c *Conn, segment string) error {
	built, err := c.Int(`SELECT count(*) FROM rules WHERE key = $1 AND fingerprint <> ''`, "segment "+segment)
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
		known, err := cutsAt(c, math.MaxInt64)
		if err != nil {
			return err
		}
		for key, cuts := range learned {
			text, err := json.Marshal(cuts)
			if err != nil {
				return fault.Wrap(fault.Internal, err, "the cut points of %s cannot be written", key)
			}
			if have, ok := known[key]; ok && slices.Equal(have.At, cuts.At) {
				_, err = c.Exec(`UPDATE quantiles SET cuts = $1 WHERE key = $2 AND since = (SELECT max(since) FROM quantiles WHERE key = $2)`, string(text), key)
			} else {
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
	_, err := c.Exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// writeRulesState keeps the engine's clock, and what a filling has achieved.
func writeRulesState(c *Conn, b *engine.Batch) error {
	for _, key := range b.Filled {
		if _, err := c.Exec(`UPDATE terms SET filled = 1 WHERE key = $1`, key); err != nil {
			return err
		}
	}
	for key, fingerprint := range b.Built {
		if _, err := c.Exec(`UPDATE rules SET fingerprint = $2, born = 1 WHERE key = $1`, key, fingerprint); err != nil {
			return err
		}
	}
	if b.Progress != "" {
		if err := setSetting(c, fillSetting, b.Progress); err != nil {
			return err
		}
	}
	if b.Swept {
		if _, err := c.Exec(`DELETE FROM settings WHERE name = $1`, sweepSetting); err != nil {
			return err
		}
	}
	return setSetting(c, clockSetting, strconv.FormatInt(b.Now, 10))
}
