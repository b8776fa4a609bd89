package engine_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/store"
)

var togetherRules = map[string]string{
	"busy": `events("A").within("3d").count() >= 2`, "quiet": `!events().within("2d").exists()`,
	"rich": `profile.spent > 5 && profile.vip`, "open": `profile.subscribed`, "mix": `"busy" in segments || !("rich" in segments)`,
}

var togetherTraits = map[string]string{
	"spent": `events("A").sum(e, e.properties.n)`, "top": `events().most_common(e, e.name)`, "last_b": `events("B").last(e, e.properties.n)`,
}

func (f *fixture) unmerge(loser int64) *engine.Unmerged {
	u, err := f.Unmerge(context.Background(), loser, "ada", "not the same person")
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

func visit(anonymous, user, name string) map[string]any {
	e := map[string]any{"type": "track", "event": name, "properties": map[string]any{"n": 3}}
	if anonymous != "" {
		e["anonymousId"] = anonymous
	}
	if user != "" {
		e["userId"] = user
	}
	return e
}

func TestAnUndoneMergeLeavesTwoProfilesAsIfTheyHadNeverMet(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	step := func(e map[string]any) { f.advance(time.Minute); f.send(f.now(), e) }
	step(visit("a", "", "A"))
	step(visit("", "u", "A"))
	step(visit("", "u", "A"))
	before := f.profile("user_id", "u").Segments.Map()["busy"]
	visitor, customer := f.profile("anonymous_id", "a").ID, f.profile("user_id", "u").ID
	step(visit("a", "u", "B")) // joins them
	if f.profile("user_id", "u").ID != visitor {
		t.Fatal("they were not joined")
	}
	step(visit("a", "", "A"))                                                                                                  // the visitor alone
	step(map[string]any{"type": "identify", "userId": "u", "traits": map[string]any{"email": "u@example.com", "name": "Uma"}}) // the customer, with a new identifier
	step(map[string]any{"type": "track", "event": "A", "userId": "u", "context": map[string]any{"traits": map[string]any{"email": "u@example.com"}}})
	f.verify()

	u := f.unmerge(customer)
	if !slices.Equal(u.Profiles, []int64{visitor, customer}) || u.Moved != 3 {
		t.Fatalf("got %+v", u)
	}
	f.verify()
	a, c := f.profile("anonymous_id", "a"), f.profile("email", "u@example.com")
	if a.ID != visitor || c.ID != customer || len(a.Absorbed) > 0 || len(c.Absorbed) > 0 {
		t.Fatalf("the visitor is %d of %v, the customer %d of %v", a.ID, a.Absorbed, c.ID, c.Absorbed)
	}
	if a.Computed.Get("spent") != 6.0 || c.Computed.Get("spent") != 9.0-3 || c.Computed.Get("last_b") != 3.0 || a.Computed.Get("last_b") != nil || a.Traits.Value("name") != nil {
		t.Errorf("visitor %v, customer %v", a.Computed.Map(), c.Computed.Map())
	}
	if c.Segments.Map()["busy"] != before {
		t.Errorf("busy since %v, was %v", c.Segments.Map()["busy"], before)
	}
	for _, p := range []*profile.Profile{a, c} {
		events, _, err := f.store.Timeline(context.Background(), p.ID, "", 50)
		if want := map[int64]int{visitor: 2, customer: 5}[p.ID]; err != nil || len(events) != want {
			t.Errorf("profile %d has %d events, want %d, %v", p.ID, len(events), want, err)
		}
	}
	if n := f.eventCount(); n != 7 {
		t.Errorf("%d events are counted, want 7", n)
	}
	// The same identifiers do not join them again, not even by an alias, until somebody allows it.
	step(visit("a", "u", "A"))
	step(map[string]any{"type": "alias", "userId": "u", "previousId": "a"})
	if f.profile("anonymous_id", "a").ID == f.profile("user_id", "u").ID {
		t.Fatal("joined again")
	}
	if err := f.AllowTogether(context.Background(), customer, visitor); err != nil {
		t.Fatal(err)
	}
	step(visit("a", "u", "A"))
	if f.profile("anonymous_id", "a").ID != f.profile("user_id", "u").ID {
		t.Error("kept apart although it was allowed")
	}
	f.verify()
	if _, err := f.Unmerge(context.Background(), 999, "", ""); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("undoing what never was: %v", err)
	}
}

