package match

import (
	"context"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
)

// How many pairs are looked at to learn.
const (
	randomPairs  = 1_000_000 // for u
	pairsOfRule  = 75_000    // for m, of each rule
	pairsOverall = 1_000_000 // for the number of matches
	rounds       = 5         // u and m are corrected by each other
)

// learn estimates a model from the records themselves.
func learn(ctx context.Context, r *Records, x *index, o Options) (*Model, error) {
	m := newModel(r)
	random := rand.New(rand.NewPCG(o.Seed, 0x7461696c6f726264))
	met, err := m.observeRandom(ctx, o)
	if err != nil {
		return nil, err
	}
	var samples []sample
	for i, rule := range x.rules {
		if rule.rule.fields != nil {
			s, err := m.sampleRule(ctx, rule, random)
			if err != nil {
				return nil, err
			}
			samples = append(samples, s)
		}
		o.Progress(Learning, 0.2+0.4*float64(i+1)/float64(len(x.rules)))
	}
	overall, scale, err := m.sampleOverall(ctx, x, random, o)
	if err != nil {
		return nil, err
	}
	expected := clone2(m.p.m)
	m.rates = rates{1 / max(1, r.pairs()), 0.1 / max(1, r.pairs())}
	for i := range rounds {
		m.p.maximise(samples, expected)
		m.rates = m.p.proportions(overall, scale, r.pairs(), m.rates)
		m.correct(met)
		o.Progress(Learning, 0.7+0.3*float64(i+1)/rounds)
	}
	m.settle()
	return m, nil
}

// observed is how often random pairs end at the levels of a comparison.
type observed struct {
	shares [][]float64
	seen   []float64 // pairs with a value on both sides
}

// observeRandom compares random pairs, all of them where there are few, and takes what it sees for u.
func (m *Model) observeRandom(ctx context.Context, o Options) (observed, error) {
	pairs, chunks := m.randomPairs(o.Seed)
	counts := m.zeros()
	var mu sync.Mutex
	done := 0
	err := parallel(ctx, o.Workers, chunks, func(chunk int) {
		own := m.zeros()
		for a, b := range pairs(chunk) {
			if a == b {
				continue
			}
			for c, one := range m.comparisons {
				if g := one.grade(m.records, a, b); g.level != missing {
					own[c][g.level]++
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for c, row := range own {
			for l, k := range row {
				counts[c][l] += k
			}
		}
		done++
		o.Progress(Learning, 0.2*float64(done)/float64(chunks))
	})
	met := observed{counts, make([]float64, len(counts))}
	for c, row := range counts {
		for _, k := range row {
			met.seen[c] += k
		}
		for l := range row {
			// Half a pair is what a level that was never met may have had.
			row[l] = (row[l] + 0.5) / (met.seen[c] + 0.5*float64(len(row)))
		}
		m.p.u[c] = slices.Clone(row)
	}
	return met, err
}

// randomPairs gives the pairs to look at for u, in chunks: all pairs of few records, else random ones.
func (m *Model) randomPairs(seed uint64) (pairs func(chunk int) iter.Seq2[uint32, uint32], chunks int) {
	n := uint32(m.records.Len())
	if m.records.pairs() <= randomPairs {
		return func(a int) iter.Seq2[uint32, uint32] {
			return func(yield func(uint32, uint32) bool) {
				for b := uint32(a) + 1; b < n && yield(uint32(a), b); b++ {
				}
			}
		}, int(n)
	}
	const chunk = 20_000
	return func(i int) iter.Seq2[uint32, uint32] {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		return func(yield func(uint32, uint32) bool) {
			for range chunk {
				if !yield(random.Uint32N(n), random.Uint32N(n)) {
					return
				}
			}
		}
	}, randomPairs / chunk
}

// zeros has a number for each level of each comparison.
func (m *Model) zeros() [][]float64 {
	all := make([][]float64, len(m.comparisons))
	for c, one := range m.comparisons {
		all[c] = make([]float64, len(one.levels))
	}
	return all
}

// correct takes the pairs of one person, which are among random pairs too, out of u. In records that are half duplicates
// the agreement of random pairs is theirs more than chance.
func (m *Model) correct(met observed) {
	for c, row := range met.shares {
		var total float64
		for l, share := range row {
			least := max(share/100, 0.25/(met.seen[c]+1))
			m.p.u[c][l] = max((share-m.rates.same*m.p.m[c][l])/(1-m.rates.same), least)
			total += m.p.u[c][l]
		}
		for l := range row {
			m.p.u[c][l] /= total
		}
	}
}

// sampleRule counts the patterns of a rule's pairs, or of those of random blocks where there are many.
func (m *Model) sampleRule(ctx context.Context, b *blocking, random *rand.Rand) (sample, error) {
	counts := newCounter(m.comparisons, b.rule.fields)
	blocks := random.Perm(len(b.starts) - 1)
	left := pairsOfRule
	for _, i := range blocks {
		block := b.block(i)
		for j, x := range block {
			for _, y := range block[j+1:] {
				counts.add(m.pattern(x, y))
				left--
			}
		}
		if left <= 0 {
			break
		}
		if err := ctx.Err(); err != nil {
			return sample{}, err
		}
	}
	return counts.sample(), nil
}

// sampleOverall counts the patterns of the pairs that any rule gives, for random records; scale is what one of them
// stands for.
func (m *Model) sampleOverall(ctx context.Context, x *index, random *rand.Rand, o Options) (s sample, scale float64, err error) {
	counts := newCounter(m.comparisons, nil)
	marks := x.newSeen()
	order := random.Perm(m.records.Len())
	pairs, used := 0, 0
	for _, a := range order {
		if pairs >= pairsOverall {
			break
		}
		x.partners(uint32(a), marks, false, func(b uint32) {
			counts.add(m.pattern(uint32(a), b))
			pairs++
		})
		if used++; used%1000 == 0 {
			if err := ctx.Err(); err != nil {
				return sample{}, 0, err
			}
			o.Progress(Learning, 0.6+0.1*float64(pairs)/pairsOverall)
		}
	}
	// Every pair is met from both its sides.
	return counts.sample(), float64(len(order)) / float64(max(1, used)) / 2, ctx.Err()
}

func clone2(rows [][]float64) [][]float64 {
	all := make([][]float64, len(rows))
	for i, row := range rows {
		all[i] = slices.Clone(row)
	}
	return all
}
