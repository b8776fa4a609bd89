package store

import (
	"context"
	"sync/atomic"
	"time"
)

// database runs functions in transactions: SQLite's one writer and its readers, or PostgreSQL's connections.
type database interface {
	// update runs fn in a transaction and returns when it is durable. An error of fn undoes what fn did, and only that. fn
	// may be run again from its beginning.
	update(ctx context.Context, who reader, fn func(*Conn) error) error
	// view runs fn against a consistent snapshot.
	view(ctx context.Context, who reader, fn func(*Conn) error) error
	// ask answers a query that is not ours, and lets it read the tables for queries and nothing else.
	ask(ctx context.Context, q question) error
	dialect() *dialect
	// figures tells how writing goes.
	figures() (commits int64, latency time.Duration, queued int)
	// close finishes what is under way and releases everything.
	close()
}

// reader says who asks: the engine never waits for the readers of pages and reports.
type reader int

const (
	anyone reader = iota
	theEngine
)

// pace measures commits.
type pace struct {
	commits atomic.Int64
	latency atomic.Int64 // of the last ones, an exponentially weighted mean, in ns
}

// note counts a commit that began at start.
func (p *pace) note(start time.Time) {
	p.commits.Add(1)
	p.latency.Store((p.latency.Load()*15 + int64(time.Since(start))) / 16)
}