func TestAWithdrawalWhileTheyWereOneHoldsForBoth(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	step := func(e map[string]any) { f.advance(time.Minute); f.send(f.now(), e) }
	step(visit("a", "", "A"))
	step(visit("", "u", "A"))
	customer := f.profile("user_id", "u").ID
	step(visit("a", "u", "B"))
	f.advance(time.Minute)
	f.own(customer, event.NameUnsubscribed, `{}`)
	f.unmerge(customer)
	for _, p := range []*profile.Profile{f.profile("anonymous_id", "a"), f.profile("user_id", "u")} {
		if p.Subscribed() || p.InSegment("open") {
			t.Errorf("profile %d may be sent mail", p.ID)
		}
		step(map[string]any{"type": "track", "event": event.NameSubscribed, "userId": "u"})
		step(map[string]any{"type": "track", "event": event.NameSubscribed, "anonymousId": "a"})
		if p := f.profile("user_id", "u"); p.Subscribed() {
			t.Error("the shop gave back what was withdrawn at our door")
		}
	}
	f.verify()
}

// generous joins whatever an event carries together: limits, which undoing does not judge anew, are out of the way.
func generous() *identity.Policy {
	return identity.NewPolicy([]identity.Rule{{Type: identity.UserID, Limit: 99}, {Type: identity.AnonymousID, Limit: 99}}, 99, nil)
}

// script is what happened to an engine: events, merges by hand, and the merges that were undone.
type script struct {
	at    time.Time
	body  map[string]any // an event, or
	merge [2]int64       // a merge by hand
}

