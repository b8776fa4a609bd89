package store_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment/query"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// openPostgresStore opens a store on PostgreSQL with some customers, and a connection that may do anything.
func openPostgresStore(t *testing.T) (*store.Store, *pgx.Conn) {
	t.Helper()
	address := storetest.Postgres(t)
	s, err := store.Open(t.Context(), t.TempDir(), store.OnPostgres(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	do(t, conn, `INSERT INTO profiles (id, traits, computed, preferences, subscribed, created_at, updated_at, first_seen_at, last_seen_at, state)
		SELECT i, jsonb_build_object('n', i - 1), '{}', '{}', TRUE, 0, 0, 0, 0, '\x5EC2E7' FROM generate_series(1, 2000) i`)
	return s, conn
}

func do(t *testing.T, conn *pgx.Conn, text string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func TestQueriesReadTheDocumentedTablesOnPostgres(t *testing.T) {
	s, _ := openPostgresStore(t)
	for text, want := range map[string]string{
		`SELECT count(*) AS n FROM profiles`:                                                                                                                                                   "[[2000]]",
		`SELECT id AS profile_id, traits ->> 'n' AS n FROM profiles WHERE id = 3`:                                                                                                              "[[3 2]]",
		`SELECT id, (traits ->> 'n')::numeric / 4 AS n, subscribed, traits -> 'n' AS j FROM "profiles" p WHERE p.id = 3`:                                                                       "[[3 0.5 true 2]]",
		`WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 3) SELECT * FROM t ORDER BY i DESC`:                                                                          "[[3] [2] [1]]",
		`SELECT key, value FROM jsonb_each_text('{"a":1}')`:                                                                                                                                    "[[a 1]]",
		"SELECT :now AS a, ':now' AS b, E'\\':now' AS c, $x$:now$x$ AS d /* :now /* */ :now */ -- :now\n; /* really */ ":                                                                       "[[1234567 :now ':now :now]]",
		`SELECT :now::text AS a, '1'::text AS ":now", :now-:now AS b`:                                                                                                                          "[[1234567 1 0]]",
		`SELECT rank() OVER w AS r, sum(id) FILTER (WHERE id < 3) OVER w AS s FROM profiles WINDOW w AS (ORDER BY id) LIMIT 1`:                                                                 "[[1 1]]",
		`WITH mine AS (SELECT id FROM profiles LIMIT 7) SELECT count(*) AS n FROM mine`:                                                                                                        "[[7]]",
		`SELECT 'DELETE FROM profiles; :now ?' AS x`:                                                                                                                                           "[[DELETE FROM profiles; :now ?]]",
		`SELECT to_char(to_timestamp(0), 'YYYY') AS y, (to_timestamp(0) + interval '1 day')::date AS d, ARRAY[1,2] AS a, NULL AS x`:                                                            "[[1970 1970-01-02 {1,2} <nil>]]",
		`SELECT CASE id WHEN 1 THEN 'one' ELSE coalesce(NULL, 'other') END AS c FROM profiles WHERE id IN (1, 2) AND traits ? 'n' AND (id, 1) < (3, 4) ORDER BY id`:                            "[[one] [other]]",
		`SELECT a.id FROM profiles a JOIN profiles b USING (id) LEFT JOIN messages m ON m.profile_id = a.id WHERE NOT EXISTS (SELECT FROM responses r WHERE r.profile_id = a.id) AND a.id = 5`: "[[5]]",
		`SELECT 1 AS a UNION SELECT 2 EXCEPT SELECT 2`:                                                                                                                                         "[[1]]",
		`SELECT id % 2 AS odd, count(*) AS n, string_agg(id::text, ',' ORDER BY id) AS ids FROM profiles WHERE id < 5 GROUP BY GROUPING SETS (1) ORDER BY 1`:                                   "[[0 2 2,4] [1 2 1,3]]",
		`SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY id) AS median FROM profiles`:                                                                                                       "[[1000.5]]",
		`SELECT lower('AB' COLLATE "C") LIKE 'a%' AS a, 'abc' ~ '^a' AS b, 'x' SIMILAR TO 'x|y' AS c, substring('abc' FROM 2) AS d`:                                                            "[[true true true bc]]",
		`SELECT greatest(1, 2) AS g, nullif(1, 1) AS n, 1 IS DISTINCT FROM 2 AS d, current_date > '2020-01-01' AS c, extract(year FROM date '2020-05-01') AS y, 1 = ANY(ARRAY[1]) AS a`:        "[[2 <nil> true true 2020 true]]",
		`TABLE segment_days`:                          "[]",
		`VALUES (1, 'a'), (2, 'b')`:                   "[[1 a] [2 b]]",
		`SELECT x FROM generate_series(1, 2) AS g(x)`: "[[1] [2]]",
		`SELECT v.x FROM profiles p, LATERAL (SELECT p.id + 1 AS x) v WHERE p.id = 1`: "[[2]]",
	} {
		if rows, err := ask(s, text); err != nil || fmt.Sprint(rows) != want {
			t.Errorf("%s: %v, %v", text, rows, err)
		}
		if _, err := s.CheckQuery(t.Context(), text); err != nil {
			t.Errorf("%s is not taken: %v", text, err)
		}
	}
	for _, table := range query.Tables() {
		var names []string
		for _, c := range table.Columns {
			names = append(names, c.Name)
		}
		if _, err := ask(s, `SELECT `+strings.Join(names, ", ")+` FROM `+table.Name); err != nil {
			t.Errorf("%s: %v", table.Name, err)
		}
	}
}

// What is none of a query's business is refused, in words, and changes nothing.
func TestQueriesCannotDoHarmOnPostgres(t *testing.T) {
	s, conn := openPostgresStore(t)
	if _, err := s.Secret(t.Context(), "probe", 16); err != nil {
		t.Fatal(err)
	}
	var schema string
	if err := conn.QueryRow(t.Context(), `SELECT current_schema()`).Scan(&schema); err != nil {
		t.Fatal(err)
	}
	// What somebody may have put into the database.
	do(t, conn, `CREATE FUNCTION peek(a TEXT, b TEXT) RETURNS BOOLEAN LANGUAGE SQL STABLE AS 'SELECT TRUE FROM secrets'`)
	do(t, conn, `CREATE OPERATOR === (FUNCTION = peek, LEFTARG = TEXT, RIGHTARG = TEXT)`)
	do(t, conn, `CREATE DOMAIN guarded AS TEXT CHECK (peek(VALUE, ''))`)
	do(t, conn, `CREATE FUNCTION lower(a TEXT) RETURNS TEXT LANGUAGE SQL STABLE AS 'SELECT encode(value, ''hex'') FROM secrets LIMIT 1'`)
	do(t, conn, `CREATE VIEW open_secrets AS SELECT * FROM secrets`)
	do(t, conn, `CREATE AGGREGATE gathered(TEXT) (SFUNC = textcat, STYPE = TEXT)`)
	for _, text := range []string{
		// SQLite's list.
		`DELETE FROM profiles`, `UPDATE profiles SET traits = '{}'`, `INSERT INTO profiles (id) VALUES (9)`, `MERGE INTO profiles USING profiles ON FALSE WHEN MATCHED THEN DELETE`,
		`DROP TABLE profiles`, `CREATE TABLE x (y INT)`, `CREATE TEMP TABLE x AS SELECT * FROM secrets`, `CREATE VIEW x AS SELECT 1`, `ALTER TABLE profiles ADD COLUMN x INT`,
		`CREATE TRIGGER x AFTER INSERT ON profiles EXECUTE FUNCTION peek()`, `VACUUM`, `REINDEX TABLE profiles`, `ANALYZE`, `BEGIN`, `COMMIT`, `SAVEPOINT x`, `ROLLBACK`,
		`SET transaction_read_only = off`, `SHOW all`, `RESET ROLE`, `SET ROLE postgres`, `SET SESSION AUTHORIZATION postgres`, `LOCK TABLE profiles`, `TRUNCATE profiles`,
		`WITH x AS (SELECT 1) DELETE FROM profiles`, `SELECT * FROM (DELETE FROM profiles RETURNING id) d`, `DELETE FROM profiles RETURNING id AS profile_id`,
		`WITH x AS (DELETE FROM profiles RETURNING id) SELECT * FROM x`, `WITH x AS (INSERT INTO suppressions VALUES ('a', 'b', 1) RETURNING email) SELECT * FROM x`,
		`WITH x AS (UPDATE profiles SET traits = '{}' RETURNING id) SELECT id AS profile_id FROM x`,
		`SELECT value FROM secrets`, `SELECT count(*) FROM secrets`, `SELECT (SELECT value FROM secrets LIMIT 1) AS profile_id`, `SELECT id FROM profiles WHERE EXISTS (SELECT 1 FROM secrets)`,
		`SELECT hash FROM api_keys`, `SELECT * FROM sessions`, `SELECT private_key FROM sending_keys`, `SELECT * FROM settings`, `SELECT raw FROM mailbox`, `SELECT data FROM events`,
		`SELECT value FROM named_secrets`, `SELECT answer FROM idempotent_requests`, `SELECT * FROM quarantine`,
		`SELECT * FROM ` + schema + `.secrets`, `SELECT value FROM "` + schema + `"."secrets"`, `SELECT s.value FROM profiles JOIN ` + schema + `.secrets s ON TRUE`,
		`SELECT state FROM profiles`, `SELECT version FROM profiles`, `SELECT p.state FROM ` + schema + `.profiles p`, `SELECT to_jsonb(p) AS x FROM ` + schema + `.profiles p`,
		`SELECT p FROM profiles p`, `SELECT to_jsonb(p) FROM profiles p`, `SELECT (p).state FROM profiles p`, `SELECT (p::text) FROM profiles p`, `SELECT ctid FROM profiles`,
		`SELECT tableoid FROM profiles`, `SELECT xmin FROM profiles`, `SELECT * FROM ` + schema + `.open_secrets`, `TABLE ` + schema + `.secrets`, `SELECT * FROM ONLY ` + schema + `.secrets`,
		`SELECT * FROM pg_class`, `SELECT * FROM pg_catalog.pg_authid`, `SELECT * FROM pg_shadow`, `SELECT * FROM pg_stat_activity`, `SELECT * FROM pg_settings`, `SELECT * FROM pg_proc`,
		`SELECT * FROM information_schema.tables`, `SELECT * FROM pg_largeobject`, `SELECT * FROM pg_file_settings`, `SELECT * FROM pg_hba_file_rules`, `SELECT * FROM pg_stats`,
		// Files, programs, other servers, other statements.
		`SELECT pg_read_file('/etc/passwd')`, `SELECT pg_read_binary_file('/etc/passwd')`, `SELECT pg_ls_dir('/')`, `SELECT * FROM pg_ls_waldir()`, `SELECT * FROM pg_stat_file('/etc')`,
		`SELECT lo_import('/etc/passwd')`, `SELECT lo_export(1, '/tmp/x')`, `SELECT lo_create(1)`, `SELECT lo_get(1)`, `SELECT loread(1, 1)`, `SELECT pg_sleep(1)`, `SELECT pg_sleep_for('1 s')`,
		`COPY profiles TO '/tmp/x'`, `COPY (SELECT 1) TO PROGRAM 'id'`, `COPY profiles FROM '/tmp/x'`, `SELECT dblink('a', 'b')`, `SELECT dblink_exec('a', 'b')`,
		`SELECT query_to_xml('SELECT * FROM secrets', true, false, '')`, `SELECT table_to_xml('pg_authid'::regclass, true, false, '')`, `SELECT database_to_xml(true, false, '')`,
		`SELECT schema_to_xml('` + schema + `', true, false, '')`, `SELECT cursor_to_xml('x', 1, true, false, '')`, `SELECT * FROM ts_stat('SELECT 1')`,
		`SELECT ts_rewrite('a'::tsquery, 'SELECT 1')`, `SELECT xmlelement(name x)`, `SELECT xmlparse(document '<!DOCTYPE x [<!ENTITY e SYSTEM "/etc/passwd">]><x/>')`,
		`SELECT * FROM xmltable('/x' PASSING '<x/>' COLUMNS a TEXT)`, `SELECT convert_from(value, 'UTF8') FROM ` + schema + `.secrets`,
		// Settings, roles, sessions, locks.
		`SELECT set_config('role', 'postgres', false)`, `SELECT set_config('search_path', '` + schema + `', true)`, `SELECT set_config('transaction_read_only', 'off', true)`,
		`SELECT set_config('statement_timeout', '0', false)`, `SELECT current_setting('data_directory')`, `SELECT * FROM pg_show_all_settings()`, `SELECT pg_reload_conf()`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity`, `SELECT pg_cancel_backend(1)`, `SELECT pg_backend_pid()`, `SELECT pg_switch_wal()`, `SELECT pg_create_restore_point('x')`,
		`SELECT pg_advisory_lock(1)`, `SELECT pg_try_advisory_lock(1)`, `SELECT pg_advisory_xact_lock(1, 2)`, `SELECT pg_advisory_unlock_all()`, `SELECT pg_notify('a', 'b')`,
		`SELECT nextval('event_ids')`, `SELECT setval('` + schema + `.event_ids', 1)`, `SELECT lastval()`, `SELECT txid_current()`, `SELECT pg_export_snapshot()`, `SELECT pg_current_xact_id()`,
		`SELECT id AS profile_id FROM profiles FOR UPDATE`, `SELECT id FROM profiles FOR SHARE`, `SELECT id FROM (SELECT id FROM profiles FOR KEY SHARE) x`,
		`SELECT id FROM profiles WHERE id IN (SELECT id FROM profiles FOR NO KEY UPDATE SKIP LOCKED)`, `WITH x AS (SELECT id FROM profiles FOR UPDATE) SELECT id FROM x`,
		`SELECT current_user`, `SELECT session_user`, `SELECT current_role`, `SELECT user`, `SELECT current_database()`, `SELECT current_schema()`, `SELECT current_schemas(true)`, `SELECT version()`,
		`SELECT has_table_privilege('x', 'select')`, `SELECT inet_server_addr()`, `SELECT pg_get_viewdef(1)`, `SELECT to_regclass('secrets')`, `SELECT 'pg_authid'::regclass::oid`,
		`SELECT 1260::oid::regclass::text`, `SELECT 'x'::regrole`, `SELECT pg_typeof(1)`, `SELECT pg_column_size(1)`, `SELECT pg_size_pretty(1)`, `SELECT pg_database_size('postgres')`,
		// What changes from call to call, and what makes much out of little.
		`SELECT random()`, `SELECT setseed(0)`, `SELECT gen_random_uuid()`, `SELECT clock_timestamp()`, `SELECT timeofday()`, `SELECT repeat('x', 1000000000)`, `SELECT lpad('x', 1000000000)`,
		`SELECT rpad('x', 1000000000)`, `SELECT format('%1000000000s', '')`, `SELECT factorial(100000)`, `SELECT array_fill(1, ARRAY[100000000])`, `SELECT array_to_tsvector(ARRAY['a'])`,
		// What is not PostgreSQL's own.
		`SELECT ` + schema + `.peek('a', 'b')`, `SELECT 'a' OPERATOR(` + schema + `.===) 'b'`, `SELECT 'a'::` + schema + `.guarded`, `SELECT ` + schema + `.lower('a')`,
		`SELECT ` + schema + `.gathered('a')`, `SELECT ` + schema + `.gathered('a') OVER ()`, `SELECT * FROM ` + schema + `.peek('a', 'b')`, `SELECT CAST(traits ->> 'n' AS ` + schema + `.guarded) FROM profiles`,
		`SELECT x FROM json_to_record('{}') AS x(a ` + schema + `.guarded)`, `SELECT * FROM jsonb_populate_record(NULL::` + schema + `.secrets, '{}')`, `SELECT NULL::` + schema + `.secrets`,
		`SELECT * FROM ROWS FROM (` + schema + `.peek('a', 'b'), generate_series(1, 2))`, `SELECT 1 ORDER BY 1 USING OPERATOR(` + schema + `.<)`,
		// More than a statement, or none.
		`SELECT 1 AS profile_id; DELETE FROM profiles`, `SELECT 1 AS profile_id; SELECT 2`, "SELECT 1; DROP TABLE profiles" + strings.Repeat(" ", 100), "SELECT 1 --\n; SELECT 2",
		`SELECT 1; COMMIT; DELETE FROM profiles`, `SELECT 1 INTO x`, `SELECT id INTO TEMP x FROM profiles`, `SELECT 1 WITH NO DATA`, `(SELECT id FROM profiles) WITH LOCAL CHECK OPTION; DROP TABLE profiles`,
		`SELECT ? AS profile_id`, `SELECT :now + :other AS profile_id`, `SELECT $1 AS profile_id`, `EXPLAIN DELETE FROM profiles`, `EXPLAIN ANALYZE SELECT 1`, `PREPARE x AS SELECT 1`, `EXECUTE x`,
		`DECLARE c CURSOR FOR SELECT 1`, `FETCH c`, `DO 'BEGIN END'`, `CALL x()`, `LISTEN x`, `NOTIFY x`, `LOAD 'x'`, `DISCARD ALL`, `CREATE EXTENSION dblink`, `GRANT ALL ON profiles TO PUBLIC`,
		`ALTER SYSTEM SET x = 1`, `REFRESH MATERIALIZED VIEW x`, `CHECKPOINT`, `SECURITY LABEL ON TABLE profiles IS 'x'`,
		``, ` ; `, `-- nothing`, "SELECT 1 \x00", `SELECT`, `nonsense`, `SELECT 1 AS "a`, `SELECT 'a`, `SELECT /* a`, `SELECT $x$ a`,
		`SELECT id FROM tailorbird_asked`, `SELECT id FROM pg_temp.tailorbird_asked`,
	} {
		if rows, err := ask(s, text); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v, %v", text, rows, err)
		}
		if columns, err := s.CheckQuery(t.Context(), text); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s is taken: %v, %v", text, columns, err)
		}
	}
	// Our own names win over what somebody made with the same ones.
	if rows, err := ask(s, `SELECT lower('A') AS a`); err != nil || fmt.Sprint(rows) != "[[a]]" {
		t.Errorf("%v, %v", rows, err)
	}
	if rows, err := ask(s, `SELECT count(*) AS n, sum((traits ->> 'n')::bigint) AS s FROM profiles`); err != nil || fmt.Sprint(rows) != "[[2000 1999000]]" {
		t.Errorf("%v, %v", rows, err)
	}
	var left int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_class WHERE relpersistence = 't'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d temporary tables and views are left, %v", left, err)
	}
}

