package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresSession is a connection to PostgreSQL. What ExecEach asks for waits for the next statement, or the commit, and
// travels with it in one round trip.
type postgresSession struct {
	conn       *pgconn.PgConn
	statements map[string]*postgresStatement
	reading    *postgresRows // a query whose rows are still coming
	queue      []queued
	queuedSize int
	answered   bool // somebody was given a row
}

// postgresStatement is a prepared statement.
type postgresStatement struct {
	*pgconn.StatementDescription
	formats []int16 // of the columns of its answer
}

// queued is a statement on its way, with the arguments in their binary form; one without a description has none.
type queued struct {
	statement *postgresStatement
	text      string
	values    [][]byte
}

// maxQueued is how many bytes of arguments wait at most.
const maxQueued = 8 << 20

// statementsKey is where a connection keeps its prepared statements between sessions.
const statementsKey = "tailorbird"

func newPostgresSession(conn *pgconn.PgConn) *postgresSession {
	statements, ok := conn.CustomData()[statementsKey].(map[string]*postgresStatement)
	if !ok {
		statements = map[string]*postgresStatement{}
		conn.CustomData()[statementsKey] = statements
	}
	return &postgresSession{conn: conn, statements: statements}
}

func (s *postgresSession) close() {}

func (s *postgresSession) prepare(ctx context.Context, query string) (*postgresStatement, error) {
	if known, ok := s.statements[query]; ok {
		return known, nil
	}
	if err := s.pause(); err != nil {
		return nil, err
	}
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	described, err := s.conn.Prepare(ctx, "tailorbird_"+strconv.Itoa(len(s.statements)), query, nil)
	if err != nil {
		return nil, postgresError(err, query)
	}
	prepared := &postgresStatement{StatementDescription: described, formats: make([]int16, len(described.Fields))}
	for i, field := range described.Fields {
		prepared.formats[i] = formatOf(field.DataTypeOID)
	}
	s.statements[query] = prepared
	return prepared, nil
}

func (s *postgresSession) exec(ctx context.Context, query string, args []any) (changed int64, err error) {
	rows, err := s.start(ctx, query, args)
	if err != nil {
		return 0, err
	}
	return rows.close()
}

func (s *postgresSession) insert(ctx context.Context, query string, args []any) (id int64, err error) {
	err = s.query(ctx, query+` RETURNING id`, args, func(r Row) error { id = r.Int(0); return nil })
	return id, err
}

func (s *postgresSession) query(ctx context.Context, query string, args []any, each func(Row) error) (err error) {
	rows, err := s.start(ctx, query, args)
	if err != nil {
		return err
	}
	s.reading = rows
	defer func() {
		if s.reading == rows {
			s.reading = nil
		}
		if _, closed := rows.close(); err == nil {
			err = closed
		}
	}()
	for rows.next() {
		s.answered = true
		if err := each(rows.row); err != nil {
			return err
		}
	}
	return nil
}

// each queues a statement for every row. One that can be is made one for all.
func (s *postgresSession) each(ctx context.Context, query string, rows [][]any) error {
	prepared, err := s.prepare(ctx, query)
	if err != nil {
		return err
	}
	if many, ok := forMany(query, prepared.ParamOIDs); ok && len(rows) > 1 {
		bulk, err := s.prepare(ctx, many)
		if err != nil {
			return err
		}
		values, err := encodeColumns(prepared.ParamOIDs, rows)
		if err != nil {
			return fmt.Errorf("store: %w in: %s", err, query)
		}
		return s.enqueue(ctx, queued{statement: bulk, values: values})
	}
	for _, args := range rows {
		values, err := encodeArguments(prepared.ParamOIDs, args)
		if err != nil {
			return fmt.Errorf("store: %w in: %s", err, query)
		}
		if err := s.enqueue(ctx, queued{statement: prepared, values: values}); err != nil {
			return err
		}
	}
	return nil
}

