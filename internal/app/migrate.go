package app

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/store"
)

// Migrations tell how a database's tables stand to this program.
type Migrations = store.Migrations

// Migrate brings the tables of a configuration's database up to date, and tells how they stand then.
func Migrate(ctx context.Context, config Config) (Migrations, error) {
	return store.Migrate(ctx, config.DataDir, store.OnPostgres(config.DatabaseURL))
}

// MigrationStatus tells how the tables of a configuration's database stand.
func MigrationStatus(ctx context.Context, config Config) (Migrations, error) {
	return store.MigrationStatus(ctx, config.DataDir, store.OnPostgres(config.DatabaseURL))
}
