package storetest

import (
	"context"
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/tailorbird/tailorbird/internal/store/migrations"
)

// ByCustomer are the tables of PostgreSQL that grow with customers and what they do, each with the column that says whose a row
// is: in every key of the table, so that it can be split by it.
var ByCustomer = map[string]string{
	"additions":        "profile_id",
	"conversions":      "profile_id",
	"events":           "profile_id", // each month of it
	"filling_waits":    "profile_id",
	"kept_apart":       "profile_id",
	"match_candidates": "a_id",
	"memberships":      "profile_id",
	"merges":           "loser_id",
	"messages":         "profile_id",
	"overrides":        "profile_id",
	"profiles":         "id",
	"responses":        "profile_id",
	"segment_results":  "profile_id",
}

// ByKey are the tables whose key keeps something to one for all customers, each with the column of it by which it can be split.
var ByKey = map[string]string{"identifiers": "value", "message_ids": "hash", "run_addresses": "email", "suppressions": "email"}

// Split makes partitions of all tables of ByCustomer and ByKey in a schema of PostgreSQL, as docs/operations.md tells people to. It
// returns the names of the tables, and of the parts of events, that it has split.
func Split(t Test, address string, parts int) (split []string) {
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if split, err = splitAll(ctx, db, parts); err != nil {
		t.Fatal(err)
	}
	return split
}

func splitAll(ctx context.Context, db *sql.DB, parts int) ([]string, error) {
	text, err := fromRoot("deploy/postgres/split.sql")
	if err != nil {
		return nil, err
	}
	columns := maps.Clone(ByCustomer)
	delete(columns, "events")
	maps.Copy(columns, ByKey)
	months, err := db.QueryContext(ctx, `SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = months.Close() }()
	for months.Next() {
		var month string
		if err := months.Scan(&month); err != nil {
			return nil, err
		}
		columns[month] = ByCustomer["events"]
	}
	if err := months.Err(); err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx) // the function is the session's
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, string(text)); err != nil {
		return nil, err
	}
	tables := slices.Sorted(maps.Keys(columns))
	for _, table := range tables {
		if _, err := conn.ExecContext(ctx, `SELECT pg_temp.split($1::text::regclass, $2, $3)`, table, columns[table], parts); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// splitIfAsked makes the tables in an empty schema, and splits them, where the environment says so.
func splitIfAsked(t Test, address string) {
	asked := os.Getenv(PartsVariable)
	if asked == "" {
		return
	}
	parts, err := strconv.Atoi(asked)
	if err != nil || parts < 1 {
		t.Fatal(PartsVariable + " must be a number of partitions, not " + asked)
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	steps, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Postgres())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := steps.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
	Split(t, address, parts)
}

// fromRoot reads a file of the repository, whichever package is tested.
func fromRoot(path string) ([]byte, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err = os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return os.ReadFile(filepath.Join(dir, path))
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir, err = parent, nil
		}
	}
	return nil, err
}