// queryEach asks for every row of arguments in one round trip: the query becomes the lateral part of a join with them.
func (s *postgresSession) queryEach(ctx context.Context, query string, rows [][]any, each func(i int, r Row) error) error {
	prepared, err := s.prepare(ctx, query)
	if err != nil {
		return err
	}
	values, err := encodeColumns(prepared.ParamOIDs, rows)
	if err != nil {
		return fmt.Errorf("store: %w in: %s", err, query)
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = encoded(v)
	}
	return s.query(ctx, askMany(query, prepared.ParamOIDs), args, func(r Row) error { return each(int(r.Int(0))-1, r[1:]) })
}

var (
	rowOfValues = regexp.MustCompile(`^(\s*INSERT INTO [^()]*\([^()]*\)\s*)VALUES \((\$\d+(?:,\s*\$\d+)*)\)((?s:.*))$`)
	change      = regexp.MustCompile(`^\s*(UPDATE|DELETE FROM) (?s:[^()]*?)(\s+WHERE )`)
	parameter   = regexp.MustCompile(`\$(\d+)`)
)

// forMany rewrites a statement to do for many rows of arguments what it does for one.
func forMany(query string, types []uint32) (string, bool) {
	if many, ok := changeMany(query, types); ok {
		return many, true
	}
	return insertMany(query, types)
}

// changeMany rewrites an UPDATE or a DELETE, in which no function stands before its WHERE, to take n columns of values.
func changeMany(query string, types []uint32) (string, bool) {
	at := change.FindStringSubmatchIndex(query)
	if at == nil {
		return "", false
	}
	join := " FROM "
	if query[at[2]:at[3]] != "UPDATE" {
		join = " USING "
	}
	inRow := func(part string) string { return parameter.ReplaceAllString(part, "v.c$1") }
	return inRow(query[:at[4]]) + join + columnsOf(types) + inRow(query[at[4]:]), true
}

// insertMany rewrites an INSERT of the values $1 to $n, in their order, to take n columns of values.
func insertMany(query string, types []uint32) (string, bool) {
	parts := rowOfValues.FindStringSubmatch(query)
	if parts == nil || strings.Contains(parts[3], "$") {
		return "", false
	}
	places := parameter.FindAllStringSubmatch(parts[2], -1)
	if len(places) != len(types) {
		return "", false
	}
	columns := make([]string, len(places))
	for i, place := range places {
		n, _ := strconv.Atoi(place[1])
		columns[i] = "v.c" + strconv.Itoa(n)
	}
	// The WHERE keeps ON CONFLICT from being read as a join's ON.
	return parts[1] + "SELECT " + strings.Join(columns, ", ") + " FROM " + columnsOf(types) + " WHERE TRUE" + parts[3], true
}

// askMany rewrites a query to give its answer for every row of arguments, behind the number of the row.
func askMany(query string, types []uint32) string {
	return "SELECT v.n, answer.* FROM " + numbered(types) + " CROSS JOIN LATERAL (" + parameter.ReplaceAllString(query, "v.c$1") +
		") AS answer ORDER BY v.n"
}

// columnsOf are the parameters as columns of a table v, c1 first.
func columnsOf(types []uint32) string { return unnest(types, "") }

// numbered are the same with the number of the row, n.
func numbered(types []uint32) string { return unnest(types, " WITH ORDINALITY") }

func unnest(types []uint32, ordinality string) string {
	var arrays, names []string
	for i, oid := range types {
		arrays = append(arrays, "$"+strconv.Itoa(i+1)+"::"+typeName(oid)+"[]")
		names = append(names, "c"+strconv.Itoa(i+1))
	}
	if ordinality != "" {
		names = append(names, "n")
	}
	return "unnest(" + strings.Join(arrays, ", ") + ")" + ordinality + " AS v (" + strings.Join(names, ", ") + ")"
}

