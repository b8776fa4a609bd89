package app

import (
	"context"
	"log/slog"

	"github.com/tailorbird/tailorbird/internal/store"
)

// quiet is a log in which what only follows from the database being away is for those who look closely (debug): the store
// has said that it is, and says when it is back, while everything that needs it tries again each second.
type quiet struct {
	slog.Handler
	away func() bool
}

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, record slog.Record) error {
	if record.Level <= slog.LevelDebug || !q.away() || !followsFromAbsence(record) {
		return q.Handler.Handle(ctx, record)
	}
	if !q.Enabled(ctx, slog.LevelDebug) {
		return nil
	}
	record.Level = slog.LevelDebug
	return q.Handler.Handle(ctx, record)
}

func followsFromAbsence(record slog.Record) (follows bool) {
	record.Attrs(func(a slog.Attr) bool {
		err, is := a.Value.Any().(error)
		follows = is && store.IsUnanswered(err)
		return !follows
	})
	return follows
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(attrs), q.away}
}

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name), q.away} }
