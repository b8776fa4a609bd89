package store

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// How far a page of a search looks. What lies beyond is for the next one.
const (
	searchedIdentifiers = 20_000
	searchedProfiles    = 200_000
)

// SearchProfiles gives a page of profiles and the cursor of the next one. Without a text they come newest first. With one, those
// of whom an identifier begins with it come first, in the order of these identifiers, and those of whose name a word does come
// last, newest first; such a page may be short, or empty, and not the last.
func (s *Store) SearchProfiles(ctx context.Context, q profile.Query) (ids []int64, next string, err error) {
	if q.Text = strings.TrimSpace(q.Text); q.Text == "" {
		return s.listProfiles(ctx, q)
	}
	search, err := newSearch(q)
	if err != nil {
		return nil, "", err
	}
	err = s.View(ctx, func(c *Conn) error {
		if search.before == 0 {
			if err := search.byIdentifier(c); err != nil || search.next != "" {
				return err
			}
		}
		return search.byName(c)
	})
	return search.found, search.next, err
}

// listProfiles is SearchProfiles without a text.
func (s *Store) listProfiles(ctx context.Context, q profile.Query) (ids []int64, next string, err error) {
	before, err := beforeCursor(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	query, args := `SELECT id FROM profiles WHERE merged_into IS NULL AND id < $1 ORDER BY id DESC LIMIT $2`, []any{before, q.Limit + 1}
	if q.Segment != "" {
		query = `SELECT profile_id FROM memberships WHERE segment = $3 AND profile_id < $1 ORDER BY profile_id DESC LIMIT $2`
		args = append(args, q.Segment)
	}
	err = s.View(ctx, func(c *Conn) error {
		return c.Query(query, args, func(r Row) error {
			ids = append(ids, r.Int(0))
			return nil
		})
	})
	if len(ids) > q.Limit {
		ids = ids[:q.Limit]
		next = strconv.FormatInt(ids[q.Limit-1], 36)
	}
	return ids, next, err
}

// search is one page of a search by text.
type search struct {
	profile.Query
	texts []string // that identifiers may begin with: as it was given and in small letters, in order

	after  identity.Identifier // the last one that was looked at
	before int64               // profiles from here on have been looked at by name; 0: names have not been begun with

	found []int64
	next  string
}

func newSearch(q profile.Query) (*search, error) {
	s := &search{Query: q, texts: []string{q.Text}}
	if lower := strings.ToLower(q.Text); lower != q.Text {
		s.texts = append(s.texts, lower)
		slices.Sort(s.texts)
	}
	kind, at, _ := strings.Cut(q.Cursor, ".")
	switch kind {
	case "":
		return s, nil
	case "i":
		if place, err := base64.RawURLEncoding.DecodeString(at); err == nil {
			if kind, value, ok := bytes.Cut(place, []byte{0}); ok {
				s.after = identity.Identifier{Type: string(kind), Value: string(value)}
				return s, nil
			}
		}
	case "n":
		if id, err := strconv.ParseInt(at, 36, 64); err == nil && id > 0 {
			s.before = id
			return s, nil
		}
	}
	return nil, fault.Field("query.cursor", "is none that a list gave; pass next_cursor as it came")
}

// byIdentifier goes through the ranges of identifiers that begin with the text: one for each type and way to write it.
func (s *search) byIdentifier(c *Conn) error {
	types, err := identifierTypes(c)
	if err != nil {
		return err
	}
	looked := 0
	for _, kind := range types {
		for _, text := range s.texts {
			if kind < s.after.Type || kind == s.after.Type && prefixEnd(text) <= s.after.Value {
				continue
			}
			if err := s.inRange(c, kind, text, &looked); err != nil || s.next != "" {
				return err
			}
		}
	}
	s.before = 1<<63 - 1
	return nil
}

// identifierTypes lists the types of identifiers that anybody has, by name.
func identifierTypes(c *Conn) (types []string, err error) {
	err = c.Query(`WITH RECURSIVE types (type) AS (
		  SELECT min(type) FROM identifiers
		  UNION ALL SELECT (SELECT min(i.type) FROM identifiers i WHERE i.type > types.type) FROM types WHERE types.type IS NOT NULL
		) SELECT type FROM types WHERE type IS NOT NULL ORDER BY type`, nil, func(r Row) error {
		types = append(types, r.Text(0))
		return nil
	})
	return types, err
}

// inRange looks at the identifiers of a type that begin with a text, some at a time.
func (s *search) inRange(c *Conn, kind, text string, looked *int) error {
	const chunk = 500
	last := identity.Identifier{Type: kind}
	if kind == s.after.Type {
		last.Value = s.after.Value
	}
	for n := chunk; n == chunk; {
		n = 0
		err := c.Query(`SELECT i.value, p.id, p.state FROM
			(SELECT value, profile_id FROM identifiers WHERE type = $1 AND value >= $2 AND value < $3 AND value > $4 ORDER BY value LIMIT $5) i
			LEFT JOIN profiles p ON p.id = i.profile_id AND ($6 = '' OR EXISTS
				(SELECT 1 FROM memberships m WHERE m.segment = $6 AND m.profile_id = i.profile_id))
			ORDER BY i.value`, []any{kind, text, prefixEnd(text), last.Value, chunk, s.Segment}, func(r Row) error {
			n++
			last.Value = r.Text(0)
			if r.Null(1) {
				return nil
			}
			first, err := s.first(r.Int(1), r.Bytes(2))
			if err != nil || first != last { // else she stands there already
				return err
			}
			if s.found = append(s.found, r.Int(1)); len(s.found) == s.Limit {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
		if *looked += n; len(s.found) == s.Limit || *looked >= searchedIdentifiers {
			s.next = "i." + base64.RawURLEncoding.EncodeToString([]byte(last.Type+"\x00"+last.Value))
			return nil
		}
	}
	return nil
}

// first is the first identifier of a profile that begins with the text, in the order in which they are gone through.
func (s *search) first(id int64, state []byte) (first identity.Identifier, err error) {
	p, err := profile.FromState(id, state)
	if err != nil {
		return first, fmt.Errorf("store: profile %d: %w", id, err)
	}
	for _, one := range p.Identifiers {
		begins := func(text string) bool { return one.Value >= text && one.Value < prefixEnd(text) }
		if slices.ContainsFunc(s.texts, begins) && (first.Type == "" || byTypeAndValue(one, first) < 0) {
			first = one
		}
	}
	return first, nil
}

// prefixEnd is the first text after all those that begin with prefix.
func prefixEnd(prefix string) string { return prefix + "\U0010FFFF" }

// nameText is the name of a profile, a space before each word.
const nameText = `' ' || coalesce(traits ->> 'name', '') || ' ' || coalesce(traits ->> 'first_name', traits ->> 'firstName', '') ||
	' ' || coalesce(traits ->> 'last_name', traits ->> 'lastName', '')`

// likeAnyCase is a pattern of LIKE for a text in small letters, and for more than that: databases know the small letters of
// ASCII alone.
func likeAnyCase(lower string) string {
	var pattern strings.Builder
	for _, r := range lower {
		switch {
		case r >= utf8.RuneSelf:
			pattern.WriteByte('%')
		case strings.ContainsRune(`\%_`, r):
			pattern.WriteByte('\\')
			fallthrough
		default:
			pattern.WriteRune(r)
		}
	}
	return pattern.String()
}

// byName goes through the profiles, newest first.
func (s *search) byName(c *Conn) error {
	const chunk = 20_000
	last, err := lastProfile(c)
	if err != nil {
		return err
	}
	below, lower := min(s.before, last+1), strings.ToLower(s.Text)
	for looked := 0; below > 1; looked += chunk {
		if looked >= searchedProfiles {
			s.next = nameCursor(below)
			return nil
		}
		err := c.Query(`SELECT id, state, `+nameText+` FROM profiles WHERE id >= $1 AND id < $2 AND merged_into IS NULL
			AND lower(`+nameText+`) LIKE $3 ESCAPE '\'
			AND ($4 = '' OR EXISTS (SELECT 1 FROM memberships m WHERE m.segment = $4 AND m.profile_id = profiles.id))
			ORDER BY id DESC`, []any{below - chunk, below, "% " + likeAnyCase(lower) + "%", s.Segment}, func(r Row) error {
			if !strings.Contains(strings.ToLower(r.Text(2)), " "+lower) {
				return nil
			}
			if first, err := s.first(r.Int(0), r.Bytes(1)); err != nil || first.Type != "" { // she was found by that
				return err
			}
			if s.found = append(s.found, r.Int(0)); len(s.found) == s.Limit {
				s.next = nameCursor(r.Int(0))
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
		below -= chunk
	}
	return nil
}

func nameCursor(before int64) string { return "n." + strconv.FormatInt(before, 36) }