// A query that would go on for ever is ended, and others are answered meanwhile.
func TestQueriesAreBoundedOnPostgres(t *testing.T) {
	s, conn := openPostgresStore(t)
	for name, text := range map[string]string{
		"recursion":     `WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t`,
		"rows":          `WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT i FROM t WHERE i < 0`,
		"cross join":    `SELECT count(*) FROM profiles a, profiles b, profiles c, profiles d`,
		"series":        `SELECT count(*) FROM generate_series(1, 1000000000000)`,
		"sort":          `SELECT a.traits || b.traits AS x FROM profiles a, profiles b, profiles c ORDER BY x LIMIT 1`,
		"doubling":      `WITH RECURSIVE t(s) AS (SELECT 'xxxxxxxx' UNION ALL SELECT s || s FROM t WHERE length(s) < 10000000) SELECT s FROM t`,
		"numbers":       `SELECT 9.0 ^ 99999999999`,
		"deep addition": `SELECT 1` + strings.Repeat("+1", 30_000),
		"long":          `SELECT '` + strings.Repeat("x", 70_000) + `'`,
	} {
		began := time.Now()
		rows, err := ask(s, text)
		if fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
		t.Logf("%s: %v, %v", name, time.Since(began).Round(time.Millisecond), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Query(ctx, `WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t) SELECT count(*) FROM t`, time.Now(), time.Hour,
		func([]string) error { cancel(); return nil }, func([]any) error { return nil })
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("cancelled: %v", err)
	}
	for running := 1; running > 0; do(t, conn, `SELECT pg_sleep(0.01)`) {
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FROM pg_temp.tailorbird_asked' AND state = 'active'`).Scan(&running); err != nil {
			t.Fatal(err)
		}
	}
	if rows, err := ask(s, `SELECT 1 AS a`); err != nil || len(rows) != 1 {
		t.Errorf("afterwards: %v, %v", rows, err)
	}
}

