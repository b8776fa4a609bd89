package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
)

const (
	clockSetting = "engine_clock"
	sweepSetting = "sweep" // profiles may hold what deleted definitions left
	builtPrefix  = "built "
	unbuilt      = "unbuilt" // in place of a fingerprint: the definition changed, and does not hold for everybody yet
	unborn       = "unborn"  // the same of a definition that never held
)

// SyncRules implements engine.RulesStore.
func (s *Store) SyncRules(ctx context.Context, terms []string, nodes map[string]string) (sync engine.Sync, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		sync = engine.Sync{Terms: map[string]int64{}}
		if err := syncTerms(c, terms, &sync); err != nil {
			return err
		}
		built := map[string]string{}
		err := c.Query(`SELECT name, value FROM settings WHERE name >= $1 AND name < $2`, []any{builtPrefix, builtPrefix + "\x7f"},
			func(r Row) error { built[strings.TrimPrefix(r.Text(0), builtPrefix)] = r.Text(1); return nil })
		if err != nil {
			return err
		}
		for key, fingerprint := range nodes {
			have, known := built[key]
			if !known || have == unborn {
				sync.Fresh = append(sync.Fresh, key)
				// A filling that was overtaken or cut short may have left members.
				if err := forgetNode(c, key); err != nil {
					return err
				}
			}
			if have != fingerprint {
				sync.Unbuilt = append(sync.Unbuilt, key)
				mark := unbuilt
				if !known || have == unborn {
					mark = unborn
				}
				if err := setSetting(c, builtPrefix+key, mark); err != nil {
					return err
				}
			}
		}
		for key := range built {
			if _, used := nodes[key]; used {
				continue
			}
			if err := forgetNode(c, key); err != nil {
				return err
			}
			if err := setSetting(c, sweepSetting, "1"); err != nil {
				return err
			}
		}
		sweep, err := c.Int(`SELECT count(*) FROM settings WHERE name = $1`, sweepSetting)
		sync.Sweep = sweep > 0
		return err
	})
	return sync, err
}

// syncTerms keeps the terms that are in use and filled; the rest begin anew under a new id, so that what profiles still
// hold under the old one is void.
func syncTerms(c *Conn, terms []string, sync *engine.Sync) error {
	var dropped []int64
	next := int64(1)
	err := c.Query(`SELECT id, key, filled FROM terms`, nil, func(r Row) error {
		next = max(next, r.Int(0)+1)
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
	if last, err := c.Int(`SELECT value FROM settings WHERE name = 'last_term'`); err != nil {
		return err
	} else if last >= next {
		next = last + 1
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
		if _, err := c.Exec(`INSERT INTO terms (id, key, filled) VALUES ($1, $2, 0)`, next, key); err != nil {
			return err
		}
		sync.Terms[key] = next
		sync.Unfilled = append(sync.Unfilled, key)
		next++
	}
	return setSetting(c, "last_term", strconv.FormatInt(next-1, 10))
}

func forgetNode(c *Conn, key string) error {
	if _, err := c.Exec(`DELETE FROM settings WHERE name = $1`, builtPrefix+key); err != nil {
		return err
	}
	if name, ok := strings.CutPrefix(key, "segment "); ok {
		_, err := c.Exec(`DELETE FROM memberships WHERE segment = $1`, name)
		return err
	}
	return nil
}

// ForgetRules implements engine.RulesStore.
func (s *Store) ForgetRules(ctx context.Context) error {
	return s.Update(ctx, func(c *Conn) error {
		if _, err := c.Exec(`UPDATE terms SET filled = 0`); err != nil {
			return err
		}
		if _, err := c.Exec(`UPDATE settings SET value = $3 WHERE name >= $1 AND name < $2`, builtPrefix, builtPrefix+"\x7f", unbuilt); err != nil {
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
	err = s.View(ctx, func(c *Conn) error {
		_, err := c.One(`SELECT value FROM settings WHERE name = $1`, []any{clockSetting}, func(r Row) error {
			at, err = strconv.ParseInt(r.Text(0), 10, 64)
			return err
		})
		return err
	})
	return at, err
}

// checkBuilt fails with Unavailable where a segment's members are still being worked out.
func checkBuilt(c *Conn, segment string) error {
	state := unborn
	_, err := c.One(`SELECT value FROM settings WHERE name = $1`, []any{builtPrefix + "segment " + segment},
		func(r Row) error { state = r.Text(0); return nil })
	if err == nil && (state == unbuilt || state == unborn) {
		err = fault.New(fault.Unavailable, "the segment %s is still being filled", segment)
	}
	return err
}

// MemberOf implements engine.RulesStore.
func (s *Store) MemberOf(ctx context.Context, profileID int64, segments []string) (map[string]bool, error) {
	member := map[string]bool{}
	err := s.View(ctx, func(c *Conn) error {
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
		if err := setSetting(c, builtPrefix+key, fingerprint); err != nil {
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
