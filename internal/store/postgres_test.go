package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// onPostgresServer opens a store on an empty schema, and gives its address.
func onPostgresServer(t *testing.T) (*Store, string) {
	t.Helper()
	address := storetest.Postgres(t)
	return openAt(t, address, make([]byte, masterKeySize)), address
}

func openAt(t *testing.T, address string, key []byte) *Store {
	t.Helper()
	s, err := Open(t.Context(), t.TempDir(), OnPostgres(address), WithMasterKey(key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// What the engine asks by key is not found by reading a table, though the plan for it was made while that had a few rows and
// had been counted.
func TestPlansOfFewRowsServeMany(t *testing.T) {
	s, _ := onPostgresServer(t)
	if err := s.Update(t.Context(), func(c *Conn) error {
		_, err := c.Exec(`INSERT INTO identifiers (type, value, profile_id, created_at) VALUES ('user_id', '1', 1, 0), ('user_id', '2', 2, 0)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(c *Conn) error { _, err := c.Exec(`ANALYZE identifiers`); return err }); err != nil {
		t.Fatal(err)
	}
	err := s.engineView(t.Context(), func(c *Conn) error {
		for range 20 { // after five PostgreSQL keeps a plan for whatever is asked
			if err := c.QueryEach(ownerQuery, [][]any{{"user_id", "1"}}, func(int, Row) error { return nil }); err != nil {
				return err
			}
		}
		return c.Query(`SELECT sum(seq_scan), sum(idx_scan) FROM pg_stat_xact_user_tables WHERE relid = 'identifiers'::regclass
			OR relid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'identifiers'::regclass)`, nil, func(r Row) error {
			if r.Int(0) > 0 || r.Int(1) < 20 {
				t.Errorf("the table was read whole %d times, and by its index %d times", r.Int(0), r.Int(1))
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Only those who ask by key are kept from reading tables whole; analysts' queries are planned as PostgreSQL likes best. What
// the address says goes above all.
func TestConnectionsAreSetUpForWhatTheyAreFor(t *testing.T) {
	s, address := onPostgresServer(t)
	other := openAt(t, address+"&enable_seqscan=on&statement_timeout=4321", make([]byte, masterKeySize))
	setting := func(view func(context.Context, func(*Conn) error) error, name string) (value string) {
		err := view(t.Context(), func(c *Conn) error {
			return c.Query(`SELECT current_setting($1)`, []any{name}, func(r Row) error { value = r.Text(0); return nil })
		})
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	for _, c := range []struct {
		of        string
		got, want string
	}{
		{"the engine", setting(s.engineView, "enable_hashjoin"), "off"},
		{"readers", setting(s.View, "enable_hashjoin"), "on"},
		{"readers, statements", setting(s.View, "lock_timeout"), "3s"},
		{"the engine of another address", setting(other.engineView, "enable_seqscan"), "on"},
		{"the engine of another address, statements", setting(other.engineView, "statement_timeout"), "4321ms"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.of, c.got, c.want)
		}
	}
	conn, err := s.db.(*postgresDatabase).askingConnection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if r := conn.ExecParams(t.Context(), "SHOW enable_hashjoin", nil, nil, nil, nil).Read(); r.Err != nil || string(r.Rows[0][0]) != "on" {
		t.Errorf("queries of analysts: %s, %v", r.Rows, r.Err)
	}
}

// Both databases have the same tables with the same columns, but for the log of events.
func TestBothDatabasesHaveTheSameTables(t *testing.T) {
	tables := func(s *Store, query string) map[string]string {
		columns := map[string]string{}
		err := s.View(t.Context(), func(c *Conn) error {
			return c.Query(query, nil, func(r Row) error {
				columns[r.Text(0)+"."+r.Text(1)] = strings.ToLower(r.Text(2))
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		for name := range columns {
			table, _, _ := strings.Cut(name, ".")
			logged := slices.Contains([]string{"event_blocks", "runs", "run_pages", "buried_events", "message_ids"}, table)
			if logged || strings.HasPrefix(table, "goose_") || table == "events" || strings.HasPrefix(table, "sqlite_") {
				delete(columns, name)
			}
		}
		return columns
	}
	kinds := map[string][]string{
		"integer": {"bigint", "boolean"}, "text": {"text", "jsonb"}, "blob": {"bytea"}, "real": {"double precision"},
	}
	sqlite := tables(openFiles(t), `SELECT m.name, i.name, i.type FROM sqlite_schema m JOIN pragma_table_info(m.name) i WHERE m.type = 'table'`)
	s, _ := onPostgresServer(t)
	postgres := tables(s, `SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = current_schema()
		AND NOT (SELECT relispartition FROM pg_class WHERE oid = quote_ident(table_name)::regclass)`)
	if len(sqlite) < 100 {
		t.Fatalf("%d columns", len(sqlite))
	}
	for _, name := range slices.Sorted(maps.Keys(sqlite)) {
		if !slices.Contains(kinds[sqlite[name]], postgres[name]) {
			t.Errorf("%s is %s in SQLite and %q in PostgreSQL", name, sqlite[name], postgres[name])
		}
		delete(postgres, name)
	}
	for _, name := range slices.Sorted(maps.Keys(postgres)) {
		t.Errorf("%s is in PostgreSQL alone", name)
	}
}

func TestANewerSchemaOnPostgresIsRefused(t *testing.T) {
	s, address := onPostgresServer(t)
	err := s.Update(t.Context(), func(c *Conn) error {
		_, err := c.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), t.TempDir(), OnPostgres(address)); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("opened: %v", err)
	}
	for until := time.Now().Add(10 * time.Second); s.Stats().Problem != olderThanTables; <-time.After(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the program that runs does not notice")
		}
	}
	status, err := MigrationStatus(t.Context(), t.TempDir(), OnPostgres(address))
	if err != nil || status.Have != 9999 || status.Knows >= 9999 || len(status.Steps) == 0 || status.Steps[0].AppliedAt.IsZero() {
		t.Errorf("%+v %v", status, err)
	}
}

func TestTheMasterKeyOfAnotherDatabaseIsRefused(t *testing.T) {
	s, address := onPostgresServer(t)
	want, err := s.Secret(t.Context(), "one", 16)
	if err != nil {
		t.Fatal(err)
	}
	other := make([]byte, masterKeySize)
	other[0] = 1
	for _, option := range []Option{WithMasterKey(other), WithMasterKey(other[:16]), func(*settings) {}} {
		if _, err := Open(t.Context(), t.TempDir(), OnPostgres(address), option); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("opened: %v", err)
		}
	}
	if got, err := openAt(t, address, make([]byte, masterKeySize)).Secret(t.Context(), "one", 16); err != nil || string(got) != string(want) {
		t.Errorf("read %x, want %x: %v", got, want, err)
	}
}

// What goes in by the many comes out as what goes in one by one, on both databases.
func TestManyRowsAreWrittenAsOne(t *testing.T) {
	s, ctx := open(t), t.Context()
	rows := [][]any{
		{"a", "text", 1.5, int64(1), true, []byte{0, 1}}, {"b", `{"q":"\"}'`, -2.0, nil, false, []byte{}}, {"c", "Ünï, NULL", 1e300, int64(-5), true, nil},
	}
	for i := range 3000 {
		rows = append(rows, []any{fmt.Sprintf("k%05d", i), strings.Repeat("x", i%7), float64(i) / 3, int64(i), i%2 == 0, []byte(fmt.Sprint(i))})
	}
	var got [][]any
	err := s.Update(ctx, func(c *Conn) error {
		got = nil
		if _, err := c.Exec(`CREATE TEMPORARY TABLE many (name TEXT PRIMARY KEY, t TEXT, f DOUBLE PRECISION, n BIGINT, b BOOLEAN, raw ` + map[bool]string{true: "BYTEA", false: "BLOB"}[c.dialect.shared] + `)`); err != nil {
			return err
		}
		if err := c.ExecEach(`INSERT INTO many (name, t, f, n, b, raw) VALUES ($1, $2, $3, $4, $5, $6)`, rows); err != nil {
			return err
		}
		if err := c.ExecEach(`UPDATE many SET n = n + $2 WHERE name = $1`, [][]any{{"a", 10}, {"c", 20}, {"nobody", 1}}); err != nil {
			return err
		}
		if err := c.ExecEach(`INSERT INTO many (name, t) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET t = excluded.t`, [][]any{{"b", "new"}, {"d", "fresh"}}); err != nil {
			return err
		}
		// Other statements may run while an answer is being read.
		asked := [][]any{{"c"}, {"nobody"}, {"a"}, {"d"}, {"b"}}
		err := c.QueryEach(`SELECT name, t, f, n, raw FROM many WHERE name = $1`, asked, func(i int, r Row) error {
			if r.Text(0) != asked[i][0] {
				t.Errorf("row %d answers %s", i, r.Text(0))
			}
			n, err := c.Int(`SELECT count(*) FROM many`)
			got = append(got, []any{i, r.Text(1), r.Float(2), r.Int(3), r.Null(3), string(r.Bytes(4)), n})
			return err
		})
		if err != nil {
			return err
		}
		_, err = c.Exec(`DROP TABLE many`)
		return err
	})
	want := [][]any{
		{0, "Ünï, NULL", 1e300, int64(15), false, "", int64(3004)},
		{2, "text", 1.5, int64(11), false, "\x00\x01", int64(3004)},
		{3, "fresh", 0.0, int64(0), true, "", int64(3004)},
		{4, "new", -2.0, int64(0), true, "", int64(3004)},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%v\n%v", err, got, want)
	}
}

// A text may hold what PostgreSQL cannot keep: it is kept without.
func TestTextsThatPostgresCannotKeepStopNothing(t *testing.T) {
	s, _ := onPostgresServer(t)
	p := profile.New(1, 1)
	p.Traits.Set("a\x00", profile.Trait{Value: "b\x00c\\u0000"})
	b := &engine.Batch{Now: 1, Changes: engine.NewChanges(), Profiles: []*profile.Profile{p}}
	commit, err := s.Prepare(b)
	if err == nil {
		err = commit.Run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	var traits string
	err = s.View(t.Context(), func(c *Conn) error {
		_, err := c.One(`SELECT traits FROM profiles`, nil, func(r Row) error { traits = r.Text(0); return nil })
		return err
	})
	if want := `{"a` + replacement + `": "b` + replacement + `c\\u0000"}`; err != nil || traits != want {
		t.Errorf("%s, want %s: %v", traits, want, err)
	}
}

// A server that restarts, or an operator who ends connections, costs nobody a failure once it is there again.
func TestBrokenConnectionsAreReplaced(t *testing.T) {
	s, address := onPostgresServer(t)
	admin, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for round := range 5 {
		name, value := fmt.Sprint("k", round), fmt.Sprint("v", round)
		if err := s.Update(t.Context(), set(name, value)); err != nil {
			t.Fatal(err)
		}
		if got := get(t, s, name); got != value {
			t.Fatalf("read %q", got)
		}
		// Of this store alone: other tests use the server too.
		var pids []int64
		for _, pool := range s.db.(*postgresDatabase).pools() {
			for _, conn := range pool.AcquireAllIdle(t.Context()) {
				pids = append(pids, int64(conn.Conn().PgConn().PID()))
				conn.Release()
			}
		}
		if len(pids) == 0 {
			t.Fatal("no connection was open")
		}
		for _, pid := range pids {
			if _, err := admin.Exec(`SELECT pg_terminate_backend($1)`, pid); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Two transactions that wait for each other: one is chosen to begin again, and both hold.
func TestDeadlocksAreTriedAgain(t *testing.T) {
	s, _ := onPostgresServer(t)
	for _, name := range []string{"a", "b"} {
		if err := s.Update(t.Context(), set(name, "")); err != nil {
			t.Fatal(err)
		}
	}
	var first sync.WaitGroup
	first.Add(2)
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		both.Go(func() {
			var once sync.Once
			errs[i] = s.Update(t.Context(), func(c *Conn) error {
				for _, name := range order {
					if _, err := c.Exec(`UPDATE settings SET value = value || $2 WHERE name = $1`, name, fmt.Sprint(i)); err != nil {
						return err
					}
					once.Do(func() { first.Done(); first.Wait() })
				}
				return nil
			})
		})
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if got := get(t, s, name); len(got) != 2 {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// A server that takes connections and says nothing is unavailable, and nobody hangs.
func TestAServerThatNeverAnswersIsUnavailable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = Open(t.Context(), t.TempDir(), OnPostgres("postgres://nobody@"+listener.Addr().String()+"/none?sslmode=disable&connect_timeout=1"))
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	listener.Close()
	_, err = Open(t.Context(), t.TempDir(), OnPostgres("postgres://nobody:secret@"+listener.Addr().String()+"/none?sslmode=disable"))
	if fault.CodeOf(err) != fault.Unavailable || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// TestTablesThatChangeUnderANodeBreakNothing prepares statements on every connection, and changes what they give.
func TestTablesThatChangeUnderANodeBreakNothing(t *testing.T) {
	s, address := onPostgresServer(t)
	ctx := t.Context()
	read := func(c *Conn) error {
		return c.Query(`SELECT name, value FROM settings ORDER BY name LIMIT 1`, nil, func(Row) error { return nil })
	}
	operator, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = operator.Close() })
	for _, kind := range []string{"varchar(1000)", "text"} {
		everywhere(t, s, read)
		if _, err := operator.ExecContext(ctx, `ALTER TABLE settings ALTER value TYPE `+kind); err != nil {
			t.Fatal(err)
		}
		for name, ask := range map[string]func() error{
			"read":   func() error { return s.read(ctx, read) },
			"write":  func() error { return s.Update(ctx, read) },
			"engine": func() error { return s.engineView(ctx, read) },
		} {
			if err := ask(); err != nil {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
		}
		if err := inTurn(t, s, read); err != nil && !errors.As(err, new(*engine.Stale)) {
			t.Errorf("%s, a turn: %v", kind, err)
		}
		if err := inTurn(t, s, read); err != nil {
			t.Errorf("%s, the next turn: %v", kind, err)
		}
	}
}

// everywhere runs a statement on every connection that the store may have.
func everywhere(t *testing.T, s *Store, fn func(*Conn) error) {
	t.Helper()
	db := s.db.(*postgresDatabase)
	for _, pool := range db.pools() {
		for range pool.Config().MaxConns {
			lent, err := db.acquire(t.Context(), pool)
			if err != nil {
				t.Fatal(err)
			}
			defer lent.Release()
			session := newPostgresSession(lent.Conn().PgConn())
			if err := fn(&Conn{session: session, dialect: &postgresDialect, ctx: t.Context()}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func inTurn(t *testing.T, s *Store, fn func(*Conn) error) error {
	t.Helper()
	begun, err := s.Turn(t.Context())
	if err != nil {
		return err
	}
	defer begun.End()
	return begun.(*turn).do(t.Context(), fn)
}

// TestWhyThereIsNoConnectionIsSaid opens what cannot be: the setting is named, and no secret.
func TestWhyThereIsNoConnectionIsSaid(t *testing.T) {
	right, err := url.Parse(storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	const secret = "hunter2"
	for name, c := range map[string]struct {
		edit func(u *url.URL, query url.Values)
		code fault.Code
		says string
	}{
		"password": {func(u *url.URL, _ url.Values) { u.User = url.UserPassword("tailorbird", secret) }, fault.Forbidden, "pg_hba.conf"},
		"database": {func(u *url.URL, _ url.Values) { u.Path = "/nosuch" }, fault.NotFound, "createdb nosuch"},
		"nobody":   {func(u *url.URL, _ url.Values) { u.Host, u.User = "127.0.0.1:1", url.UserPassword("u", secret) }, fault.Unavailable, "127.0.0.1:1"},
		"tls":      {func(_ *url.URL, query url.Values) { query.Set("sslmode", "require") }, fault.Unavailable, "sslmode=disable"},
		"sslmode": {func(u *url.URL, query url.Values) {
			query.Set("sslmode", "bogus")
			u.User = url.UserPassword("u", secret)
		}, fault.Invalid, "sslmode is invalid"},
	} {
		wrong, query := *right, right.Query()
		c.edit(&wrong, query)
		wrong.RawQuery = query.Encode()
		s, err := Open(t.Context(), t.TempDir(), OnPostgres(wrong.String()))
		if err == nil {
			_ = s.Close()
		}
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != c.code || f.Setting != "database_url" || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), secret) ||
			strings.Count(err.Error(), "connection refused") > 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
