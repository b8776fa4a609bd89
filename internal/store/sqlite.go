package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/mattn/go-sqlite3"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// sqliteSession is a connection to SQLite.
type sqliteSession struct {
	raw   *sqlite3.SQLiteConn
	stmts map[string]*statement
	args  []driver.NamedValue // of the statement that is being run

	writing bool // a transaction was begun by begin, and not ended by us
}

// statement is a prepared statement.
type statement struct {
	raw  *sqlite3.SQLiteStmt
	busy bool // a query over it is running
}

// writeAnew is what a connection that writes begins with: of a sync that failed before, the system may show what the disk does not
// have. Nothing is added behind that before it has been written anew.
const writeAnew = "PRAGMA wal_checkpoint(TRUNCATE)"

// openSQLite opens the database with the settings that the durability of every answer rests on: WAL with a sync at each
// commit. A session is used by one goroutine at a time. More commands that set it up come last.
func openSQLite(path string, set settings, readOnly bool, more ...string) (*sqliteSession, error) {
	raw, err := (&sqlite3.SQLiteDriver{}).Open(set.dsn(path) + "&_foreign_keys=off&_txlock=immediate&_mutex=no")
	if err != nil {
		return nil, storeError(err)
	}
	s := &sqliteSession{raw: raw.(*sqlite3.SQLiteConn), stmts: map[string]*statement{}}
	pragmas := []string{
		fmt.Sprintf("PRAGMA wal_autocheckpoint=%d", set.checkpointPages), "PRAGMA cache_size=-32000", "PRAGMA temp_store=MEMORY",
	}
	if readOnly {
		pragmas = append(pragmas, "PRAGMA query_only=ON", "PRAGMA cache_size=-8000")
	}
	for _, p := range append(pragmas, more...) {
		if err := s.do(p); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *sqliteSession) close() {
	for _, one := range s.stmts {
		_ = one.raw.Close()
	}
	_ = s.raw.Close()
}

// do runs a command that has neither arguments nor an answer.
func (s *sqliteSession) do(command string) error {
	if _, err := s.raw.Exec(command, nil); err != nil {
		return storeError(err)
	}
	return nil
}

// control runs a command that begins or ends a transaction or a part of one. It stays prepared.
func (s *sqliteSession) control(command string) error {
	_, err := s.run(command, nil)
	return err
}

// begin begins a transaction that writes, commit and rollback end it.
func (s *sqliteSession) begin() error {
	err := s.control("BEGIN IMMEDIATE")
	s.writing = err == nil
	return err
}

func (s *sqliteSession) commit() error {
	s.writing = false
	return s.control("COMMIT")
}

// in runs fn in a transaction that writes.
func (s *sqliteSession) in(ctx context.Context, fn func(c *Conn) error) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.rollback() // does nothing after the commit
	if err := fn(&Conn{session: s, dialect: &sqliteDialect, ctx: ctx}); err != nil {
		return err
	}
	return s.commit()
}

// whole makes sure that nothing is written outside of the transaction that was begun: SQLite undoes it by itself where the
// disk fails, and would take what comes next for itself.
func (s *sqliteSession) whole() error {
	if s.writing && s.raw.AutoCommit() {
		return fault.New(fault.Unavailable, "the transaction was undone")
	}
	return nil
}

// rollback ends a transaction, where one is open.
func (s *sqliteSession) rollback() {
	s.writing = false
	if !s.raw.AutoCommit() {
		_ = s.control("ROLLBACK")
	}
}

// placeholders turns PostgreSQL's $1 into SQLite's ?1: to SQLite, $1 is a name, numbered by first appearance.
var placeholders = regexp.MustCompile(`\$(\d+)`)

func (s *sqliteSession) prepare(query string) (*statement, error) {
	if known, ok := s.stmts[query]; ok && !known.busy {
		return known, nil
	}
	raw, err := s.raw.Prepare(placeholders.ReplaceAllString(query, "?$1"))
	if err != nil {
		return nil, fmt.Errorf("store: %w in: %s", err, query)
	}
	fresh := &statement{raw: raw.(*sqlite3.SQLiteStmt)}
	if _, taken := s.stmts[query]; !taken {
		s.stmts[query] = fresh
	}
	return fresh, nil
}

// release closes a statement that is not the cached one of its text.
func (s *sqliteSession) release(query string, used *statement) {
	used.busy = false
	if s.stmts[query] != used {
		_ = used.raw.Close()
	}
}

func (s *sqliteSession) exec(_ context.Context, query string, args []any) (int64, error) {
	result, err := s.run(query, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *sqliteSession) insert(_ context.Context, query string, args []any) (int64, error) {
	result, err := s.run(query, args)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

func (s *sqliteSession) each(_ context.Context, query string, rows [][]any) error {
	if err := s.whole(); err != nil {
		return err
	}
	prepared, err := s.prepare(query)
	if err != nil {
		return err
	}
	defer s.release(query, prepared)
	for _, args := range rows {
		if _, err := prepared.raw.ExecContext(context.Background(), s.named(args)); err != nil {
			return storeError(err)
		}
	}
	return nil
}

func (s *sqliteSession) queryEach(ctx context.Context, query string, rows [][]any, each func(i int, r Row) error) error {
	for i, args := range rows {
		if err := ctx.Err(); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the answer took too long")
		}
		// One of them takes no time worth interrupting, which has a price.
		if err := s.query(context.Background(), query, args, func(r Row) error { return each(i, r) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *sqliteSession) run(query string, args []any) (driver.Result, error) {
	if err := s.whole(); err != nil {
		return nil, err
	}
	prepared, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	defer s.release(query, prepared)
	result, err := prepared.raw.ExecContext(context.Background(), s.named(args))
	if err != nil {
		return nil, storeError(err)
	}
	return result, nil
}

func (s *sqliteSession) query(ctx context.Context, query string, args []any, each func(Row) error) error {
	prepared, err := s.prepare(query)
	if err != nil {
		return err
	}
	prepared.busy = true
	defer s.release(query, prepared)
	rows, err := prepared.raw.QueryContext(ctx, slices.Clone(s.named(args)))
	if err != nil {
		return storeError(err)
	}
	defer func() { _ = rows.Close() }()
	row := make(Row, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return storeError(err)
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// named are arguments as the driver takes them, until it is asked for others.
func (s *sqliteSession) named(args []any) []driver.NamedValue {
	s.args = s.args[:0]
	for i, a := range args {
		if v, is := a.(int); is {
			a = int64(v)
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return s.args
}

// storeError gives the driver's errors a code: a full disk and a busy database pass, the rest is ours.
func storeError(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("store: %w", err)
	}
	switch e.Code {
	case sqlite3.ErrFull:
		return fault.Wrap(fault.Unavailable, err, "the disk is full")
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrInterrupt:
		return fault.Wrap(fault.Unavailable, err, "the database is busy")
	case sqlite3.ErrConstraint:
		return fault.Wrap(fault.Conflict, err, "it exists already")
	}
	return fmt.Errorf("store: %w", err)
}
