package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/mattn/go-sqlite3"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment/query"
)

const (
	queryMemory = 256 << 20             // by which the memory of SQLite may grow during a query
	queryWatch  = 10 * time.Millisecond // how often its limits are looked at
)

// asked is a connection for one query, which can read the tables for queries and nothing else.
type asked struct {
	question
	raw     *sqlite3.SQLiteConn
	guard   queryGuard
	stopped atomic.Pointer[error] // why the watch interrupted it
}

// ask opens a connection for one query, and interrupts that when it takes longer than its limit, or too much memory.
func (d *sqliteDatabase) ask(ctx context.Context, one question) error {
	release, err := d.queries.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	session, err := openSQLite(d.path, d.settings, true)
	if err != nil {
		return err
	}
	defer session.close()
	q := &asked{question: one, raw: session.raw}
	q.text = strings.TrimRightFunc(q.text, unicode.IsSpace) // as the driver does to the rest of it
	if err := q.guard.names(session); err != nil {
		return err
	}
	for id, most := range queryLimits {
		q.raw.SetLimit(id, most)
	}
	q.raw.RegisterAuthorizer(q.guard.authorize)
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		q.watch(ctx, done)
	}()
	defer func() {
		close(done)
		<-watched
	}()
	return q.run()
}

// watch interrupts the query when it oversteps a limit.
func (q *asked) watch(ctx context.Context, done <-chan struct{}) {
	db, memory, began := handle(q.raw), memoryUsed(), time.Now()
	ticker := time.NewTicker(queryWatch)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		var why error
		switch {
		case ctx.Err() != nil:
			why = fault.Wrap(fault.Unavailable, ctx.Err(), "the query was stopped")
		case time.Since(began) > q.limit:
			why = fault.Field("sql", "took longer than %s; narrow it down with WHERE, or join by id", q.limit)
		case memoryUsed()-memory > queryMemory:
			why = fault.Field("sql", "needs more than %d MB of memory; sort or group fewer rows", queryMemory>>20)
		default:
			continue
		}
		q.stopped.CompareAndSwap(nil, &why)
		interrupt(db) // again until it has ended: between two steps it is not heard
	}
}

func (q *asked) run() error {
	statement, err := q.prepare()
	if err != nil {
		return err
	}
	defer func() { _ = statement.Close() }()
	columns := selected(statement)
	if len(columns) == 0 {
		return fault.Field("sql", "selects nothing; a query is one SELECT")
	}
	if err := q.begin(columns); err != nil || q.each == nil {
		return err
	}
	// A context that never ends: the query is interrupted by its watch, not by the driver's.
	rows, err := statement.QueryContext(context.Background(), []driver.NamedValue{{Name: nowParameter, Ordinal: 1, Value: q.now.UnixMicro()}})
	if err != nil {
		return q.fault(err)
	}
	defer func() { _ = rows.Close() }()
	row, plain := make([]driver.Value, len(columns)), make([]any, len(columns))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return q.fault(err)
		}
		for i, v := range row {
			plain[i] = v
		}
		if err := q.each(plain); err != nil {
			return err
		}
	}
}

func (q *asked) prepare() (*sqlite3.SQLiteStmt, error) {
	if strings.ContainsRune(q.text, 0) {
		return nil, fault.Field("sql", "holds a null character; take it out")
	}
	prepared, err := q.raw.Prepare(q.text)
	if err != nil {
		return nil, q.fault(err)
	}
	statement := prepared.(*sqlite3.SQLiteStmt)
	err = onlyStatement(q.text, len(q.text)-len(tail(statement)))
	if n := statement.NumInput(); err == nil && (n > 1 || n == 1 && !strings.Contains(q.text, ":"+nowParameter)) {
		err = fault.Field("sql", parametersHint)
	}
	if err != nil {
		_ = statement.Close()
		return nil, err
	}
	return statement, nil
}

// fault says what is wrong with a query, and where.
func (q *asked) fault(err error) error {
	if why := q.stopped.Load(); why != nil {
		return *why
	}
	if q.guard.refused != nil {
		return q.guard.refused
	}
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return storeError(err)
	}
	switch e.Code {
	case sqlite3.ErrError, sqlite3.ErrMismatch, sqlite3.ErrRange:
		return q.wrong(e.Error())
	case sqlite3.ErrTooBig:
		return fault.Field("sql", "makes a text of more than %d bytes", queryLimits[sqlite3.SQLITE_LIMIT_LENGTH])
	case sqlite3.ErrNomem:
		return fault.Field("sql", "is too large; use fewer parts, or simpler ones")
	case sqlite3.ErrAuth, sqlite3.ErrReadonly:
		return fault.Field("sql", "does more than to read; a query is one SELECT")
	}
	return storeError(err)
}

// wrong is what SQLite found wrong with a query. Of a table it does not say where.
func (q *asked) wrong(message string) error {
	offset := errorOffset(handle(q.raw))
	if name, ok := strings.CutPrefix(message, "no such table: "); ok {
		name = strings.TrimPrefix(name, "main.")
		offset = strings.Index(q.text, name)
		if near := fault.Nearest(name, query.TableNames(), len(name)/2); near != "" {
			message += "; did you mean " + near + "?"
		} else {
			message += "; there are " + strings.Join(query.TableNames(), ", ")
		}
	}
	return at(q.text, offset, "cannot be run: %s", message)
}
