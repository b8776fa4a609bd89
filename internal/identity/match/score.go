package match

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

type scored struct {
	pairs    []Pair
	compared int64
	dropped  int
}

// stretch is how many records a worker takes at a time.
const stretch = 2048

// score weighs every candidate pair and keeps those at or over the threshold.
func (x *index) score(ctx context.Context, m *Model, o Options) (scored, error) {
	var all scored
	var mu sync.Mutex
	n := x.records.Len()
	least := bitsOf(o.Threshold)
	marks := make(chan seen, o.Workers)
	for range o.Workers {
		marks <- x.newSeen()
	}
	stretches := (n + stretch - 1) / stretch
	done := 0
	err := parallel(ctx, o.Workers, stretches, func(i int) {
		seen := <-marks
		defer func() { marks <- seen }()
		var found []Pair
		var compared int64
		for a := i * stretch; a < min(n, (i+1)*stretch); a++ {
			x.partners(uint32(a), seen, true, func(b uint32) {
				compared++
				if bits, over := m.weighOver(uint32(a), b, least); over {
					found = append(found, Pair{Bits: bits, a: uint32(a), b: b})
				}
			})
		}
		mu.Lock()
		defer mu.Unlock()
		all.compared += compared
		all.pairs = append(all.pairs, found...)
		if len(all.pairs) > 2*o.MaxPairs {
			all.trim(o.MaxPairs)
		}
		done++
		o.Progress(Scoring, float64(done)/float64(stretches))
	})
	all.trim(o.MaxPairs)
	for i := range all.pairs {
		p := &all.pairs[i]
		p.A, p.B = x.records.ids[p.a], x.records.ids[p.b]
		p.Probability = probability(p.Bits)
	}
	return all, err
}

// trim keeps the most probable pairs, in order.
func (s *scored) trim(most int) {
	slices.SortFunc(s.pairs, func(p, q Pair) int {
		return cmp.Or(cmp.Compare(q.Bits, p.Bits), cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b))
	})
	if over := len(s.pairs) - most; over > 0 {
		s.dropped += over
		s.pairs = s.pairs[:most]
	}
}
