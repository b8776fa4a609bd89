package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/segment"
	"github.com/tailorbird/tailorbird/internal/segment/query"
)

// Conditions is the engine as far as segments and computed traits are concerned.
type Conditions interface {
	// Preview counts the profiles for which a condition holds now, of all that there are, and gives up to sample of them.
	// Invalid, with Field "condition", line and column, where the condition is wrong.
	Preview(ctx context.Context, condition string, sample int) (count, total int, ids []int64, err error)
	// Estimate is Preview from as many profiles as half a second allows.
	Estimate(ctx context.Context, condition string, sample int) (engine.Estimate, error)
	// Examples evaluates an expression for as many profiles as half a second allows, and gives the values of up to sample of
	// them. Invalid, with Field "expression".
	Examples(ctx context.Context, expression string, sample int) (engine.Examples, error)
	// Properties lists the properties that events have, by the event's name, as far as a sample of customers tells.
	Properties(ctx context.Context) (map[string]expr.Seen, error)
	// Known are the names that occur, without properties; of a kind of which not all are known at once there are none.
	Known(ctx context.Context) (expr.Known, error)
	// Overlap counts how many members of a segment others have too.
	Overlap(ctx context.Context, segment string, others []string) (segment.Overlap, error)
	// SegmentStates tells how far each segment is.
	SegmentStates(ctx context.Context) (map[string]State, error)
	// TraitStates tells how far each computed trait is, and its type.
	TraitStates(ctx context.Context) (map[string]State, error)
	// Vocabulary lists the words of conditions.
	Vocabulary(ctx context.Context) (Vocabulary, error)
}

// State is how far the engine is with a segment or a computed trait.
type State struct {
	Building bool    // its history is still being worked through
	Progress float64 // of building, from 0 to 1
	Count    int     // members; for segments only
	Type     string  // of the value: int, double, string, timestamp, bool or dyn; for traits only

	Query *query.State // of an SQL segment
}

func (st State) status() (string, float64) {
	switch {
	case st.Building:
		return "building", st.Progress
	case st.Query != nil && st.Query.ResultAt.IsZero():
		return "building", 0
	}
	return "ready", 1
}

// SegmentSpec is what defines a segment.
type SegmentSpec struct {
	Condition   string `json:"condition,omitempty" maxLength:"10000" doc:"A CEL expression, such as events(\"Order Completed\").within(\"90d\").count() > 5"`
	SQL         string `json:"sql,omitempty" maxLength:"20000" doc:"In place of a condition: a SELECT that lists customers by profile_id"`
	Schedule    string `json:"schedule,omitempty" maxLength:"100" doc:"When the query runs: 15m, 1h (the default), 1d, 1d at 06:00 Europe/Berlin, or on demand"`
	Description string `json:"description,omitempty" maxLength:"2000"`
	WarnBelow   int    `json:"warn_below,omitempty" minimum:"0" maximum:"1000000000" doc:"With fewer members the segment is marked as small; 0 for never"`
}

// Segment is a group of profiles for whom a condition holds, or whom a query lists.
type Segment struct {
	Name        string    `json:"name"`
	Condition   string    `json:"condition" doc:"Empty for an SQL segment"`
	SQL         string    `json:"sql,omitempty"`
	Schedule    string    `json:"schedule,omitempty"`
	Description string    `json:"description"`
	WarnBelow   int       `json:"warn_below" doc:"With fewer members the segment is marked as small; 0 for never"`
	Version     int       `json:"version"`
	Status      string    `json:"status" enum:"building,ready"`
	Progress    float64   `json:"progress" minimum:"0" maximum:"1"`
	Count       int       `json:"count" doc:"Members now"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`

	Query    *SegmentQuery  `json:"query,omitempty" doc:"Of an SQL segment: how its query stands"`
	Warnings []expr.Warning `json:"warnings,omitempty" doc:"Names in the condition that are not known; not in lists"`
}

func (s *server) segmentOf(d definition.Definition, state State) (Segment, error) {
	spec, err := specOf[SegmentSpec](d)
	status, progress := state.status()
	return Segment{
		Name: d.Name, Condition: spec.Condition, SQL: spec.SQL, Schedule: spec.Schedule, Query: segmentQuery(state.Query, s.config.Now()), Description: spec.Description, WarnBelow: spec.WarnBelow,
		Version: d.Version, Status: status, Progress: progress, Count: state.Count, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}, err
}

func (s *server) listSegments(ctx context.Context, in *Paging) (answer[page[Segment]], error) {
	states, err := s.config.Conditions.SegmentStates(ctx)
	if err != nil {
		return answer[page[Segment]]{}, err
	}
	return listDefined(ctx, s, definition.Segment, in, func(d definition.Definition) (Segment, error) {
		return s.segmentOf(d, states[d.Name])
	})
}

func (s *server) getSegment(ctx context.Context, in *DefinitionName) (answer[Segment], error) {
	d, err := s.config.Definitions.Get(ctx, definition.Segment, in.Name)
	if err != nil {
		return answer[Segment]{}, err
	}
	states, err := s.config.Conditions.SegmentStates(ctx)
	if err != nil {
		return answer[Segment]{}, err
	}
	found, err := s.segmentOf(d, states[d.Name])
	if err == nil {
		found.Warnings, err = s.warnings(ctx, found.Condition)
	}
	return answer[Segment]{found}, err
}

type putSegmentInput struct {
	DefinitionName
	Body SegmentSpec
}

func (s *server) putSegment(ctx context.Context, in *putSegmentInput) (answer[Segment], error) {
	if err := s.put(ctx, definition.Segment, in.Name, in.Body); err != nil {
		return answer[Segment]{}, err
	}
	return s.getSegment(ctx, &in.DefinitionName)
}
