package profile_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// The aggregates of a profile are a map by term, whatever is stored and read between, and however large they are.
func TestAggregatesAreAMap(t *testing.T) {
	set, err := segment.Compile([]segment.Definition{{Name: "a", Condition: `events("A").within("3000d").sum(e, e.properties.x) >= 3.0`}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	term := set.Nodes[0].Program.Terms[0]
	rapid.Check(t, func(t *rapid.T) {
		p := profile.New(1, 0)
		naive := map[int64]*expr.Aggregate{}
		at := int64(1)
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			id := rapid.Int64Range(1, 12).Draw(t, "term")
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1:
				if naive[id] == nil {
					naive[id] = &expr.Aggregate{}
				}
				for range rapid.SampledFrom([]int{1, 200}).Draw(t, "entries") { // 200 take more than what is closed once stored
					e := expr.Entry{At: at}
					p.Aggregates.Of(id).Add(term, e, at)
					naive[id].Add(term, e, at)
					at++
				}
			case 2:
				state := p.State()
				if rapid.Bool().Draw(t, "read") {
					if p, err = profile.FromState(1, state); err != nil {
						t.Fatal(err)
					}
				}
			case 3:
				p.Aggregates.Keep(func(have int64) bool { return have != id })
				delete(naive, id)
			case 4:
				p.Aggregates.Of(id) // nothing is added, and so nothing is stored
				p.State()
			case 5:
				pack(p)
				if rapid.Bool().Draw(t, "unread") {
					continue
				}
			}
			for id := int64(1); id <= 12; id++ {
				have, want := p.Aggregates.Get(id), naive[id]
				if have == nil && want == nil {
					continue
				}
				if have == nil || want == nil || !bytes.Equal(have.Append(nil), want.Append(nil)) {
					t.Fatalf("term %d is %v, not %v", id, have, want)
				}
			}
		}
	})
}
