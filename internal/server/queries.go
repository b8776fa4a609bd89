package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment/query"
)

// Queries runs the queries of SQL segments.
type Queries interface {
	// Ask runs the query of a segment soon, and returns at once. NotFound where the segment has none.
	Ask(ctx context.Context, segment, by string) error
	// Try runs a query that is not saved; Invalid, with Field "sql", where it is wrong.
	Try(ctx context.Context, sql string, sample int) (query.Trial, error)
	// QueryRuns lists the runs of a segment's query, newest first.
	QueryRuns(ctx context.Context, segment string) ([]query.Run, error)
}

func (s *server) queryRoutes() {
	const v1 = "/api/v1/segments"
	get(s, access.Read, v1+"/sql/tables", "listQueryTables", "The tables and columns that the queries of segments can read", listQueryTables)
	post(s, access.Read, v1+"/sql/preview", "previewSegmentQuery", "Try a query without saving it", s.previewQuery)
	accept(s, access.Write, v1+"/{name}/run", "runSegmentQuery", "Run the query of a segment now", s.runQuery)
	get(s, access.Read, v1+"/{name}/runs", "listSegmentRuns", "The last runs of a segment's query, newest first", s.listQueryRuns)
}

// SegmentQuery is how the query of a segment stands.
type SegmentQuery struct {
	Columns   []string    `json:"columns" doc:"What the result has beside profile_id"`
	NextRunAt *time.Time  `json:"next_run_at" doc:"null for a query that runs on demand"`
	Running   bool        `json:"running"`
	Overdue   bool        `json:"overdue" doc:"It should have run some time ago"`
	ResultAt  *time.Time  `json:"result_at" doc:"The moment that the result is of; null while there is none"`
	Rows      int         `json:"rows" doc:"Customers in the result"`
	LastRun   *SegmentRun `json:"last_run" doc:"null before the first"`
}

// SegmentRun is one run of a segment's query.
type SegmentRun struct {
	Status     query.Status `json:"status" enum:"running,done,failed,interrupted"`
	Cause      string       `json:"cause" enum:"schedule,change,demand"`
	By         string       `json:"by,omitempty" doc:"Who asked for it"`
	StartedAt  time.Time    `json:"started_at"`
	FinishedAt *time.Time   `json:"finished_at"`
	Seconds    float64      `json:"seconds" doc:"How long it took"`
	Listed     int          `json:"listed" doc:"Customers in the result"`
	Added      int          `json:"added" doc:"Of these, new ones"`
	Removed    int          `json:"removed" doc:"Customers that are not in it any more"`
	Changed    int          `json:"changed" doc:"Customers whose further columns changed"`
	Unknown    int          `json:"unknown" doc:"Rows that named no customer"`
	Twice      int          `json:"twice" doc:"Rows that named a customer again"`
	Error      string       `json:"error,omitempty" doc:"Why it failed or was interrupted"`
}

func segmentRun(r query.Run) SegmentRun {
	run := SegmentRun{
		Status: r.Status, Cause: r.Cause, By: r.By, StartedAt: r.StartedAt.UTC(), FinishedAt: moment(r.FinishedAt), Listed: r.Listed,
		Added: r.Added, Removed: r.Removed, Changed: r.Changed, Unknown: r.Unknown, Twice: r.Twice, Error: r.Error,
	}
	if !r.FinishedAt.IsZero() {
		run.Seconds = r.FinishedAt.Sub(r.StartedAt).Seconds()
	}
	return run
}

// segmentQuery shows a state; nil for a segment with a condition.
func segmentQuery(state *query.State, now time.Time) *SegmentQuery {
	if state == nil {
		return nil
	}
	q := &SegmentQuery{
		Columns: pageOf(state.Columns, "").Items, NextRunAt: moment(state.NextRunAt), Running: state.Running, Overdue: state.Overdue(now),
		ResultAt: moment(state.ResultAt), Rows: state.Rows,
	}
	if state.Last.ID != 0 {
		run := segmentRun(state.Last)
		q.LastRun = &run
	}
	return q
}

type listTables struct {
	Items []query.Table `json:"items"`
}

func listQueryTables(context.Context, *nothing) (answer[listTables], error) {
	return answer[listTables]{listTables{query.Tables()}}, nil
}

type previewQueryInput struct {
	Body struct {
		SQL string `json:"sql" minLength:"1" maxLength:"20000"`
	}
}

// QueryPreview is what a query would give.
type QueryPreview struct {
	Columns []string          `json:"columns" doc:"What the result has beside profile_id"`
	Count   int               `json:"count" doc:"Customers in the result"`
	Unknown int               `json:"unknown" doc:"Rows that name no customer"`
	Twice   int               `json:"twice" doc:"Rows that name a customer again; the first one counts"`
	Seconds float64           `json:"seconds" doc:"How long it took"`
	Sample  []QueryPreviewRow `json:"sample" doc:"The first rows"`
}

// QueryPreviewRow is a row of a result.
type QueryPreviewRow struct {
	Profile *ProfileName   `json:"profile" doc:"null where there is no such customer"`
	Columns map[string]any `json:"columns"`
}

func (s *server) previewQuery(ctx context.Context, in *previewQueryInput) (answer[QueryPreview], error) {
	began := time.Now()
	t, err := s.config.Queries.Try(ctx, in.Body.SQL, previewSample)
	if err != nil {
		return answer[QueryPreview]{}, err
	}
	out := QueryPreview{
		Columns: pageOf(t.Columns, "").Items, Count: t.Listed, Unknown: t.Unnamed, Twice: t.Twice, Seconds: time.Since(began).Seconds(),
		Sample: []QueryPreviewRow{},
	}
	for _, row := range t.Sample {
		views, err := s.config.Profiles.ProfileViews(ctx, []int64{row.ProfileID})
		if err != nil {
			return answer[QueryPreview]{}, err
		}
		shown := QueryPreviewRow{Columns: row.Columns}
		for _, v := range views {
			shown.Profile = &ProfileName{v.ID, v.Label}
		}
		out.Sample = append(out.Sample, shown)
	}
	return answer[QueryPreview]{out}, nil
}

func (s *server) runQuery(ctx context.Context, in *DefinitionName) (answer[Segment], error) {
	found, err := s.getSegment(ctx, in)
	if err != nil {
		return found, err
	}
	if found.Body.Query == nil {
		return found, fault.New(fault.Conflict, "the segment %s has a condition, which always holds; only queries are run", in.Name)
	}
	if err := s.config.Queries.Ask(ctx, in.Name, caller(ctx).Name); err != nil {
		return found, err
	}
	return s.getSegment(ctx, in)
}

type listRunsInput struct {
	DefinitionName
	Paging
}

func (s *server) listQueryRuns(ctx context.Context, in *listRunsInput) (answer[page[SegmentRun]], error) {
	if _, err := s.config.Definitions.Get(ctx, definition.Segment, in.Name); err != nil {
		return answer[page[SegmentRun]]{}, err
	}
	runs, err := s.config.Queries.QueryRuns(ctx, in.Name)
	if err != nil {
		return answer[page[SegmentRun]]{}, err
	}
	list := make([]SegmentRun, len(runs))
	for i, r := range runs {
		list[i] = segmentRun(r)
	}
	return cut(list, in.Paging)
}
