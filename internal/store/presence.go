package store

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// presence is whether the database is there. That it goes is logged once, by whoever notices first, and once that it is back,
// by the next sign of life of this node: what fails meanwhile need not say so again.
type presence struct {
	log  *slog.Logger
	gone atomic.Int64 // since when, in ns; 0: it is there
}

func (p *presence) lost(err error) {
	if p.gone.CompareAndSwap(0, time.Now().UnixNano()) {
		p.log.Error("the database does not answer; what needs it waits, and goes on once it is back", "error", err)
	}
}

func (p *presence) found() {
	if since := p.gone.Swap(0); since != 0 {
		p.log.Info("the database answers again", "away", time.Since(time.Unix(0, since)).Round(time.Millisecond))
	}
}

// Away reports whether the database does not answer, which has been logged. That of SQLite is never away.
func (s *Store) Away() bool { return s.presence != nil && s.presence.gone.Load() != 0 }

// unreachedError is one of getting a connection.
type unreachedError struct{ error }

func (e *unreachedError) Unwrap() error { return e.error }

// IsUnanswered reports whether an error says no more than that the database gave no answer.
func IsUnanswered(err error) bool {
	var unreached *unreachedError
	return errors.As(err, &unreached) || isBroken(err)
}
