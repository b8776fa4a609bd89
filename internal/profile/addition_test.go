package profile_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// What is stored of a profile before a filling, and what that added, is the profile after it, however many fillings there were;
// and so is a profile in memory that takes what it has already.
func TestAnAdditionIsWhatAFillingChanged(t *testing.T) {
	set, err := segment.Compile([]segment.Definition{{Name: "a", Condition: `events("A").within("30d").count() >= 3`}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	term := set.Nodes[0].Program.Terms[0]
	rapid.Check(t, func(t *rapid.T) {
		before := anyProfile(t)
		state := before.State()
		var added profile.Addition
		for range rapid.IntRange(1, 3).Draw(t, "fillings") {
			p, err := profile.ReadAdded(7, state, added)
			if err != nil {
				t.Fatal(err)
			}
			mark := p.Mark()
			terms := rapid.SliceOfNDistinct(rapid.Int64Range(1, 9), 0, 3, rapid.ID).Draw(t, "terms")
			for _, id := range terms {
				p.Aggregates.Of(id).Add(term, expr.Entry{At: rapid.Int64Range(1, 100).Draw(t, "at")}, 100)
			}
			for rule := range int64(6) {
				if rapid.Bool().Draw(t, "set") {
					p.Timers.Set(rule, rapid.Int64Range(0, 9).Draw(t, "timer"))
				}
			}
			names := rapid.SampledFrom([]string{"", "a", "ab", "zz", "é"})
			for range rapid.IntRange(0, 4).Draw(t, "memberships") {
				if name := names.Draw(t, "name"); !p.Segments.Leave(name) {
					p.Segments.Enter(name, rapid.Int64Range(1, 1<<50).Draw(t, "since"))
				}
			}
			p.UpdatedAt++
			more, all := p.AdditionSince(&mark, terms)
			if !all {
				t.Fatal("not all can be told")
			}
			added = more
			again, err := profile.ReadAdded(7, state, added)
			if err != nil {
				t.Fatal(err)
			}
			want := p.State()
			if have := again.State(); !bytes.Equal(have, want) {
				t.Fatalf("%x was stored and %x added, which is %x in place of %x", state, added, have, want)
			}
			if err := p.Add(added); err != nil || !bytes.Equal(p.State(), want) {
				t.Fatalf("added once more, %x became %x, %v", want, p.State(), err)
			}
		}
	})
}

// What an addition cannot tell is stored with the profile.
func TestAComputedTraitIsNoAddition(t *testing.T) {
	p := profile.New(1, 0)
	p.Computed.Set("a", 1.0)
	mark := p.Mark()
	if _, all := p.AdditionSince(&mark, nil); !all {
		t.Error("nothing cannot be added")
	}
	p.Computed.Set("a", 2.0)
	if _, all := p.AdditionSince(&mark, nil); all {
		t.Error("the trait was forgotten")
	}
	p.Computed.Set("a", 1.0)
	for rule := range int64(profile.MostAdded) {
		p.Timers.Set(rule+1, 1)
	}
	if added, all := p.AdditionSince(&mark, nil); all {
		t.Errorf("%d bytes were added", len(added))
	}
}
