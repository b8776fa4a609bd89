package store

import (
	"context"
	"database/sql"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store/migrations"
)

// Migrations tell how a database's tables stand to this program.
type Migrations struct {
	Have  int64       // the version of the tables, 0 for none
	Knows int64       // the newest one that this program knows
	Steps []Migration // that it knows, oldest first
}

// Migration is one step.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time // zero: not yet
}

// MigrationStatus tells how the tables of the database in dir, or on PostgreSQL, stand; it changes nothing.
func MigrationStatus(ctx context.Context, dir string, options ...Option) (m Migrations, err error) {
	err = withMigrator(ctx, dir, options, func(g *migrator) error {
		m, err = g.status(ctx)
		return err
	})
	return m, err
}

// Migrate brings the tables up to date and tells how they stand then. On PostgreSQL it also makes the partitions of events of
// the last three months, or since the time that MonthsSince names, and of the next twelve. It fails with Invalid where the tables
// are of a newer release, and where the user may not change them.
func Migrate(ctx context.Context, dir string, options ...Option) (m Migrations, err error) {
	err = withMigrator(ctx, dir, options, func(g *migrator) error {
		if err := g.up(ctx); err != nil {
			return err
		}
		m, err = g.status(ctx)
		return err
	})
	if err != nil {
		return m, err
	}
	return m, makeMonthsOf(ctx, options)
}

// makeMonthsOf makes the partitions of a database that has them.
func makeMonthsOf(ctx context.Context, options []Option) error {
	set := settings{}
	for _, one := range options {
		one(&set)
	}
	if set.postgres == "" {
		if !set.monthsSince.IsZero() {
			return fault.New(fault.Invalid, "events lie by month on PostgreSQL only")
		}
		return nil
	}
	now := monthOf(time.Now().UnixMicro())
	from := now - migratedBehind
	if !set.monthsSince.IsZero() {
		if from = monthOf(set.monthsSince.UnixMicro()); from < now-monthsBehind || from > now {
			return fault.New(fault.Invalid, "months of events begin at %s; give one of the last %d years", set.monthsSince.Format("2006-01"), monthsBehind/12)
		}
	}
	db, err := openPostgres(ctx, set.postgres)
	if err != nil {
		return err
	}
	defer db.close()
	err = makeMonths(ctx, db, from, now+migratedAhead)
	if isCode(err, insufficientPrivilege) {
		return fault.Wrap(fault.Invalid, err, "the user of --database-url may not make partitions of events; run this as the owner of the tables")
	}
	return err
}

// mayNotMigrate says that the program's user has no right to make or change the tables; nil for another error.
func (m *migrator) mayNotMigrate(err error) error {
	if !isCode(err, insufficientPrivilege) {
		return nil
	}
	return fault.Wrap(fault.Invalid, err, "the tables of %s are not up to date, and the user of --database-url may not change them; run tailorbird migrate up as their owner", m.name)
}

// migrator applies the migrations of one database.
type migrator struct {
	*goose.Provider
	name   string // of the database, for people
	copied bool   // by a copy that is not finished
}

// migrateWithin is how long a migration may wait for another process's.
const migrateWithin = 10 * time.Minute

