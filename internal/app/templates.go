package app

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/content"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/server"
	"github.com/tailorbird/tailorbird/internal/store"
)

// templates compiles templates, each version once, and renders them.
type templates struct {
	store *store.Store
	now   func() time.Time

	mu       sync.Mutex
	compiled map[server.TemplateSpec]*content.Template
}

const keptTemplates = 64

func newTemplates(s *store.Store, now func() time.Time) *templates {
	return &templates{store: s, now: now, compiled: map[server.TemplateSpec]*content.Template{}}
}

// compile gives the compiled form of a spec, from memory where it is there.
func (t *templates) compile(spec server.TemplateSpec) (*content.Template, error) {
	t.mu.Lock()
	have := t.compiled[spec]
	t.mu.Unlock()
	if have != nil {
		return have, nil
	}
	made, err := content.Compile(sourceOf(spec), content.Options{Now: t.now})
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for old := range t.compiled {
		if len(t.compiled) < keptTemplates {
			break
		}
		delete(t.compiled, old)
	}
	t.compiled[spec] = made
	return made, nil
}

func sourceOf(spec server.TemplateSpec) content.Source {
	return content.Source{
		Subject: spec.Subject, Preheader: spec.Preheader, Body: spec.Body, Format: content.Format(spec.Format), Text: spec.Text,
	}
}

// templateReads lists the computed traits that a template may say something of, and the SQL segments.
func templateReads(spec json.RawMessage) (all []definition.Ref) {
	t, _ := definition.Decode[server.TemplateSpec](spec)
	for _, path := range sourceOf(t).Variables() {
		if path[0] == "profile" {
			path = path[1:]
		}
		switch {
		case len(path) > 1 && path[0] == profile.GivenTrait:
			all = append(all, definition.Ref{Kind: definition.Segment, Name: path[1]})
		case len(path) > 0:
			all = append(all, definition.Ref{Kind: definition.Trait, Name: path[0]})
		}
	}
	return all
}

// Lint implements server.Templates.
func (t *templates) Lint(spec server.TemplateSpec) ([]content.Warning, error) {
	compiled, err := t.compile(spec)
	if err != nil {
		return nil, err
	}
	return compiled.Warnings(), nil
}

// Render implements server.Templates.
func (t *templates) Render(ctx context.Context, spec server.TemplateSpec, profileID *int64) (server.Rendering, error) {
	compiled, err := t.compile(spec)
	if err != nil {
		return server.Rendering{}, err
	}
	data, err := t.data(ctx, profileID)
	if err != nil {
		return server.Rendering{}, err
	}
	mail, err := compiled.Render(ctx, data, nil)
	return server.Rendering{
		Subject: mail.Subject, Preheader: mail.Preheader, HTML: mail.HTML, Text: mail.Text, Warnings: server.Warnings(compiled.Warnings()),
	}, err
}

// data is what a template says of a profile; without one, of a made-up customer.
func (t *templates) data(ctx context.Context, profileID *int64) (map[string]any, error) {
	if profileID == nil {
		return map[string]any{"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "preferences": map[string]any{}}, nil
	}
	p, err := t.store.Profile(ctx, *profileID)
	if err != nil {
		return nil, err
	}
	return templateData(p), nil
}

// templateData is every trait by its name, and all of them again as profile.
func templateData(p *profile.Profile) map[string]any {
	data := p.Data()
	all := make(map[string]any, len(data))
	for name, v := range data {
		all[name] = v
	}
	data["profile"] = all
	return data
}
