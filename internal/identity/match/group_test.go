package match

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// weighed is a table of what pairs weigh; a pair that is not there speaks against by 3 bits.
type weighed map[[2]uint32]float64

func (w weighed) weigh(a, b uint32) float64 {
	if bits, ok := w[[2]uint32{min(a, b), max(a, b)}]; ok {
		return bits
	}
	return -3
}

func (w weighed) groups() *groups {
	g := &groups{weigh: w.weigh, of: map[uint32]int{}}
	var pairs []Pair
	for p, bits := range w {
		pairs = append(pairs, Pair{a: p[0], b: p[1], Bits: bits})
	}
	slices.SortFunc(pairs, func(p, q Pair) int { return int(q.Bits*1000 - p.Bits*1000) })
	g.joinAll(pairs)
	return g
}

func TestAChainDoesNotJoinWhatContradicts(t *testing.T) {
	for _, c := range []struct {
		name  string
		table weighed
		same  bool // are 0 and 2 one person
	}{
		{"a weak doubt is outvoted", weighed{{0, 1}: 8, {1, 2}: 8, {0, 2}: -2}, true},
		{"a contradiction holds", weighed{{0, 1}: 8, {1, 2}: 6, {0, 2}: -15}, false},
		{"a long chain of likely links", weighed{{0, 1}: 4, {1, 3}: 4, {3, 4}: 4, {4, 2}: 4, {0, 2}: -20}, false},
	} {
		g := c.table.groups()
		if got := g.of[0] == g.of[2]; got != c.same {
			t.Errorf("%s: %v", c.name, g.members)
		}
	}
}

// In every group each part speaks for the rest: no member is there against the evidence of all others together.
func TestGroupsAreConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := weighed{}
		for a := range uint32(9) {
			for b := range a {
				table[[2]uint32{b, a}] = rapid.Float64Range(-15, 15).Draw(t, "bits")
			}
		}
		g := table.groups()
		seen := map[uint32]bool{}
		for i, members := range g.members {
			var inside float64
			for at, a := range members {
				if seen[a] || g.of[a] != i {
					t.Fatalf("%d is in two groups: %v", a, g.members)
				}
				seen[a] = true
				for _, b := range members[:at] {
					inside += table.weigh(a, b)
				}
			}
			if inside < 0 {
				t.Fatalf("group %v speaks against itself by %v", members, inside)
			}
		}
	})
}
