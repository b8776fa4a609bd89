package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/store"
)

// Who would have entered a segment earlier alone, and enters it while the merge is undone, is a member since the former
// moment, on the profile and in the list of members.
func TestAnUndoneMergeListsMembersSinceTheirOwnMoment(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	f.send(f.now(), visit("a", "", "A"))
	f.advance(10 * time.Hour)
	f.send(f.now(), visit("", "u", "A"))
	a, u := f.profile("anonymous_id", "a").ID, f.profile("user_id", "u").ID
	f.advance(time.Hour)
	if _, err := f.Merge(context.Background(), a, u, engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
		t.Fatal(err)
	}
	f.advance(time.Hour)
	f.send(f.now(), visit("", "u", "A")) // what follows is not saved yet, so that no timer stands in the store
	f.advance(100 * time.Hour)
	f.unmerge(u)
	for id, want := range map[int64]time.Time{a: epoch.Add(48 * time.Hour), u: epoch.Add(60 * time.Hour)} {
		err := f.store.View(context.Background(), func(c *store.Conn) error {
			listed, err := c.Int(`SELECT since FROM memberships WHERE segment = 'quiet' AND profile_id = $1`, id)
			if at := time.UnixMicro(listed).UTC(); err == nil && !at.Equal(want) {
				t.Errorf("profile %d is listed since %v, want %v", id, at, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A withdrawal made while two were one holds for both also where the clock has gone back since, to before their merge.
func TestAWithdrawalHoldsForBothThoughTheClockWentBack(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer func() { f.close() }()
	f.send(f.now(), visit("a", "", "A"))
	f.send(f.now(), visit("", "u", "A"))
	a, u := f.profile("anonymous_id", "a").ID, f.profile("user_id", "u").ID
	f.advance(time.Hour)
	if _, err := f.Merge(context.Background(), a, u, engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
		t.Fatal(err)
	}
	f.advance(time.Minute)
	f.send(f.now(), map[string]any{"type": "track", "event": "Unsubscribed", "userId": "u"})
	f.close()
	f.advance(-30 * time.Minute)
	f.open(compile(t, togetherRules, togetherTraits))
	f.unmerge(u)
	for kind, value := range map[string]string{"anonymous_id": "a", "user_id": "u"} {
		if f.profile(kind, value).Subscribed() {
			t.Errorf("%s gets mail", value)
		}
	}
}

// A withdrawal told to one alone stays hers alone, whatever the clock made of its order and whichever merges are undone.
func TestAWithdrawalOfOneIsNotTheOthersThoughTheClockWentBack(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer func() { f.close() }()
	merge := func(one, other int64) {
		t.Helper()
		f.advance(time.Minute)
		if _, err := f.Merge(context.Background(), one, other, engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
			t.Fatal(err)
		}
		f.advance(time.Minute)
	}
	f.send(f.now(), visit("a", "", "A"))
	f.send(f.now(), visit("b", "", "A"))
	a, b := f.profile("anonymous_id", "a").ID, f.profile("anonymous_id", "b").ID
	f.send(f.now(), map[string]any{"type": "track", "event": "Unsubscribed", "anonymousId": "b"})
	merge(a, b)
	f.close()
	f.advance(-time.Hour)
	f.open(compile(t, togetherRules, togetherTraits))
	f.send(f.now(), visit("c", "", "A"))
	c := f.profile("anonymous_id", "c").ID
	merge(a, c)
	f.unmerge(c)
	if f.profile("anonymous_id", "a").Subscribed() {
		t.Error("the two of whom one withdrew get mail")
	}
	f.unmerge(b)
	for value, want := range map[string]bool{"a": true, "b": false} {
		if p := f.profile("anonymous_id", value); p.Subscribed() != want {
			t.Errorf("%s is subscribed: %v, want %v", value, p.Subscribed(), want)
		}
	}
	f.verify()
}
