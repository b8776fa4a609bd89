package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// notByCustomer are the tables that cannot be split by customer, or need not be, and why.
var notByCustomer = map[string]string{
	"identifiers":   "its key is what keeps an identifier to one profile",
	"message_ids":   "its key is what keeps an event to once, whoever sends it",
	"run_addresses": "its key is what keeps an address to one message of a run, whoever has it",
	"suppressions":  "holds for an address, whoever has it",
	"mailbox":       "what came to an address",
	"quarantine":    "messages that nobody could read a customer from",

	"api_keys": small, "campaign_runs": small, "claims": small, "daily_counts": small, "definitions": small, "fillings": small,
	"goose_db_version": small, "idempotent_requests": small, "match_runs": small, "named_secrets": small, "nodes": small, "quantiles": small,
	"rules": small, "secrets": small, "segment_days": small, "segment_queries": small, "segment_runs": small, "segment_sizes": small,
	"sending_keys": small, "sessions": small, "settings": small, "stream_positions": small, "terms": small, "words": small,
}

const small = "does not grow with customers"

// Every table that grows with customers names one in all its keys, or says why it cannot.
func TestKeysNameTheCustomer(t *testing.T) {
	s, _ := onPostgresServer(t)
	named := map[string]bool{}
	err := s.View(t.Context(), func(c *Conn) error {
		parts, err := catalogue(c)
		if err != nil {
			return err
		}
		for table, p := range parts {
			column, split := storetest.ByCustomer[table]
			_, excused := notByCustomer[table]
			if split == excused {
				t.Errorf("%s: by customer %v, excused %v", table, split, excused)
			}
			has := func(name string) bool {
				return slices.ContainsFunc(p.columns, func(one copiedColumn) bool { return one.name == name })
			}
			if has("profile_id") && !split && table != "identifiers" {
				t.Errorf("%s has a profile_id and is not split by it", table)
			}
			named[table] = split && has(column)
		}
		keys := 0
		err = c.Query(`SELECT t.relname, u.relname, array_to_string(ARRAY(SELECT a.attname FROM pg_attribute a
				WHERE a.attrelid = t.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])), ' ')
			FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class u ON u.oid = i.indexrelid
			JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = current_schema() AND i.indisunique AND NOT t.relispartition`, nil, func(r Row) error {
			column, split := storetest.ByCustomer[r.Text(0)]
			if !split {
				return nil
			}
			keys++
			if !slices.Contains(strings.Fields(r.Text(2)), column) {
				t.Errorf("%s: the key %s (%s) lacks %s", r.Text(0), r.Text(1), r.Text(2), column)
			}
			return nil
		})
		if keys <= len(storetest.ByCustomer) { // and those of people in a run, and of pairs
			t.Errorf("%d keys", keys)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for table := range storetest.ByCustomer {
		if !named[table] {
			t.Errorf("%s has no such table or column", table)
		}
	}
	for table := range storetest.ByKey {
		if notByCustomer[table] == "" {
			t.Errorf("%s is split by its own key without a reason", table)
		}
	}
}

// An installation whose tables are split, as docs/operations.md says, has what it had, and goes on.
func TestASplitInstallationGoesOn(t *testing.T) {
	t.Setenv(storetest.PartsVariable, "")
	s, address := onPostgresServer(t)
	ctx, now := t.Context(), time.Now().UTC().Truncate(time.Microsecond)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	addMembers(t, s, "all", people(40)...)
	sendToAll(t, s)
	for id := range int64(5) {
		p := profile.New(100+id, 1)
		must(commitBatch(ctx, s, batchOf(nil, p, fmt.Sprint("u", id),
			applied(p.ID, fmt.Sprint("now", id), now), applied(p.ID, fmt.Sprint("ancient", id), time.Unix(-1e9, 0).UTC()))))
	}
	send := func(s *Store, limit int) {
		t.Helper()
		outbox := NewOutbox(s)
		jobs, _, err := outbox.Claim(ctx, sendingDay, limit)
		must(err)
		for _, job := range jobs {
			reason, err := outbox.MarkSending(ctx, job.ID, "Hello")
			must(err)
			must(errOf(reason, ""))
			must(outbox.Finish(ctx, deliver.Outcome{ID: job.ID, Status: deliver.StatusSent, At: sendingDay}))
		}
	}
	send(s, 15)
	before, indexes := contents(t, s), indexNames(t, s)
	must(s.Close())

	split := storetest.Split(t, address, 3)
	if want := len(storetest.ByCustomer) - 1 + len(storetest.ByKey) + monthsAhead + 2; len(split) != want { // this month, those ahead, and the rest
		t.Errorf("%d tables were split, not %d: %v", len(split), want, split)
	}
	s = openAt(t, address, make([]byte, masterKeySize))
	if after := contents(t, s); !maps.Equal(before, after) || after["messages"].Rows != 40 || after["events"].Rows != 10 {
		t.Errorf("before %v\nafter  %v", before, after)
	}
	if after := indexNames(t, s); !slices.Equal(indexes, after) {
		t.Errorf("indexes\nbefore %v\nafter  %v", indexes, after)
	}
	id, err := NewOutbox(s).EnqueueTest(ctx, "spring", 1, "tester@x.example", sendingDay)
	if err != nil || id <= 40 {
		t.Errorf("the next message is %d: %v", id, err)
	}
	send(s, 100)
	if run, _, err := s.CampaignRun(ctx, "spring"); err != nil || run.Progress.Sent != 40 {
		t.Errorf("%+v %v", run, err)
	}
	must(commitBatch(ctx, s, batchOf(nil, profile.New(200, 1), "later", applied(200, "later", now))))
	must(s.View(ctx, func(c *Conn) error {
		for _, table := range []string{"messages", "profiles", "memberships"} {
			if n, err := c.Int(`SELECT count(DISTINCT tableoid) FROM ` + table); err != nil || n != 3 {
				t.Errorf("%s lies in %d partitions: %v", table, n, err)
			}
		}
		var plan []string
		err := c.Query(`EXPLAIN SELECT state FROM profiles WHERE id = 7`, nil, func(r Row) error { plan = append(plan, r.Text(0)); return nil })
		if text := strings.Join(plan, "\n"); strings.Count(text, "Scan") != 1 {
			t.Errorf("one profile is looked for in all partitions:\n%s", text)
		}
		return err
	}))
}

// A table that is split keeps its owner and what was granted on it, and is counted. One that others stand on is left as it is.
func TestSplittingKeepsWhatBelongsToATable(t *testing.T) {
	t.Setenv(storetest.PartsVariable, "")
	s, address := onPostgresServer(t)
	addMembers(t, s, "all", people(40)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	function, err := os.ReadFile("../../deploy/postgres/split.sql")
	if err != nil {
		t.Fatal(err)
	}
	do := func(statements ...string) {
		t.Helper()
		for _, one := range statements {
			if _, err := conn.Exec(ctx, one); err != nil {
				t.Fatalf("%s: %v", one, err)
			}
		}
	}
	name := strings.ToLower(rand.Text())
	owner, analyst, writer := "owner_"+name, "analyst_"+name, "writer_"+name
	t.Cleanup(func() {
		for _, role := range []string{owner, analyst, writer} {
			_, err := conn.Exec(context.Background(), `DROP OWNED BY `+role+`; DROP ROLE `+role)
			if err != nil {
				t.Error(err)
			}
		}
	})
	do(string(function), `CREATE ROLE `+owner, `CREATE ROLE `+analyst, `CREATE ROLE `+writer, `ALTER TABLE profiles OWNER TO `+owner,
		`GRANT SELECT (id, traits) ON profiles TO `+analyst, `GRANT INSERT, UPDATE ON profiles TO `+writer+` WITH GRANT OPTION`, `GRANT REFERENCES ON profiles TO PUBLIC`)

	const split = `SELECT pg_temp.split('profiles', 'id', 3)`
	for _, other := range []struct{ made, named, dropped string }{
		{`CREATE VIEW analysts_view AS SELECT id FROM profiles`, "view analysts_view", `DROP VIEW analysts_view`},
		{`CREATE FUNCTION of_profiles() RETURNS SETOF profiles LANGUAGE sql AS 'SELECT * FROM profiles'`, "function of_profiles()", `DROP FUNCTION of_profiles`},
		{
			`CREATE TRIGGER quiet BEFORE UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
			"trigger quiet", `DROP TRIGGER quiet ON profiles`,
		},
		{`CREATE POLICY hers ON profiles USING (true)`, "policy hers", `DROP POLICY hers ON profiles`},
		{`CREATE TABLE notes (about BIGINT REFERENCES profiles)`, "constraint notes_about_fkey", `DROP TABLE notes`},
		{`ALTER TABLE profiles ADD CONSTRAINT known FOREIGN KEY (id) REFERENCES nodes NOT VALID`, "constraint known", `ALTER TABLE profiles DROP CONSTRAINT known`},
	} {
		do(other.made)
		_, err := conn.Exec(ctx, split)
		if !isCode(err, "2BP01") || !strings.Contains(err.Error(), other.named) {
			t.Errorf("%s: %v", other.made, err)
		}
		do(other.dropped)
	}
	do(`ALTER TABLE profiles ADD CONSTRAINT born CHECK (id > 0)`) // this comes along

	const rights = `SELECT string_agg(concat_ws(' ', pg_get_userbyid(relowner), g.grantee, g.privilege_type, g.is_grantable, g.attname), E'\n'
		ORDER BY g.grantee, g.privilege_type, g.attname) FROM pg_class, LATERAL (
			SELECT grantee::text, privilege_type, is_grantable, '' FROM aclexplode(relacl)
			UNION ALL SELECT grantee::text, privilege_type, is_grantable, attname FROM pg_attribute, aclexplode(attacl) WHERE attrelid = pg_class.oid
		) AS g (grantee, privilege_type, is_grantable, attname) WHERE pg_class.oid = 'profiles'::regclass`
	told := func(query string) (answer string) {
		t.Helper()
		if err := conn.QueryRow(ctx, query).Scan(&answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	before := told(rights)
	if n := strings.Count(before, "\n") + 1; n < 12 || !strings.Contains(before, owner) { // the owner's 7, and those 5 above
		t.Errorf("%d rights:\n%s", n, before)
	}
	do(split)
	if after := told(rights); after != before {
		t.Errorf("rights before\n%s\nand after\n%s", before, after)
	}
	if owners := told(`SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class JOIN pg_inherits ON inhrelid = oid
		WHERE inhparent = 'profiles'::regclass`); owners != owner {
		t.Errorf("the partitions are owned by %s", owners)
	}
	if counted := told(`SELECT concat_ws(' ', relkind, reltuples) FROM pg_class WHERE oid = 'profiles'::regclass`); counted != "p 40" {
		t.Errorf("PostgreSQL knows of %s rows", counted)
	}
}

// contents sums up the tables that are split.
func contents(t *testing.T, s *Store) map[string]Sum {
	t.Helper()
	sums := map[string]Sum{}
	var parts map[string]*part
	err := s.View(t.Context(), func(c *Conn) (err error) {
		parts, err = catalogue(c)
		return err
	})
	for _, table := range slices.Concat(slices.Collect(maps.Keys(storetest.ByCustomer)), slices.Collect(maps.Keys(storetest.ByKey))) {
		var all summing
		rows := tableRows{s.db, parts[table]}
		if err == nil {
			err = rows.rows(t.Context(), nil, func(row []any) error { return all.add(rows.part.columns, row) })
		}
		sums[table] = all.sum()
	}
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

// indexNames are those of all indexes of tables that are no partitions.
func indexNames(t *testing.T, s *Store) (names []string) {
	t.Helper()
	err := s.View(t.Context(), func(c *Conn) error {
		return c.Query(`SELECT u.relname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class u ON u.oid = i.indexrelid
			JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = current_schema() AND NOT t.relispartition ORDER BY 1`, nil, func(r Row) error {
			names = append(names, r.Text(0))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