// withMigrator opens a database for migrations alone; nobody else migrates it meanwhile.
func withMigrator(ctx context.Context, dir string, options []Option, fn func(*migrator) error) error {
	set := settings{}
	for _, one := range options {
		one(&set)
	}
	if set.postgres != "" {
		return onPostgres(ctx, set.postgres, func(m *migrator) error {
			if m.copied {
				return errUnfinished()
			}
			return fn(m)
		})
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	return onSQLite(databasePath(dir), set, fn)
}

func onSQLite(path string, set settings, fn func(*migrator) error) error {
	db, err := sql.Open("sqlite3", set.dsn(path))
	if err != nil {
		return storeError(err)
	}
	return migrateOn(db, goose.DialectSQLite3, migrations.SQLite(), path, fn)
}

func onPostgres(ctx context.Context, address string, fn func(*migrator) error) error {
	config, err := poolConfig(address, map[string]string{"lock_timeout": milliseconds(lockWithin)})
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config.ConnConfig)
	ctx, cancel := context.WithTimeout(ctx, migrateWithin)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		_ = db.Close()
		return unconnected(&config.ConnConfig.Config, err)
	}
	defer func() { _ = conn.Close() }() // which gives the lock back
	if err := lockMigrations(ctx, conn); err != nil {
		_ = db.Close()
		return err
	}
	var copied bool
	if err := conn.QueryRowContext(ctx, `SELECT EXISTS (`+findUnfinished+`)`, unfinishedCopy).Scan(&copied); err != nil {
		_ = db.Close()
		return postgresError(err, "")
	}
	return migrateOn(db, goose.DialectPostgres, migrations.Postgres(), config.ConnConfig.Database, func(m *migrator) error {
		m.copied = copied
		return fn(m)
	})
}

// lockMigrations waits until nobody else changes the tables.
func lockMigrations(ctx context.Context, conn *sql.Conn) error {
	var version int
	if err := conn.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return postgresError(err, "")
	}
	if version < oldestPostgres {
		return fault.New(fault.Invalid, "the database is PostgreSQL %d; Tailorbird needs %d or later", version/10000, oldestPostgres/10000)
	}
	var schema sql.NullString
	if err := conn.QueryRowContext(ctx, `SELECT current_schema()`).Scan(&schema); err != nil {
		return postgresError(err, "")
	}
	if !schema.Valid {
		return fault.New(fault.Invalid, "the database has no schema to work in; create the one that its search_path names, or leave search_path out")
	}
	for {
		_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(hashtext(current_schema()), hashtext('migrations'))`)
		if err == nil {
			return nil
		}
		if !isCode(err, lockNotAvailable) || ctx.Err() != nil {
			return postgresError(err, "")
		}
	}
}

func migrateOn(db *sql.DB, dialect goose.Dialect, steps fs.FS, name string, fn func(*migrator) error) error {
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(dialect, db, steps)
	if err != nil {
		return err
	}
	return fn(&migrator{Provider: provider, name: name})
}

// up brings the tables up to date, and refuses those of a newer release.
func (m *migrator) up(ctx context.Context) error {
	have, err := m.GetDBVersion(ctx)
	if refused := m.mayNotMigrate(err); refused != nil {
		return refused
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "%s is not a Tailorbird database", m.name)
	}
	latest, err := newestSchema()
	if err != nil {
		return err
	}
	if have > latest {
		return fault.New(fault.Invalid, "%s was written by a newer release (schema %d, this one knows %d); upgrade Tailorbird", m.name, have, latest)
	}
	_, err = m.Up(ctx)
	if refused := m.mayNotMigrate(err); refused != nil {
		return refused
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the tables in %s could not be brought up to date", m.name)
	}
	return nil
}

func (m *migrator) status(ctx context.Context) (s Migrations, err error) {
	if s.Have, err = m.GetDBVersion(ctx); err != nil {
		return s, fault.Wrap(fault.Invalid, err, "%s is not a Tailorbird database", m.name)
	}
	list, err := m.Status(ctx)
	if err != nil {
		return s, fault.Wrap(fault.Internal, err, "the migrations of %s cannot be listed", m.name)
	}
	for _, one := range list {
		s.Steps = append(s.Steps, Migration{one.Source.Version, path.Base(one.Source.Path), one.AppliedAt})
		s.Knows = one.Source.Version
	}
	return s, nil
}

// newestSchema is the newest migration that this program knows, of both databases.
func newestSchema() (int64, error) {
	files, err := fs.Glob(migrations.SQLite(), "*.sql")
	if err != nil {
		return 0, err
	}
	return goose.NumericComponent(slices.Max(files))
}
