package engine

import (
	"slices"
	"testing"
	"time"
)

// A doubt is longer the sooner what is relied upon is wrong again, within bounds.
func TestADoubtGrowsAndShrinks(t *testing.T) {
	d := doubt{least: time.Second}
	now := time.Unix(1e9, 0)
	if d.holds(now) {
		t.Error("there is doubt before anything was wrong")
	}
	var spans []time.Duration
	for _, well := range []time.Duration{ // for how long all went well since the last one ended
		time.Hour, 0, 0, 999 * time.Millisecond, 0, 0, 0, 0, time.Second, 2 * time.Second, time.Millisecond, 1000 * time.Hour,
	} {
		now = now.Add(well)
		if d.holds(now) {
			t.Fatalf("after %v the doubt still holds", spans)
		}
		d.begin(now)
		d.begin(now.Add(d.span / 2)) // of the same cause
		if !d.holds(now.Add(d.span - 1)) {
			t.Fatalf("after %v the doubt ends before its time", spans)
		}
		spans, now = append(spans, d.span/time.Second), now.Add(d.span)
	}
	if want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 64, 32, 8, 16, 1}; !slices.Equal(spans, want) {
		t.Errorf("the doubts last %d seconds, want %d", spans, want)
	}
}
