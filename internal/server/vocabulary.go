package server

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/expr"
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

// EventProperties is what is told with an event.
type EventProperties struct {
	Event      string   `json:"event"`
	Properties []string `json:"properties"`
}

// getProperties lists the properties of events as far as a sample of customers tells.
func (s *server) getProperties(ctx context.Context, _ *nothing) (answer[page[EventProperties]], error) {
	found, err := s.config.Conditions.Properties(ctx)
	if err != nil {
		return answer[page[EventProperties]]{}, err
	}
	list := []EventProperties{}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		list = append(list, EventProperties{name, found[name].Properties})
	}
	return answer[page[EventProperties]]{pageOf(list, "")}, nil
}

// known are the names that occur, as far as expressions name them.
func (s *server) known(ctx context.Context, expressions ...string) (expr.Known, error) {
	known, err := s.config.Conditions.Known(ctx)
	// Properties are found by looking at events, which is saved where none is read: that always takes the word.
	if err == nil && slices.ContainsFunc(expressions, func(text string) bool { return strings.Contains(text, "properties") }) {
		known.Properties, err = s.config.Conditions.Properties(ctx)
	}
	return known, err
}

// warnings lists the names in an expression that are not known.
func (s *server) warnings(ctx context.Context, expression string) ([]expr.Warning, error) {
	if expression == "" { // a query in place of it
		return nil, nil
	}
	known, err := s.known(ctx, expression)
	if err != nil {
		return nil, err
	}
	return expr.Warnings(expression, known), nil
}
