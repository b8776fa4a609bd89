package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment/query"
)

// PostgreSQL has no place from which a stranger's query sees some tables alone, so one is made for each query: a
// transaction of a connection of its own, in which the tables for queries are temporary views of their columns, and
// nothing else can be named without a schema. The query becomes a temporary view as well. So PostgreSQL itself says what it
// has understood, by id: every table, function, operator and type, all of which must be on our lists. Then the transaction
// is made to read only, what was looked at is run, and everything is undone.

// Limits of one query that PostgreSQL keeps, beside its time.
const (
	queryLength  = 64 << 10         // bytes of the text
	queryMessage = 8 << 20          // bytes of a row, and of the tree
	queryGrace   = 5 * time.Second  // beyond its time, until the connection is broken
	queryStops   = 2 * time.Second  // for PostgreSQL to hear that it should stop
	queryLocks   = 10 * time.Second // for a lock, which a migration may hold

	// What a query is set for itself. The times of dates are UTC's wherever the server stands.
	querySettings = `SET LOCAL work_mem = '32MB'; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off;
		SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';
		SET LOCAL standard_conforming_strings = on; SET LOCAL quote_all_identifiers = off`
	// Bytes of temporary files. Only who administers the server may say so, or lets us.
	queryFiles = `SET LOCAL temp_file_limit = '1GB'`
)

const (
	askedView   = "tailorbird_asked"
	askedPrefix = "CREATE TEMPORARY VIEW pg_temp." + askedView + " AS "
)

// ask answers a query on a connection of its own.
func (d *postgresDatabase) ask(ctx context.Context, one question) error {
	release, err := d.queries.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	within, cancel := context.WithTimeout(ctx, one.limit+queryGrace)
	defer cancel()
	conn, err := d.askingConnection(within)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), queryStops)
		defer cancel()
		_ = conn.Close(closing) // which undoes everything
	}()
	q := &askedPostgres{question: one, conn: conn}
	err = q.run(within)
	switch {
	case err == nil || fault.CodeOf(err) == fault.Invalid:
		return err
	case ctx.Err() != nil:
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the query was stopped")
	case within.Err() != nil:
		return q.tooLong()
	}
	return err
}

// askingConnection connects. A query whose context ends is cancelled.
func (d *postgresDatabase) askingConnection(ctx context.Context) (*pgconn.PgConn, error) {
	config := d.asking.Copy()
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: queryStops}
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the database cannot be reached")
	}
	conn.Frontend().SetMaxBodyLen(queryMessage)
	return conn, nil
}

// askedPostgres is a query on its way.
type askedPostgres struct {
	question
	conn *pgconn.PgConn
	put  []int // where in the text that is run the moment stands instead of :now
}

func (q *askedPostgres) run(ctx context.Context) error {
	text, err := q.statement()
	if err != nil {
		return err
	}
	if err := q.prepare(ctx); err != nil {
		return err
	}
	if err := q.conn.ExecParams(ctx, askedPrefix+text, nil, nil, nil, nil).Read().Err; err != nil {
		return q.fault(err, text)
	}
	if err := q.look(ctx); err != nil {
		return q.fault(err, "")
	}
	columns, err := q.conn.Prepare(ctx, "", `SELECT * FROM pg_temp.`+askedView, nil)
	if err != nil {
		return q.fault(err, "")
	}
	if len(columns.Fields) == 0 {
		return fault.Field("sql", "selects nothing; a query is one SELECT")
	}
	names := make([]string, len(columns.Fields))
	for i, f := range columns.Fields {
		names[i] = f.Name
	}
	if err := q.begin(names); err != nil || q.each == nil {
		return err
	}
	if err := q.exec(ctx, `SET TRANSACTION READ ONLY`); err != nil {
		return q.fault(err, "")
	}
	return q.rows(ctx, columns.Fields)
}