func TestQueryFaultsNameThePlaceOnPostgres(t *testing.T) {
	s, _ := openPostgresStore(t)
	wantFaults(t, s, []faultOf{
		{"SELECT id AS profile_id\nFORM profiles", 2, 1, "syntax error"},
		{"SELECT id AS profile_id,\n  'é', :now, agee\nFROM profiles", 2, 14, "agee"},
		{"SELECT id\nFROM profilse", 2, 6, "did you mean profiles?"},
		{"SELECT id\nFROM secrets", 2, 6, "there are profiles"},
		{"SELECT 1;\nSELECT 2", 0, 0, "second statement"},
		{"SELECT :other", 1, 8, "only :now"},
		{"SELECT oid FROM pg_class", 0, 0, "pg_class"},
		{"SELECT id AS profile_id, pg_sleep(1) FROM profiles", 0, 0, "pg_sleep"},
	})
	_, err := ask(s, `SELECT 1 / (id - 1) AS x FROM profiles`)
	if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "division by zero") {
		t.Errorf("divided: %v", err)
	}
}

// A user that owns its database and is nothing else is enough. Without the right to temporary views it says what is missing.
func TestQueriesNeedTheRightToTemporaryViews(t *testing.T) {
	_, conn := openPostgresStore(t)
	name := "owner_" + strings.ToLower(rand.Text())
	do(t, conn, `CREATE ROLE `+name+` LOGIN PASSWORD 'x'`)
	do(t, conn, `CREATE DATABASE `+name+` OWNER `+name)
	address := conn.Config().Copy()
	s, err := store.Open(t.Context(), t.TempDir(), store.OnPostgres(fmt.Sprintf("postgres://%s:x@%s:%d/%s?sslmode=disable", name, address.Host, address.Port, name)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		_, _ = conn.Exec(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`)
		_, _ = conn.Exec(context.Background(), `DROP ROLE `+name)
	})
	if rows, err := ask(s, `SELECT count(*) AS n FROM profiles`); err != nil || fmt.Sprint(rows) != "[[0]]" {
		t.Errorf("%v, %v", rows, err)
	}
	do(t, conn, `REVOKE TEMPORARY ON DATABASE `+name+` FROM PUBLIC, `+name)
	if _, err := ask(s, `SELECT count(*) AS n FROM profiles`); fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "GRANT TEMPORARY") {
		t.Errorf("without the right: %v", err)
	}
}
