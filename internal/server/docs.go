package server

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tailorbird/tailorbird/internal/fault"
)

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS template.CSS

var docsPage = template.Must(template.New("docs").Funcs(template.FuncMap{"schema": outline}).Parse(docsHTML))

var docsPolicy = "default-src 'none'; style-src '" + hashSource(docsCSS) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// openAPI serves the document that describes the management API.
func (s *server) openAPI() http.HandlerFunc {
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.api.OpenAPI()) })
	return func(w http.ResponseWriter, _ *http.Request) {
		body, err := document()
		if err != nil {
			problemOf(err, "").write(w)
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(body)
	}
}

// docs serves the same document as a page, made here: it needs no script and nothing from elsewhere.
func (s *server) docs() http.HandlerFunc {
	made := sync.OnceValues(func() ([]byte, error) {
		var body bytes.Buffer
		err := docsPage.Execute(&body, map[string]any{"Style": docsCSS, "API": s.api.OpenAPI(), "Groups": groups(s.api.OpenAPI())})
		return body.Bytes(), fault.Wrap(fault.Internal, err, "the page cannot be written")
	})
	return func(w http.ResponseWriter, _ *http.Request) {
		body, err := made()
		if err != nil {
			problemOf(err, "").write(w)
			return
		}
		w.Header().Set("Content-Security-Policy", docsPolicy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(body)
	}
}

// group is the operations of one subject.
type group struct {
	Name       string
	Operations []documented
}

// documented is an operation as the page shows it.
type documented struct {
	*huma.Operation
	Request *huma.Schema // nil for none
	Status  string
	Answer  *huma.Schema // nil for none
	Names   huma.Registry
}

func groups(api *huma.OpenAPI) []group {
	var list []group
	for _, path := range sortedPaths(api) {
		item := api.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
			if op == nil {
				continue
			}
			at := slices.IndexFunc(list, func(g group) bool { return g.Name == op.Tags[0] })
			if at < 0 {
				at = len(list)
				list = append(list, group{Name: op.Tags[0]})
			}
			list[at].Operations = append(list[at].Operations, document(op, api.Components.Schemas))
		}
	}
	return list
}

func sortedPaths(api *huma.OpenAPI) []string {
	paths := make([]string, 0, len(api.Paths))
	for path := range api.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

func document(op *huma.Operation, names huma.Registry) documented {
	d := documented{Operation: op, Names: names}
	if op.RequestBody != nil {
		d.Request = op.RequestBody.Content["application/json"].Schema
	}
	for status, response := range op.Responses {
		if !strings.HasPrefix(status, "2") {
			continue
		}
		d.Status = status
		if media := response.Content["application/json"]; media != nil {
			d.Answer = media.Schema
		}
	}
	return d
}

// maxOutline bounds how deep an outline goes into nested objects.
const maxOutline = 4

// outline writes the shape of a schema as commented JSON, such as a reader would sketch it.
func outline(names huma.Registry, schema *huma.Schema) string {
	var b strings.Builder
	sketch(&b, names, schema, 0)
	return b.String()
}

func sketch(b *strings.Builder, names huma.Registry, schema *huma.Schema, depth int) {
	if schema == nil {
		b.WriteString("any")
		return
	}
	if schema.Ref != "" {
		schema = names.SchemaFromRef(schema.Ref)
	}
	switch {
	case schema.Type == huma.TypeArray:
		b.WriteString("[")
		sketch(b, names, schema.Items, depth)
		b.WriteString(", …]")
	case schema.Type == huma.TypeObject && len(schema.Properties) > 0 && depth < maxOutline:
		sketchObject(b, names, schema, depth)
	case len(schema.Enum) > 0:
		for i, v := range schema.Enum {
			if i > 0 {
				b.WriteString(" | ")
			}
			text, _ := json.Marshal(v) // an enum of strings
			b.Write(text)
		}
	case schema.Format != "":
		b.WriteString(schema.Type + " (" + schema.Format + ")")
	case schema.Type == "":
		b.WriteString("any")
	default:
		b.WriteString(schema.Type)
	}
}

func sketchObject(b *strings.Builder, names huma.Registry, schema *huma.Schema, depth int) {
	indent := strings.Repeat("  ", depth+1)
	b.WriteString("{\n")
	for _, name := range fieldOrder(schema) {
		field := schema.Properties[name]
		b.WriteString(indent + `"` + name + `": `)
		sketch(b, names, field, depth+1)
		b.WriteString(",")
		var notes []string
		if !slices.Contains(schema.Required, name) {
			notes = append(notes, "optional")
		}
		if field.Description != "" {
			notes = append(notes, field.Description)
		}
		if len(notes) > 0 {
			b.WriteString("  // " + strings.Join(notes, "; "))
		}
		b.WriteString("\n")
	}
	b.WriteString(strings.Repeat("  ", depth) + "}")
}

// fieldOrder puts the required fields first, as they were declared, then the others by name.
func fieldOrder(schema *huma.Schema) []string {
	order := slices.Clone(schema.Required)
	var rest []string
	for name := range schema.Properties {
		if !slices.Contains(order, name) {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	return append(order, rest...)
}