// statement is the text with the moment in the place of :now.
func (q *askedPostgres) statement() (string, error) {
	switch {
	case strings.ContainsRune(q.text, 0):
		return "", fault.Field("sql", "holds a null character; take it out")
	case len(q.text) > queryLength:
		return "", fault.Field("sql", "is longer than %d bytes", queryLength)
	}
	text, put := withMoment(q.text, q.moment())
	q.put = put
	return text, nil
}

func (q *askedPostgres) moment() string { return fmt.Sprintf("('%d'::bigint)", q.now.UnixMicro()) }

func (q *askedPostgres) exec(ctx context.Context, text string) error {
	_, err := q.conn.Exec(ctx, text).ReadAll()
	return err
}

// prepare begins the transaction and makes the views of the tables that the text names.
func (q *askedPostgres) prepare(ctx context.Context) error {
	err := q.exec(ctx, beginWriting+`; SET LOCAL statement_timeout = `+strconv.FormatInt(q.limit.Milliseconds(), 10)+
		`; SET LOCAL lock_timeout = `+strconv.FormatInt(queryLocks.Milliseconds(), 10)+`; `+querySettings+`; SAVEPOINT files`)
	if err != nil {
		return q.fault(err, "")
	}
	if err := q.exec(ctx, queryFiles); err != nil {
		if err := q.exec(ctx, `ROLLBACK TO SAVEPOINT files`); err != nil {
			return q.fault(err, "")
		}
	}
	answer := q.conn.ExecParams(ctx, `SELECT quote_ident(current_schema())`, nil, nil, nil, nil).Read()
	if answer.Err != nil {
		return q.fault(answer.Err, "")
	}
	schema, lower := string(answer.Rows[0][0]), strings.ToLower(q.text)
	var views strings.Builder
	for _, t := range query.Tables() {
		if !strings.Contains(lower, t.Name) {
			continue
		}
		columns := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			columns[i] = quoted(c.Name)
		}
		fmt.Fprintf(&views, "CREATE TEMPORARY VIEW pg_temp.%s AS SELECT %s FROM %s.%s; ", t.Name, strings.Join(columns, ", "), schema, t.Name)
	}
	err = q.exec(ctx, views.String()+`SET LOCAL search_path = pg_temp, pg_catalog`)
	if isCode(err, insufficientPrivilege) {
		return fault.Field("sql", "cannot be run: the program's user of PostgreSQL may make no temporary views; GRANT TEMPORARY ON DATABASE … TO that user")
	}
	return q.fault(err, "")
}

// look refuses what the query may not do, by what PostgreSQL has understood.
func (q *askedPostgres) look(ctx context.Context) error {
	answer := q.conn.ExecParams(ctx, `SELECT ev_action::text FROM pg_rewrite WHERE ev_class = 'pg_temp.`+askedView+`'::regclass`, nil, nil, nil, nil).Read()
	if answer.Err != nil {
		return answer.Err
	}
	if len(answer.Rows) != 1 {
		return errTree
	}
	tree, err := parseTree(string(answer.Rows[0][0]))
	if err != nil {
		return err
	}
	uses, err := usesOf(tree)
	if err != nil {
		return err
	}
	return uses.check(ctx, q.conn)
}

// rows runs the query, and gives what it answers.
func (q *askedPostgres) rows(ctx context.Context, fields []pgconn.FieldDescription) error {
	formats := make([]int16, len(fields))
	columns := make([]string, len(fields))
	for i, f := range fields {
		columns[i] = quoted(f.Name)
		if !plainType(f.DataTypeOID) {
			columns[i] += "::text"
		}
		formats[i] = formatOf(f.DataTypeOID)
	}
	text := `SELECT ` + strings.Join(columns, ", ") + ` FROM pg_temp.` + askedView
	reader := q.conn.ExecParams(ctx, text, nil, nil, nil, formats)
	row := make([]any, len(fields))
	for reader.NextRow() {
		for i, data := range reader.Values() {
			value, err := decodeColumn(reader.FieldDescriptions()[i].DataTypeOID, data)
			if err != nil {
				return err
			}
			if text, ok := value.(borrowed); ok {
				value = string(text)
			}
			row[i] = value
		}
		if err := q.each(row); err != nil {
			return err
		}
	}
	_, err := reader.Close()
	return q.fault(err, "")
}

