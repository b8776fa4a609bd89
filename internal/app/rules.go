package app

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
	"github.com/tailorbird/tailorbird/internal/segment/query"
	"github.com/tailorbird/tailorbird/internal/server"
	"github.com/tailorbird/tailorbird/internal/store"
)

// definitionRules are what each kind of definition must satisfy.
func definitionRules(templates *templates, campaigns *store.Store) map[definition.Kind]definition.Rules {
	return map[definition.Kind]definition.Rules{
		definition.Segment: {
			Normalise: normalised[segment.Definition](func(name string, s segment.Definition) (segment.Definition, error) {
				s.Name = name
				return s.Checked()
			}),
			Uses:  segmentsOf[segment.Definition]("condition"),
			Reads: traitsOf[segment.Definition],
			Check: func(ctx context.Context, name string, spec json.RawMessage, others definition.Set) error {
				if s, _ := definition.Decode[segment.Definition](spec); s.SQL != "" {
					if err := query.Check(ctx, campaigns, s.SQL); err != nil {
						return err
					}
				}
				return checkRules(ctx, name, spec, others)
			},
			Allow: neededByNoRun(campaigns, func(run campaign.Run, name string) bool {
				return run.Definition.Segment == name && !run.Enqueued
			}),
		},
		definition.Trait: {
			Normalise: normalised[segment.Trait](func(name string, t segment.Trait) (segment.Trait, error) {
				if slices.Contains(toldTraits, name) {
					return t, fault.New(fault.Invalid, "%s is a trait that customers have by themselves; name the computed one differently, such as computed_%s", name, name)
				}
				_, err := expr.Value(t.Expression)
				return t, inField("expression", err)
			}),
			Uses:  segmentsOf[segment.Trait]("expression"),
			Reads: traitsOf[segment.Trait],
			Check: checkRules,
		},
		definition.Template: {
			Normalise: normalised[server.TemplateSpec](func(_ string, t server.TemplateSpec) (server.TemplateSpec, error) {
				if err := oneLine(t); err != nil {
					return t, err
				}
				_, err := templates.Lint(t)
				return t, err
			}),
			Reads: templateReads,
			Allow: neededByNoRun(campaigns, func(run campaign.Run, name string) bool { return run.Definition.Template == name }),
		},
		definition.Campaign: {
			Normalise: normalised[campaign.Definition](func(name string, c campaign.Definition) (campaign.Definition, error) {
				c = c.WithDefaults(name)
				return c, c.Validate()
			}),
			Uses: func(spec json.RawMessage) []definition.Use {
				c, _ := definition.Decode[campaign.Definition](spec)
				return []definition.Use{
					{Ref: definition.Ref{Kind: definition.Segment, Name: c.Segment}, Field: "segment"},
					{Ref: definition.Ref{Kind: definition.Template, Name: c.Template}, Field: "template"},
				}
			},
			Allow: unsent(campaigns),
		},
		definition.Source: sourceRules(),
	}
}

// toldTraits are traits by which a customer is known and reached, which events alone tell, and the one that queries do.
var toldTraits = []string{identity.Email, identity.Phone, profile.GivenTrait}

// oneLine refuses line breaks where a mail has but one line.
func oneLine(t server.TemplateSpec) error {
	for _, line := range []struct{ field, text string }{{"subject", t.Subject}, {"preheader", t.Preheader}} {
		if before, _, broken := strings.Cut(strings.ReplaceAll(line.text, "\r", "\n"), "\n"); broken {
			return &fault.Error{
				Code: fault.Invalid, Field: line.field, Line: 1, Column: utf8.RuneCountInString(before) + 1,
				Message: "holds a line break; write it on one line",
			}
		}
	}
	return nil
}

// unsent keeps a campaign as it was sent. One that reached nobody may still be changed, deleted and sent again.
func unsent(campaigns *store.Store) func(context.Context, definition.Action, string) error {
	return func(ctx context.Context, action definition.Action, name string) error {
		run, sent, err := campaigns.CampaignRun(ctx, name)
		switch {
		case err != nil || !sent || run.ReachedNobody():
			return err
		case action == definition.Delete:
			return fault.New(fault.Conflict, "the campaign has been sent; its report and messages refer to it")
		}
		return fault.New(fault.Conflict, "the campaign %s was sent; copy it under a new name", name)
	}
}

