package review

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/identity/match"
	"github.com/tailorbird/tailorbird/internal/profile"
)

const pageOfProfiles = 1_000

// gathered is what a run looks at.
type gathered struct {
	records *match.Records
	apart   [][2]int64 // pairs that somebody took apart
}

// gather reads all profiles twice: to see what they tell, and to take it.
func (m *Matcher) gather(ctx context.Context, fields map[string]match.Kind, progress func(float64)) (gathered, error) {
	if err := m.Profiles.Settle(ctx); err != nil {
		return gathered{}, err
	}
	last, err := m.Profiles.LastProfileID(ctx)
	if err != nil {
		return gathered{}, err
	}
	var survey match.Survey
	err = m.each(ctx, last, func(p *profile.Profile, done float64) {
		if p.Traits.Len() > 0 {
			survey.Add(told(p))
		}
		progress(done / 2)
	})
	if err != nil {
		return gathered{}, err
	}
	sources, err := survey.Sources(fields)
	if err != nil || len(sources) == 0 {
		return gathered{}, err
	}
	var g gathered
	if g.records, err = match.NewRecords(match.Fields(sources)); err != nil {
		return gathered{}, err
	}
	err = m.each(ctx, last, func(p *profile.Profile, done float64) {
		for _, other := range p.Apart {
			g.apart = append(g.apart, [2]int64{p.ID, other})
		}
		if values := match.Values(sources, told(p)); enough(values) {
			g.records.Add(p.ID, values)
		}
		progress(0.5 + done/2)
	})
	return g, err
}

func (m *Matcher) each(ctx context.Context, last int64, visit func(p *profile.Profile, done float64)) error {
	for from := int64(1); from <= last; {
		profiles, reached, err := m.Profiles.ProfileRange(ctx, from, last+1, pageOfProfiles)
		if err != nil {
			return err
		}
		if reached < from {
			return nil
		}
		for _, p := range profiles {
			visit(p, float64(p.ID)/float64(last))
		}
		from = reached + 1
	}
	return nil
}

// told is what a profile tells about a person.
func told(p *profile.Profile) match.Profile {
	t := match.Profile{Traits: p.Traits.Values(), Identifiers: map[string][]string{}}
	for _, id := range p.Identifiers {
		t.Identifiers[id.Type] = append(t.Identifiers[id.Type], id.Value)
	}
	return t
}

// enough reports whether at least two fields have a value: one alone can be like another's by chance.
func enough(values [][]string) bool {
	n := 0
	for _, v := range values {
		if len(v) > 0 {
			n++
		}
	}
	return n >= 2
}