// plainType reports whether values of a type are given as they are; others are given as text.
func plainType(oid uint32) bool {
	switch oid {
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID, pgtype.BoolOID, pgtype.Float8OID, pgtype.Float4OID, pgtype.NumericOID, pgtype.TextOID:
		return true
	}
	return false
}

func (q *askedPostgres) tooLong() error {
	return fault.Field("sql", "took longer than %s; narrow it down with WHERE, or join by id", q.limit)
}

// fault says what is wrong with a query, and where in the text that was run.
func (q *askedPostgres) fault(err error, text string) error {
	var large *pgproto3.ExceededMaxBodyLenErr
	var e *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return fault.Field("sql", "makes a row of more than %d MB", queryMessage>>20)
	case fault.CodeOf(err) == fault.Invalid:
		return err
	case !errors.As(err, &e):
		return postgresError(err, askedView)
	case e.Code == queryCanceled:
		return q.tooLong()
	case e.Code == lockNotAvailable:
		return postgresError(err, askedView)
	case e.Code == readOnlyTransaction:
		return fault.Field("sql", "does more than to read; a query is one SELECT")
	case e.Code == undefinedParameter:
		return fault.Field("sql", parametersHint)
	case e.Code == duplicateColumn:
		return fault.Field("sql", "selects two columns of one name; give one another name with AS")
	case e.Code == temporaryFiles:
		return fault.Field("sql", "sorts or groups more than fits on the disk that it is given; take fewer rows")
	case len(e.Code) != 5 || !isOfQuery(e.Code):
		return postgresError(err, askedView)
	}
	return q.wrong(e, text)
}

// isOfQuery reports whether an error is a fault of the query: wrong syntax or names, wrong values, too large.
func isOfQuery(code string) bool {
	switch code[:2] {
	case "0A", "21", "22", "42", "54":
		return true
	}
	return code == outOfMemory
}

// wrong is what PostgreSQL found wrong with a query.
func (q *askedPostgres) wrong(e *pgconn.PgError, text string) error {
	offset := q.offset(int(e.Position)-1-utf8.RuneCountInString(askedPrefix), text)
	message := e.Message
	switch {
	case e.Code == syntaxError && offset >= 0 && strings.HasPrefix(q.text[offset:], ":"):
		return at(q.text, offset, parametersHint)
	case e.Code == syntaxError && e.Position == 0:
		return fault.Field("sql", "has a second statement; a query is one SELECT")
	case e.Code == syntaxError && strings.TrimSpace(comments.ReplaceAllString(q.text[:max(0, offset)], "")) == "":
		message += "; a query is one SELECT"
	case e.Code == undefinedTable && offset >= 0:
		name := wordAt(q.text[offset:])
		if near := fault.Nearest(name, query.TableNames(), len(name)/2); near != "" {
			message += "; did you mean " + near + "?"
		} else {
			message += "; there are " + strings.Join(query.TableNames(), ", ")
		}
	}
	return at(q.text, offset, "cannot be run: %s", message)
}

// offset is the byte of our text at which a character of the text that was run stands; negative where there is none.
func (q *askedPostgres) offset(character int, text string) int {
	if character < 0 || text == "" {
		return -1
	}
	at, more := 0, len(q.moment())-len(":"+nowParameter)
	for ; character > 0 && at < len(text); character-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	shift := 0
	for _, place := range q.put {
		if place < at {
			shift += more
		}
	}
	return min(max(0, at-shift), len(q.text))
}

// wordAt is the name that a text begins with.
func wordAt(text string) string {
	end := strings.IndexFunc(strings.TrimPrefix(text, `"`), func(r rune) bool { return r != '_' && r < 128 && !isWordByte(byte(r)) })
	if end < 0 {
		return text
	}
	return strings.TrimPrefix(text, `"`)[:end]
}
