package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"

	"github.com/alecthomas/kong"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type segmentCommand struct {
	List    segmentList    `cmd:"" help:"List segments."`
	Get     segmentGet     `cmd:"" aliases:"show" help:"Show one segment."`
	Put     segmentPut     `cmd:"" aliases:"set" help:"Create or change a segment."`
	Delete  segmentDelete  `cmd:"" help:"Delete a segment."`
	Preview segmentPreview `cmd:"" help:"Count who a condition or a query would group, without saving it."`
	Query   segmentRun     `cmd:"" name:"run" help:"Run the query of an SQL segment now, and wait for it."`
	Runs    segmentRuns    `cmd:"" help:"List the last runs of an SQL segment's query, newest first."`
	Members segmentMembers `cmd:"" help:"List the customers in a segment."`
	Explain segmentExplain `cmd:"" help:"Say why a customer is or was in a segment, or not."`
	History segmentHistory `cmd:"" help:"List how many customers entered and left on each day, newest first."`
	Verify  segmentVerify  `cmd:"" help:"Recompute all memberships and computed traits from the stored events; list every difference."`
}

type segmentList struct{ connection }

func (c *segmentList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/segments", nil, 0, []column{
		{"NAME", "name"}, {"CUSTOMERS", "count"}, {"STATUS", "status"}, {"VERSION", "version"}, {"CONDITION", "condition"}, {"SQL", "sql"},
	})
}

type segmentGet struct {
	connection
	Name string `arg:"" help:"Name of the segment."`
}

func (c *segmentGet) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodGet, under("segments", c.Name), nil)
}

type segmentPut struct {
	connection
	Name        string `arg:"" help:"Name of the segment: lower-case letters, digits, - and _."`
	Condition   string `help:"The condition." placeholder:"CEL"`
	File        string `short:"f" help:"File with the condition; - for standard input." placeholder:"FILE"`
	SQL         string `name:"sql" help:"In place of a condition: a query that lists customers by profile_id." placeholder:"SELECT"`
	SQLFile     string `name:"sql-file" help:"File with the query; - for standard input." placeholder:"FILE"`
	Schedule    string `help:"When the query runs: 15m, 1h, 1d, '1d at 06:00 Europe/Berlin' or 'on demand'." placeholder:"WHEN"`
	Description string `help:"What the segment is for." placeholder:"TEXT"`
}

func (*segmentPut) Help() string {
	return `Examples:

  tailorbird segment put frequent --condition 'events("Order Completed").within("90d").count() > 5'
  tailorbird segment put german --condition 'profile.country == "DE"' --description 'Customers in Germany'
  tailorbird segment put lapsed -f lapsed.cel --server http://127.0.0.1:8080
  tailorbird segment put clickers --sql-file clickers.sql --schedule '1d at 06:00 Europe/Berlin'`
}

func (c *segmentPut) Run(ctx context.Context) error {
	spec := map[string]string{"description": c.Description}
	member, err := "condition", error(nil)
	if c.SQL != "" || c.SQLFile != "" {
		if c.Condition != "" || c.File != "" {
			return badUsage("give a condition or a query, not both")
		}
		member = "sql"
		spec[member], err = text(c.streams, "--sql", c.SQL, c.SQLFile)
	} else {
		spec[member], err = text(c.streams, "--condition", c.Condition, c.File)
	}
	if err != nil {
		return err
	}
	if c.Schedule != "" {
		spec["schedule"] = c.Schedule
	}
	return c.show(ctx, http.MethodPut, under("segments", c.Name), spec)
}

type segmentDelete struct {
	connection
	Name string `arg:"" help:"Name of the segment."`
}

func (c *segmentDelete) Run(ctx context.Context) error {
	return c.remove(ctx, under("segments", c.Name), "segment "+c.Name)
}

type segmentPreview struct {
	connection
	Condition string `arg:"" optional:"" help:"The condition."`
	File      string `short:"f" help:"File with the condition; - for standard input." placeholder:"FILE"`
	SQL       string `name:"sql" help:"In place of a condition: a query." placeholder:"SELECT"`
	SQLFile   string `name:"sql-file" help:"File with the query; - for standard input." placeholder:"FILE"`
}

