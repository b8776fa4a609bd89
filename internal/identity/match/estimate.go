package match

import "math"

// parameters are what expectation-maximisation learns: for each comparison and level, how often pairs of one person (m)
// and of strangers (u) end there where both sides have a value. Each row sums to 1.
type parameters struct {
	m, u            [][]float64
	shared, lasting []bool
}

// rates are the classes' shares of the pairs of a sample; strangers are the rest.
type rates struct{ same, household float64 }

// prior holds what is believed of m before anything was seen, worth priorPairs pairs: it decides where data are few.
const priorPairs = 20

// likelihoods of a pattern in the three classes. People of one household agree on what is shared as one person does with
// herself, and on the rest as strangers do.
func (p *parameters) likelihoods(of pattern) (same, household, strangers float64) {
	same, household, strangers = 1, 1, 1
	for c := range p.m {
		l := of.level(c)
		if l == missing {
			continue
		}
		m, u := p.m[c][l], p.u[c][l]
		same *= m
		strangers *= u
		if p.shared[c] {
			household *= m
		} else {
			household *= u
		}
	}
	return same, household, strangers
}

// posterior is the probability of the first two classes.
func (p *parameters) posterior(of pattern, r rates) (same, household float64) {
	s, h, o := p.likelihoods(of)
	s, h, o = r.same*s, r.household*h, (1-r.same-r.household)*o
	if all := s + h + o; all > 0 {
		return s / all, h / all
	}
	return 0, 0
}

// steps bounds one expectation-maximisation; it has converged when no m moves by more than settled.
const (
	steps   = 200
	settled = 1e-5
)

// maximise learns m from samples, each with rates of its own, while u stays (Dempster, Laird, Rubin 1977; m by blocking
// rules as in Enamorado, Fifield, Imai 2019 and Linacre et al. 2022, here over all rules at once: a rule's pairs teach the
// comparisons that it does not block on). expected is the prior of m. It returns the rates of each sample.
func (p *parameters) maximise(samples []sample, expected [][]float64) []rates {
	shares := make([]rates, len(samples))
	for i := range shares {
		shares[i] = rates{0.1, 0.05}
	}
	for range steps {
		sums := make([][]float64, len(p.m))
		for c := range sums {
			sums[c] = make([]float64, len(p.m[c]))
			for l := range sums[c] {
				sums[c][l] = priorPairs * expected[c][l]
			}
		}
		for i, s := range samples {
			shares[i] = p.expect(s, shares[i], sums)
		}
		if p.update(sums) < settled {
			break
		}
	}
	return shares
}

// expect adds to sums the expected levels of the pairs of one person, and gives the new rates.
func (p *parameters) expect(s sample, at rates, sums [][]float64) rates {
	var same, household float64
	for _, one := range s.patterns {
		ps, ph := p.posterior(one.pattern, at)
		same += ps * one.count
		household += ph * one.count
		for c := range sums {
			if l := one.pattern.level(c); l != missing {
				sums[c][l] += ps * one.count
			}
		}
	}
	if s.total == 0 {
		return at
	}
	return rates{bound(same / s.total), bound(household / s.total)}
}

func bound(rate float64) float64 { return min(max(rate, 1e-15), 0.49) }

// update sets m and tells by how much it moved at most.
func (p *parameters) update(sums [][]float64) (moved float64) {
	for c, row := range sums {
		var total float64
		for _, n := range row {
			total += n
		}
		if p.lasting[c] && row[0] > total/2 {
			row[0] = total - row[0]
			total = 2 * row[0]
		}
		for l, n := range row {
			moved = max(moved, math.Abs(p.m[c][l]-n/total))
			p.m[c][l] = n / total
		}
	}
	return moved
}

// proportions finds the rates of one sample, with m and u as they are. total is how many pairs there are; those that the
// sample does not have are strangers.
func (p *parameters) proportions(s sample, scale, total float64, at rates) rates {
	for range steps {
		var same, household float64
		for _, one := range s.patterns {
			ps, ph := p.posterior(one.pattern, at)
			same += ps * one.count
			household += ph * one.count
		}
		next := rates{bound(same * scale / total), bound(household * scale / total)}
		done := math.Abs(next.same-at.same) <= 1e-4*at.same && math.Abs(next.household-at.household) <= 1e-3*at.household+1e-15
		if at = next; done {
			break
		}
	}
	return at
}
