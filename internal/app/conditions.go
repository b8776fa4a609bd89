package app

import (
	"context"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/segment"
	"github.com/tailorbird/tailorbird/internal/server"
)

// conditions shows the engine to the server as far as segments and computed traits are concerned.
type conditions struct{ app *App }

func (c conditions) Preview(ctx context.Context, condition string, sample int) (count, total int, ids []int64, err error) {
	count, total, ids, err = c.app.engine.Preview(ctx, condition, sample)
	return count, total, ids, inField("condition", err)
}

// patience is how long an estimate may look at profiles: with the rest of the request it is there within a second.
const patience = 500 * time.Millisecond

func (c conditions) Estimate(ctx context.Context, condition string, sample int) (engine.Estimate, error) {
	estimate, err := c.app.engine.Estimate(ctx, condition, sample, patience)
	return estimate, inField("condition", err)
}

func (c conditions) Examples(ctx context.Context, expression string, sample int) (engine.Examples, error) {
	examples, err := c.app.engine.Examples(ctx, expression, sample, patience)
	return examples, inField("expression", err)
}

func (c conditions) Overlap(ctx context.Context, name string, others []string) (segment.Overlap, error) {
	return c.app.store.Overlap(ctx, name, others)
}

func (c conditions) SegmentStates(ctx context.Context) (map[string]server.State, error) {
	counts, err := c.app.store.SegmentCounts(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.app.registry.All(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := c.app.store.QueryStates(ctx)
	if err != nil {
		return nil, err
	}
	status := c.app.engine.Status()
	states := map[string]server.State{}
	for _, d := range all.Of(definition.Segment) {
		state := server.State{
			Building: slices.Contains(status.Building, "segment "+d.Name), Progress: status.Progress, Count: counts[d.Name],
		}
		if q, is := asked[d.Name]; is {
			state.Query = &q
		}
		states[d.Name] = state
	}
	return states, nil
}

func (c conditions) TraitStates(ctx context.Context) (map[string]server.State, error) {
	all, err := c.app.registry.All(ctx)
	if err != nil {
		return nil, err
	}
	status := c.app.engine.Status()
	states := map[string]server.State{}
	for _, d := range all.Of(definition.Trait) {
		spec, err := definition.Decode[segment.Trait](d.Spec)
		if err != nil {
			return nil, err
		}
		p, err := expr.Value(spec.Expression)
		if err != nil {
			return nil, err
		}
		states[d.Name] = server.State{
			Building: slices.Contains(status.Building, "trait "+d.Name), Progress: status.Progress, Type: p.Type,
		}
	}
	return states, nil
}

// loop shows the engine's health to the server.
type loop struct{ app *App }

// Pulse is what this process knows without the database.
func (l loop) Pulse() server.LoopStatus {
	engine := l.app.engine.Status()
	status := server.LoopStatus{
		EventsPerSecond: engine.PerSecond, QueueDepth: engine.Waiting, QueueCapacity: engine.Capacity,
		CommitMS:      float64(l.app.store.Stats().CommitLatency) / float64(time.Millisecond),
		TimersOverdue: engine.TimersOverdue.Seconds(), BuildingSegments: []string{}, Status: "ok", Problems: []string{},
	}
	if stream := l.app.streamStatus(); stream != nil {
		told := server.StatusOf(*stream)
		status.Stream = &told
		if stream.Problem != "" {
			status.Problems = append(status.Problems, "the stream is not read: "+stream.Problem)
		}
		if err := l.app.producer.Ready(); err != nil {
			status.Problems = append(status.Problems, err.Error())
		}
	}
	status.BuildingSegments = append(status.BuildingSegments, engine.Building...)
	if !engine.LastEventAt.IsZero() {
		status.LastEventAt = &engine.LastEventAt
	}
	if !engine.NextTimerAt.IsZero() {
		status.NextTimerAt = &engine.NextTimerAt
	}
	const late = 5 * time.Second
	if engine.TimersOverdue > late {
		status.Problems = append(status.Problems, "timers are late: customers leave segments later than they should")
	}
	if engine.Waiting > engine.Capacity*9/10 {
		status.Problems = append(status.Problems, "events arrive faster than they can be applied")
	}
	for _, problem := range []string{engine.Problem, l.app.store.Stats().Problem} {
		if problem != "" {
			status.Problems = append(status.Problems, problem)
		}
	}
	return status
}

func (l loop) Status(ctx context.Context) (server.LoopStatus, error) {
	status := l.Pulse()
	err := l.stored(ctx, &status)
	if len(status.Problems) > 0 {
		status.Status = "degraded"
	}
	return status, err
}

// stored adds what the database knows.
func (l loop) stored(ctx context.Context, status *server.LoopStatus) error {
	queued, err := l.app.store.QueueLength(ctx)
	if err != nil {
		return err
	}
	status.MessagesQueued = int(queued)
	nodes, err := l.app.store.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.Serves {
			status.Nodes = append(status.Nodes, server.LoopNode{Name: n.Name, StartedAt: n.StartedAt, SeenAt: n.SeenAt, Self: n.Self})
		}
	}
	asked, err := queries(l).problems(ctx)
	if err != nil {
		return err
	}
	status.Problems = append(status.Problems, asked...)
	troubled, err := l.app.troubledSources(ctx)
	status.Problems = append(status.Problems, troubled...)
	return err
}

func (l loop) Recent(ctx context.Context, limit int) ([]server.Happening, error) {
	recent, err := l.app.store.Recent(ctx, limit)
	list := make([]server.Happening, len(recent))
	for i, a := range recent {
		list[i] = server.Happening(a)
	}
	return list, err
}
