package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

func TestOverridesWinOverEventsUntilTheyAreLifted(t *testing.T) {
	rules := func() *engine.Rules {
		return compile(t, map[string]string{
			"buyers": `events("Order").exists()`, "vips": `profile.vip == true`, "big": `profile.spent > 100`,
			"both": `"buyers" in segments && "big" in segments`,
		}, map[string]string{"spent": `events("Order").sum(e, e.properties.total)`})
	}
	f := start(t, t.TempDir(), epoch, rules())
	defer func() { f.close() }()
	ctx := context.Background()
	f.send(epoch, map[string]any{"type": "identify", "userId": "u", "traits": map[string]any{"vip": false}})
	id := f.profile("user_id", "u").ID
	set := func(kind, name string, value any, until time.Time) {
		t.Helper()
		o := profile.Override{Kind: kind, Name: name, Value: value, By: "ada", Note: "by phone"}
		if !until.IsZero() {
			o.Until = until.UnixMicro()
		}
		if err := f.Override(ctx, id, o); err != nil {
			t.Fatal(err)
		}
		f.verify()
	}
	in := func(want map[string]bool) {
		t.Helper()
		p := f.profile("user_id", "u")
		for name, want := range want {
			if p.InSegment(name) != want {
				t.Errorf("in %s: %v", name, !want)
			}
		}
	}
	f.advance(time.Hour)
	set("segment", "buyers", true, time.Time{})
	set("trait", "vip", true, time.Time{})
	set("trait", "spent", 500.0, f.now().Add(48*time.Hour))
	in(map[string]bool{"buyers": true, "vips": true, "big": true, "both": true})
	if since := f.profile("user_id", "u").Segments.Map()["both"]; since != f.now().UnixMicro() {
		t.Errorf("since %v", time.UnixMicro(since).UTC())
	}
	// Events do not change what a person said, nor does a restart.
	f.send(f.now(), map[string]any{"type": "identify", "userId": "u", "traits": map[string]any{"vip": false}})
	f.send(f.now(), track("u", "Order", map[string]any{"total": 3}))
	f.close()
	f.open(rules())
	in(map[string]bool{"buyers": true, "vips": true, "big": true, "both": true})
	f.verify()
	// Its time is over: events count again.
	f.advance(49 * time.Hour)
	f.verify()
	in(map[string]bool{"buyers": true, "vips": true, "big": false, "both": false})
	if p := f.profile("user_id", "u"); p.Computed.Get("spent") != 3.0 {
		t.Errorf("spent %v", p.Computed.Get("spent"))
	}
	history, _, err := f.store.Transitions(ctx, id, "big", "", 10)
	if err != nil || len(history) != 2 || history[0].Entered || history[0].Cause.Kind != engine.ByOverride ||
		history[0].At != epoch.Add(49*time.Hour).UnixMicro() || history[1].Cause.Kind != engine.ByOverride {
		t.Errorf("history %+v, %v", history, err)
	}
	set("segment", "buyers", false, time.Time{})
	in(map[string]bool{"buyers": false})
	for _, lifted := range [][2]string{{"segment", "buyers"}, {"trait", "vip"}} {
		if err := f.LiftOverride(ctx, id, lifted[0], lifted[1], "bob"); err != nil {
			t.Fatal(err)
		}
	}
	in(map[string]bool{"buyers": true, "vips": false})
	f.verify()
	if err := f.LiftOverride(ctx, id, "trait", "vip", "bob"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("lifted twice: %v", err)
	}
	for _, wrong := range []profile.Override{
		{Kind: "trait", Name: "email", Value: "x@example.com"},
		{Kind: "segment", Name: "gone", Value: true},
		{Kind: "trait", Name: "vip", Value: true, Until: epoch.UnixMicro()},
	} {
		if err := f.Override(ctx, id, wrong); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
	all, err := f.store.OverrideHistory(ctx, id)
	if err != nil || len(all) != 4 || all[0].LiftedBy != "bob" || all[len(all)-1].By != "ada" {
		t.Errorf("history %+v, %v", all, err)
	}
}

func TestOverridesSurviveMergesAndTheirUndoing(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"vips": `profile.vip == true`, "good": `profile.score > 1`}, nil))
	defer f.close()
	ctx := context.Background()
	step := func(e map[string]any) { f.advance(time.Minute); f.send(f.now(), e) }
	override := func(id int64, kind, name string, value any) {
		t.Helper()
		f.advance(time.Minute)
		if err := f.Override(ctx, id, profile.Override{Kind: kind, Name: name, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	step(visit("a", "", "A"))
	step(visit("", "u", "A"))
	visitor, customer := f.profile("anonymous_id", "a").ID, f.profile("user_id", "u").ID
	override(customer, "trait", "vip", true)
	override(visitor, "trait", "score", 1.0)
	override(customer, "trait", "score", 5.0)
	override(customer, "trait", "level", 1.0) // earlier than the visitor's
	override(visitor, "trait", "level", 2.0)
	since := f.profile("user_id", "u").Segments.Map()["vips"]
	step(visit("a", "u", "B"))
	if p := f.profile("user_id", "u"); p.ID != visitor || !p.InSegment("vips") || !p.InSegment("good") {
		t.Fatalf("merged: %v of %v", p.Segments.Map(), p.Overrides)
	} else if level, _ := p.Trait("level"); level != 2.0 {
		t.Errorf("the earlier word won: level %v", level)
	}
	f.verify()
	override(visitor, "trait", "tier", "gold")
	f.unmerge(customer)
	f.verify()
	v, c := f.profile("anonymous_id", "a"), f.profile("user_id", "u")
	if v.InSegment("vips") || v.InSegment("good") || !c.InSegment("vips") || !c.InSegment("good") || c.Segments.Map()["vips"] != since {
		t.Errorf("visitor %v, customer %v", v.Segments, c.Segments.Map())
	}
	for _, p := range []*profile.Profile{v, c} {
		if tier, _ := p.Trait("tier"); tier != "gold" {
			t.Errorf("what was said while they were one does not hold for %d", p.ID)
		}
	}
}
