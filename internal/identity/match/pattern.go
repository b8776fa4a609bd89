package match

import (
	"cmp"
	"slices"
)

// pattern is the outcome of all comparisons of one pair: four bits each, the level + 1, 0 for missing.
type pattern uint64

func (p pattern) level(comparison int) int { return int(p>>(4*comparison)&15) - 1 }

// sample counts the patterns of some pairs. Comparisons that share a field with what chose the pairs are left out of them.
type sample struct {
	patterns []counted
	total    float64
}

type counted struct {
	pattern pattern
	count   float64
}

// counter gathers a sample.
type counter struct {
	counts map[pattern]float64
	keep   pattern // the bits of the comparisons that count
}

func newCounter(all []*comparison, without []int) *counter {
	c := &counter{counts: map[pattern]float64{}}
	for i, one := range all {
		if !overlaps(one.fields, without) {
			c.keep |= 15 << (4 * i)
		}
	}
	return c
}

func overlaps(a, b []int) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

func (c *counter) add(p pattern) { c.counts[p&c.keep]++ }

// sample is what was counted, in the order of the patterns, so that sums come out the same each time.
func (c *counter) sample() sample {
	var s sample
	for p, n := range c.counts {
		s.patterns = append(s.patterns, counted{p, n})
		s.total += n
	}
	slices.SortFunc(s.patterns, func(a, b counted) int { return cmp.Compare(a.pattern, b.pattern) })
	return s
}
