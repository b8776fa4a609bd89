package identity

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/event"
)

func TestNewNormalises(t *testing.T) {
	cases := []struct{ kind, in, want string }{
		{Email, "  Ada@Example.COM ", "ada@example.com"},
		{Phone, "+44 20 7946 0958", "+442079460958"}, // Ofcom's number for drama
		{Phone, "020 7946 0958", "020 7946 0958"},    // without a country it stays as given
		{UserID, " 42 ", "42"},
		{"Loyalty_ID", "L-1", "L-1"},
	}
	for _, c := range cases {
		if id, ok := New(c.kind, c.in); !ok || id.Value != c.want {
			t.Errorf("%s %q: got %q %v, want %q", c.kind, c.in, id.Value, ok, c.want)
		}
	}
	for _, bad := range []string{"", "ada", "@x", "x@", "a b@c.de"} {
		if id, ok := New(Email, bad); ok {
			t.Errorf("e-mail %q was taken as %v", bad, id)
		}
	}
}

func decode(t *testing.T, body string) *event.Event {
	t.Helper()
	e, err := event.Decode([]byte(body), event.Door{ReceivedAt: time.Unix(0, 0), NewID: func() string { return "m" }})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestOfFindsEveryIdentifierStrongestFirst(t *testing.T) {
	p := DefaultPolicy()
	e := decode(t, `{"type":"identify","userId":"u1","anonymousId":"a1","traits":{"email":"A@B.example","phone":"+1 202 555 0143"},
		"context":{"externalIds":[{"type":"loyalty_id","id":"L1"},{"type":"user_id","id":"u1"}]}}`)
	want := "[user_id:u1 email:a@b.example phone:+12025550143 loyalty_id:L1 anonymous_id:a1]"
	if got := fmt.Sprint(p.Of(e)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, value := range []string{"null", "Anonymous", "0000-0000", "undefined"} {
		e := decode(t, `{"type":"track","event":"X","userId":"`+value+`","anonymousId":"a1"}`)
		if got := fmt.Sprint(p.Of(e)); got != "[anonymous_id:a1]" {
			t.Errorf("blocked %q: got %s", value, got)
		}
	}
}

// graph is the store of identity as a test sees it.
type graph map[int64][]Identifier

func (g graph) find(id Identifier) (Holder, bool) {
	for p, ids := range g {
		if slices.Contains(ids, id) {
			return Holder{ID: p, Identifiers: ids}, true
		}
	}
	return Holder{}, false
}

// apply carries a resolution out and gives the profile that owns the event.
func (g graph) apply(r Resolution, next int64) int64 {
	owner := r.Owner
	if owner == 0 {
		owner = next
	}
	for _, a := range r.Absorb {
		g[owner] = append(g[owner], g[a.ProfileID]...)
		delete(g, a.ProfileID)
	}
	g[owner] = append(g[owner], r.Add...)
	return owner
}

func TestLoginJoinsTheVisitorAndTheCustomer(t *testing.T) {
	p, g := DefaultPolicy(), graph{1: {{AnonymousID, "a"}}, 2: {{UserID, "u"}}}
	r := p.Resolve([]Identifier{{UserID, "u"}, {AnonymousID, "a"}}, false, g.find)
	if r.Owner != 1 || len(r.Absorb) != 1 || r.Absorb[0] != (Link{2, Identifier{UserID, "u"}}) {
		t.Fatalf("got %+v", r)
	}
}

func TestTwoPeopleWhoShareABrowserStayTwo(t *testing.T) {
	p, g := DefaultPolicy(), graph{1: {{UserID, "u1"}, {AnonymousID, "a"}}}
	r := p.Resolve([]Identifier{{UserID, "u2"}, {AnonymousID, "a"}}, false, g.find)
	if r.Owner != 0 || len(r.Refused) != 1 || len(r.Add) != 1 {
		t.Fatalf("got %+v", r)
	}
	g.apply(r, 2)
	if r = p.Resolve([]Identifier{{UserID, "u1"}, {AnonymousID, "a"}}, false, g.find); r.Owner != 1 {
		t.Fatalf("the first customer lost the browser: %+v", r)
	}
}

func TestAnAliasIsSomebodysWord(t *testing.T) {
	p, g := DefaultPolicy(), graph{1: {{UserID, "old"}}, 2: {{UserID, "new"}}}
	e := decode(t, `{"type":"alias","userId":"new","previousId":"old"}`)
	r := p.Resolve(p.Of(e), true, g.find)
	if owner := g.apply(r, 3); owner != 1 || len(g) != 1 {
		t.Fatalf("two remain: %v", g)
	}
	// The profile goes on living with both, and takes no third by itself.
	if r = p.Resolve([]Identifier{{UserID, "new"}, {AnonymousID, "a"}}, false, g.find); r.Owner != 1 || len(r.Add) != 1+len(r.Refused) {
		t.Fatalf("got %+v", r)
	}
	g.apply(r, 3)
	if r = p.Resolve([]Identifier{{UserID, "third"}, {AnonymousID, "a"}}, false, g.find); r.Owner != 0 {
		t.Fatalf("a third user id joined: %+v", r)
	}
}

func TestAnAliasOfABrowserMakesNoUserID(t *testing.T) {
	p, g := DefaultPolicy(), graph{1: {{AnonymousID, "a"}}}
	e := decode(t, `{"type":"alias","userId":"u","previousId":"a"}`)
	g.apply(p.Resolve(p.Of(e), true, g.find), 2)
	if got := fmt.Sprint(g[1]); got != "[anonymous_id:a user_id:u]" {
		t.Errorf("got %s", got)
	}
}

// Whatever arrives: no profile exceeds a limit, and no identifier belongs to two profiles.
func TestResolveKeepsTheLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, g := DefaultPolicy(), graph{}
		for next := int64(1); next <= 60; next++ {
			var ids []Identifier
			for _, kind := range []string{UserID, Email, "loyalty_id", AnonymousID} {
				if rapid.Bool().Draw(t, kind) {
					ids = append(ids, Identifier{kind, fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "value"))})
				}
			}
			r := p.Resolve(ids, false, g.find)
			owner := g.apply(r, next)
			if len(ids) > 0 && !slices.Contains(r.Refused, ids[0]) && !slices.Contains(g[owner], ids[0]) {
				t.Fatalf("the strongest identifier %v is not the owner's: %+v", ids[0], r)
			}
			seen := map[Identifier]int64{}
			for profile, held := range g {
				if !p.Fits(held) {
					t.Fatalf("profile %d exceeds a limit: %v", profile, held)
				}
				for _, id := range held {
					if other, twice := seen[id]; twice {
						t.Fatalf("%v belongs to %d and %d", id, other, profile)
					}
					seen[id] = profile
				}
			}
		}
	})
}

func TestProfilesKeptApartAreJoinedByNoEvent(t *testing.T) {
	holders := map[Identifier]Holder{
		{UserID, "u"}:      {ID: 1, Identifiers: []Identifier{{UserID, "u"}}, Absorbed: []int64{4}},
		{AnonymousID, "a"}: {ID: 2, Identifiers: []Identifier{{AnonymousID, "a"}}, Apart: []int64{4}}, // of what 1 was made of
		{AnonymousID, "b"}: {ID: 3, Identifiers: []Identifier{{AnonymousID, "b"}}},
	}
	find := func(id Identifier) (Holder, bool) { h, ok := holders[id]; return h, ok }
	ids := []Identifier{{UserID, "u"}, {AnonymousID, "a"}, {AnonymousID, "b"}}
	for _, explicit := range []bool{false, true} {
		r := DefaultPolicy().Resolve(ids, explicit, find)
		if r.Owner != 1 || len(r.Absorb) != 1 || r.Absorb[0].ProfileID != 3 || !slices.Equal(r.Refused, ids[1:2]) {
			t.Errorf("explicit %v: got %+v", explicit, r)
		}
	}
}
