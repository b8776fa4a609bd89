package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/connect"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type importCommand struct {
	File     string `arg:"" help:"CSV or JSON Lines, plain or .gz."`
	Mapping  string `required:"" short:"m" help:"YAML file that says what the columns mean." placeholder:"FILE"`
	Rejected string `help:"Where rows go that cannot be taken, with line and reason; FILE.rejected.csv without it." placeholder:"FILE"`
	Restart  bool   `help:"Begin anew, even where an interrupted import could go on."`
	DryRun   bool   `help:"Show the first events that the file would become; send nothing."`
	Server   string `help:"Address of a running server; without one, or with --data, the command works on the data directory." env:"TAILORBIRD_SERVER" placeholder:"URL"`
	WriteKey string `name:"write-key" help:"Key of the tracking API, with --server." env:"TAILORBIRD_WRITE_KEY" placeholder:"KEY"`
	directory
	JSON bool `name:"json" help:"Print the summary as JSON."`
}

// AfterApply decides between the server and the directory.
func (c *importCommand) AfterApply(parsed *kong.Context) error { return preferFlags(parsed, &c.Server) }

func (*importCommand) Help() string {
	return `Imported history shapes profiles and segments and triggers no message. A data directory is made where it does not exist.
Importing the same file again changes nothing, and an interrupted import goes on where it was when it is run again. Rows
that cannot be taken are told on standard error and do not change the exit status. docs/import.md describes mappings.

Examples:

  tailorbird import orders.csv.gz --mapping orders.yaml --dry-run
  tailorbird import orders.csv.gz --mapping orders.yaml
  tailorbird import orders.csv.gz --mapping orders.yaml --server http://127.0.0.1:8080`
}

func (c *importCommand) Run(ctx context.Context, streams Streams) error {
	mapping, err := c.mapping()
	if err != nil {
		return err
	}
	switch {
	case c.DryRun:
		return c.preview(ctx, streams, mapping)
	case c.Server != "" && c.WriteKey == "":
		return badUsage("--server needs --write-key or TAILORBIRD_WRITE_KEY")
	case c.Server != "":
		if _, err := client.New(client.Config{URL: c.Server}); err != nil {
			return usage{err}
		}
		api := connect.NewAPI(&http.Client{Timeout: time.Minute}, c.Server, c.WriteKey)
		api.Waiting = func(reason error, attempt, attempts int) {
			fmt.Fprintf(streams.Err, "%s, trying again (%d of %d)\n", fault.All(reason)[0].Message, attempt, attempts)
		}
		return c.into(ctx, streams, api, mapping)
	}
	debug.SetGCPercent(importGCPercent)
	return c.open(ctx, streams, func(program *app.App, _ *client.Client) error {
		keys, err := program.Keys()
		if err != nil {
			return err
		}
		return c.into(ctx, streams, connect.NewAPI(client.InProcess(program.Handler()), "http://in-process", keys.Write), mapping)
	})
}

const (
	previewed       = 3  // events
	importGCPercent = 15 // an import has the whole engine beside it, and shall fit in 300 MB
)

func (c *importCommand) preview(ctx context.Context, streams Streams, mapping *connect.Mapping) error {
	preview, err := connect.PreviewImport(ctx, connect.ImportConfig{Path: c.File, Mapping: mapping, Rejected: c.Rejected}, previewed)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSONList(streams.Out, each(preview.Events))
	}
	for _, e := range preview.Events {
		if err := writeJSON(streams.Out, e); err != nil {
			return err
		}
	}
	for _, r := range preview.Rejected {
		fmt.Fprintf(streams.Out, "line %d would be rejected: %s\n", r.Line, r.Reason)
	}
	if !preview.Complete {
		fmt.Fprintf(streams.Out, "the first %d rows were read; gathered events may lack later ones\n", preview.Rows)
	}
	return nil
}

func (c *importCommand) mapping() (*connect.Mapping, error) {
	content, err := os.ReadFile(c.Mapping)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the mapping cannot be read")
	}
	return connect.ParseMapping(c.Mapping, content)
}

// target names the receiver, so that an interrupted import goes on into the same one only.
func (c *importCommand) target() string {
	if c.Server != "" {
		return c.Server
	}
	path, err := filepath.Abs(c.Data)
	if err != nil {
		return c.Data
	}
	return path
}

func (c *importCommand) into(ctx context.Context, streams Streams, sink connect.Importer, mapping *connect.Mapping) error {
	bar := newProgress(streams.Err, "importing", 0)
	summary, err := connect.Import(ctx, connect.ImportConfig{
		Path: c.File, Mapping: mapping, Rejected: c.Rejected, Target: c.target(), Restart: c.Restart,
		Progress: func(p connect.Progress) {
			if p.Gathered > 0 {
				bar.set(p.Events, p.Gathered)
			} else {
				bar.set(p.BytesRead, p.BytesTotal)
			}
		},
	}, sink)
	bar.end()
	if summary.RowsRejected > 0 {
		defer fmt.Fprintf(streams.Err, "%s rejected: see %s\n", counted(summary.RowsRejected, "row"), summary.Rejected)
	}
	if tellErr := c.tell(streams, summary); err == nil {
		err = tellErr
	}
	return err
}

func (c *importCommand) tell(streams Streams, s connect.Summary) error {
	if c.JSON {
		object, err := json.Marshal(map[string]any{
			"rows": s.Rows, "rows_filtered": s.RowsFiltered, "rows_rejected": s.RowsRejected,
			"events": s.Events, "events_rejected": s.EventsRejected, "events_partial": s.EventsPartial,
			"resumed_after": s.ResumedAfter, "rejected": s.Rejected,
		})
		if err != nil {
			return fault.Wrap(fault.Internal, err, "the summary cannot be written")
		}
		return writeJSON(streams.Out, object)
	}
	if s.ResumedAfter > 0 {
		fmt.Fprintf(streams.Out, "went on after line %d\n", s.ResumedAfter)
	}
	fmt.Fprintf(streams.Out, "%s read, %s sent\n", counted(s.Rows, "row"), counted(s.Events, "event"))
	if s.RowsFiltered > 0 {
		fmt.Fprintf(streams.Out, "%s left out by the mapping's condition\n", counted(s.RowsFiltered, "row"))
	}
	if s.EventsPartial > 0 {
		fmt.Fprintf(streams.Out, "%s made without some rows\n", counted(s.EventsPartial, "event"))
	}
	return nil
}

// counted is a number of things, such as "1 row" or "2 rows".
func counted(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
