package store

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
)

// Conn is a connection inside a transaction. It belongs to the function that it was given to.
type Conn struct {
	session
	dialect *dialect
	ctx     context.Context // of a View; in the writer one that never ends, for its work is never interrupted
}

// session is a driver's connection: all that a Conn needs of it.
type session interface {
	// exec runs a statement and tells how many rows it changed.
	exec(ctx context.Context, query string, args []any) (int64, error)
	// insert runs an INSERT into a table with a column id and gives that of the new row.
	insert(ctx context.Context, query string, args []any) (int64, error)
	// each runs a statement for every row of arguments, in as few round trips as the driver can.
	each(ctx context.Context, query string, rows [][]any) error
	// queryEach runs a query for every row of arguments and calls each with the rows of all answers, in order.
	queryEach(ctx context.Context, query string, rows [][]any, each func(i int, r Row) error) error
	// query calls each with every row of the answer until it returns an error. Other statements may run meanwhile.
	query(ctx context.Context, query string, args []any, each func(Row) error) error
	close()
}

// Exec runs a statement and tells how many rows it changed. Arguments may be int64, int, float64, bool, string, []byte
// and nil.
func (c *Conn) Exec(query string, args ...any) (int64, error) { return c.exec(c.ctx, query, args) }

// ExecEach runs a statement once for each of rows, its arguments. No two of them may change the same row of a table.
func (c *Conn) ExecEach(query string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	return c.each(c.ctx, query, rows)
}

// Insert runs an INSERT into a table with a column id and gives that of the new row.
func (c *Conn) Insert(query string, args ...any) (int64, error) { return c.insert(c.ctx, query, args) }

// Query calls each with every row of the answer, in order, until it returns an error. The Row is valid during the call.
func (c *Conn) Query(query string, args []any, each func(Row) error) error {
	return c.query(c.ctx, query, args, each)
}

// QueryEach runs a query for every row of arguments, and calls each with the rows of all answers and which of rows they
// answer, in order.
func (c *Conn) QueryEach(query string, rows [][]any, each func(i int, r Row) error) error {
	if len(rows) == 0 {
		return nil
	}
	return c.queryEach(c.ctx, query, rows, each)
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
	case borrowed:
		return string(v)
	}
	return ""
}

// Bytes is column i, the caller's to keep; nil for NULL.
func (r Row) Bytes(i int) []byte {
	switch v := r[i].(type) {
	case []byte:
		return v
	case borrowed:
		return bytes.Clone(v)
	case string:
		return []byte(v)
	}
	return nil
}

// Raw is column i, valid as long as the row; nil for NULL.
func (r Row) Raw(i int) []byte {
	switch v := r[i].(type) {
	case []byte:
		return v
	case borrowed:
		return v
	}
	return nil
}

// borrowed are texts and bytes in the buffer that an answer is being read into, which the next row overwrites.
type borrowed []byte

// Null reports whether column i is NULL.
func (r Row) Null(i int) bool { return r[i] == nil }