// begin opens a transaction, with the first statement.
func (s *postgresSession) begin(how string) { s.queue = append(s.queue, queued{text: how}) }

// end sends what is queued and ends the transaction.
func (s *postgresSession) end(ctx context.Context, how string) error {
	s.queue = append(s.queue, queued{text: how})
	return s.flush(ctx)
}

func (s *postgresSession) enqueue(ctx context.Context, one queued) error {
	s.queue = append(s.queue, one)
	for _, value := range one.values {
		s.queuedSize += len(value)
	}
	if s.queuedSize < maxQueued {
		return nil
	}
	return s.flush(ctx)
}

// flush sends what is queued.
func (s *postgresSession) flush(ctx context.Context) error {
	if len(s.queue) == 0 {
		return nil
	}
	pipeline, err := s.send(ctx)
	if err != nil {
		return err
	}
	return closePipeline(pipeline)
}

// errRolledBack says that a transaction in which a statement had failed was committed: PostgreSQL answers by undoing it.
var errRolledBack = errors.New("a statement of the transaction had failed")

// send sends what is queued, and last, and takes the answers to the former.
func (s *postgresSession) send(ctx context.Context, last ...queued) (*pgconn.Pipeline, error) {
	if err := s.pause(); err != nil {
		return nil, err
	}
	before := s.queue
	s.queue, s.queuedSize = nil, 0
	pipeline := s.conn.StartPipeline(ctx)
	for _, one := range append(before, last...) {
		if one.statement == nil {
			pipeline.SendQueryParams(one.text, nil, nil, nil, nil)
		} else {
			pipeline.SendQueryStatement(one.statement.StatementDescription, one.values, allBinary, one.statement.formats)
		}
	}
	if err := pipeline.Sync(); err != nil {
		_ = pipeline.Close()
		return nil, postgresError(err, "")
	}
	for _, one := range before {
		answer, err := pipeline.GetResults()
		if reader, ok := answer.(*pgconn.ResultReader); err == nil && ok {
			var tag pgconn.CommandTag
			if tag, err = reader.Close(); err == nil && one.text == "COMMIT" && tag.String() != one.text {
				err = errRolledBack
			}
		}
		if err != nil {
			_ = pipeline.Close()
			return nil, postgresError(err, one.name())
		}
	}
	return pipeline, nil
}

func (q queued) name() string {
	if q.statement != nil {
		return q.statement.SQL
	}
	return q.text
}

// closePipeline takes the end of the answers.
func closePipeline(p *pgconn.Pipeline) error {
	if err := p.Close(); err != nil {
		return postgresError(err, "")
	}
	return nil
}

// start runs a statement behind what is queued.
func (s *postgresSession) start(ctx context.Context, query string, args []any) (*postgresRows, error) {
	prepared, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	values, err := encodeArguments(prepared.ParamOIDs, args)
	if err != nil {
		return nil, fmt.Errorf("store: %w in: %s", err, query)
	}
	rows := &postgresRows{statement: prepared, row: make(Row, len(prepared.Fields))}
	if len(s.queue) == 0 {
		if err := s.pause(); err != nil {
			return nil, err
		}
		rows.answer = s.conn.ExecStatement(ctx, prepared.StatementDescription, values, allBinary, prepared.formats)
		return rows, nil
	}
	if rows.pipeline, err = s.send(ctx, queued{statement: prepared, values: values}); err != nil {
		return nil, err
	}
	answer, err := rows.pipeline.GetResults()
	if err != nil {
		_ = rows.pipeline.Close()
		return nil, postgresError(err, prepared.SQL)
	}
	rows.answer = answer.(*pgconn.ResultReader)
	return rows, nil
}

// pause takes the rest of the rows that are coming into memory, so that another statement can run.
func (s *postgresSession) pause() error {
	if s.reading == nil {
		return nil
	}
	rows := s.reading
	s.reading = nil
	return rows.keep()
}
