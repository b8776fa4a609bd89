// Package storetest gives tests databases of both kinds. The tests of the store, the engine and whatever else keeps things
// are one suite: they run on SQLite, and on PostgreSQL where TAILORBIRD_TEST_DATABASE is postgres.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
)

// The environment of tests.
const (
	kindVariable   = "TAILORBIRD_TEST_DATABASE" // postgres: on PostgreSQL
	serverVariable = "TAILORBIRD_TEST_POSTGRES" // the address of a server, which scripts/postgres.sh starts
)

// PartsVariable names a number in the environment: into so many partitions Postgres splits the tables of what it gives.
const PartsVariable = "TAILORBIRD_TEST_PARTS"

// Test is what a test must be able to do. One that cannot Skip fails instead.
type Test interface{ Fatal(args ...any) }

// OnPostgres reports whether the tests run on PostgreSQL.
func OnPostgres() bool { return os.Getenv(kindVariable) == "postgres" }

// Database gives what store.OnPostgres opens for a data directory: "" for SQLite, or a schema of its own on the server, the
// same one whenever the directory is opened. Schemas stay until the server is stopped.
func Database(t Test, dir string) string {
	if !OnPostgres() {
		return ""
	}
	path := filepath.Join(dir, "postgres-url")
	if known, err := os.ReadFile(path); err == nil {
		return string(known)
	}
	address := Postgres(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(address), 0o600); err != nil {
		t.Fatal(err)
	}
	return address
}

// Postgres gives the address of an empty schema on PostgreSQL, or of one with empty tables that are split. Without a server the
// test is skipped; in continuous integration (CI is set) it fails.
func Postgres(t Test) string {
	server := os.Getenv(serverVariable)
	if server == "" {
		const missing = "no PostgreSQL to test with: run this under scripts/postgres.sh with, or set " + serverVariable
		if skipper, can := t.(interface{ Skip(args ...any) }); can && os.Getenv("CI") == "" {
			skipper.Skip(missing)
		}
		t.Fatal(missing)
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	schema := "test_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(ctx, `CREATE SCHEMA `+schema); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	splitIfAsked(t, u.String())
	return u.String()
}
