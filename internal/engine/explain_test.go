package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// What the past is said to have been is what was recorded while it was the present.
func TestThePastIsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := startWith(rt, t.TempDir(), epoch, compile(rt, togetherRules, togetherTraits), generous())
		defer func() { f.close() }()
		ctx := context.Background()
		if err := f.WaitFilled(ctx); err != nil {
			rt.Fatal(err)
		}
		type record struct {
			at       time.Time
			id       int64
			segments map[string]int64
		}
		var records []record
		for i := range rapid.IntRange(3, 25).Draw(rt, "steps") {
			f.advance(time.Millisecond)
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0, 1:
				f.advance(time.Duration(rapid.Int64Range(0, 72).Draw(rt, "hours")) * time.Hour)
			case 2:
				a, b := f.living(rt, "one"), f.living(rt, "other")
				if a != b {
					if _, err := f.Merge(ctx, a, b, engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
						rt.Fatal(err)
					}
				}
			case 3:
				if id := f.living(rt, "whom"); id != 0 {
					o := profile.Override{Kind: "trait", Name: rapid.SampledFrom([]string{"vip", "spent"}).Draw(rt, "which"), Value: 9.0}
					if rapid.Bool().Draw(rt, "a while") {
						o.Until = f.now().Add(30 * time.Hour).UnixMicro()
					}
					if rapid.Bool().Draw(rt, "segment") {
						o.Kind, o.Name, o.Value = "segment", "busy", rapid.Bool().Draw(rt, "in")
					}
					if err := f.Override(ctx, id, o); err != nil {
						rt.Fatal(err)
					}
				}
			case 4:
				if id := f.living(rt, "whom"); id != 0 {
					if err := f.LiftOverride(ctx, id, "segment", "busy", ""); err != nil && fault.CodeOf(err) != fault.NotFound {
						rt.Fatal(err)
					}
				}
			default:
				body := map[string]any{
					"type": "track", "messageId": fmt.Sprint("m", i), "event": rapid.SampledFrom([]string{"A", "B", "Unsubscribed"}).Draw(rt, "event"),
					"properties": map[string]any{"n": rapid.IntRange(0, 4).Draw(rt, "n")},
				}
				if rapid.Bool().Draw(rt, "identify") {
					body = map[string]any{"type": "identify", "messageId": fmt.Sprint("m", i), "traits": map[string]any{"vip": rapid.Bool().Draw(rt, "vip")}}
				}
				if body["anonymousId"] = fmt.Sprint("a", rapid.IntRange(1, 4).Draw(rt, "anonymous")); rapid.Bool().Draw(rt, "known") {
					body["userId"] = fmt.Sprint("u", rapid.IntRange(1, 3).Draw(rt, "user"))
				}
				f.send(f.now().Add(-time.Duration(rapid.Int64Range(-24, 96).Draw(rt, "ago"))*time.Hour), body)
			}
			f.verify() // every timer that is due has fired
			profiles, _, err := f.store.ProfileRange(ctx, 1, 1000, 1000)
			if err != nil {
				rt.Fatal(err)
			}
			for _, p := range profiles {
				records = append(records, record{f.now(), p.ID, p.Segments.Map()})
			}
		}
		for _, r := range records {
			for name := range togetherRules {
				reason, err := f.Explain(ctx, compile(rt, togetherRules, togetherTraits), r.id, name, r.at.UnixMicro(), engine.Then)
				if err != nil {
					rt.Fatal(err)
				}
				since, was := r.segments[name]
				if reason.Value != was || was && reason.Since.UnixMicro() != since {
					rt.Fatalf("profile %d at %v: in %s %v since %v, recorded %v since %v", r.id, r.at, name, reason.Value, reason.Since, was, time.UnixMicro(since).UTC())
				}
				if reason.Overridden == nil && reason.Explanation.Holds != was {
					rt.Fatalf("profile %d at %v: %s is explained as %v, recorded %v", r.id, r.at, name, reason.Explanation.Holds, was)
				}
			}
		}
	})
}

func TestExplainTellsTheEventsAndWhatItUses(t *testing.T) {
	segments := map[string]string{"busy": `events("Order").within("7d").count() >= 2`, "good": `"busy" in segments && profile.spent > 5`}
	traits := map[string]string{"spent": `events("Order").sum(e, e.properties.total)`}
	f := start(t, t.TempDir(), epoch, compile(t, segments, traits))
	defer f.close()
	ctx := context.Background()
	for range 2 {
		f.advance(time.Hour)
		f.send(f.now(), track("u", "Order", map[string]any{"total": 4}))
	}
	id, then := f.profile("user_id", "u").ID, f.now()
	f.advance(30 * 24 * time.Hour)
	reason, err := f.Explain(ctx, compile(t, segments, traits), id, "good", then.UnixMicro(), engine.Then)
	if err != nil {
		t.Fatal(err)
	}
	if reason.Value != true || !reason.Since.Equal(then) || len(reason.Uses) != 2 || reason.Uses[0].Name != "busy" || reason.Uses[1].Value != 8.0 {
		t.Fatalf("got %+v", reason)
	}
	busy := reason.Uses[0].Explanation
	if want := epoch.Add(time.Hour + 7*24*time.Hour); busy.NextChange == nil || !busy.NextChange.Equal(want) {
		t.Errorf("changes at %v, want %v", busy.NextChange, want)
	}
	if evidence := busy.Clause.Evidence; len(evidence) != 1 || len(evidence[0].Events) != 2 || evidence[0].Events[0].MessageID != "m2" {
		t.Errorf("evidence %+v", evidence)
	}
	now, err := f.Explain(ctx, compile(t, segments, traits), id, "good", f.now().UnixMicro(), engine.Then)
	if err != nil || now.Value != false || now.Since != nil {
		t.Errorf("now %+v, %v", now, err)
	}
	if _, err := f.Explain(ctx, compile(t, segments, traits), id, "good", epoch.Add(-time.Hour).UnixMicro(), engine.Then); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("before it began: %v", err)
	}
	// What was imported later is known in hindsight alone.
	f.send(epoch.Add(-40*24*time.Hour), track("u", "Order", nil))
	f.send(epoch.Add(-41*24*time.Hour), track("u", "Order", nil))
	at := epoch.Add(-39 * 24 * time.Hour).UnixMicro()
	late, err := f.Explain(ctx, compile(t, segments, traits), id, "busy", at, engine.Now)
	if err != nil || late.Value != true || !late.Since.Equal(epoch.Add(-40*24*time.Hour)) {
		t.Errorf("in hindsight %+v, %v", late, err)
	}
}

