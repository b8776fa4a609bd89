package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// How long PostgreSQL may take. What takes longer fails with Unavailable, and whoever asked may ask again.
const (
	connectWithin = 5 * time.Second  // for a new connection
	waitWithin    = 3 * time.Second  // for one of the pool
	writeWithin   = 20 * time.Second // for a transaction that writes, every try of it
	readWithin    = 5 * time.Minute  // for one that reads, where nobody says how long
	lockWithin    = 3 * time.Second  // for a lock that another transaction holds

	// How long a transaction may be open while its process does nothing: a process that stands still, or cannot be reached
	// any more, must not keep the others from what it has locked. A healthy one takes milliseconds.
	idleWriting = 5 * time.Second
	idleReading = time.Minute // which locks nothing
)

// How soon PostgreSQL notices that the other end of a connection is gone, in seconds and milliseconds: its own defaults are
// hours.
var noticing = map[string]string{
	"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "3", "tcp_keepalives_count": "3", "tcp_user_timeout": "15000",
}

// byIndex has PostgreSQL go by an index wherever there is one, which is how the engine and writers ask: a plan is kept from
// when the tables were next to empty, and reading the whole of one, which was best then, would be done again for every event
// until the table has been counted. Where there is none it takes its plan for so dear that it would compile it each time (jit).
var byIndex = map[string]string{"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off"}

// Connections of a process, by what they are for. The engine never waits for the rest.
const (
	readConnections   = 6
	writeConnections  = 6
	engineConnections = 4
)

const (
	maxTries       = 12 // of a transaction that others got in the way of
	maxReconnects  = 3  // of one whose connection broke
	oldestPostgres = 140000
)

// postgresDatabase is a database of PostgreSQL. Every function has a transaction of its own.
type postgresDatabase struct {
	pace
	readers, writers, engine *pgxpool.Pool
	writing                  atomic.Int64
	asking                   *pgconn.Config // of connections for queries that are not ours
	queries                  turns
	presence                 *presence
}

// openPostgres connects, and brings the tables up to date.
func openPostgres(ctx context.Context, address string) (*postgresDatabase, error) {
	err := onPostgres(ctx, address, func(m *migrator) error { return m.up(ctx) })
	if err != nil {
		return nil, err
	}
	d := &postgresDatabase{queries: make(turns, queriesAtOnce), presence: &presence{log: defaults.log}}
	for _, pool := range []struct {
		into      **pgxpool.Pool
		size      int32
		statement time.Duration
		idle      time.Duration
	}{
		{&d.readers, readConnections, readWithin, idleReading},
		{&d.writers, writeConnections, writeWithin, idleWriting},
		{&d.engine, engineConnections, writeWithin, idleWriting},
	} {
		settings := map[string]string{
			"statement_timeout": milliseconds(pool.statement), "lock_timeout": milliseconds(lockWithin),
			"idle_in_transaction_session_timeout": milliseconds(pool.idle),
		}
		maps.Copy(settings, noticing)
		if pool.into != &d.readers {
			maps.Copy(settings, byIndex)
		}
		config, err := poolConfig(address, settings)
		if err != nil {
			d.close()
			return nil, err
		}
		config.MaxConns = pool.size
		if pool.into == &d.readers {
			d.asking = &config.ConnConfig.Config
		}
		if *pool.into, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), config); err != nil {
			d.close()
			return nil, postgresError(err, "")
		}
	}
	return d, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// poolConfig reads the address of a database. Its connections have these settings, but for those that the address sets.
func poolConfig(address string, settings map[string]string) (*pgxpool.Config, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" && u.Query().Get("host") == "" {
		return nil, fault.Setting(databaseSetting, "must be postgres://user:password@host:port/database; in a password, %%23 stands for #, %%2F for / and %%40 for @")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The text of the error may hold the password; that of what it comes from names the part that is wrong.
		return nil, &fault.Error{
			Code: fault.Invalid, Setting: databaseSetting, Message: "must be postgres://user:password@host:port/database?sslmode=…",
			Cause: errors.Unwrap(err),
		}
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectWithin
	}
	all := maps.Clone(settings)
	maps.Copy(all, config.ConnConfig.RuntimeParams)
	config.ConnConfig.RuntimeParams = map[string]string{"application_name": "tailorbird"}
	for _, name := range [...]string{"application_name", "client_encoding", "options"} {
		if value, chosen := all[name]; chosen {
			config.ConnConfig.RuntimeParams[name] = value
			delete(all, name)
		}
	}
	config.ConnConfig.AfterConnect = settle(all)
	config.PingTimeout = connectWithin
	return config, nil
}

