package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// OverrideTarget is the path of an override.
type OverrideTarget struct {
	ProfileRef
	Name string `path:"name" maxLength:"256" doc:"The segment's or trait's name"`
}

// Term is how long an override holds, and why.
type Term struct {
	Until *time.Time `json:"until,omitempty" doc:"When it ends by itself; without it, when it is lifted"`
	Remark
}

type overrideSegmentInput struct {
	OverrideTarget
	Body struct {
		In bool `json:"in" doc:"Whether the customer is in the segment"`
		Term
	}
}

func (s *server) overrideSegment(ctx context.Context, in *overrideSegmentInput) (answer[profile.View], error) {
	return s.override(ctx, in.OverrideTarget, profile.OverrideSegment, in.Body.In, in.Body.Term)
}

type overrideTraitInput struct {
	OverrideTarget
	Body struct {
		Value any `json:"value" doc:"Any JSON value; null for none"`
		Term
	}
}

func (s *server) overrideTrait(ctx context.Context, in *overrideTraitInput) (answer[profile.View], error) {
	return s.override(ctx, in.OverrideTarget, profile.OverrideTrait, in.Body.Value, in.Body.Term)
}

func (s *server) override(ctx context.Context, target OverrideTarget, kind string, value any, term Term) (answer[profile.View], error) {
	id, err := s.config.Profiles.ProfileID(ctx, target.ID)
	if err != nil {
		return answer[profile.View]{}, err
	}
	o := profile.Override{Kind: kind, Name: target.Name, Value: value, By: caller(ctx).Name, Note: term.Note}
	if term.Until != nil {
		o.Until = term.Until.UnixMicro()
	}
	if err := s.config.Decider.Override(ctx, id, o); err != nil {
		return answer[profile.View]{}, err
	}
	view, err := s.viewProfile(ctx, id)
	return answer[profile.View]{view}, err
}

type liftOverrideInput struct {
	OverrideTarget
	Kind string `path:"kind" enum:"segment,trait"`
}

func (s *server) liftOverride(ctx context.Context, in *liftOverrideInput) (nothing, error) {
	if in.Kind != profile.OverrideSegment && in.Kind != profile.OverrideTrait {
		return nothing{}, fault.Field("path.kind", "is %.40q; it is segment or trait", in.Kind)
	}
	id, err := s.config.Profiles.ProfileID(ctx, in.ID)
	if err != nil {
		return nothing{}, err
	}
	return nothing{}, s.config.Decider.LiftOverride(ctx, id, in.Kind, in.Name, caller(ctx).Name)
}

type listOverridesInput struct {
	ProfileRef
	Paging
}

func (s *server) listOverrides(ctx context.Context, in *listOverridesInput) (answer[page[profile.OverrideView]], error) {
	id, err := s.config.Profiles.ProfileID(ctx, in.ID)
	if err != nil {
		return answer[page[profile.OverrideView]]{}, err
	}
	all, err := s.config.Identity.OverrideHistory(ctx, id)
	if err != nil {
		return answer[page[profile.OverrideView]]{}, err
	}
	return cut(all, in.Paging)
}
