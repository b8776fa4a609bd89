package server

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/definition"
)

// Vocabulary is the words of conditions, for completion.
type Vocabulary struct {
	EventNames []string   `json:"event_names"`
	Traits     []string   `json:"traits"`
	Segments   []string   `json:"segments"`
	Functions  []Function `json:"functions"`
}

// Function is one function of the condition language.
type Function struct {
	Name      string `json:"name"`
	Signature string `json:"signature"`
	Doc       string `json:"doc"`
}

func (s *server) getVocabulary(ctx context.Context, _ *nothing) (answer[Vocabulary], error) {
	v, err := s.config.Conditions.Vocabulary(ctx)
	if err != nil {
		return answer[Vocabulary]{}, err
	}
	all, err := s.config.Definitions.All(ctx)
	if err != nil {
		return answer[Vocabulary]{}, err
	}
	v.Segments = []string{}
	for _, d := range all.Of(definition.Segment) {
		v.Segments = append(v.Segments, d.Name)
	}
	v.EventNames, v.Traits, v.Functions = pageOf(v.EventNames, "").Items, pageOf(v.Traits, "").Items, pageOf(v.Functions, "").Items
	return answer[Vocabulary]{v}, nil
}
