package app

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/connect/kafka"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/reach"
	sources "github.com/tailorbird/tailorbird/internal/source"
)

// sourceRules are what the definition of a source must satisfy.
func sourceRules() definition.Rules {
	return definition.Rules{
		Normalise: normalised[sources.Definition](func(name string, d sources.Definition) (sources.Definition, error) {
			d = d.WithDefaults(name)
			return d, kafka.Check(d)
		}),
	}
}

// openSources makes what reads the sources, once Serve runs.
func (a *App) openSources(defined definition.Set) error {
	policy, err := reach.Parse(a.config.AllowNetwork)
	if err != nil {
		return err
	}
	a.sources = kafka.New(kafka.Config{
		Ingest: a.engine, Quarantine: a.store, Secret: a.store.NamedSecret, Reach: policy, Now: a.now, Log: a.log,
	})
	return a.followSources(defined)
}

// followSources makes the sources that are read those that are defined.
func (a *App) followSources(defined definition.Set) error {
	var all []sources.Source
	for _, d := range defined.Of(definition.Source) {
		spec, err := definition.Decode[sources.Definition](d.Spec)
		if err != nil {
			return err
		}
		all = append(all, sources.Source{Name: d.Name, CreatedAt: d.CreatedAt, Definition: spec})
	}
	a.sources.Follow(all)
	return nil
}

// troubledSources says of each source that cannot be read why.
func (a *App) troubledSources(ctx context.Context) (problems []string, err error) {
	all, err := a.registry.All(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range all.Of(definition.Source) {
		if status := a.sources.Status(d.Name); status.State == sources.Troubled || status.State == sources.Full {
			problems = append(problems, "the source "+d.Name+" is not read: "+status.Problem)
		}
	}
	return problems, nil
}

// secrets implements server.Secrets: those who use a secret are told of another one.
type secrets struct{ app *App }

func (s secrets) NamedSecrets(ctx context.Context) ([]definition.Secret, error) {
	return s.app.store.NamedSecrets(ctx)
}

func (s secrets) SetNamedSecret(ctx context.Context, name, value, by string, at time.Time) error {
	err := s.app.store.SetNamedSecret(ctx, name, value, by, at)
	if err == nil {
		s.app.sources.Renew(name)
	}
	return err
}

func (s secrets) DeleteNamedSecret(ctx context.Context, name string) error {
	all, err := s.app.registry.All(ctx)
	if err != nil {
		return err
	}
	for _, d := range all.Of(definition.Source) {
		var spec sources.Definition
		if err := json.Unmarshal(d.Spec, &spec); err != nil {
			return err
		}
		if slices.Contains(spec.Secrets(), name) {
			return fault.New(fault.Conflict, "the source %s needs the secret %q; change or delete that first", d.Name, name)
		}
	}
	return s.app.store.DeleteNamedSecret(ctx, name)
}
