package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	example "github.com/tailorbird/tailorbird/examples/shop"
	"github.com/tailorbird/tailorbird/internal/definition"
)

// definitionBody is a definition as the API takes it.
type definitionBody struct {
	Kind definition.Kind `json:"kind"`
	Name string          `json:"name"`
	Spec json.RawMessage `json:"spec"`
}

// applyDefinitions brings in the example's traits, segments, templates and campaigns, with the shop's address in them.
func (d *driver) applyDefinitions(ctx context.Context) error {
	definitions, err := exampleDefinitions(d.shopURL())
	if err != nil {
		return err
	}
	if err := d.api.Call(ctx, http.MethodPost, "/api/v1/definitions/apply", map[string]any{"definitions": definitions}, nil); err != nil {
		return err
	}
	d.Log.Info("definitions applied", "count", len(definitions))
	return nil
}

// exampleDefinitions reads the embedded files. The address of the example becomes home.
func exampleDefinitions(home string) ([]definitionBody, error) {
	files, err := definition.ReadFiles(example.Files)
	if err != nil {
		return nil, err
	}
	var all []definitionBody
	for _, f := range files {
		all = append(all, definitionBody{f.Kind, f.Name, bytes.ReplaceAll(f.Spec, []byte(example.Home), []byte(home))})
	}
	return all, nil
}
