package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/expr"
)

// TraitSpec is what defines a computed trait.
type TraitSpec struct {
	Expression  string `json:"expression" minLength:"1" maxLength:"10000" doc:"A CEL expression, such as events(\"Order Completed\").sum(e, e.properties.total)"`
	Description string `json:"description,omitempty" maxLength:"2000"`
}

// Trait is a value that is worked out for each profile.
type Trait struct {
	Name        string    `json:"name"`
	Expression  string    `json:"expression"`
	Description string    `json:"description"`
	Version     int       `json:"version"`
	Status      string    `json:"status" enum:"building,ready"`
	Progress    float64   `json:"progress" minimum:"0" maximum:"1"`
	Type        string    `json:"type" doc:"int, double, string, timestamp, bool or dyn"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`

	Warnings []expr.Warning `json:"warnings,omitempty" doc:"Names in the expression that are not known; not in lists"`
}

func traitOf(d definition.Definition, state State) (Trait, error) {
	spec, err := specOf[TraitSpec](d)
	status, progress := state.status()
	return Trait{
		Name: d.Name, Expression: spec.Expression, Description: spec.Description, Version: d.Version,
		Status: status, Progress: progress, Type: state.Type, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}, err
}

func (s *server) listTraits(ctx context.Context, in *Paging) (answer[page[Trait]], error) {
	states, err := s.config.Conditions.TraitStates(ctx)
	if err != nil {
		return answer[page[Trait]]{}, err
	}
	return listDefined(ctx, s, definition.Trait, in, func(d definition.Definition) (Trait, error) {
		return traitOf(d, states[d.Name])
	})
}

func (s *server) getTrait(ctx context.Context, in *DefinitionName) (answer[Trait], error) {
	d, err := s.config.Definitions.Get(ctx, definition.Trait, in.Name)
	if err != nil {
		return answer[Trait]{}, err
	}
	states, err := s.config.Conditions.TraitStates(ctx)
	if err != nil {
		return answer[Trait]{}, err
	}
	trait, err := traitOf(d, states[d.Name])
	if err == nil {
		trait.Warnings, err = s.warnings(ctx, trait.Expression)
	}
	return answer[Trait]{trait}, err
}

type putTraitInput struct {
	DefinitionName
	Body TraitSpec
}

func (s *server) putTrait(ctx context.Context, in *putTraitInput) (answer[Trait], error) {
	if err := s.put(ctx, definition.Trait, in.Name, in.Body); err != nil {
		return answer[Trait]{}, err
	}
	return s.getTrait(ctx, &in.DefinitionName)
}
