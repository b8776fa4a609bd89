package store

import (
	"context"
	"strings"

	"github.com/mattn/go-sqlite3"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// The operations of SQLite's authorizer that a query may need, https://sqlite.org/c3ref/c_alter_table.html, and what it
// may be answered.
const (
	actionRead      = 20
	actionSelect    = 21
	actionFunction  = 31
	actionRecursive = 33

	allow  = 0
	deny   = 1
	ignore = 2 // the column reads as NULL
)

// Limits of one query that SQLite keeps by itself.
var queryLimits = map[int]int{
	sqlite3.SQLITE_LIMIT_LENGTH:              1 << 20, // of a value or row, bytes
	sqlite3.SQLITE_LIMIT_SQL_LENGTH:          64 << 10,
	sqlite3.SQLITE_LIMIT_COLUMN:              200,
	sqlite3.SQLITE_LIMIT_EXPR_DEPTH:          100,
	sqlite3.SQLITE_LIMIT_COMPOUND_SELECT:     50,
	sqlite3.SQLITE_LIMIT_VDBE_OP:             100_000,
	sqlite3.SQLITE_LIMIT_FUNCTION_ARG:        50,
	sqlite3.SQLITE_LIMIT_ATTACHED:            0,
	sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
	sqlite3.SQLITE_LIMIT_WORKER_THREADS:      0,
}

// queryFunctions are those of SQLite that a query may call: they look at nothing but their arguments and the clock.
var queryFunctions = wordSet(`
	abs ceil ceiling char coalesce concat concat_ws exp floor format glob hex if ifnull iif instr length like likelihood
	likely ln log log10 log2 lower ltrim max min mod nullif octet_length pi pow power printf quote random replace round rtrim sign
	sqrt substr substring trim trunc typeof unhex unicode unistr unlikely upper
	avg count group_concat median percentile string_agg sum total
	cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
	current_date current_time current_timestamp date datetime julianday strftime time timediff unixepoch
	-> ->> json json_array json_array_length json_error_position json_extract json_group_array json_group_object json_object
	json_pretty json_quote json_type json_valid
`)

// tableFunctions are functions that stand where a table does.
var tableFunctions = wordSet(`json_each json_tree`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

// queryGuard lets a connection read the tables of query.Tables, and nothing else.
type queryGuard struct {
	all     map[string]bool // the names of everything in the database
	refused error
}

// names reads what there is in the database.
func (g *queryGuard) names(s *sqliteSession) error {
	g.all = map[string]bool{}
	return s.query(context.Background(), `SELECT lower(name) FROM sqlite_master`, nil, func(r Row) error {
		g.all[r.Text(0)] = true
		return nil
	})
}

// own reports whether a name is one that the query itself gave to a part of it. Of these the guard hears where no column
// of theirs is asked for, such as in count(*).
func (g *queryGuard) own(name, column, database string) bool {
	name = strings.ToLower(name)
	return column == "" && database == "" && !g.all[name] && !strings.HasPrefix(name, "sqlite_") && !strings.HasPrefix(name, "pragma_")
}

// refuse denies, and keeps why: the first reason is told.
func (g *queryGuard) refuse(format string, args ...any) int {
	if g.refused == nil {
		g.refused = fault.Field("sql", format, args...)
	}
	return deny
}

func (g *queryGuard) authorize(action int, first, second, database string) int {
	switch action {
	case actionSelect, actionRecursive:
		return allow
	case actionFunction:
		if name := strings.ToLower(second); !queryFunctions[name] {
			return g.refuse("calls %.60s, which is not among the functions for queries", name)
		}
		return allow
	case actionRead:
		return g.read(first, second, database)
	}
	return g.refuse("does more than to read; a query is one SELECT")
}

func (g *queryGuard) read(table, column, database string) int {
	columns, ok := queryTables[table]
	switch {
	case tableFunctions[table] || g.own(table, column, database):
		return allow
	case !ok || database != "main" && database != "": // it is not told where no column is asked for
		return g.refuse("reads %.60s, which is not among the tables for queries", table)
	case column == "" || columns[column]:
		return allow
	}
	return ignore
}