func (*segmentPreview) Help() string {
	return `Examples:

  tailorbird segment preview 'events("Checkout Started").within("24h").exists()'
  tailorbird segment preview --sql "SELECT id AS profile_id FROM profiles WHERE traits ->> 'country' = 'DE'"`
}

func (c *segmentPreview) Run(ctx context.Context) error {
	if c.SQL != "" || c.SQLFile != "" {
		return c.query(ctx)
	}
	condition, err := text(c.streams, "a condition", c.Condition, c.File)
	if err != nil {
		return err
	}
	return c.with(ctx, func(api *client.Client) error {
		var answer json.RawMessage
		if err := api.Call(ctx, http.MethodPost, "/api/v1/segments/preview", map[string]string{"condition": condition}, &answer); err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(c.streams.Out, answer)
		}
		var preview struct {
			Count, Total int
			Sample       []json.RawMessage
			Warnings     []warning
		}
		if err := json.Unmarshal(answer, &preview); err != nil {
			return err
		}
		for _, w := range preview.Warnings {
			w.tell(c.streams.Err, "condition")
		}
		fmt.Fprintf(c.streams.Out, "%d of %d customers\n\n", preview.Count, preview.Total)
		return writeTable(c.streams.Out, each(preview.Sample), profileColumns)
	})
}

// each gives what is there already as a list that arrives.
func each(objects []json.RawMessage) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		for _, object := range objects {
			if !yield(object, nil) {
				return
			}
		}
	}
}

type segmentMembers struct {
	connection
	Name  string `arg:"" help:"Name of the segment."`
	Limit int    `help:"At most so many; 0 for all." default:"0"`
}

func (*segmentMembers) Help() string {
	return `Example:

  tailorbird segment members vip --json | jq -r '.[].id'`
}

func (c *segmentMembers) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/profiles", url.Values{"segment": {c.Name}}, c.Limit, profileColumns)
}

type segmentVerify struct {
	directory
	Server string `hidden:"" env:"TAILORBIRD_SERVER"` // for the commands around it; this one cannot use it
	JSON   bool   `name:"json" help:"Print JSON: a list of differences."`
}

// AfterApply refuses to look at the usual directory where a server is meant.
func (c *segmentVerify) AfterApply(parsed *kong.Context) error {
	if err := preferFlags(parsed, &c.Server); err != nil || c.Server == "" || os.Getenv("TAILORBIRD_DATA") != "" && !given(parsed, "server") {
		return err
	}
	return fmt.Errorf("segment verify reads the data directory of a server that does not run, not %s: give --data DIR", c.Server)
}

func (*segmentVerify) Help() string {
	return `Exit status 1 says that there are differences. There must be none: each is a defect of Tailorbird.`
}

func (c *segmentVerify) Run(ctx context.Context, streams Streams) error {
	return c.openExisting(ctx, streams, func(program *app.App, _ *client.Client) error {
		verification, err := program.Verify(ctx)
		if err != nil {
			return err
		}
		differences := []difference{}
		for _, d := range verification.Differences {
			differences = append(differences, difference{program.PublicProfileID(d.ProfileID), d.Kind, d.Name, d.Have, d.Want})
		}
		if c.JSON {
			err = c.json(streams.Out, verification, differences)
		} else {
			c.tell(streams.Out, verification, differences)
		}
		if err == nil && len(differences) > 0 {
			err = silent{}
		}
		return err
	})
}

// difference is a membership or a computed trait that is not what the events say.
type difference struct {
	ProfileID string `json:"profile_id"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Have      any    `json:"have"`
	Want      any    `json:"want"`
}

func (c *segmentVerify) json(w io.Writer, v *engine.Verification, differences []difference) error {
	object, err := json.Marshal(map[string]any{
		"profiles": v.Profiles, "events": v.Events, "checks": v.Checks, "differences": differences,
	})
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the differences cannot be written")
	}
	return writeJSON(w, object)
}

func (c *segmentVerify) tell(w io.Writer, v *engine.Verification, differences []difference) {
	for _, d := range differences {
		fmt.Fprintf(w, "profile %s: %s %s is %v, and its events say %v\n", d.ProfileID, d.Kind, d.Name, d.Have, d.Want)
	}
	fmt.Fprintf(w, "%d profiles, %d events, %d memberships and computed traits recomputed: %d differences\n",
		v.Profiles, v.Events, v.Checks, len(differences))
}
