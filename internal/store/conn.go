package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/mattn/go-sqlite3"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Conn is a connection inside a transaction. It belongs to the function that it was given to.
type Conn struct {
	raw   *sqlite3.SQLiteConn
	stmts map[string]*statement
	ctx   context.Context // of a View; nil in the writer, whose work is never interrupted
}

// statement is a prepared statement with its spare values.
type statement struct {
	raw  *sqlite3.SQLiteStmt
	busy bool // a Query over it is running
}

// openConn opens the database with the settings that the durability of every answer rests on: WAL with a sync at each
// commit.
func openConn(path string, set settings, readOnly bool) (*Conn, error) {
	raw, err := (&sqlite3.SQLiteDriver{}).Open(set.dsn(path) + "&_foreign_keys=off&_txlock=immediate")
	if err != nil {
		return nil, storeError(err)
	}
	c := &Conn{raw: raw.(*sqlite3.SQLiteConn), stmts: map[string]*statement{}}
	pragmas := []string{
		fmt.Sprintf("PRAGMA wal_autocheckpoint=%d", set.checkpointPages), "PRAGMA cache_size=-32000", "PRAGMA temp_store=MEMORY",
	}
	if readOnly {
		pragmas = append(pragmas, "PRAGMA query_only=ON", "PRAGMA cache_size=-8000")
	}
	for _, p := range pragmas {
		if _, err := c.raw.Exec(p, nil); err != nil {
			c.close()
			return nil, storeError(err)
		}
	}
	return c, nil
}

func (c *Conn) close() {
	for _, s := range c.stmts {
		_ = s.raw.Close()
	}
	_ = c.raw.Close()
}

func (c *Conn) begin(how string) error {
	_, err := c.Exec(how)
	return err
}

// rollback ends a transaction, where one is open.
func (c *Conn) rollback() {
	if !c.raw.AutoCommit() {
		_, _ = c.raw.Exec("ROLLBACK", nil)
	}
}

// placeholders turns PostgreSQL's $1 into SQLite's ?1: to SQLite, $1 is a name, numbered by first appearance.
var placeholders = regexp.MustCompile(`\$(\d+)`)

func (c *Conn) prepare(query string) (*statement, error) {
	if s, ok := c.stmts[query]; ok && !s.busy {
		return s, nil
	}
	raw, err := c.raw.Prepare(placeholders.ReplaceAllString(query, "?$1"))
	if err != nil {
		return nil, fmt.Errorf("store: %w in: %s", err, query)
	}
	s := &statement{raw: raw.(*sqlite3.SQLiteStmt)}
	if _, taken := c.stmts[query]; !taken {
		c.stmts[query] = s
	}
	return s, nil
}

// release closes a statement that is not the cached one of its text.
func (c *Conn) release(query string, s *statement) {
	s.busy = false
	if c.stmts[query] != s {
		_ = s.raw.Close()
	}
}

// Exec runs a statement and tells how many rows it changed. Arguments may be int64, int, float64, bool, string, []byte
// and nil.
func (c *Conn) Exec(query string, args ...any) (int64, error) {
	result, err := c.run(query, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Insert runs an INSERT and gives the integer key of the new row.
func (c *Conn) Insert(query string, args ...any) (int64, error) {
	result, err := c.run(query, args)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

func (c *Conn) run(query string, args []any) (driver.Result, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	defer c.release(query, s)
	result, err := s.raw.Exec(values(args))
	if err != nil {
		return nil, storeError(err)
	}
	return result, nil
}

// Query calls each with every row of the answer, in order, until it returns an error. The Row is valid during the call.
func (c *Conn) Query(query string, args []any, each func(Row) error) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	s.busy = true
	defer c.release(query, s)
	rows, err := c.start(s, values(args))
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

func (c *Conn) start(s *statement, args []driver.Value) (driver.Rows, error) {
	if c.ctx == nil || c.ctx.Done() == nil {
		return s.raw.Query(args)
	}
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return s.raw.QueryContext(c.ctx, named)
}

// One calls each with the first row and reports whether there was one.
func (c *Conn) One(query string, args []any, each func(Row) error) (bool, error) {
	found := false
	err := c.Query(query, args, func(r Row) error {
		found = true
		if err := each(r); err != nil {
			return err
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

// Int gives the first column of the first row, 0 where there is none.
func (c *Conn) Int(query string, args ...any) (n int64, err error) {
	_, err = c.One(query, args, func(r Row) error { n = r.Int(0); return nil })
	return n, err
}

var errEnough = errors.New("enough rows")

// Row is one row of an answer.
type Row []driver.Value

// Int is column i as an integer, 0 for NULL.
func (r Row) Int(i int) int64 {
	switch v := r[i].(type) {
	case int64:
		return v
	case bool:
		if v {
			return 1
		}
	case float64:
		return int64(v)
	}
	return 0
}

// Float is column i as a number, 0 for NULL.
func (r Row) Float(i int) float64 {
	switch v := r[i].(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// Text is column i as text, "" for NULL.
func (r Row) Text(i int) string {
	switch v := r[i].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// Bytes is a copy of column i, nil for NULL.
func (r Row) Bytes(i int) []byte {
	switch v := r[i].(type) {
	case []byte:
		return append([]byte(nil), v...)
	case string:
		return []byte(v)
	}
	return nil
}

// Raw is column i, valid as long as the row; nil for NULL.
func (r Row) Raw(i int) []byte {
	b, _ := r[i].([]byte)
	return b
}

// Null reports whether column i is NULL.
func (r Row) Null(i int) bool { return r[i] == nil }

func values(args []any) []driver.Value {
	out := make([]driver.Value, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case int:
			out[i] = int64(v)
		default:
			out[i] = v
		}
	}
	return out
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