// An event that makes two customers one is taken by the one: what only the merge, without it, would say was never so.
func TestAMergeAndItsEventAreOneMoment(t *testing.T) {
	segments := map[string]string{"vips": `profile.vip == true`}
	f := start(t, t.TempDir(), epoch, compile(t, segments, nil))
	defer f.close()
	vip := func(user, anonymous string, is bool) {
		f.advance(time.Hour)
		e := map[string]any{"type": "identify", "traits": map[string]any{"vip": is}}
		if user != "" {
			e["userId"] = user
		}
		if anonymous != "" {
			e["anonymousId"] = anonymous
		}
		f.send(f.now(), e)
	}
	vip("u", "", true)
	vip("", "a", false)
	vip("u", "a", true)
	began := epoch.Add(time.Hour)
	p := f.profile("user_id", "u")
	if since := p.Segments.Map()["vips"]; since != began.UnixMicro() || len(p.Absorbed) != 1 {
		t.Fatalf("since %v, of %v", time.UnixMicro(since).UTC(), p.Absorbed)
	}
	reason, err := f.Explain(context.Background(), compile(t, segments, nil), p.ID, "vips", f.now().UnixMicro(), engine.Then)
	if err != nil || reason.Since == nil || !reason.Since.Equal(began) {
		t.Errorf("explained %+v, %v", reason, err)
	}
}

// A withdrawal that holds for both sides of a merge that was undone is known to the past of both, from its time on; of who
// merged with one of them later, from then on.
func TestThePastKnowsAWithdrawalThatHoldsForBoth(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	ids := map[string]int64{}
	for _, name := range []string{"a", "b", "c"} {
		f.send(f.now(), visit(name, "", "A"))
		ids[name] = f.profile("anonymous_id", name).ID
	}
	merge := func(one, other string) {
		t.Helper()
		f.advance(time.Hour)
		if _, err := f.Merge(context.Background(), ids[one], ids[other], engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
			t.Fatal(err)
		}
		f.advance(time.Hour)
	}
	merge("b", "c")
	told := f.now()
	f.send(told, map[string]any{"type": "track", "event": "Unsubscribed", "anonymousId": "b"})
	f.unmerge(ids["c"])
	merge("a", "c")
	for _, want := range []struct {
		of   string
		at   time.Time
		open bool
	}{
		{"b", told.Add(-time.Minute), true},
		{"c", told.Add(-time.Minute), true},
		{"b", told.Add(time.Minute), false},
		{"c", told.Add(time.Minute), false},
		{"a", told.Add(time.Minute), true},
		{"a", f.now(), false},
	} {
		reason, err := f.Explain(context.Background(), compile(t, togetherRules, togetherTraits), ids[want.of], "open", want.at.UnixMicro(), engine.Then)
		if err != nil || reason.Value != want.open || reason.Explanation.Holds != want.open {
			t.Errorf("%s at %v: %+v, %v", want.of, want.at, reason, err)
		}
	}
}

// Of a segment that is filled from history its members are members since then; since when it has really been so is
// explained: by what arrived in its order, or by the times that events say of themselves.
func TestSinceWhenMembersOfANewSegmentReallyAre(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, nil))
	defer f.close()
	ctx := context.Background()
	segments := map[string]string{"loyal": `events("Order").count() >= 2`}
	for _, ago := range []time.Duration{0, 50 * 24 * time.Hour, 30 * 24 * time.Hour} { // the second order arrives after an hour, and is 50 days old
		f.send(f.now().Add(-ago), track("u", "Order", nil))
		f.advance(time.Hour)
	}
	if err := f.SetRules(ctx, compile(t, segments, nil)); err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFilled(ctx); err != nil {
		t.Fatal(err)
	}
	p := f.profile("user_id", "u")
	if since := p.Segments.Map()["loyal"]; since != f.now().UnixMicro() {
		t.Errorf("kept since %v", time.UnixMicro(since).UTC())
	}
	for known, want := range map[engine.Hindsight]time.Time{
		engine.Then: epoch.Add(time.Hour),
		engine.Now:  epoch.Add(2*time.Hour - 30*24*time.Hour),
	} {
		reason, err := f.Explain(ctx, compile(t, segments, nil), p.ID, "loyal", f.now().UnixMicro(), known)
		if err != nil || reason.Since == nil || !reason.Since.Equal(want) {
			t.Errorf("hindsight %v: %+v, %v; want since %v", known, reason, err, want)
		}
	}
}
