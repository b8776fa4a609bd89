package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

// merged makes two one, an hour after what was before and an hour before what comes.
func (f *fixture) merged(one, other int64) {
	f.advance(time.Hour)
	if _, err := f.Merge(context.Background(), one, other, engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
		f.t.Fatal(err)
	}
	f.advance(time.Hour)
}

// visitors have come once each, in the order of their names.
func (f *fixture) visitors(names ...string) map[string]int64 {
	ids := map[string]int64{}
	for _, name := range names {
		f.send(f.now(), visit(name, "", "A"))
		ids[name] = f.profile("anonymous_id", name).ID
		f.advance(time.Minute)
	}
	return ids
}

// A withdrawal that became known late, or is dated ahead, holds for both sides of a merge that was undone from when it became
// known; with hindsight from when it was made.
func TestAWithdrawalHoldsForBothSinceItWasTold(t *testing.T) {
	for name, made := range map[string]time.Duration{"late": -3 * time.Hour, "ahead": 3 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
			defer f.close()
			f.advance(24 * time.Hour)
			ids := f.visitors("a", "b")
			f.advance(6 * time.Hour)
			f.merged(ids["a"], ids["b"])
			told := f.now()
			withdrawal := f.decode(told.Add(made), map[string]any{"type": "track", "event": event.NameUnsubscribed, "anonymousId": "a"})
			withdrawal.Timestamp = told.Add(made) // imported: the door takes its time as it is
			if err := f.Ingest(context.Background(), []*event.Event{withdrawal}); err != nil {
				t.Fatal(err)
			}
			f.advance(6 * time.Hour)
			f.unmerge(ids["b"])
			for known, from := range map[engine.Hindsight]time.Time{engine.Then: told, engine.Now: told.Add(made)} {
				for after, open := range map[time.Duration]bool{-time.Minute: true, time.Minute: false} {
					for who, id := range ids {
						reason, err := f.Explain(context.Background(), compile(t, togetherRules, togetherTraits), id, "open", from.Add(after).UnixMicro(), known)
						if err != nil || reason.Value != open || reason.Explanation.Holds != open {
							t.Errorf("%s, %v, %v after: %+v, %v", who, known, after, reason, err)
						}
					}
				}
			}
			f.verify()
		})
	}
}

// What a customer gave at our own door before a withdrawal that holds for her does not overrule it when another merge is undone.
func TestAWithdrawalOfBothHoldsThroughFurtherUndoings(t *testing.T) {
	for _, order := range []string{"another after", "another before"} {
		t.Run(order, func(t *testing.T) {
			f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
			defer f.close()
			ids := f.visitors("a", "b", "c")
			f.own(ids["b"], event.NameUnsubscribed, `{}`)
			f.advance(time.Minute)
			f.own(ids["b"], event.NameSubscribed, `{}`)
			if order == "another before" {
				f.merged(ids["b"], ids["c"])
			}
			f.merged(ids["a"], ids["b"])
			f.own(ids["a"], event.NameUnsubscribed, `{}`)
			f.advance(time.Minute)
			f.unmerge(ids["b"])
			if f.profile("anonymous_id", "b").Subscribed() {
				t.Fatal("one side of the first gets mail")
			}
			if order == "another after" {
				f.merged(ids["b"], ids["c"])
			}
			f.unmerge(ids["c"])
			if f.profile("anonymous_id", "b").Subscribed() {
				t.Error("she gets mail again")
			}
			f.verify()
		})
	}
}

// A withdrawal that held for a part alone before it merged is not overruled by what the other part gave before she had it.
func TestAWithdrawalOfAPartHoldsThroughFurtherUndoings(t *testing.T) {
	for _, order := range []string{"at once", "as a part of another"} {
		t.Run(order, func(t *testing.T) {
			f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
			defer f.close()
			ids := f.visitors("a", "b", "m", "p", "x")
			f.merged(ids["a"], ids["p"])
			f.own(ids["a"], event.NameUnsubscribed, `{}`)
			f.advance(time.Hour)
			f.unmerge(ids["p"])
			f.advance(time.Hour)
			f.own(ids["b"], event.NameSubscribed, `{}`)
			f.own(ids["m"], event.NameSubscribed, `{}`)
			given := f.now()
			if order == "as a part of another" {
				f.merged(ids["m"], ids["p"])
				f.merged(ids["b"], ids["m"])
			} else {
				f.merged(ids["b"], ids["p"])
			}
			f.merged(ids["b"], ids["x"])
			f.unmerge(ids["x"])
			if f.profile("anonymous_id", "b").Subscribed() {
				t.Error("she gets mail again")
			}
			if !f.profile("anonymous_id", "x").Subscribed() {
				t.Error("the other, who never withdrew, gets none")
			}
			reason, err := f.Explain(context.Background(), compile(t, togetherRules, togetherTraits), ids["b"], "open", given.UnixMicro(), engine.Then)
			if err != nil || reason.Value != true {
				t.Errorf("before she merged: %+v, %v", reason, err)
			}
			f.verify()
		})
	}
}

// Who is in a segment because of a withdrawal that holds for her is so since it was told, however many merges are undone.
func TestMembersByAWithdrawalOfBothAreSinceItWasTold(t *testing.T) {
	rules := map[string]string{"gone": `!profile.subscribed`}
	f := start(t, t.TempDir(), epoch, compile(t, rules, nil))
	defer f.close()
	ids := f.visitors("a", "c", "d")
	f.merged(ids["c"], ids["d"])
	f.merged(ids["a"], ids["c"])
	told := f.now()
	f.send(told.Add(-10*time.Minute), map[string]any{"type": "track", "event": event.NameUnsubscribed, "anonymousId": "a"})
	f.advance(time.Hour)
	f.unmerge(ids["c"])
	f.unmerge(ids["d"])
	for _, who := range []string{"a", "c", "d"} {
		if since := f.profile("anonymous_id", who).Segments.Map()["gone"]; since != told.UnixMicro() {
			t.Errorf("%s is gone since %v, want %v", who, time.UnixMicro(since).UTC(), told)
		}
	}
	f.verify()
}
