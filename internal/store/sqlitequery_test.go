package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment/query"
	"github.com/tailorbird/tailorbird/internal/store"
)

// openStore opens a store with some customers.
func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	err = s.Update(context.Background(), func(c *store.Conn) error {
		for i := range 2000 {
			if _, err := c.Exec(`INSERT INTO profiles (id, traits, computed, preferences, subscribed, created_at, updated_at, first_seen_at, last_seen_at, state)
				VALUES ($1, $2, '{}', '{}', 1, 0, 0, 0, 0, X'5EC2E7')`, i+1, fmt.Sprintf(`{"n":%d}`, i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask runs a query for up to a second.
func ask(s *store.Store, text string) (rows [][]any, err error) {
	err = s.Query(context.Background(), text, time.UnixMicro(1234567), time.Second, func([]string) error { return nil },
		func(row []any) error { rows = append(rows, slices.Clone(row)); return nil })
	return rows, err
}

func TestQueriesReadTheDocumentedTables(t *testing.T) {
	s := openStore(t)
	for text, want := range map[string]string{
		`SELECT count(*) AS n FROM profiles`:                                                          "[[2000]]",
		`SELECT id AS profile_id, traits ->> 'n' AS n FROM profiles WHERE id = 3`:                     "[[3 2]]",
		`WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 3) SELECT * FROM t`: "[[1] [2] [3]]",
		`SELECT key, value FROM json_each('{"a":1}')`:                                                 "[[a 1]]",
		"SELECT :now AS a, typeof(:now) AS b -- that is all\n; /* really */ ":                         "[[1234567 integer]]",
		`SELECT rank() OVER (ORDER BY id) AS r FROM profiles LIMIT 1`:                                 "[[1]]",
		`WITH mine AS (SELECT id FROM profiles LIMIT 7) SELECT count(*) FROM mine`:                    "[[7]]",
		`SELECT state, next_change_at FROM profiles LIMIT 1`:                                          "[[<nil> <nil>]]",
		`SELECT 'DELETE FROM profiles; :now ?' AS x`:                                                  "[[DELETE FROM profiles; :now ?]]",
	} {
		if rows, err := ask(s, text); err != nil || fmt.Sprint(rows) != want {
			t.Errorf("%s: %v, %v", text, rows, err)
		}
	}
}

// What is none of a query's business is refused, in words, and changes nothing.
func TestQueriesCannotDoHarm(t *testing.T) {
	s := openStore(t)
	if _, err := s.Secret(context.Background(), "probe", 16); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	for _, text := range []string{
		`DELETE FROM profiles`, `UPDATE profiles SET traits = '{}'`, `INSERT INTO profiles (id) VALUES (9)`, `REPLACE INTO suppressions VALUES ('a', 'b', 1)`,
		`DROP TABLE profiles`, `CREATE TABLE x (y)`, `CREATE TEMP TABLE x AS SELECT * FROM secrets`, `CREATE VIEW x AS SELECT 1`, `ALTER TABLE profiles ADD COLUMN x`,
		`CREATE TRIGGER x AFTER INSERT ON profiles BEGIN SELECT 1; END`, `VACUUM`, `VACUUM INTO '` + other + `'`, `REINDEX`, `ANALYZE`, `BEGIN`, `COMMIT`, `SAVEPOINT x`,
		`ATTACH '` + other + `' AS other`, `DETACH main`, `PRAGMA query_only = OFF`, `PRAGMA table_info(profiles)`, `PRAGMA journal_mode = DELETE`,
		`WITH x AS (SELECT 1) DELETE FROM profiles`, `SELECT * FROM (DELETE FROM profiles RETURNING id)`, `DELETE FROM profiles RETURNING id AS profile_id`,
		`SELECT value FROM secrets`, `SELECT count(*) FROM secrets`, `SELECT (SELECT value FROM secrets) AS profile_id`, `SELECT id FROM profiles WHERE EXISTS (SELECT 1 FROM secrets)`,
		`SELECT hash FROM api_keys`, `SELECT * FROM sessions`, `SELECT private_key FROM sending_keys`, `SELECT * FROM settings`, `SELECT raw FROM mailbox`, `SELECT data FROM event_blocks`,
		`SELECT * FROM main.secrets`, `SELECT * FROM "secrets"`, `SELECT * FROM [secrets]`, `SELECT s.value FROM profiles JOIN secrets s`, `SELECT * FROM sqlite_master`,
		`SELECT * FROM sqlite_schema`, `SELECT * FROM pragma_table_info('secrets')`, `SELECT * FROM pragma_database_list`, `SELECT * FROM sqlite_temp_master`, `SELECT * FROM dbstat`,
		`SELECT load_extension('/tmp/x.so')`, `SELECT fts3_tokenizer('simple')`, `SELECT readfile('/etc/passwd')`, `SELECT writefile('/tmp/x', 'y')`, `SELECT edit('x')`,
		`SELECT last_insert_rowid()`, `SELECT sqlite_version()`, `SELECT randomblob(10)`, `SELECT zeroblob(10)`,
		`SELECT 1 AS profile_id; DELETE FROM profiles`, `SELECT 1 AS profile_id; SELECT 2`, "SELECT 1; DROP TABLE profiles" + strings.Repeat(" ", 100), "SELECT 1 --\n; SELECT 2",
		`SELECT ? AS profile_id`, `SELECT :now + :other AS profile_id`, `SELECT $1 AS profile_id`, `EXPLAIN DELETE FROM profiles`, ``, ` ; `, `-- nothing`, "SELECT 1 \x00", `SELECT`, `nonsense`,
	} {
		if rows, err := ask(s, text); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v, %v", text, rows, err)
		}
		if columns, err := s.CheckQuery(context.Background(), text); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s is taken: %v, %v", text, columns, err)
		}
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("a file was written")
	}
	if rows, err := ask(s, `SELECT count(*), sum(traits ->> 'n') FROM profiles`); err != nil || fmt.Sprint(rows) != "[[2000 1999000]]" {
		t.Errorf("%v, %v", rows, err)
	}
}

// A query that would go on for ever, or eat the memory, is ended, and others are answered meanwhile.
func TestQueriesAreBounded(t *testing.T) {
	s := openStore(t)
	nested := `WITH c0 AS (SELECT id FROM profiles)`
	for i := range 40 {
		nested += fmt.Sprintf(`, c%d AS NOT MATERIALIZED (SELECT a.id FROM c%d a JOIN c%d b)`, i+1, i, i)
	}
	for name, text := range map[string]string{
		"recursion":     `WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t`,
		"rows":          `WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT i FROM t WHERE i < 0`,
		"set":           `WITH RECURSIVE t(i) AS (SELECT 1 UNION SELECT i + 1 FROM t) SELECT count(*) FROM t`,
		"cross join":    `SELECT count(*) FROM profiles a, profiles b, profiles c, profiles d`,
		"sort":          `SELECT a.traits || b.traits || c.traits || d.traits AS x FROM profiles a, profiles b, profiles c, profiles d ORDER BY x LIMIT 1`,
		"texts":         `SELECT group_concat(x) FROM (SELECT printf('%1000000d', 1) AS x FROM profiles a, profiles b)`,
		"distinct":      `SELECT count(DISTINCT printf('%100000d', a.id * 5000 + b.id)) FROM profiles a, profiles b`,
		"text":          `SELECT printf('%2000000d', 1)`,
		"hex":           `SELECT hex(printf('%900000d', 1))`,
		"replace":       `SELECT replace(printf('%900000d', 1), ' ', 'xxxxxxxx')`,
		"array":         `SELECT json_group_array(printf('%100000d', a.id)) FROM profiles a, profiles b`,
		"nesting":       nested + ` SELECT count(*) FROM c40`,
		"like":          `SELECT printf('%900000d', 1) LIKE '` + strings.Repeat("%a", 150) + `'`,
		"deep addition": `SELECT 1` + strings.Repeat("+1", 5000),
		"long":          `SELECT '` + strings.Repeat("x", 70_000) + `'`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		rows, err := ask(s, text)
		runtime.ReadMemStats(&after)
		if fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
		t.Logf("%s: %v, %v", name, time.Since(began).Round(time.Millisecond), err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		ended <- s.Query(ctx, `WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t`, time.Now(), time.Hour,
			func([]string) error { cancel(); return nil }, func([]any) error { return nil })
	}()
	if err := <-ended; fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("cancelled: %v", err)
	}
	if rows, err := ask(s, `SELECT 1`); err != nil || len(rows) != 1 {
		t.Errorf("afterwards: %v, %v", rows, err)
	}
}

// faultOf is what a query with a mistake says, and where.
type faultOf struct {
	text         string
	line, column int
	says         string
}

func wantFaults(t *testing.T, s *store.Store, faults []faultOf) {
	t.Helper()
	for _, c := range faults {
		_, err := s.CheckQuery(t.Context(), c.text)
		var f *fault.Error
		if !errors.As(err, &f) || f.Field != "sql" || f.Line != c.line || f.Column != c.column || !strings.Contains(f.Message, c.says) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

func TestQueryFaultsNameThePlace(t *testing.T) {
	wantFaults(t, openStore(t), []faultOf{
		{"SELECT id AS profile_id\nFORM profiles", 2, 1, "syntax error"},
		{"SELECT id AS profile_id,\n  'é', agee\nFROM profiles", 2, 8, "agee"},
		{"SELECT id\nFROM profilse", 2, 6, "did you mean profiles?"},
		{"SELECT 1;\nSELECT 2", 2, 1, "second statement"},
		{"SELECT\nvalue FROM secrets", 0, 0, "secrets"},
	})
}

// documentedTables are the tables in docs/tables.md with their columns, sorted: those for queries and people's tools, and
// the program's own.
func documentedTables(t *testing.T) (open, own map[string]string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	open, own = map[string]string{}, map[string]string{}
	into := open
	code, inside := regexp.MustCompile("`([a-z_]+)`"), regexp.MustCompile(`\([^)]*\)`)
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "## ") {
			into = open
			if line == "## The program's own" {
				into = own
			}
		}
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.HasPrefix(line, "| `") {
			continue
		}
		var names []string
		for _, m := range code.FindAllStringSubmatch(inside.ReplaceAllString(cells[3], ""), -1) {
			names = append(names, m[1])
		}
		slices.Sort(names)
		into[strings.Trim(cells[1], " `")] = strings.Join(names, " ")
	}
	return open, own
}

// docs/tables.md describes the tables that queries may read, column by column, and the database has them.
func TestTablesAreDocumented(t *testing.T) {
	s := openStore(t)
	documented, _ := documentedTables(t)
	for _, table := range query.Tables() {
		var names []string
		for _, c := range table.Columns {
			names = append(names, c.Name)
		}
		if _, err := ask(s, `SELECT `+strings.Join(names, ", ")+` FROM `+table.Name); err != nil {
			t.Errorf("%s: %v", table.Name, err)
		}
		slices.Sort(names)
		if documented[table.Name] != strings.Join(names, " ") {
			t.Errorf("%s: documented %q, read %q", table.Name, documented[table.Name], strings.Join(names, " "))
		}
		delete(documented, table.Name)
	}
	// For people's own tools alone: what must stay sealed, messages of sources as they came, and tables of PostgreSQL.
	for _, withheld := range []string{"named_secrets", "quarantine", "events", "message_ids"} {
		if documented[withheld] == "" {
			t.Errorf("%s is not documented", withheld)
		}
		delete(documented, withheld)
	}
	if len(documented) > 0 {
		t.Errorf("documented and not to be read: %v", documented)
	}
}

// No table is left out of docs/tables.md, on either database. SQLite's log is told of there in words.
func TestNoTableIsARiddle(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		noRiddles(t, openStore(t), `SELECT m.name, i.name FROM sqlite_schema m JOIN pragma_table_info(m.name) i WHERE m.type = 'table' ORDER BY 1, 2`)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		s, _ := openPostgresStore(t)
		noRiddles(t, s, `SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = current_schema()
			AND NOT (SELECT relispartition FROM pg_class WHERE oid = quote_ident(table_name)::regclass) ORDER BY 1, 2`)
	})
}

func noRiddles(t *testing.T, s *store.Store, columns string) {
	t.Helper()
	open, own := documentedTables(t)
	tables := map[string][]string{}
	err := s.View(t.Context(), func(c *store.Conn) error {
		return c.Query(columns, nil, func(r store.Row) error {
			tables[r.Text(0)] = append(tables[r.Text(0)], r.Text(1))
			return nil
		})
	})
	if err != nil || len(tables) < 30 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	inWords := regexp.MustCompile(`^(event_blocks|runs|run_pages|buried_events|goose_db_version|sqlite_sequence)$`)
	for name, has := range tables {
		described, mine := open[name], own[name]
		slices.Sort(has)
		switch {
		case inWords.MatchString(name):
		case described == "" && mine == "":
			t.Errorf("%s (%s) is not documented", name, strings.Join(has, ", "))
		case mine != "" && mine != strings.Join(has, " "):
			t.Errorf("%s: documented %q, has %q", name, mine, has)
		default:
			for _, column := range strings.Fields(described) {
				if !slices.Contains(has, column) {
					t.Errorf("%s has no %s", name, column)
				}
			}
		}
	}
	for name := range own {
		if tables[name] == nil {
			t.Errorf("%s is documented and does not exist", name)
		}
	}
}
