package app

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/server"
)

// explainer finds the definitions by which a membership is explained.
type explainer struct{ app *App }

func (x explainer) Explain(ctx context.Context, profileID int64, segment string, at time.Time, hindsight engine.Hindsight) (server.Why, error) {
	why := server.Why{Definition: "then"}
	list, err := x.app.store.DefinitionsAt(ctx, at)
	if err != nil {
		return why, err
	}
	set := definition.NewSet(list)
	rules, failed := compileRules(set)
	of, existed := set.Get(definition.Segment, segment)
	if !existed || failed != nil {
		// The segment did not exist then, or was written in a language that is understood no more.
		why.Definition = "today"
		if set, err = x.app.registry.All(ctx); err != nil {
			return why, err
		}
		if of, existed = set.Get(definition.Segment, segment); !existed {
			return why, x.missing(ctx, segment)
		}
		if rules, err = compileRules(set); err != nil {
			return why, err
		}
	}
	why.Version = of.Version
	reason, err := x.app.engine.Explain(ctx, rules, profileID, segment, at.UnixMicro(), hindsight)
	if err != nil {
		return why, err
	}
	why.Reason = *reason
	return why, nil
}

// missing says that there is no such segment, or since when there is none.
func (x explainer) missing(ctx context.Context, segment string) error {
	versions, err := x.app.registry.Versions(ctx, definition.Segment, segment)
	if err != nil || versions[0].Spec != nil {
		return fault.New(fault.NotFound, "there is no segment %s", segment)
	}
	return fault.New(fault.NotFound, "the segment %s was deleted at %s, by which everybody left it; ask about a moment before that",
		segment, versions[0].At.UTC().Format(time.RFC3339))
}
