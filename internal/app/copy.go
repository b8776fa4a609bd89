package app

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/store"
)

// Copied is what Copy did.
type Copied = store.Copied

// CopyProgress is how far Copy is.
type CopyProgress = store.CopyProgress

// Copy moves an installation from a data directory that no server works on to an empty database of PostgreSQL, or goes on
// with that; see store.CopyToPostgres.
func Copy(ctx context.Context, dir, databaseURL string, progress func(CopyProgress)) (Copied, error) {
	return store.CopyToPostgres(ctx, dir, databaseURL, progress)
}
