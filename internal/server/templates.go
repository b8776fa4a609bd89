package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/content"
	"github.com/tailorbird/tailorbird/internal/definition"
)

// Templates renders what messages say.
type Templates interface {
	// Lint lists the likely mistakes of a template; faults where it cannot be used at all, with Field, line and column.
	Lint(spec TemplateSpec) ([]content.Warning, error)
	// Render renders a template for a profile, or for a made-up one where profile is nil. NotFound where there is none.
	Render(ctx context.Context, spec TemplateSpec, profile *int64) (Rendering, error)
}

// TemplateSpec is what defines a template.
type TemplateSpec struct {
	Subject   string `json:"subject" maxLength:"998" doc:"Liquid"`
	Preheader string `json:"preheader,omitempty" maxLength:"1000" doc:"Liquid; shown beside the subject in the inbox"`
	Body      string `json:"body" minLength:"1" maxLength:"1000000" doc:"Liquid over MJML or HTML"`
	Format    string `json:"format" enum:"mjml,html"`
	Text      string `json:"text,omitempty" maxLength:"1000000" doc:"Liquid; the plain-text part, made from the body where it is missing"`
}

// Warning is a likely mistake that does not keep a template from being sent.
type Warning struct {
	Code     string `json:"code" doc:"Such as no_fallback"`
	Message  string `json:"message"`
	Location string `json:"location" enum:"subject,preheader,body,text"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Variable string `json:"variable"`
}

// Warnings shows what a template's author should know.
func Warnings(found []content.Warning) []Warning {
	list := make([]Warning, len(found))
	for i, w := range found {
		list[i] = Warning(w)
	}
	return list
}

// Template is what messages say.
type Template struct {
	Name      string    `json:"name"`
	Subject   string    `json:"subject"`
	Preheader string    `json:"preheader"`
	Body      string    `json:"body"`
	Format    string    `json:"format" enum:"mjml,html"`
	Text      string    `json:"text"`
	Version   int       `json:"version"`
	Warnings  []Warning `json:"warnings"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (s *server) templateOf(d definition.Definition) (Template, error) {
	spec, err := specOf[TemplateSpec](d)
	if err != nil {
		return Template{}, err
	}
	found, err := s.config.Templates.Lint(spec)
	return Template{
		Name: d.Name, Subject: spec.Subject, Preheader: spec.Preheader, Body: spec.Body, Format: spec.Format, Text: spec.Text,
		Version: d.Version, Warnings: Warnings(found), CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}, err
}

func (s *server) listTemplates(ctx context.Context, in *Paging) (answer[page[Template]], error) {
	return listDefined(ctx, s, definition.Template, in, s.templateOf)
}

func (s *server) getTemplate(ctx context.Context, in *DefinitionName) (answer[Template], error) {
	d, err := s.config.Definitions.Get(ctx, definition.Template, in.Name)
	if err != nil {
		return answer[Template]{}, err
	}
	template, err := s.templateOf(d)
	return answer[Template]{template}, err
}

type putTemplateInput struct {
	DefinitionName
	Body TemplateSpec
}

func (s *server) putTemplate(ctx context.Context, in *putTemplateInput) (answer[Template], error) {
	if err := s.put(ctx, definition.Template, in.Name, in.Body); err != nil {
		return answer[Template]{}, err
	}
	return s.getTemplate(ctx, &in.DefinitionName)
}

// Rendering is a template filled in for one profile.
type Rendering struct {
	Subject   string    `json:"subject"`
	Preheader string    `json:"preheader"`
	HTML      string    `json:"html"`
	Text      string    `json:"text"`
	Warnings  []Warning `json:"warnings"`
}

type renderTemplateInput struct {
	DefinitionName
	Body RenderFor
}

func (s *server) renderTemplate(ctx context.Context, in *renderTemplateInput) (answer[Rendering], error) {
	d, err := s.config.Definitions.Get(ctx, definition.Template, in.Name)
	if err != nil {
		return answer[Rendering]{}, err
	}
	spec, err := specOf[TemplateSpec](d)
	if err != nil {
		return answer[Rendering]{}, err
	}
	return s.render(ctx, spec, in.Body)
}

type previewTemplateInput struct {
	Body struct {
		TemplateSpec
		RenderFor
	}
}

func (s *server) previewTemplate(ctx context.Context, in *previewTemplateInput) (answer[Rendering], error) {
	return s.render(ctx, in.Body.TemplateSpec, in.Body.RenderFor)
}

func (s *server) render(ctx context.Context, spec TemplateSpec, w RenderFor) (answer[Rendering], error) {
	var profile *int64
	id, named, err := s.profileOf(ctx, w)
	if err != nil {
		return answer[Rendering]{}, err
	}
	if named {
		profile = &id
	}
	out, err := s.config.Templates.Render(ctx, spec, profile)
	out.Warnings = pageOf(out.Warnings, "").Items
	return answer[Rendering]{out}, err
}
