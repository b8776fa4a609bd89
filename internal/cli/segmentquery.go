package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// query tries a query.
func (c *segmentPreview) query(ctx context.Context) error {
	if c.Condition != "" || c.File != "" {
		return badUsage("give a condition or a query, not both")
	}
	sql, err := text(c.streams, "--sql", c.SQL, c.SQLFile)
	if err != nil {
		return err
	}
	return c.with(ctx, func(api *client.Client) error {
		var answer json.RawMessage
		if err := api.Call(ctx, http.MethodPost, "/api/v1/segments/sql/preview", map[string]string{"sql": sql}, &answer); err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(c.streams.Out, answer)
		}
		var preview struct {
			Count   int
			Columns []string
			Sample  []json.RawMessage
		}
		if err := json.Unmarshal(answer, &preview); err != nil {
			return err
		}
		fmt.Fprintf(c.streams.Out, "%d customers\n\n", preview.Count)
		columns := []column{{"ID", "profile.id"}, {"CUSTOMER", "profile.label"}}
		for _, name := range preview.Columns {
			columns = append(columns, column{name, "columns." + name})
		}
		return writeTable(c.streams.Out, each(preview.Sample), columns)
	})
}

type segmentRun struct {
	connection
	Name string `arg:"" help:"Name of the segment."`
}

// queryState is how the query of a segment stands.
type queryState struct {
	Query struct {
		LastRun *struct {
			Status, Error                            string
			StartedAt                                time.Time `json:"started_at"`
			Listed, Added, Removed, Changed, Unknown int
			Seconds                                  float64
		} `json:"last_run"`
		NextRunAt *time.Time `json:"next_run_at"`
		Running   bool
	}
}

func (c *segmentRun) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		path := under("segments", c.Name)
		var before, now queryState
		if err := api.Get(ctx, path, &before); err != nil {
			return err
		}
		if err := api.Call(ctx, http.MethodPost, path+"/run", nil, nil); err != nil {
			return err
		}
		for {
			var answer json.RawMessage
			if err := api.Get(ctx, path, &answer); err != nil {
				return err
			}
			if err := json.Unmarshal(answer, &now); err != nil {
				return fault.Wrap(fault.Internal, err, "the answer cannot be read")
			}
			if last := now.Query.LastRun; last != nil && last.Status != "running" &&
				(before.Query.LastRun == nil || last.StartedAt.After(before.Query.LastRun.StartedAt)) {
				return c.tell(now, answer)
			}
			const patience = 200 * time.Millisecond
			timer := time.NewTimer(patience)
			select {
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			case <-timer.C:
			}
		}
	})
}

func (c *segmentRun) tell(state queryState, answer json.RawMessage) error {
	run := state.Query.LastRun
	if run.Status != "done" {
		return fault.New(fault.Invalid, "the run ended early: %s", run.Error)
	}
	if c.JSON {
		return writeJSON(c.streams.Out, answer)
	}
	fmt.Fprintf(c.streams.Out, "%d customers in %.2f s: %d new, %d gone, %d changed", run.Listed, run.Seconds, run.Added, run.Removed, run.Changed)
	if run.Unknown > 0 {
		fmt.Fprintf(c.streams.Out, "; %d rows name no customer", run.Unknown)
	}
	fmt.Fprintln(c.streams.Out)
	return nil
}

type segmentRuns struct {
	connection
	Name  string `arg:"" help:"Name of the segment."`
	Limit int    `help:"At most so many; 0 for all." default:"20"`
}

func (c *segmentRuns) Run(ctx context.Context) error {
	return c.list(ctx, under("segments", c.Name, "runs"), nil, c.Limit, []column{
		{"STARTED", "started_at"},
		{"STATUS", "status"},
		{"CAUSE", "cause"},
		{"SECONDS", "seconds"},
		{"CUSTOMERS", "listed"},
		{"NEW", "added"},
		{"GONE", "removed"},
		{"CHANGED", "changed"},
		{"ERROR", "error"},
	})
}
