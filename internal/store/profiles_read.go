package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// ProfileID reads a public id. A profile that merged gives the one that took it; NotFound where there is none.
func (s *Store) ProfileID(ctx context.Context, public string) (int64, error) {
	unknown := fault.New(fault.NotFound, "there is no profile with the id %.40q", public)
	id, ok := s.InternalID(ProfileKind, public)
	if !ok {
		return 0, unknown
	}
	id, err := s.living(ctx, id)
	if err == nil && id == 0 {
		err = unknown
	}
	return id, err
}

// StoredProfileID reads a public id as it is, whether the profile lives or was merged into another; NotFound where there
// is none.
func (s *Store) StoredProfileID(ctx context.Context, public string) (int64, error) {
	id, _ := s.InternalID(ProfileKind, public)
	found := int64(0)
	err := s.View(ctx, func(c *Conn) (err error) {
		found, err = c.Int(`SELECT coalesce((SELECT id FROM profiles WHERE id = $1), 0)`, id)
		return err
	})
	if err == nil && found == 0 {
		err = fault.New(fault.NotFound, "there is no profile with the id %.40q", public)
	}
	return found, err
}

// PublicProfileID is how the outside calls a profile.
func (s *Store) PublicProfileID(id int64) string { return s.PublicID(ProfileKind, id) }

// survivor follows merges to the profile that lives; 0 where there is none.
func survivor(c *Conn, id int64) (int64, error) {
	for id != 0 {
		var into int64
		found, err := c.One(`SELECT merged_into FROM profiles WHERE id = $1`, []any{id}, func(r Row) error { into = r.Int(0); return nil })
		if err != nil || !found {
			return 0, err
		}
		if into == 0 {
			return id, nil
		}
		id = into // always the older of two: the chain ends
	}
	return 0, nil
}

// FindProfile gives the profile that holds an identifier; NotFound where there is none.
func (s *Store) FindProfile(ctx context.Context, identifier identity.Identifier) (id int64, err error) {
	if id, err = s.storedOwner(ctx, identifier); err != nil || id != 0 {
		return id, err
	}
	if settler := s.settler.Load(); settler != nil {
		if id, err = (*settler).UnsavedOwner(ctx, identifier); err != nil || id != 0 {
			return id, err
		}
		// What was not written when it was looked for may have been before the engine was asked.
		if id, err = s.storedOwner(ctx, identifier); err != nil || id != 0 {
			return id, err
		}
	}
	return 0, fault.New(fault.NotFound, "nobody is known by %s", identifier)
}

// storedOwner is the owner of an identifier as the tables have it, 0 for none.
func (s *Store) storedOwner(ctx context.Context, identifier identity.Identifier) (id int64, err error) {
	err = s.read(ctx, func(c *Conn) error {
		return c.QueryEach(ownerQuery, [][]any{{identifier.Type, identifier.Value}}, func(_ int, r Row) error {
			id = r.Int(0)
			return nil
		})
	})
	return id, err
}

// ProfileBy shows the profile that holds an identifier; NotFound where there is none. It does not wait for what follows from
// events to be written.
func (s *Store) ProfileBy(ctx context.Context, identifier identity.Identifier) (view profile.View, err error) {
	id, err := s.FindProfile(ctx, identifier)
	if err != nil {
		return view, err
	}
	for {
		p, err := s.unsaved(ctx, id)
		if err != nil {
			return view, err
		}
		if p != nil && p.MergedInto != 0 {
			id = p.MergedInto
			continue
		}
		if p == nil || len(p.Absorbed)+len(p.Apart) > 0 {
			err = s.viewLiving(ctx, id, func(c *Conn, p *profile.Profile) error {
				view, err = s.view(c, p)
				return err
			})
			return view, err
		}
		return s.viewAlone(p), nil
	}
}

// unsaved is what memory knows of a profile that is not in the tables; nil where they have it.
func (s *Store) unsaved(ctx context.Context, id int64) (*profile.Profile, error) {
	settler := s.settler.Load()
	if settler == nil {
		return nil, nil
	}
	state, err := (*settler).Unsaved(ctx, id)
	if err != nil || state == nil {
		return nil, err
	}
	return profile.FromState(id, state)
}