// neededByNoRun refuses to delete what a campaign that is being sent, or paused, still needs: the run has the definition
// as it was when it began, so that a changed or deleted campaign does not tell.
func neededByNoRun(campaigns *store.Store, needs func(run campaign.Run, name string) bool) func(context.Context, definition.Action, string) error {
	return func(ctx context.Context, action definition.Action, name string) error {
		if action != definition.Delete {
			return nil
		}
		runs, err := campaigns.CampaignRuns(ctx)
		if err != nil {
			return err
		}
		for _, of := range slices.Sorted(maps.Keys(runs)) {
			if run := runs[of]; (run.Status == campaign.Sending || run.Status == campaign.Paused) && needs(run, name) {
				return fault.New(fault.Conflict, "the campaign %s is %s and needs it", of, run.Status)
			}
		}
		return nil
	}
}

// normalised reads a spec strictly, lets check complete it, and writes it again.
func normalised[T any](check func(name string, spec T) (T, error)) func(string, json.RawMessage) (json.RawMessage, error) {
	return func(name string, raw json.RawMessage) (json.RawMessage, error) {
		spec, err := definition.Decode[T](raw)
		if err != nil {
			return nil, err
		}
		if spec, err = check(name, spec); err != nil {
			return nil, err
		}
		return json.Marshal(spec)
	}
}

// inField says of an expression's errors which field they are in.
func inField(field string, err error) error {
	var faults []error
	for _, f := range fault.All(err) {
		located := *f
		located.Field = field
		faults = append(faults, &located)
	}
	return errors.Join(faults...)
}

// expression is a spec that asks for segments and traits.
type expression interface {
	Uses() (segments, traits []string)
}

// segmentsOf lists the segments that an expression, which stands in a field, cannot do without.
func segmentsOf[T expression](field string) func(json.RawMessage) []definition.Use {
	return func(raw json.RawMessage) (all []definition.Use) {
		spec, _ := definition.Decode[T](raw)
		segments, _ := spec.Uses()
		for _, name := range segments {
			all = append(all, definition.Use{Ref: definition.Ref{Kind: definition.Segment, Name: name}, Field: field})
		}
		return all
	}
}

// traitsOf lists the traits that an expression reads.
func traitsOf[T expression](raw json.RawMessage) (all []definition.Ref) {
	spec, _ := definition.Decode[T](raw)
	_, traits := spec.Uses()
	for _, name := range traits {
		all = append(all, definition.Ref{Kind: definition.Trait, Name: name})
	}
	return all
}

// checkRules looks at all segments and traits together: what only shows then is a circle.
func checkRules(_ context.Context, _ string, _ json.RawMessage, others definition.Set) error {
	_, err := compileRules(others)
	return err
}

// compileRules turns definitions into what the engine follows.
func compileRules(defined definition.Set) (*engine.Rules, error) {
	var segments []segment.Definition
	for _, d := range defined.Of(definition.Segment) {
		s, err := definition.Decode[segment.Definition](d.Spec)
		if err != nil {
			return nil, err
		}
		s.Name = d.Name
		segments = append(segments, s)
	}
	var traits []segment.Trait
	for _, d := range defined.Of(definition.Trait) {
		t, err := definition.Decode[segment.Trait](d.Spec)
		if err != nil {
			return nil, err
		}
		t.Name = d.Name
		traits = append(traits, t)
	}
	conversions := map[string]engine.Conversion{}
	for _, d := range defined.Of(definition.Campaign) {
		c, err := definition.Decode[campaign.Definition](d.Spec)
		if err != nil {
			return nil, err
		}
		conversions[d.Name] = engine.Conversion{Event: c.ConversionEvent, Value: c.ConversionValue, Window: c.Window()}
	}
	return engine.Compile(segments, traits, conversions)
}

// follow makes the engine follow changed definitions.
func (a *App) follow(ctx context.Context, all definition.Set) error {
	rules, err := compileRules(all)
	if err != nil {
		return err
	}
	if err := a.followQueries(ctx, all); err != nil {
		return err
	}
	return errors.Join(a.engine.SetRules(ctx, rules), a.followSources(all))
}

// noticeQueries takes note of queries that another node has changed.
func (a *App) noticeQueries(all definition.Set) error {
	plans, err := plansOf(all)
	if err == nil {
		a.queries.Notice(plans)
	}
	return err
}

// followQueries makes the queries of segments run as they are defined.
func (a *App) followQueries(ctx context.Context, all definition.Set) error {
	plans, err := plansOf(all)
	if err != nil {
		return err
	}
	return a.queries.Follow(ctx, plans)
}
