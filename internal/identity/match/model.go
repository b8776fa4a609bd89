package match

import "math"

// Model is what a run learnt about the records. It weighs pairs of these records.
type Model struct {
	records     *Records
	comparisons []*comparison
	p           parameters
	rates       rates
	weights     [][]float64 // log2(m/u)
}

// Learnt is a comparison with the weights of its levels, from different upwards.
type Learnt struct {
	Label  string  `json:"label"`
	Shared bool    `json:"shared" doc:"People of one household agree here too"`
	Levels []Level `json:"levels"`
}

// Level is one outcome of a comparison.
type Level struct {
	Words string  `json:"words"`
	M     float64 `json:"m" doc:"How often two profiles of one person end here"`
	U     float64 `json:"u" doc:"How often profiles of two people do"`
	Bits  float64 `json:"bits" doc:"log2(m/u): what it weighs; on a rare value more, on a common one less"`
}

// Learnt tells the weights.
func (m *Model) Learnt() []Learnt {
	all := make([]Learnt, len(m.comparisons))
	for c, one := range m.comparisons {
		all[c] = Learnt{Label: one.label, Shared: one.shared}
		for l, level := range one.levels {
			all[c].Levels = append(all[c].Levels, Level{level.words, m.p.m[c][l], m.p.u[c][l], m.weights[c][l]})
		}
	}
	return all
}

// Matches is how many pairs of one person the records are estimated to have.
func (m *Model) Matches() float64 { return m.rates.same * m.records.pairs() }

// Households is how many pairs of two people of one household.
func (m *Model) Households() float64 { return m.rates.household * m.records.pairs() }

func newModel(r *Records) *Model {
	m := &Model{records: r, comparisons: comparisons(r)}
	for _, c := range m.comparisons {
		row := make([]float64, len(c.levels))
		var total float64
		for l := range row {
			row[l] = c.levels[l].expected
			total += row[l]
		}
		for l := range row {
			row[l] /= total
		}
		m.p.m = append(m.p.m, row)
		m.p.u = append(m.p.u, make([]float64, len(row)))
		m.p.shared = append(m.p.shared, c.shared)
		m.p.lasting = append(m.p.lasting, c.lasting)
	}
	return m
}

// pattern compares two records.
func (m *Model) pattern(a, b uint32) (p pattern) {
	for i, c := range m.comparisons {
		p |= pattern(c.grade(m.records, a, b).level+1) << (4 * i)
	}
	return p
}

// settle ends the learning.
func (m *Model) settle() {
	m.weights = clone2(m.p.m)
	for c, row := range m.weights {
		for l := range row {
			row[l] = math.Log2(m.p.m[c][l] / m.p.u[c][l])
		}
	}
}

// bits is what a grade weighs: its level and, where both agree on a value, how much rarer than the values which agreeing
// pairs have on average this very value is.
func (m *Model) bits(comparison int, g grade) float64 {
	weight := m.weights[comparison][g.level]
	if g.value == 0 {
		return weight
	}
	column := m.records.columns[m.comparisons[comparison].values[g.level]]
	return weight + math.Log2(column.mean/column.frequency(g.value))
}

// weigh gives the log2 odds that two records are one person.
func (m *Model) weigh(a, b uint32) float64 {
	return m.prior() + m.sum(a, b, false) + m.saturate(m.sum(a, b, true))
}

// weighOver is weigh for pairs that are only of interest at or over least; of others it may tell no more than that.
func (m *Model) weighOver(a, b uint32, least float64) (bits float64, over bool) {
	bits = m.prior() + m.sum(a, b, false)
	if bits+m.saturate(math.Inf(1)) < least {
		return 0, false // whatever they share: a household explains it
	}
	bits += m.saturate(m.sum(a, b, true))
	return bits, bits >= least
}

// sum adds up the weights of the shared comparisons, or of the others.
func (m *Model) sum(a, b uint32, shared bool) (bits float64) {
	for c, one := range m.comparisons {
		if one.shared == shared {
			if g := one.grade(m.records, a, b); g.level != missing {
				bits += m.bits(c, g)
			}
		}
	}
	return bits
}

func (m *Model) prior() float64 { return math.Log2(m.rates.same / (1 - m.rates.same)) }

// saturate is what the evidence of all shared comparisons weighs: log2 of same over not the same, of whom some live
// together and agree for that reason.
func (m *Model) saturate(shared float64) float64 {
	together := m.rates.household / (1 - m.rates.same)
	if shared > 500 {
		return -math.Log2(together)
	}
	return shared - math.Log2(1-together+together*math.Exp2(shared))
}
