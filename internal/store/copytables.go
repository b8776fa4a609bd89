package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// part is what is copied in the order of one key: a table, the event log, or its message ids.
type part struct {
	table   string
	columns []copiedColumn
	key     []int  // the columns of the primary key
	where   string // which rows; "" for all
	// labels name the kinds of rows that are counted and summed apart; label tells which one a row is of.
	labels []string
	label  func(row []any) int
	from   rowSource
	// count counts the rows of a label on the source by another way than reading them all; nil where there is none.
	count func(c *Conn, label int) (int64, error)
}

// copiedColumn is a column as PostgreSQL has it.
type copiedColumn struct {
	name   string
	kind   string // its type
	serial bool   // a sequence gives its values
	loose  bool   // its values mean nothing by themselves
}

// rowSource gives rows behind a key, in the order of keys. each may keep them.
type rowSource interface {
	rows(ctx context.Context, after []any, each func(row []any) error) error
}

// Pages are read and written in one transaction each.
const (
	copyRows  = 2000
	copyBytes = 4 << 20
)

// keyOf are the values of a row's key.
func (p *part) keyOf(row []any) []any {
	key := make([]any, len(p.key))
	for i, column := range p.key {
		key[i] = row[column]
	}
	return key
}

func (p *part) names(columns []int, suffix string) string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = quoted(p.columns[column].name) + suffix
	}
	return strings.Join(names, ", ")
}

func (p *part) allColumns() string {
	all := make([]int, len(p.columns))
	for i := range all {
		all[i] = i
	}
	return p.names(all, "")
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func placesOf(n int) string {
	places := make([]string, n)
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(places, ", ")
}

// insert is the statement that writes a row.
func (p *part) insert() string {
	return "INSERT INTO " + p.table + " (" + p.allColumns() + ") VALUES (" + placesOf(len(p.columns)) + ")"
}

// last is the query for the greatest key.
func (p *part) last() string {
	return "SELECT " + p.names(p.key, "") + " FROM " + p.table + p.given("") + " ORDER BY " + p.names(p.key, " DESC") + " LIMIT 1"
}

// page is the query for the rows behind a key, or for the first ones; its last parameter is how many.
func (p *part) page(behind bool) string {
	condition, parameters := "", 0
	if behind {
		condition, parameters = "("+p.names(p.key, "")+") > ("+placesOf(len(p.key))+")", len(p.key)
	}
	return fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s LIMIT $%d", p.allColumns(), p.table, p.given(condition), p.names(p.key, ""), parameters+1)
}

// given is the WHERE of the part and one more condition.
func (p *part) given(condition string) string {
	conditions := slices.DeleteFunc([]string{p.where, condition}, func(one string) bool { return one == "" })
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

// tableRows are the rows of a part's table in a database.
type tableRows struct {
	db   database
	part *part
}

func (t tableRows) rows(ctx context.Context, after []any, each func(row []any) error) error {
	for limit := copyRows; ; {
		var page [][]any
		var size int
		err := t.db.view(ctx, anyone, func(c *Conn) error {
			page, size = nil, 0
			err := c.Query(t.part.page(after != nil), append(slices.Clip(after), limit), func(r Row) error {
				row, n := ownRow(r)
				page = append(page, row)
				if size += n; size >= copyBytes {
					return errEnough
				}
				return nil
			})
			if errors.Is(err, errEnough) {
				err = nil
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, row := range page {
			if err := each(row); err != nil {
				return err
			}
		}
		if len(page) < limit && size < copyBytes {
			return nil
		}
		after = t.part.keyOf(page[len(page)-1])
		limit = min(2*len(page), copyRows) // rows that are large come in small pages
	}
}

// ownRow is a copy of a row, and its size in bytes.
func ownRow(r Row) (row []any, size int) {
	row = make([]any, len(r))
	for i, value := range r {
		if b, ok := value.(borrowed); ok {
			value = bytes.Clone(b)
		}
		row[i] = value
	}
	return row, sizeOf(row)
}

func sizeOf(row []any) (size int) {
	for _, value := range row {
		switch v := value.(type) {
		case []byte:
			size += len(v)
		case string:
			size += len(v)
		default:
			size += 8
		}
	}
	return size
}

// The tables that are not copied row by row: the log, which each database keeps in its own way, and what is of the processes
// that use a database.
var (
	sqliteOwn   = []string{"goose_db_version", "event_blocks", "runs", "run_pages", "buried_events", "nodes", "claims"}
	postgresOwn = []string{"goose_db_version", "events", "message_ids", "nodes", "claims", unfinishedCopy}
)

// catalogue reads what the tables of the target are, in order of name.
func catalogue(c *Conn) (parts map[string]*part, err error) {
	parts = map[string]*part{}
	err = c.Query(`SELECT t.relname, a.attname, format_type(a.atttypid, NULL), a.attidentity <> ''
		FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_attribute a ON a.attrelid = t.oid
		WHERE n.nspname = current_schema() AND t.relkind IN ('r', 'p') AND NOT t.relispartition AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY t.relname, a.attnum`, nil, func(r Row) error {
		name := r.Text(0)
		if parts[name] == nil {
			parts[name] = &part{table: name, labels: []string{name}, label: func([]any) int { return 0 }}
		}
		parts[name].columns = append(parts[name].columns, copiedColumn{name: r.Text(1), kind: r.Text(2), serial: r.Int(3) != 0})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return parts, c.Query(`SELECT t.relname, a.attname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
		JOIN pg_namespace n ON n.oid = t.relnamespace CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
		JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
		WHERE n.nspname = current_schema() AND i.indisprimary ORDER BY t.relname, k.n`, nil, func(r Row) error {
		if p := parts[r.Text(0)]; p != nil {
			p.key = append(p.key, slices.IndexFunc(p.columns, func(one copiedColumn) bool { return one.name == r.Text(1) }))
		}
		return nil
	})
}

// checkSource makes sure that the source has the tables and columns that are copied, and no other.
func checkSource(c *Conn, parts map[string]*part) error {
	there := map[string][]string{}
	err := c.Query(`SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'`,
		nil, func(r Row) error { there[r.Text(0)] = append(there[r.Text(0)], r.Text(1)); return nil })
	if err != nil {
		return err
	}
	for name, columns := range there {
		if slices.Contains(sqliteOwn, name) {
			continue
		}
		p := parts[name]
		if p == nil || slices.Contains(postgresOwn, name) {
			return fault.New(fault.Invalid, "the table %s is none of Tailorbird's; remove it from the source, or keep it elsewhere", name)
		}
		var wanted []string
		for _, column := range p.columns {
			wanted = append(wanted, column.name)
		}
		slices.Sort(columns)
		if slices.Sort(wanted); !slices.Equal(columns, wanted) {
			return fault.New(fault.Internal, "the table %s has the columns %v on SQLite and %v on PostgreSQL", name, columns, wanted)
		}
	}
	for name := range parts {
		if there[name] == nil && !slices.Contains(postgresOwn, name) {
			return fault.New(fault.Invalid, "the target has a table %s that is none of Tailorbird's; give an empty schema or database", name)
		}
	}
	return nil
}