// settle changes the settings of a connection that stands. One may ask for them as it begins, but PgBouncer refuses that.
func settle(settings map[string]string) pgconn.AfterConnectFunc {
	var calls []string
	var values [][]byte
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		values = append(values, []byte(name), []byte(settings[name]))
		calls = append(calls, fmt.Sprintf("set_config($%d, $%d, false)", len(values)-1, len(values)))
	}
	query := "SELECT " + strings.Join(calls, ", ")
	return func(ctx context.Context, conn *pgconn.PgConn) error {
		return conn.ExecParams(ctx, query, values, nil, nil, nil).Read().Err
	}
}

func (d *postgresDatabase) dialect() *dialect { return &postgresDialect }

func (d *postgresDatabase) figures() (commits int64, latency time.Duration, queued int) {
	return d.commits.Load(), time.Duration(d.latency.Load()), int(d.writing.Load())
}

func (d *postgresDatabase) pools() []*pgxpool.Pool {
	return []*pgxpool.Pool{d.readers, d.writers, d.engine}
}

func (d *postgresDatabase) close() {
	for _, pool := range d.pools() {
		if pool != nil {
			pool.Close()
		}
	}
}

func (d *postgresDatabase) update(ctx context.Context, who reader, fn func(*Conn) error) error {
	d.writing.Add(1)
	defer d.writing.Add(-1)
	start := time.Now()
	ctx, cancel := until(ctx, writeWithin)
	defer cancel()
	broken := 0
	for try := 1; ; try++ {
		sent, err := d.once(ctx, who, fn)
		if err == nil {
			d.note(start)
			return nil
		}
		if !sent && isBroken(err) && ctx.Err() == nil && broken < maxReconnects {
			broken++
			continue
		}
		if !isInTheWay(err) || try == maxTries {
			return err
		}
		pause := time.NewTimer(time.Duration(rand.Int64N(int64(time.Millisecond) << min(try, 7))))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return err
		}
	}
}

// until is a context that ends after d, or when the caller does not wait any longer, and not because the caller is gone: what
// was begun is ended.
func until(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if deadline, given := ctx.Deadline(); given {
		d = min(d, time.Until(deadline))
	}
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}

// Locks, and not the level of isolation, keep those apart who write the same.
const beginWriting = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

// once tries a transaction. sent says that its commit was under way: if the connection broke, it may have held.
func (d *postgresDatabase) once(ctx context.Context, who reader, fn func(*Conn) error) (sent bool, err error) {
	pool := d.writers
	if who == theEngine {
		pool = d.engine
	}
	err = d.borrow(ctx, pool, func(s *postgresSession) error {
		s.begin(beginWriting)
		if err := guarded(fn, &Conn{session: s, dialect: &postgresDialect, ctx: ctx}); err != nil {
			return err
		}
		sent = true
		return s.end(ctx, "COMMIT")
	})
	return sent, err
}

func (d *postgresDatabase) view(ctx context.Context, who reader, fn func(*Conn) error) error {
	pool := d.readers
	within := readWithin
	if who == theEngine {
		pool, within = d.engine, writeWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for broken := 0; ; broken++ {
		answered := false
		err := d.borrow(ctx, pool, func(s *postgresSession) error {
			s.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
			err := fn(&Conn{session: s, dialect: &postgresDialect, ctx: ctx})
			answered = s.answered
			return err
		})
		// A connection that broke before it gave anything is replaced unnoticed.
		if err == nil || answered || !isBroken(err) || ctx.Err() != nil || broken == maxReconnects {
			return err
		}
	}
}

// borrow lends a connection of a pool. What fn leaves open is undone.
func (d *postgresDatabase) borrow(ctx context.Context, pool *pgxpool.Pool, fn func(*postgresSession) error) error {
	conn, err := d.acquire(ctx, pool)
	if err != nil {
		return err
	}
	session := newPostgresSession(conn.Conn().PgConn())
	defer giveBack(conn, session)
	err = fn(session)
	refresh(pool, err)
	return err
}

// refresh replaces the connections of a pool, each when it is given back, where one had prepared what does not fit the tables any
// more.
func refresh(pool *pgxpool.Pool, err error) {
	if isCode(err, stalePlan) {
		pool.Reset()
	}
}

func (d *postgresDatabase) acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, waitWithin)
	defer cancel()
	conn, err := pool.Acquire(ctx)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return nil, fault.Wrap(fault.Unavailable, &unreachedError{err}, "the database is busy")
	}
	err = &unreachedError{dialed(err)}
	d.presence.lost(err)
	return nil, fault.Wrap(fault.Unavailable, err, "the database cannot be reached")
}

// giveBack gives a connection back to its pool, and undoes what is open.
func giveBack(conn *pgxpool.Conn, session *postgresSession) {
	defer conn.Release()
	session.queue = nil
	raw := conn.Conn().PgConn()
	if raw.IsClosed() || raw.TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), waitWithin)
	defer cancel()
	_, _ = raw.Exec(ctx, "ROLLBACK").ReadAll()
}
