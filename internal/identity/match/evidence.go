package match

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Evidence is what one comparison of a pair says, in words.
type Evidence struct {
	Field string  `json:"field" doc:"What was compared"`
	Words string  `json:"words" doc:"What was seen, such as \"differs by one letter\""`
	Bits  float64 `json:"bits" doc:"What it weighs: each bit doubles the odds that both are one person, a negative one halves them"`
}

// rare is from how many bits of rarity on a value is called rare, or common below the negative.
const rare = 3

// Evidence explains a pair: what speaks for it first, what speaks against it last. Fields that one side lacks say nothing
// and are left out.
func (m *Model) Evidence(p Pair) []Evidence {
	var all []Evidence
	var shared float64
	for c, one := range m.comparisons {
		g := one.grade(m.records, p.a, p.b)
		if g.level == missing {
			continue
		}
		e := Evidence{Field: one.label, Words: one.levels[g.level].words, Bits: m.bits(c, g)}
		if one.shared {
			shared += e.Bits
		}
		switch more := e.Bits - m.weights[c][g.level]; {
		case g.value == 0:
		case more >= rare:
			e.Words += ", a rare one"
		case more <= -rare:
			e.Words += ", a common one"
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b Evidence) int { return cmp.Compare(b.Bits, a.Bits) })
	if explained := shared - m.saturate(shared); explained >= rare {
		all = append(all, Evidence{Field: "household", Words: "would have as much in common", Bits: -explained})
	}
	return all
}

// Sentence is the evidence in one line: "phone is the same; surname differs by one letter".
func Sentence(all []Evidence) string {
	parts := make([]string, len(all))
	for i, e := range all {
		parts[i] = e.Field + " " + e.Words
		if e.Field == "household" {
			parts[i] = "a " + parts[i]
		}
	}
	return strings.Join(parts, "; ")
}

// Round gives bits as people read them: one decimal, and no negative zero.
func Round(bits float64) float64 { return math.Round(bits*10)/10 + 0 }
