package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/tailorbird/tailorbird/internal/app"
)

type migrateCommand struct {
	Up     migrateUp     `cmd:"" help:"Bring the tables up to date."`
	Status migrateStatus `cmd:"" help:"Show which steps the tables have been through."`
}

// tables is a database whose tables are looked at.
type tables struct {
	Data     string `help:"Data directory of a server that does not run." env:"TAILORBIRD_DATA" default:"./tailorbird-data" placeholder:"DIR"`
	Database string `name:"database-url" help:"PostgreSQL that keeps the data; without it, SQLite in --data does." env:"TAILORBIRD_DATABASE_URL" placeholder:"URL"`
}

type migrateUp struct {
	tables
	Since monthFlag `name:"events-since" help:"On PostgreSQL: make a table for each month of events since this one, such as 2021-01, for history that nodes will be sent and have no right to make tables for; without it, for the last three." placeholder:"MONTH"`
}

// monthFlag is a month as a flag gives it.
type monthFlag struct{ time.Time }

// UnmarshalText reads the year and the month.
func (m *monthFlag) UnmarshalText(text []byte) error {
	t, err := time.Parse("2006-01", string(text))
	if err != nil {
		return fmt.Errorf("%q is not a month such as 2026-03", text)
	}
	m.Time = t
	return nil
}

func (*migrateUp) Help() string {
	return `A server does the same when it starts. Doing it beforehand keeps the right to change tables from servers, and tells whether
a new release can begin. On PostgreSQL it also makes the tables of events of the next twelve months. Of several that do it at
the same time, one works and the others wait. Tables of a newer release are refused.

Example:

  tailorbird migrate up --database-url postgres://owner@db/tailorbird`
}

// Run migrates.
func (c *migrateUp) Run(ctx context.Context, streams Streams) error {
	status, err := app.Migrate(ctx, app.Config{DataDir: c.Data, DatabaseURL: c.Database}, c.Since.Time)
	if err != nil {
		return err
	}
	fmt.Fprintf(streams.Out, "schema %d\n", status.Have)
	return nil
}

type migrateStatus struct{ tables }

// Run lists the steps.
func (c *migrateStatus) Run(ctx context.Context, streams Streams) error {
	status, err := app.MigrationStatus(ctx, app.Config{DataDir: c.Data, DatabaseURL: c.Database})
	if err != nil {
		return err
	}
	for _, step := range status.Steps {
		applied := "to be applied"
		if !step.AppliedAt.IsZero() {
			applied = step.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(streams.Out, "%-24s %s\n", step.Name, applied)
	}
	if status.Have > status.Knows {
		fmt.Fprintf(streams.Out, "schema %d is of a newer release; this one knows %d\n", status.Have, status.Knows)
	}
	return nil
}
