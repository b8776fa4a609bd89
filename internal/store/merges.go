package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// writeMerges keeps merges: new ones, and those that undoing another has changed.
func writeMerges(c *Conn, merges []engine.Merge) error {
	for _, m := range merges {
		if m.Cause.Identifiers == nil {
			m.Cause.Identifiers = []identity.Identifier{}
		}
		columns := []any{m.Winner, m.Loser, m.At, m.Cause.Kind, m.Cause.MessageID, nil, m.Cause.Actor, m.Cause.Note, nil, nil}
		for i, value := range map[int]any{5: m.Cause.Identifiers, 8: m.WinnerSide, 9: m.LoserSide} {
			text, err := json.Marshal(value)
			if err != nil {
				return err
			}
			columns[i] = string(text)
		}
		query := `INSERT INTO merges (winner_id, loser_id, merged_at, cause, message_id, identifiers, actor, note, winner_side, loser_side)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
		if m.ID != 0 {
			query = `UPDATE merges SET winner_id = $1, loser_id = $2, merged_at = $3, cause = $4, message_id = $5, identifiers = $6,
				actor = $7, note = $8, winner_side = $9, loser_side = $10 WHERE id = $11`
			columns = append(columns, m.ID)
		}
		if _, err := c.Exec(query, columns...); err != nil {
			return err
		}
	}
	return nil
}

const mergeColumns = `id, winner_id, loser_id, merged_at, cause, message_id, identifiers, actor, note, winner_side, loser_side`

func readMerge(r Row) (engine.Merge, error) {
	m := engine.Merge{
		ID: r.Int(0), Winner: r.Int(1), Loser: r.Int(2), At: r.Int(3),
		Cause: engine.MergeCause{Kind: r.Text(4), MessageID: r.Text(5), Actor: r.Text(7), Note: r.Text(8)},
	}
	for i, into := range map[int]any{6: &m.Cause.Identifiers, 9: &m.WinnerSide, 10: &m.LoserSide} {
		if err := json.Unmarshal(r.Bytes(i), into); err != nil {
			return m, fmt.Errorf("store: merge %d: %w", m.ID, err)
		}
	}
	return m, nil
}

// MergeOf implements engine.MergeStore.
func (s *Store) MergeOf(ctx context.Context, loser int64) (m engine.Merge, err error) {
	err = s.engineView(ctx, func(c *Conn) error {
		found, err := c.One(`SELECT `+mergeColumns+` FROM merges WHERE loser_id = $1 AND undone_at IS NULL`, []any{loser}, func(r Row) (err error) {
			m, err = readMerge(r)
			return err
		})
		if err == nil && !found {
			err = fault.New(fault.NotFound, "the profile is none that was merged into another")
		}
		return err
	})
	return m, err
}

// MergesInto implements engine.MergeStore.
func (s *Store) MergesInto(ctx context.Context, winners []int64) (merges []engine.Merge, err error) {
	err = s.engineView(ctx, func(c *Conn) error {
		for _, id := range winners {
			err := c.Query(`SELECT `+mergeColumns+` FROM merges WHERE winner_id = $1 AND undone_at IS NULL`, []any{id}, func(r Row) error {
				m, err := readMerge(r)
				merges = append(merges, m)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(merges, func(a, b engine.Merge) int { return cmp.Compare(a.ID, b.ID) })
	return merges, err
}

// KeptApart implements engine.MergeStore.
func (s *Store) KeptApart(ctx context.Context, profiles []int64) (from map[int64][]int64, err error) {
	from = map[int64][]int64{}
	err = s.engineView(ctx, func(c *Conn) error {
		for _, id := range profiles {
			err := c.Query(`SELECT profile_id, other_id FROM kept_apart WHERE profile_id = $1 OR other_id = $1`, []any{id}, func(r Row) error {
				other := r.Int(0) + r.Int(1) - id
				from[other] = append(from[other], id)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return from, err
}

// SentTo implements engine.MergeStore.
func (s *Store) SentTo(ctx context.Context, profiles []int64) (sent []engine.Sent, err error) {
	err = s.engineView(ctx, func(c *Conn) error {
		for _, id := range profiles {
			err := c.Query(`SELECT id, email FROM messages WHERE profile_id = $1`, []any{id}, func(r Row) error {
				sent = append(sent, engine.Sent{ID: r.Int(0), ProfileID: id, Email: r.Text(1)})
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return sent, err
}

// writeSplit keeps what undoing a merge changes beside profiles, identifiers and events.
func writeSplit(c *Conn, b *engine.Batch) error {
	if b.Split == nil {
		return nil
	}
	for _, id := range b.Split.Undone {
		if _, err := c.Exec(`UPDATE merges SET undone_at = $2, undone_by = $3 WHERE id = $1`, id, b.Now, b.Split.Actor); err != nil {
			return err
		}
	}
	for _, said := range b.Split.Said {
		if _, err := c.Exec(`INSERT INTO overrides (profile_id, kind, name, value, set_at, until, actor, note, lifted_at, lifted_by)
			SELECT $2, kind, name, value, set_at, until, actor, note, lifted_at, lifted_by FROM overrides WHERE id = $1`, said.Override, said.ProfileID); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.Split.Sent)) {
		// Where both had the message's campaign already, it stays.
		if _, err := c.Exec(`UPDATE messages SET profile_id = $2 WHERE id = $1 AND NOT EXISTS (
			SELECT 1 FROM messages m WHERE m.run_id = messages.run_id AND m.run_id > 0 AND m.profile_id = $2)`, id, b.Split.Sent[id]); err != nil {
			return err
		}
		if _, err := c.Exec(`UPDATE responses SET profile_id = (SELECT profile_id FROM messages WHERE id = $1) WHERE message_id = $1`, id); err != nil {
			return err
		}
	}
	for _, id := range b.Split.Orders {
		// The day's revenue is counted anew with the conversion, if there is one.
		if _, err := c.Exec(`UPDATE daily_counts SET value = value - (SELECT sum(revenue) FROM conversions WHERE event = $1 AND at / $2 = daily_counts.day)
			WHERE name = 'revenue' AND day IN (SELECT at / $2 FROM conversions WHERE event = $1)`, id, day.Microseconds()); err != nil {
			return err
		}
		if _, err := c.Exec(`DELETE FROM conversions WHERE event = $1`, id); err != nil {
			return err
		}
	}
	return nil
}

// writeSince gives memberships, also those that begin with the batch, the beginning that undoing a merge gives them.
func writeSince(c *Conn, b *engine.Batch) error {
	if b.Split == nil {
		return nil
	}
	for _, m := range b.Split.Since {
		if _, err := c.Exec(`UPDATE memberships SET since = $3 WHERE segment = $1 AND profile_id = $2`, m.Segment, m.ProfileID, m.At); err != nil {
			return err
		}
	}
	return nil
}

// writeApart keeps which profiles no event may join.
func writeApart(c *Conn, b *engine.Batch) error {
	apart, together := make([][]any, 0, len(b.Apart)), make([][]any, 0, len(b.Together))
	for _, a := range b.Apart {
		apart = append(apart, []any{min(a.One, a.Other), max(a.One, a.Other), b.Now, a.Actor, a.Note})
	}
	for _, pair := range b.Together {
		together = append(together, []any{min(pair[0], pair[1]), max(pair[0], pair[1])})
	}
	return errors.Join(
		c.ExecEach(`INSERT INTO kept_apart (profile_id, other_id, since, actor, note) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (profile_id, other_id) DO UPDATE SET since = excluded.since, actor = excluded.actor, note = excluded.note`, apart),
		c.ExecEach(`DELETE FROM kept_apart WHERE profile_id = $1 AND other_id = $2`, together))
}

// apart lists the living profiles that no event joins with p.
func (s *Store) apart(c *Conn, p *profile.Profile) ([]profile.Apart, error) {
	list := []profile.Apart{}
	shown := map[int64]bool{}
	for _, id := range p.Apart {
		living, err := survivor(c, id)
		if err != nil {
			return nil, err
		}
		for _, part := range p.Parts() {
			err := c.Query(`SELECT since, actor, note FROM kept_apart WHERE profile_id = $1 AND other_id = $2`, []any{min(id, part), max(id, part)},
				func(r Row) error {
					if living != 0 && !shown[living] {
						shown[living] = true
						list = append(list, profile.Apart{
							ProfileID: s.PublicID(ProfileKind, living), Since: timeOf(r.Int(0)), By: r.Text(1), Note: r.Text(2),
						})
					}
					return nil
				})
			if err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}
