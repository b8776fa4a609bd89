package app

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/store"
)

// Migrations tell how a database's tables stand to this program.
type Migrations = store.Migrations

// Migrate brings the tables of a configuration's database up to date, and tells how they stand then. On PostgreSQL it makes the
// months of events since a time, or the last three where it is zero, and the next twelve.
func Migrate(ctx context.Context, config Config, since time.Time) (Migrations, error) {
	return store.Migrate(ctx, config.DataDir, store.OnPostgres(config.DatabaseURL), store.MonthsSince(since))
}

// MigrationStatus tells how the tables of a configuration's database stand.
func MigrationStatus(ctx context.Context, config Config) (Migrations, error) {
	return store.MigrationStatus(ctx, config.DataDir, store.OnPostgres(config.DatabaseURL))
}
