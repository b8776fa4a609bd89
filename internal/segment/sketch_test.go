package segment

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Up to its size a sketch gives the numbers that a full sort gives.
func TestSketchIsExactWhenSmall(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 4, 5, 6, 9, 10, 1000, sketchSize} {
		var s Sketch
		var all []float64
		for range n {
			x := float64(random.IntN(50))
			s.Add(x)
			all = append(all, x)
		}
		slices.Sort(all)
		cuts := s.Cuts(5)
		if n == 0 {
			if cuts != nil {
				t.Error(cuts)
			}
			continue
		}
		for k := 1; k < 5; k++ {
			if want := all[(k*n+4)/5-1]; cuts[k-1] != want {
				t.Errorf("%d numbers: cut %d is %v, want %v", n, k, cuts[k-1], want)
			}
		}
	}
}

// A million numbers, in any order, are cut within a fraction of a per mille of the ranks, in bounded memory.
func TestSketchOfMany(t *testing.T) {
	const n = 1_000_000
	random := rand.New(rand.NewPCG(2, 2))
	for name, number := range map[string]func(i int) float64{
		"ascending": func(i int) float64 { return float64(i) }, "descending": func(i int) float64 { return float64(n - i) },
		"random": func(int) float64 { return random.NormFloat64() },
	} {
		var s Sketch
		all := make([]float64, n)
		for i := range all {
			all[i] = number(i)
			s.Add(all[i])
		}
		slices.Sort(all)
		held := 0
		for _, level := range s.levels {
			held += len(level)
		}
		if held > 6*sketchSize {
			t.Errorf("%s: %d numbers held", name, held)
		}
		for k, cut := range s.Cuts(5) {
			rank, _ := slices.BinarySearch(all, cut)
			if off := float64(rank)/n - float64(k+1)/5; off > 0.0005 || off < -0.0005 {
				t.Errorf("%s: cut %d is off by %v", name, k, off)
			}
		}
	}
}