// Whatever was merged, by events or by hand, before and after: what one undone merge leaves is what an engine knows that
// never merged the two. Several undone merges leave what the events say, too; but an event that was refused because of
// one of them stays refused when another makes it harmless, since undoing joins nobody anew.
func TestUndoneMergesNeverHappened(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := startWith(rt, t.TempDir(), epoch, compile(rt, togetherRules, togetherTraits), generous())
		defer func() { f.close() }()
		ctx := context.Background()
		if err := f.WaitFilled(ctx); err != nil {
			rt.Fatal(err)
		}
		var story []script
		undone, most := 0, 1+2*rapid.IntRange(0, 1).Draw(rt, "several")
		var told []string                // the story in words, for whom it fails
		apart := map[string][][2]int64{} // by message id, or "by hand" and the place in the story: who must not meet there
		for i := range rapid.IntRange(5, 40).Draw(rt, "steps") {
			f.advance(time.Millisecond)
			switch rapid.IntRange(0, 11).Draw(rt, "what") {
			case 0:
				f.advance(time.Duration(rapid.Int64Range(0, 72).Draw(rt, "hours")) * time.Hour)
			case 1:
				a, b := f.living(rt, "one"), f.living(rt, "other")
				if a == b || a == 0 || b == 0 {
					continue
				}
				if _, err := f.Merge(ctx, a, b, engine.MergeCause{Kind: engine.MergedByHand, Note: fmt.Sprint("by hand ", len(story))}); err != nil {
					rt.Fatal(err)
				}
				told = append(told, fmt.Sprintf("by hand %d: %d and %d", len(story), a, b))
				story = append(story, script{at: f.now(), merge: [2]int64{a, b}})
			case 2, 3:
				merges := f.merges()
				if len(merges) == 0 || undone == most {
					continue
				}
				undone++
				m := merges[rapid.IntRange(0, len(merges)-1).Draw(rt, "undo")]
				key := m.Cause.MessageID
				if key == "" {
					key = m.Cause.Note
				}
				for _, w := range append(m.WinnerSide.Absorbed, m.Winner) {
					for _, l := range append(m.LoserSide.Absorbed, m.Loser) {
						apart[key] = append(apart[key], [2]int64{w, l})
					}
				}
				told = append(told, fmt.Sprintf("undo of %d into %d, by %q: %v", m.Loser, m.Winner, key, f.unmerge(m.Loser).Profiles))
			case 4:
				f.close()
				f.openWith(compile(rt, togetherRules, togetherTraits), generous())
			default:
				body := map[string]any{
					"type": "track", "messageId": fmt.Sprint("m", i), "event": rapid.SampledFrom([]string{"A", "B", "Unsubscribed", "Subscribed"}).Draw(rt, "event"),
					"properties": map[string]any{"n": rapid.IntRange(0, 4).Draw(rt, "n")},
				}
				if rapid.Bool().Draw(rt, "identify") {
					body = map[string]any{"type": "identify", "messageId": fmt.Sprint("m", i), "traits": map[string]any{"vip": rapid.Bool().Draw(rt, "vip")}}
				}
				if body["anonymousId"] = fmt.Sprint("a", rapid.IntRange(1, 4).Draw(rt, "anonymous")); rapid.Bool().Draw(rt, "known") {
					body["userId"] = fmt.Sprint("u", rapid.IntRange(1, 4).Draw(rt, "user"))
				}
				story = append(story, script{at: f.now(), body: body})
				f.send(f.now().Add(-time.Duration(rapid.Int64Range(-24, 96).Draw(rt, "ago"))*time.Hour), body)
				told = append(told, fmt.Sprint(body))
			}
		}
		f.verify()
		if events := int64(len(slices.DeleteFunc(slices.Clone(story), func(s script) bool { return s.body == nil }))); f.eventCount() != events {
			rt.Fatalf("%s\n%d events of %d", strings.Join(told, "\n"), f.eventCount(), events)
		}
		if undone > 1 || f.store.Shared() != nil { // whose ids of profiles are not those that the oracle gives
			return
		}
		oracle := startWith(rt, t.TempDir(), epoch, compile(rt, togetherRules, togetherTraits), generous())
		defer oracle.close()
		for i, s := range story {
			oracle.mu.Lock()
			oracle.clock = s.at
			oracle.mu.Unlock()
			key := fmt.Sprint("by hand ", i)
			if s.body != nil {
				key = s.body["messageId"].(string)
			}
			for _, pair := range apart[key] {
				if err := oracle.KeepApart(ctx, pair[0], pair[1], "", ""); err != nil {
					rt.Fatalf("%s\n%v at %s: %v", strings.Join(told, "\n"), pair, key, err)
				}
			}
			if s.body != nil {
				at, err := time.Parse(time.RFC3339Nano, s.body["timestamp"].(string))
				if err != nil {
					rt.Fatal(err)
				}
				oracle.send(at, maps.Clone(s.body))
			} else if len(apart[key]) == 0 {
				_, err := oracle.Merge(ctx, s.merge[0], s.merge[1], engine.MergeCause{Kind: engine.MergedByHand})
				if err != nil && fault.CodeOf(err) != fault.Conflict {
					rt.Fatal(err)
				}
			}
		}
		oracle.mu.Lock()
		oracle.clock = f.now()
		oracle.mu.Unlock()
		oracle.verify()
		for _, kind := range []string{"u", "a"} {
			for i := range 4 {
				id := identity.Identifier{Type: map[string]string{"u": identity.UserID, "a": identity.AnonymousID}[kind], Value: fmt.Sprint(kind, i+1)}
				is, would := f.profile(id.Type, id.Value), oracle.profile(id.Type, id.Value)
				have, want := describe(is), describe(would)
				if is != nil && is.Subscribed() && !would.Subscribed() {
					have += "\nsubscribed" // the other way round it may be: what was withdrawn by one of them holds for both
				}
				if have != want {
					rt.Fatalf("%s\n%v is\n%s\nand would be\n%s", strings.Join(told, "\n"), id, have, want)
				}
			}
		}
		f.close()
		f.openWith(compile(rt, togetherRules, togetherTraits), generous())
		f.verify()
	})
}

// settle has everything written that follows from the events.
func (f *fixture) settle() {
	if err := f.Settle(context.Background()); err != nil {
		f.t.Fatal(err)
	}
}

// living draws a profile that lives; 0 where there is none.
func (f *fixture) living(rt *rapid.T, label string) int64 {
	f.settle()
	profiles, _, err := f.store.ProfileRange(context.Background(), 1, 1000, 1000)
	if err != nil {
		f.t.Fatal(err)
	}
	if len(profiles) == 0 {
		return 0
	}
	return profiles[rapid.IntRange(0, len(profiles)-1).Draw(rt, label)].ID
}

// merges lists those that hold.
func (f *fixture) merges() []engine.Merge {
	f.settle()
	var ids []int64
	for id := range int64(100) {
		ids = append(ids, id)
	}
	merges, err := f.store.MergesInto(context.Background(), ids)
	if err != nil {
		f.t.Fatal(err)
	}
	return merges
}

