package store

import (
	"strings"

	"github.com/tailorbird/tailorbird/internal/expr"
)

// dialect is what differs in the SQL of the two databases.
type dialect struct {
	expr      expr.Dialect // of conditions
	greatest  string       // the function that gives the largest of its arguments
	now       string       // the database's own clock, µs
	forUpdate string       // behind a SELECT: nobody else changes its rows before the transaction ends
	free      string       // the same, passing over rows that others have locked
	together  string       // the statement that Conn.Serial of the same subject waits for
	texts     string       // the items of $, a JSON list of texts, as a table with the column value
	shared    bool         // other processes use the database too
	serial    string       // the statement of Conn.Serial; "" where there is one writer
}

var sqliteDialect = dialect{
	expr: expr.SQLite, greatest: "max", texts: "json_each($)", now: "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
}

var postgresDialect = dialect{
	expr: expr.PostgreSQL, greatest: "greatest", forUpdate: " FOR UPDATE", free: " FOR UPDATE SKIP LOCKED", texts: "jsonb_array_elements_text($::jsonb)",
	now:      "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",
	shared:   true,
	together: `SELECT pg_advisory_xact_lock_shared(hashtext(current_schema()), hashtext($1))`,
	serial:   `SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext($1))`,
}

// textsOf is dialect.texts of a parameter.
func (d *dialect) textsOf(parameter string) string {
	return strings.ReplaceAll(d.texts, "$", parameter)
}

// Serial makes the transactions that name the same subject one after the other, from here to their ends.
func (c *Conn) Serial(subject string) error {
	if c.dialect.serial == "" {
		return nil
	}
	_, err := c.Exec(c.dialect.serial, subject)
	return err
}
