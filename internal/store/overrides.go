package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// writeOverrides records overrides that began or were lifted.
func writeOverrides(c *Conn, b *engine.Batch) error {
	for _, o := range b.Overridings {
		for _, part := range o.Parts {
			if _, err := c.Exec(`UPDATE overrides SET lifted_at = $4, lifted_by = $5
				WHERE profile_id = $1 AND kind = $2 AND name = $3 AND lifted_at IS NULL AND (until IS NULL OR until > $4)`,
				part, o.Kind, o.Name, b.Now, o.Lifter); err != nil {
				return err
			}
		}
		if o.Begun == nil {
			continue
		}
		value, err := json.Marshal(o.Begun.Value)
		if err != nil {
			return err
		}
		var until any
		if o.Begun.Until != 0 {
			until = o.Begun.Until
		}
		if _, err := c.Exec(`INSERT INTO overrides (profile_id, kind, name, value, set_at, until, actor, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			o.Parts[0], o.Kind, o.Name, string(value), o.Begun.At, until, o.Begun.By, o.Begun.Note); err != nil {
			return err
		}
		if o.Kind != profile.OverrideTrait {
			continue
		}
		if err := writeWords(c, map[word]bool{{traitWord, o.Name}: true}); err != nil {
			return err
		}
	}
	return nil
}

// OverrideHistory lists every override that a profile, or one that merged into it, ever had, newest first.
func (s *Store) OverrideHistory(ctx context.Context, profileID int64) ([]profile.OverrideView, error) {
	p, err := s.Profile(ctx, profileID)
	if err != nil {
		return nil, err
	}
	list := []profile.OverrideView{}
	err = s.viewOf(ctx, p.Parts(), func(c *Conn) error {
		for _, part := range p.Parts() {
			if err := overridesOf(c, part, &list); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b profile.OverrideView) int {
		return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	// Two who are one again may both have it of the time before.
	return slices.CompactFunc(list, func(a, b profile.OverrideView) bool { return reflect.DeepEqual(a, b) }), err
}

func overridesOf(c *Conn, profileID int64, into *[]profile.OverrideView) error {
	return c.Query(`SELECT kind, name, value, set_at, until, actor, note, lifted_at, lifted_by FROM overrides
		WHERE profile_id = $1 ORDER BY id DESC`, []any{profileID}, func(r Row) error {
		o := profile.OverrideView{Kind: r.Text(0), Name: r.Text(1), Since: timeOf(r.Int(3)), By: r.Text(5), Note: r.Text(6)}
		if err := json.Unmarshal(r.Bytes(2), &o.Value); err != nil {
			return fmt.Errorf("store: override of profile %d: %w", profileID, err)
		}
		for i, at := range map[int]**time.Time{4: &o.Until, 7: &o.LiftedAt} {
			if !r.Null(i) {
				t := timeOf(r.Int(i))
				*at = &t
			}
		}
		if !r.Null(8) {
			o.LiftedBy = r.Text(8)
		}
		*into = append(*into, o)
		return nil
	})
}

func overrideView(o profile.Override) profile.OverrideView {
	v := profile.OverrideView{Kind: o.Kind, Name: o.Name, Value: o.Value, Since: timeOf(o.At), By: o.By, Note: o.Note}
	if o.Until != 0 {
		until := timeOf(o.Until)
		v.Until = &until
	}
	return v
}

// OverridesOf implements engine.MergeStore.
func (s *Store) OverridesOf(ctx context.Context, profiles []int64) (map[int64][]engine.OverrideLife, error) {
	of := map[int64][]engine.OverrideLife{}
	err := s.engineView(ctx, func(c *Conn) error {
		for _, id := range profiles {
			err := c.Query(`SELECT kind, name, value, set_at, until, actor, note, lifted_at, id FROM overrides
				WHERE profile_id = $1 ORDER BY id`, []any{id}, func(r Row) error {
				o := engine.OverrideLife{
					Override: profile.Override{Kind: r.Text(0), Name: r.Text(1), At: r.Int(3), Until: r.Int(4), By: r.Text(5), Note: r.Text(6)},
					Lifted:   r.Int(7), ID: r.Int(8),
				}
				of[id] = append(of[id], o)
				return json.Unmarshal(r.Bytes(2), &of[id][len(of[id])-1].Value)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return of, err
}