// beforeCursor reads the cursor of a list that goes down by id.
func beforeCursor(cursor string) (int64, error) {
	if cursor == "" {
		return 1<<63 - 1, nil
	}
	id, err := strconv.ParseInt(cursor, 36, 64)
	if err != nil || id <= 0 {
		return 0, fault.Field("query.cursor", "is none that a list gave; pass next_cursor as it came")
	}
	return id, nil
}

// ProfileViews shows profiles in the order of ids. Those that are no more are left out.
func (s *Store) ProfileViews(ctx context.Context, ids []int64) ([]profile.View, error) {
	views := make([]profile.View, 0, len(ids))
	err := s.viewOf(ctx, ids, func(c *Conn) error {
		loaded := make(map[int64]*profile.Profile, len(ids))
		for _, id := range ids {
			if err := loadProfile(c, id, loaded); err != nil {
				return err
			}
			p := loaded[id]
			if p == nil || p.MergedInto != 0 {
				continue
			}
			view, err := s.view(c, p)
			if err != nil {
				return err
			}
			views = append(views, view)
		}
		return nil
	})
	return views, err
}

// view shows a profile.
func (s *Store) view(c *Conn, p *profile.Profile) (v profile.View, err error) {
	v = s.viewAlone(p)
	if len(p.Absorbed) > 0 {
		if v.Merged, err = s.merges(c, p.ID); err != nil {
			return v, err
		}
	}
	if len(p.Apart) > 0 {
		v.Apart, err = s.apart(c, p)
	}
	return v, err
}

// viewAlone shows a profile, save what the tables alone tell: who became one with whom, or never shall.
func (s *Store) viewAlone(p *profile.Profile) profile.View {
	traits := p.Told()
	v := profile.View{
		ID: s.PublicID(ProfileKind, p.ID), Label: profile.Label(traits, p.Identifiers),
		Traits: traits, Computed: p.Computed.Map(), Preferences: p.Preferences.Values(),
		Identifiers: slices.Clone(p.Identifiers), Segments: make([]profile.Membership, 0, p.Segments.Len()), Subscribed: p.Subscribed(),
		CreatedAt: timeOf(p.CreatedAt), UpdatedAt: timeOf(p.UpdatedAt), FirstSeenAt: timeOf(p.FirstSeenAt), LastSeenAt: timeOf(p.LastSeenAt),
		Merged: []profile.Merge{}, Overrides: []profile.OverrideView{}, Apart: []profile.Apart{},
	}
	if v.Identifiers == nil {
		v.Identifiers = []identity.Identifier{}
	}
	for _, o := range p.Overrides {
		v.Overrides = append(v.Overrides, overrideView(o))
	}
	for name, since := range p.Segments.All() {
		v.Segments = append(v.Segments, profile.Membership{Name: name, Since: timeOf(since)})
	}
	return v
}

// merges lists what merged into a profile, latest first.
func (s *Store) merges(c *Conn, winner int64) ([]profile.Merge, error) {
	list := []profile.Merge{}
	err := c.Query(`SELECT loser_id, merged_at, cause, message_id, identifiers, actor, note FROM merges
		WHERE winner_id = $1 AND undone_at IS NULL ORDER BY id DESC`, []any{winner},
		func(r Row) error {
			m := profile.Merge{
				ProfileID: s.PublicID(ProfileKind, r.Int(0)), At: timeOf(r.Int(1)), Cause: r.Text(2), MessageID: r.Text(3), By: r.Text(5), Note: r.Text(6),
			}
			if err := json.Unmarshal(r.Bytes(4), &m.Identifiers); err != nil {
				return fmt.Errorf("store: merge of %d: %w", winner, err)
			}
			list = append(list, m)
			return nil
		})
	return list, err
}

// ProfileLabels gives the public id and the label of profiles. One that merged answers for the one that took it.
func (s *Store) ProfileLabels(ctx context.Context, ids []int64) (map[int64]profile.Name, error) {
	names := make(map[int64]profile.Name, len(ids))
	err := s.viewOf(ctx, ids, func(c *Conn) error {
		loaded := make(map[int64]*profile.Profile, len(ids))
		for _, id := range ids {
			if _, done := names[id]; done {
				continue
			}
			living, err := survivor(c, id)
			if err != nil {
				return err
			}
			if err := loadProfile(c, living, loaded); err != nil {
				return err
			}
			if p := loaded[living]; p != nil {
				names[id] = profile.Name{ID: s.PublicID(ProfileKind, living), Label: profile.Label(p.Told(), p.Identifiers)}
			}
		}
		return nil
	})
	return names, err
}
