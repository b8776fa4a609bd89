package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// keepProfiles writes profiles with their identifiers, and those with an even id as the members of a segment.
func keepProfiles(t testing.TB, s *Store, profiles []*profile.Profile) {
	t.Helper()
	err := s.Update(t.Context(), func(c *Conn) error {
		for _, p := range profiles {
			form := p.Form()
			traits, computed, preferences, err := form.Columns(new([]byte))
			if err != nil {
				return err
			}
			if _, err := c.Exec(`INSERT INTO profiles (id, traits, computed, preferences, subscribed, created_at, updated_at, first_seen_at,
				last_seen_at, state) VALUES ($1, $2, $3, $4, $5, 1, 1, 1, 1, $6)`, p.ID, traits, computed, preferences, true, form.State); err != nil {
				return err
			}
			for _, id := range p.Identifiers {
				if _, err := c.Exec(`INSERT INTO identifiers (type, value, profile_id, created_at) VALUES ($1, $2, $3, 1)`, id.Type, id.Value, p.ID); err != nil {
					return err
				}
			}
			if p.ID%2 == 0 {
				if _, err := c.Exec(`INSERT INTO memberships (segment, profile_id, since) VALUES ('even', $1, 1)`, p.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The pages of a search hold everybody whom looking at everybody finds, once, and first those of whom an identifier begins
// with the text.
func TestASearchFindsWhoMatches(t *testing.T) {
	s, random := open(t), rand.New(rand.NewPCG(9, 9))
	syllables := []string{"a", "Ad", "da", "lo", "Ve", "é", "É", "_", "%"}
	word := func() (w string) {
		for range 1 + random.IntN(3) {
			w += syllables[random.IntN(len(syllables))]
		}
		return w
	}
	var all []*profile.Profile
	taken := map[identity.Identifier]bool{}
	for id := int64(1); len(all) < 300; id += 1 + random.Int64N(10_000) { // over more ids than a page looks at
		p := profile.New(id, 1)
		p.Traits.Set("first_name", profile.Trait{Value: word()})
		p.Traits.Set("last_name", profile.Trait{Value: word() + " " + word()})
		for _, kind := range []string{identity.UserID, identity.AnonymousID}[:random.IntN(3)] {
			one := identity.Identifier{Type: kind, Value: word() + word()}
			if !taken[one] {
				taken[one] = true
				p.Identifiers = append(p.Identifiers, one)
			}
		}
		all = append(all, p)
	}
	keepProfiles(t, s, all)
	for range 60 {
		q := profile.Query{Text: word(), Limit: 1 + random.IntN(20)}
		if random.IntN(3) == 0 {
			q.Segment = "even"
		}
		var named, known []int64 // by the name alone, and by an identifier
		for _, p := range slices.Backward(all) {
			if q.Segment != "" && p.ID%2 != 0 {
				continue
			}
			lower := strings.ToLower(q.Text)
			name := strings.ToLower(fmt.Sprintf("  %s %s", p.Traits.Value("first_name"), p.Traits.Value("last_name")))
			switch {
			case slices.ContainsFunc(p.Identifiers, func(i identity.Identifier) bool {
				return strings.HasPrefix(i.Value, q.Text) || strings.HasPrefix(i.Value, lower)
			}):
				known = append(known, p.ID)
			case strings.Contains(name, " "+lower):
				named = append(named, p.ID)
			}
		}
		var found []int64
		for pages := 0; ; pages++ {
			ids, next, err := s.SearchProfiles(t.Context(), q)
			if err != nil || len(ids) > q.Limit || pages > len(all) {
				t.Fatalf("%+v: page %d has %d, %v", q, pages, len(ids), err)
			}
			found = append(found, ids...)
			if q.Cursor = next; next == "" {
				break
			}
		}
		n := min(len(known), len(found))
		first := slices.Sorted(slices.Values(found[:n]))
		if slices.Sort(known); !slices.Equal(first, known) || !slices.Equal(found[n:], named) {
			t.Fatalf("%+v: found %v, want %v in any order and then %v", q, found, known, named)
		}
	}
}