// describe is all of a profile that undoing a merge must restore.
func describe(p *profile.Profile) string {
	if p == nil {
		return "nobody"
	}
	ids := make([]string, 0, len(p.Identifiers))
	for _, id := range p.Identifiers {
		ids = append(ids, id.String())
	}
	slices.Sort(ids)
	absorbed := slices.Clone(p.Absorbed)
	slices.Sort(absorbed)
	segments := p.Segments.Map()
	delete(segments, "open") // of those who may be sent mail
	return fmt.Sprintf("profile %d of %v\nidentifiers %s\ntraits %v\ncomputed %v\nsegments %v\ncreated %d seen %d %d",
		p.ID, absorbed, strings.Join(ids, " "), p.Traits.Values(), p.Computed.Map(), segments, p.CreatedAt, p.FirstSeenAt, p.LastSeenAt)
}

// A mail and what is done with it belong to whoever has the address; an order is credited to a message of its own side.
func TestMailGoesWithItsAddress(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"clickers": `events("Email Link Clicked").exists()`}, nil))
	defer f.close()
	ctx := context.Background()
	step := func(e map[string]any) { f.advance(time.Minute); f.send(f.now(), e) }
	identify := func(user, anonymous, email string) {
		step(map[string]any{"type": "identify", "userId": user, "anonymousId": anonymous, "traits": map[string]any{"email": email}})
	}
	identify("u", "", "u@example.com")
	step(map[string]any{"type": "identify", "anonymousId": "b", "traits": map[string]any{"email": "b@example.com"}})
	older, younger := f.profile("user_id", "u").ID, f.profile("anonymous_id", "b").ID
	step(visit("b", "u", "A")) // one customer with two addresses
	err := f.store.Update(ctx, func(c *store.Conn) error {
		for id, email := range map[int]string{1: "u@example.com", 2: "b@example.com"} {
			if _, err := c.Exec(`INSERT INTO messages (id, run_id, campaign, profile_id, email, status, next_attempt_at, created_at)
				VALUES ($1, $1, 'c', $2, $3, 'sent', 0, 0)`, id, older, email); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f.advance(time.Minute)
	f.own(older, event.NameEmailClicked, `{"message_id":"2","campaign":"c"}`)
	step(track("u", "Order Completed", map[string]any{"total": 10}))
	step(map[string]any{"type": "track", "event": "Order Completed", "anonymousId": "b", "properties": map[string]any{"total": 20}})
	rows := func(query string) (all []string) {
		t.Helper()
		if err := f.store.View(ctx, func(c *store.Conn) error {
			return c.Query(query, nil, func(r store.Row) error {
				all = append(all, fmt.Sprint(r.Int(0), " ", r.Int(1), " ", r.Int(2)))
				return nil
			})
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	const credited = `SELECT message_id, profile_id, CAST(revenue AS INTEGER) FROM conversions ORDER BY revenue`
	if got, want := fmt.Sprint(rows(credited)), fmt.Sprintf("[2 %d 10 2 %d 20]", older, older); got != want {
		t.Fatalf("credited %s, want %s", got, want)
	}
	f.unmerge(younger)
	f.verify()
	if f.profile("user_id", "u").InSegment("clickers") || !f.profile("anonymous_id", "b").InSegment("clickers") {
		t.Error("the click did not go with the address")
	}
	if got, want := fmt.Sprint(rows(credited)), fmt.Sprintf("[2 %d 20]", younger); got != want {
		t.Errorf("credited %s, want %s", got, want)
	}
	if got := rows(`SELECT CAST(sum(value) AS INTEGER), 0, 0 FROM daily_counts WHERE name = 'revenue'`); got[0] != "20 0 0" {
		t.Errorf("the days' revenue is %s", got[0])
	}
	if got, want := fmt.Sprint(rows(`SELECT id, profile_id, 0 FROM messages ORDER BY id`)), fmt.Sprintf("[1 %d 0 2 %d 0]", older, younger); got != want {
		t.Errorf("messages %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(rows(`SELECT message_id, profile_id, 0 FROM responses`)), fmt.Sprintf("[2 %d 0]", younger); got != want {
		t.Errorf("responses %s, want %s", got, want)
	}
}
