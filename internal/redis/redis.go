// Package redis shares between nodes what is fast and may be lost: the counts of rate limits. Everything that must not be
// lost is in the database. Without a Redis that answers, each node goes on by itself.
package redis

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Redis is a server that may be there. Its methods may be called from any goroutine.
type Redis struct {
	client *goredis.Client
	log    *slog.Logger

	down   atomic.Int64 // when it may be asked again, in ns; 0: it answers
	failed atomic.Int64 // calls that it did not answer
}

const (
	patience = 100 * time.Millisecond // for one answer
	pause    = time.Second            // after a failure, in which it is not asked
	prefix   = "tailorbird:"
)

// Open makes a client of redis://user:password@host:port/database, or rediss:// for TLS. It does not connect: a Redis that
// is down is no reason not to start.
func Open(url string, log *slog.Logger) (*Redis, error) {
	options, err := goredis.ParseURL(url)
	if err != nil {
		// The cause may hold the password.
		return nil, fault.Setting("redis_url", "must look like redis://user:password@redis.internal:6379/0, or rediss:// for TLS")
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = patience, patience, patience, patience
	options.MaxRetries, options.DialerRetries, options.ContextTimeoutEnabled = -1, 1, true
	goredis.SetLogger(whispers{log})
	return &Redis{client: goredis.NewClient(options), log: log}, nil
}

// Greet looks whether the server is there, and has it logged where it is not: an address may be wrong.
func (r *Redis) Greet(ctx context.Context) {
	r.ask(ctx, func(ctx context.Context) error { return r.client.Ping(ctx).Err() })
}

// whispers is where the client writes about each try: ask has said once that the server does not answer.
type whispers struct{ log *slog.Logger }

func (w whispers) Printf(ctx context.Context, format string, args ...any) {
	w.log.DebugContext(ctx, "redis: "+fmt.Sprintf(format, args...))
}

// Close ends the connections.
func (r *Redis) Close() error { return r.client.Close() }

// Stats tells whether the server answers, and how many calls it did not answer.
func (r *Redis) Stats() (up bool, failed int64) { return r.down.Load() == 0, r.failed.Load() }

// ask makes a call unless the server has just failed, and reports whether there was an answer.
func (r *Redis) ask(ctx context.Context, call func(context.Context) error) bool {
	until := r.down.Load()
	now := time.Now().UnixNano()
	if until > now {
		return false
	}
	if until > 0 && !r.down.CompareAndSwap(until, now+int64(pause)) {
		return false // somebody else tries
	}
	timed, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := call(timed)
	switch {
	case err == nil:
		if r.down.Swap(0) != 0 {
			r.log.InfoContext(ctx, "redis answers again; limits hold for all nodes together")
		}
		return true
	case ctx.Err() != nil: // the caller has gone
		return false
	}
	r.failed.Add(1)
	if r.down.Swap(time.Now().Add(pause).UnixNano()) == 0 {
		r.log.WarnContext(ctx, "redis does not answer; each node counts by itself meanwhile", "error", err)
	}
	return false
}
