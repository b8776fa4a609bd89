package server

import (
	"cmp"
	"context"
	"slices"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/profile"
)

type previewSegmentInput struct {
	Body struct {
		Condition string `json:"condition" minLength:"1" maxLength:"10000"`
		Estimate  bool   `json:"estimate,omitempty" doc:"Answer within a second, from a sample where there are many profiles"`
	}
}

// Counted is how many profiles a preview is about.
type Counted struct {
	Count  int  `json:"count" doc:"Profiles for which the condition holds now, or the expression gives a value"`
	Total  int  `json:"total" doc:"All profiles"`
	Exact  bool `json:"exact" doc:"All profiles were looked at; else count and total are estimates"`
	Low    int  `json:"low" doc:"With a confidence of 95 % the count is not below"`
	High   int  `json:"high" doc:"nor above"`
	Looked int  `json:"looked" doc:"How many profiles were looked at"`
}

func counted(e engine.Estimate) Counted {
	return Counted{Count: e.Count, Total: e.Total, Exact: e.Exact, Low: e.Low, High: e.High, Looked: e.Looked}
}

// Preview is what a condition would give.
type Preview struct {
	Counted
	Sample   []profile.View `json:"sample" doc:"Up to ten of them"`
	Warnings []expr.Warning `json:"warnings" doc:"Names in the condition that are not known"`
}

const previewSample = 10

func (s *server) previewSegment(ctx context.Context, in *previewSegmentInput) (answer[Preview], error) {
	var out Preview
	var ids []int64
	if in.Body.Estimate {
		e, err := s.config.Conditions.Estimate(ctx, in.Body.Condition, previewSample)
		if err != nil {
			return answer[Preview]{}, err
		}
		out.Counted, ids = counted(e), e.IDs
	} else {
		count, total, some, err := s.config.Conditions.Preview(ctx, in.Body.Condition, previewSample)
		if err != nil {
			return answer[Preview]{}, err
		}
		out.Counted, ids = Counted{Count: count, Total: total, Exact: true, Low: count, High: count, Looked: total}, some
	}
	sample, err := s.config.Profiles.ProfileViews(ctx, ids)
	if err != nil {
		return answer[Preview]{}, err
	}
	out.Sample = pageOf(sample, "").Items
	out.Warnings, err = s.warnings(ctx, in.Body.Condition)
	return answer[Preview]{out}, err
}

type previewTraitInput struct {
	Body struct {
		Expression string `json:"expression" minLength:"1" maxLength:"10000"`
	}
}

// TraitPreview is what an expression would give.
type TraitPreview struct {
	Counted
	Type     string         `json:"type" enum:"int,double,string,timestamp,bool,list,map,duration,dyn"`
	Items    []TraitExample `json:"items" doc:"Up to eight customers: those first whose value is more than 0 or empty, those without one last"`
	Warnings []expr.Warning `json:"warnings" doc:"Names in the expression that are not known"`
}

// TraitExample is the value of one customer.
type TraitExample struct {
	Profile ProfileName `json:"profile"`
	Value   any         `json:"value"`
}

// ProfileName is who a customer is.
type ProfileName struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

const traitSample = 8

func (s *server) previewTrait(ctx context.Context, in *previewTraitInput) (answer[TraitPreview], error) {
	examples, err := s.config.Conditions.Examples(ctx, in.Body.Expression, traitSample)
	if err != nil {
		return answer[TraitPreview]{}, err
	}
	out := TraitPreview{Counted: counted(examples.Estimate), Type: examples.Type, Items: []TraitExample{}}
	for _, one := range examples.Items {
		views, err := s.config.Profiles.ProfileViews(ctx, []int64{one.ID})
		if err != nil {
			return answer[TraitPreview]{}, err
		}
		for _, v := range views { // none where it merged just now
			out.Items = append(out.Items, TraitExample{ProfileName{v.ID, v.Label}, one.Value})
		}
	}
	out.Warnings, err = s.warnings(ctx, in.Body.Expression)
	return answer[TraitPreview]{out}, err
}

// SegmentOverlap is how a segment lies to the others.
type SegmentOverlap struct {
	Count  int       `json:"count" doc:"Members of the segment"`
	Looked int       `json:"looked" doc:"How many of them were looked up in the others; where not all, shared is an estimate"`
	Items  []Overlap `json:"items" doc:"The segments that share most come first"`
}

// Overlap is what one other segment shares.
type Overlap struct {
	Name   string `json:"name"`
	Count  int    `json:"count" doc:"Its members"`
	Shared int    `json:"shared" doc:"Members of both"`
}

// maxOverlaps is how many other segments are compared; those with the most members.
const maxOverlaps = 100

func (s *server) segmentOverlap(ctx context.Context, in *DefinitionName) (answer[SegmentOverlap], error) {
	if _, err := s.config.Definitions.Get(ctx, definition.Segment, in.Name); err != nil {
		return answer[SegmentOverlap]{}, err
	}
	states, err := s.config.Conditions.SegmentStates(ctx)
	if err != nil {
		return answer[SegmentOverlap]{}, err
	}
	var others []string
	for name := range states {
		if name != in.Name {
			others = append(others, name)
		}
	}
	slices.SortFunc(others, func(a, b string) int {
		return cmp.Or(cmp.Compare(states[b].Count, states[a].Count), cmp.Compare(a, b))
	})
	others = others[:min(len(others), maxOverlaps)]
	found, err := s.config.Conditions.Overlap(ctx, in.Name, others)
	if err != nil {
		return answer[SegmentOverlap]{}, err
	}
	out := SegmentOverlap{Count: found.Members, Looked: found.Looked, Items: []Overlap{}}
	for _, name := range others {
		out.Items = append(out.Items, Overlap{Name: name, Count: states[name].Count, Shared: found.Of(name)})
	}
	slices.SortStableFunc(out.Items, func(a, b Overlap) int { return cmp.Compare(b.Shared, a.Shared) })
	return answer[SegmentOverlap]{out}, nil
}
