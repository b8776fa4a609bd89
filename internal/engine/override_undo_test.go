package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// says has somebody put a profile out of a segment.
func (f *fixture) says(id int64, segment string) {
	f.advance(time.Minute)
	if err := f.Override(context.Background(), id, profile.Override{Kind: profile.OverrideSegment, Name: segment, Value: false, By: "ada"}); err != nil {
		f.t.Fatal(err)
	}
}

// lifts lets events decide again.
func (f *fixture) lifts(id int64, segment string) {
	f.advance(time.Minute)
	if err := f.LiftOverride(context.Background(), id, profile.OverrideSegment, segment, "bob"); err != nil {
		f.t.Fatal(err)
	}
}

// was reports whether a profile is said to have been in a segment a minute after a moment, and whether by somebody's word.
func (f *fixture) was(rules *engine.Rules, id int64, segment string, at time.Time) (in, overridden bool) {
	reason, err := f.Explain(context.Background(), rules, id, segment, at.Add(time.Minute).UnixMicro(), engine.Then)
	if err != nil {
		f.t.Fatal(err)
	}
	return reason.Value == true, reason.Overridden != nil
}

// What was said while two were one holds for both when they are taken apart: in the past, too, and until it is lifted for each.
func TestWhatWasSaidOfBothIsOnRecordForEach(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	ids := f.visitors("c", "a", "b")
	f.merged(ids["a"], ids["b"])
	f.says(ids["a"], "mix")
	mix := f.now()
	f.advance(time.Hour)
	f.lifts(ids["a"], "mix")
	lifted := f.now()
	f.advance(time.Hour)
	f.says(ids["a"], "open")
	open := f.now()
	f.advance(time.Hour)
	f.unmerge(ids["b"])
	f.advance(time.Hour)
	f.lifts(ids["b"], "open")
	alone := f.now()
	f.advance(time.Hour)
	f.merged(ids["c"], ids["b"]) // b is a part of a third now
	f.verify()
	for _, c := range []struct {
		segment string
		at      time.Time
		a, b    bool // whether somebody's word held
	}{
		{"mix", mix.Add(-time.Hour), false, false},
		{"mix", mix, true, true},
		{"mix", lifted, false, false},
		{"open", mix, false, false},
		{"open", open, true, true},
		{"open", alone, true, false},
	} {
		for who, word := range map[string]bool{"a": c.a, "b": c.b} {
			if in, overridden := f.was(compile(t, togetherRules, togetherTraits), ids[who], c.segment, c.at); in == word || overridden != word {
				t.Errorf("%s in %s at %v: %v, by hand %v, want %v", who, c.segment, c.at, in, overridden, word)
			}
		}
	}
	f.merged(ids["a"], ids["b"])
	all, err := f.store.OverrideHistory(context.Background(), ids["a"])
	if err != nil || len(all) != 3 {
		t.Errorf("one again, they were told %+v, %v; want what both had once, and two ends of the other", all, err)
	}
}

// What was said of somebody alone goes with her, though she has met others since: it is nothing to one whom they are rid of.
func TestWhatWasSaidOfOneWhoCameLaterIsHersAlone(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	ids := f.visitors("a", "b", "c")
	f.merged(ids["a"], ids["b"])
	f.says(ids["c"], "open")
	f.merged(ids["a"], ids["c"])
	f.unmerge(ids["b"])
	f.verify()
	want := map[string]bool{"a": false, "b": true, "c": false} // a and c are one
	for name, in := range want {
		if p := f.profile("anonymous_id", name); p.InSegment("open") != in {
			t.Errorf("%s is in: %v, want %v", name, p.InSegment("open"), in)
		}
	}
	f.unmerge(ids["c"])
	f.verify()
	for name, in := range map[string]bool{"a": true, "b": true, "c": false} {
		if p := f.profile("anonymous_id", name); p.InSegment("open") != in {
			t.Errorf("taken apart, %s is in: %v, want %v", name, p.InSegment("open"), in)
		}
	}
}
