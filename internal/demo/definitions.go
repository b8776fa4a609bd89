package demo

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml"

	example "github.com/tailorbird/tailorbird/examples/shop"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// definitionFile is one definition, as the API takes it.
type definitionFile struct {
	Kind string         `json:"kind"`
	Name string         `json:"name"`
	Spec map[string]any `json:"spec"`
}

// applyDefinitions brings in the example's traits, segments, templates and campaigns, with the shop's address in them.
func (d *driver) applyDefinitions(ctx context.Context) error {
	definitions, err := exampleDefinitions(d.shopURL())
	if err != nil {
		return err
	}
	var answer struct {
		Changes []struct{} `json:"changes"`
	}
	if err := d.door.post(ctx, "/api/v1/definitions/apply", map[string]any{"definitions": definitions}, &answer); err != nil {
		return err
	}
	d.Log.Info("definitions applied", "count", len(answer.Changes))
	return nil
}

// exampleDefinitions reads the embedded files. The address of the example becomes home.
func exampleDefinitions(home string) ([]definitionFile, error) {
	var all []definitionFile
	err := fs.WalkDir(example.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		one, err := readDefinition(name)
		if err != nil {
			return err
		}
		for field, value := range one.Spec {
			if text, ok := value.(string); ok {
				one.Spec[field] = strings.ReplaceAll(text, example.Home, home)
			}
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

// readDefinition reads one file: kind, name and the fields of the spec; body_file names the file with a template's body.
func readDefinition(name string) (definitionFile, error) {
	text, err := fs.ReadFile(example.Files, name)
	if err != nil {
		return definitionFile{}, fault.Wrap(fault.Internal, err, "%s cannot be read", name)
	}
	one := definitionFile{Spec: map[string]any{}}
	if err := yaml.Unmarshal(text, &one.Spec); err != nil {
		return one, fault.Wrap(fault.Internal, err, "%s is not YAML", name)
	}
	one.Kind, _ = one.Spec["kind"].(string)
	one.Name, _ = one.Spec["name"].(string)
	delete(one.Spec, "kind")
	delete(one.Spec, "name")
	if file, ok := one.Spec["body_file"].(string); ok {
		body, err := fs.ReadFile(example.Files, path.Join(path.Dir(name), file))
		if err != nil {
			return one, fault.Wrap(fault.Internal, err, "the body of %s cannot be read", name)
		}
		delete(one.Spec, "body_file")
		one.Spec["body"] = string(body)
	}
	return one, nil
}
