package segment

import (
	"math"
	"slices"
)

// sketchSize is how many numbers a level of a sketch holds. Up to so many a sketch is exact.
const sketchSize = 32_768

// Sketch summarises numbers so that it can tell where parts of them begin, in memory that grows with the logarithm of how
// many there are. Levels hold numbers that stand for 1, 2, 4, … of those added; a full one is sorted and every second of
// its numbers goes up, the odd and the even ones by turns (Manku, Rajagopalan and Lindsay, Approximate medians, 1998). A rank
// is off by at most half the number of levels above the first in sketchSize: 0.01 % at a million numbers. The zero value is
// empty.
type Sketch struct {
	N      int // numbers added
	levels [][]float64
	odd    []bool // which of a level goes up next
}

// Add takes a number.
func (s *Sketch) Add(x float64) {
	s.N++
	s.put(0, x)
}

func (s *Sketch) put(level int, x float64) {
	if level == len(s.levels) {
		s.levels, s.odd = append(s.levels, nil), append(s.odd, false)
	}
	s.levels[level] = append(s.levels[level], x)
	if len(s.levels[level]) <= sketchSize {
		return
	}
	full := s.levels[level]
	last := full[len(full)-1] // it stays, so that an even number goes
	full = full[:len(full)-1]
	slices.Sort(full)
	from := 0
	if s.odd[level] {
		from = 1
	}
	s.odd[level] = !s.odd[level]
	for i := from; i < len(full); i += 2 {
		s.put(level+1, full[i])
	}
	s.levels[level] = append(full[:0], last)
}

// Cuts gives the parts-1 numbers that cut what was added into parts of equal size: the k-th is the ⌈k·N/parts⌉-th smallest.
// None without numbers.
func (s *Sketch) Cuts(parts int) []float64 {
	type weighted struct {
		x      float64
		weight int
	}
	var all []weighted
	total := 0
	for level, numbers := range s.levels {
		for _, x := range numbers {
			all = append(all, weighted{x, 1 << level})
			total += 1 << level
		}
	}
	if total == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b weighted) int {
		switch {
		case a.x < b.x:
			return -1
		case a.x > b.x:
			return 1
		}
		return 0
	})
	cuts := make([]float64, 0, parts-1)
	rank, i := 0, -1
	for k := 1; k < parts; k++ {
		want := int(math.Ceil(float64(k) * float64(total) / float64(parts)))
		for rank < want {
			i++
			rank += all[i].weight
		}
		cuts = append(cuts, all[i].x)
	}
	return cuts
}

// Cuts are where the parts of a quantile begin among all customers, as they were learned.
type Cuts struct {
	At        []float64 `json:"at"`         // ascending, one less than parts; none where nobody had a value
	Customers int       `json:"customers"`  // who had a value
	Of        int64     `json:"of"`         // the id of the newest profile
	LearnedAt int64     `json:"learned_at"` // µs
}
