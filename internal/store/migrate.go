package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"

	"github.com/tailorbird/tailorbird/internal/fault"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the tables up to date, and refuses those of a newer release.
func migrate(ctx context.Context, path string, set settings) error {
	db, err := sql.Open("sqlite3", set.dsn(path))
	if err != nil {
		return storeError(err)
	}
	defer func() { _ = db.Close() }()
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return storeError(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return storeError(err)
	}
	have, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "%s is not a Tailorbird database", path)
	}
	latest, err := newestSchema()
	if err != nil {
		return storeError(err)
	}
	if have > latest {
		return fault.New(fault.Invalid, "%s was written by a newer release (schema %d, this one knows %d); upgrade Tailorbird", path, have, latest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fault.Wrap(fault.Internal, err, "the tables in %s could not be brought up to date", path)
	}
	return nil
}

// newestSchema is the newest migration that this program knows.
func newestSchema() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	if err != nil {
		return 0, err
	}
	return goose.NumericComponent(slices.Max(files))
}
