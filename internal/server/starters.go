package server

import (
	"context"
	"encoding/json"

	"github.com/tailorbird/tailorbird/examples/starters"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type starterInput struct {
	Name     string `path:"name" enum:"rfm,lifecycle,engagement,interests" doc:"Which"`
	Event    string `query:"event" maxLength:"256" doc:"The event that counts; Order Completed, for interests Product Viewed, when left out"`
	Property string `query:"property" maxLength:"256" doc:"Its property that counts; total, for interests category, when left out"`
}

// Starter is what a starter defines.
type Starter struct {
	Definitions []StarterDefinition `json:"definitions" doc:"As applying definitions takes them"`
}

// StarterDefinition is one trait or segment of a starter.
type StarterDefinition struct {
	Kind definition.Kind `json:"kind" enum:"trait,segment"`
	Name string          `json:"name"`
	Spec Object          `json:"spec" doc:"The body of the PUT of its kind"`
}

func getStarter(_ context.Context, in *starterInput) (answer[Starter], error) {
	files, err := definition.ReadFiles(starters.Files)
	if err != nil {
		return answer[Starter]{}, fault.Wrap(fault.Internal, err, "the starters cannot be read")
	}
	words := starters.Words(in.Name, in.Event, in.Property)
	out := Starter{Definitions: []StarterDefinition{}}
	for _, f := range files {
		if f.Path != in.Name+".yaml" {
			continue
		}
		spec, err := specOf[map[string]string](definition.Definition{Ref: f.Ref, Spec: f.Spec})
		if err != nil {
			return answer[Starter]{}, err
		}
		for field, text := range spec {
			spec[field] = words.Replace(text)
		}
		raw, err := json.Marshal(spec)
		if err != nil {
			return answer[Starter]{}, fault.Wrap(fault.Internal, err, "%s cannot be written", f.Ref)
		}
		out.Definitions = append(out.Definitions, StarterDefinition{Kind: f.Kind, Name: f.Name, Spec: Object(raw)})
	}
	return answer[Starter]{out}, nil
}
