package profile

import (
	"slices"

	"github.com/tailorbird/tailorbird/internal/identity"
)

// Side is one of two profiles as it was just before they became one: what undoing that needs and events do not say.
type Side struct {
	Identifiers []identity.Identifier `json:"identifiers"`
	Absorbed    []int64               `json:"absorbed,omitempty"`
	Overrides   []Override            `json:"overrides,omitempty"`
	Withdrawals []Withdrawal          `json:"withdrawals,omitempty"`
	Segments    map[string]int64      `json:"segments,omitempty"` // name → since when, µs
}

// Side copies what undoing a merge needs.
func (p *Profile) Side() Side {
	return Side{
		Identifiers: slices.Clone(p.Identifiers), Absorbed: slices.Clone(p.Absorbed), Overrides: slices.Clone(p.Overrides),
		Withdrawals: slices.Clone(p.Withdrawals), Segments: p.Segments.Map(),
	}
}

// KeepApart makes sure that no event joins p with any of these profiles, nor with what they become parts of.
func (p *Profile) KeepApart(others ...int64) {
	for _, id := range others {
		if !slices.Contains(p.Apart, id) {
			p.Apart = append(p.Apart, id)
		}
	}
}

// AllowTogether takes KeepApart back for those of these profiles that are kept apart, and lists them.
func (p *Profile) AllowTogether(others []int64) (were []int64) {
	p.Apart = slices.DeleteFunc(p.Apart, func(id int64) bool {
		found := slices.Contains(others, id)
		if found {
			were = append(were, id)
		}
		return found
	})
	return were
}

// Holder is p as far as identity is concerned.
func (p *Profile) Holder() identity.Holder {
	return identity.Holder{ID: p.ID, Identifiers: p.Identifiers, Absorbed: p.Absorbed, Apart: p.Apart}
}

// Parts are the profiles whose events are p's: itself and those that merged into it.
func (p *Profile) Parts() []int64 { return append([]int64{p.ID}, p.Absorbed...) }
