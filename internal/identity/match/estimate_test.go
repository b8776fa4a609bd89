package match

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Pairs drawn from a known m, u and known rates give these back.
func TestMaximiseFindsWhatMadeThePairs(t *testing.T) {
	truth := parameters{
		m:       [][]float64{{0.1, 0.2, 0.7}, {0.3, 0.7}, {0.05, 0.15, 0.8}, {0.2, 0.8}},
		u:       [][]float64{{0.95, 0.03, 0.02}, {0.99, 0.01}, {0.97, 0.02, 0.01}, {0.9, 0.1}},
		shared:  []bool{false, false, true, true},
		lasting: []bool{true, false, false, false},
	}
	random := rand.New(rand.NewPCG(3, 4))
	draw := func(row []float64) pattern {
		x := random.Float64()
		for l, p := range row {
			if x -= p; x < 0 {
				return pattern(l + 1)
			}
		}
		return pattern(len(row))
	}
	rule := func(at rates, without []int) sample {
		counts := newCounter([]*comparison{{fields: []int{0}}, {fields: []int{1}}, {fields: []int{2}}, {fields: []int{3}}}, without)
		for range 60_000 {
			class := random.Float64()
			var p pattern
			for c := range truth.m {
				row := truth.u[c]
				if class < at.same || truth.shared[c] && class < at.same+at.household {
					row = truth.m[c]
				}
				if random.Float64() < 0.9 { // the rest is missing
					p |= draw(row) << (4 * c)
				}
			}
			counts.add(p)
		}
		return counts.sample()
	}
	want := []rates{{0.2, 0.1}, {0.02, 0.05}, {0.4, 0.02}, {0.1, 0.3}}
	var samples []sample
	for i, at := range want {
		samples = append(samples, rule(at, []int{i})) // each rule blocks on another field
	}
	learnt := parameters{u: truth.u, shared: truth.shared, lasting: truth.lasting}
	var even [][]float64
	for _, row := range truth.m {
		even = append(even, slices.Repeat([]float64{1 / float64(len(row))}, len(row)))
	}
	learnt.m = clone2(even)
	got := learnt.maximise(samples, even)
	for c, row := range truth.m {
		for l := range row {
			if math.Abs(learnt.m[c][l]-row[l]) > 0.02 {
				t.Errorf("m of comparison %d, level %d: learnt %.3f, true %.3f", c, l, learnt.m[c][l], row[l])
			}
		}
	}
	for i := range want {
		if math.Abs(got[i].same-want[i].same) > 0.02 {
			t.Errorf("rule %d: learnt a share of %.3f, true %.3f", i, got[i].same, want[i].same)
		}
	}
}

// Of a hundred million pairs, a sample tells how many are one person.
func TestProportionsOfASample(t *testing.T) {
	p := parameters{
		m: [][]float64{{0.1, 0.9}, {0.1, 0.9}, {0.1, 0.9}}, u: [][]float64{{0.99, 0.01}, {0.99, 0.01}, {0.99, 0.01}},
		shared: []bool{false, false, true},
	}
	// 1,000 pairs of one person and the coincidences that u expects, counted exactly.
	total := 1e8
	counts := map[pattern]float64{}
	for bits := range pattern(8) {
		same, strangers, of := 1.0, 1.0, pattern(0)
		for c := range 3 {
			l := bits >> c & 1
			of |= (l + 1) << (4 * c)
			same *= p.m[c][l]
			strangers *= p.u[c][l]
		}
		counts[of] = 1000*same + (total-1000)*strangers
	}
	s := (&counter{counts: counts}).sample()
	got := p.proportions(s, 1, total, rates{1e-7, 1e-8})
	if n := got.same * total; math.Abs(n-1000) > 20 {
		t.Errorf("estimated %.0f pairs of 1000", n)
	}
}
