package app

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/segment"
	"github.com/tailorbird/tailorbird/internal/segment/query"
)

// queries shows the queries of SQL segments to the server.
type queries struct{ app *App }

func (q queries) Ask(ctx context.Context, segment, by string) error {
	return q.app.queries.Ask(ctx, segment, by)
}

func (q queries) Try(ctx context.Context, sql string, sample int) (query.Trial, error) {
	return query.Try(ctx, q.app.store, sql, q.app.now(), sample)
}

func (q queries) QueryRuns(ctx context.Context, segment string) ([]query.Run, error) {
	return q.app.store.QueryRuns(ctx, segment)
}

// problems says in words which queries failed, or should have run.
func (q queries) problems(ctx context.Context) (problems []string, err error) {
	states, err := q.app.store.QueryStates(ctx)
	for _, name := range slices.Sorted(maps.Keys(states)) {
		switch st := states[name]; {
		case st.Last.Status == query.Failed:
			problems = append(problems, fmt.Sprintf("the query of the segment %s failed: %s", name, st.Last.Error))
		case st.Overdue(q.app.now()):
			problems = append(problems, fmt.Sprintf("the query of the segment %s is overdue", name))
		}
	}
	return problems, err
}

// plansOf lists the queries among definitions.
func plansOf(defined definition.Set) (plans []query.Plan, err error) {
	for _, d := range defined.Of(definition.Segment) {
		s, err := definition.Decode[segment.Definition](d.Spec)
		if err != nil {
			return nil, err
		}
		if s.SQL != "" {
			plans = append(plans, query.Plan{Segment: d.Name, SQL: s.SQL, Schedule: s.Schedule})
		}
	}
	return plans, nil
}
