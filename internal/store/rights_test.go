package store

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// rights are the users of an installation whose nodes may not change tables, as docs/operations.md makes them.
type rights struct {
	*testing.T
	admin               *sql.DB
	schema              string
	owner, node         string // roles
	ownerURL, nodeURL   string
	superuser, password string
}

func newRights(t *testing.T) *rights {
	t.Helper()
	if os.Getenv(storetest.PartsVariable) != "" {
		t.Skip("tables that are split already belong to the user that split them")
	}
	r := &rights{T: t, superuser: storetest.Postgres(t), password: rand.Text()}
	u, err := url.Parse(r.superuser)
	if err != nil {
		t.Fatal(err)
	}
	r.schema = u.Query().Get("search_path")
	if r.admin, err = sql.Open("pgx", r.superuser); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.admin.Close() })
	suffix := strings.ToLower(rand.Text()[:10])
	r.owner, r.node = "owner_"+suffix, "node_"+suffix
	for _, role := range []string{r.owner, r.node} {
		r.exec(`CREATE ROLE %s LOGIN PASSWORD '%s'`, role, r.password)
	}
	t.Cleanup(func() {
		_, _ = r.admin.Exec(fmt.Sprintf(`DROP SCHEMA %[1]s CASCADE; DROP OWNED BY %[2]s, %[3]s; DROP ROLE %[2]s, %[3]s`, r.schema, r.owner, r.node))
	})
	as := func(role string) string {
		one := *u
		one.User = url.UserPassword(role, r.password)
		return one.String()
	}
	r.ownerURL, r.nodeURL = as(r.owner), as(r.node)
	r.exec(`ALTER SCHEMA %s OWNER TO %s`, r.schema, r.owner)
	return r
}

func (r *rights) exec(statement string, args ...any) {
	r.Helper()
	if _, err := r.admin.Exec(fmt.Sprintf(statement, args...)); err != nil {
		r.Fatalf("%s: %v", fmt.Sprintf(statement, args...), err)
	}
}

// grant gives the node what docs/operations.md says.
func (r *rights) grant() {
	r.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		r.Fatal(err)
	}
	block := regexp.MustCompile("(?s)\n```sql\n(GRANT .*?)\n```\n").FindStringSubmatch(string(text))
	if block == nil {
		r.Fatal("the document grants nothing")
	}
	var database string
	if err := r.admin.QueryRow(`SELECT current_database()`).Scan(&database); err != nil {
		r.Fatal(err)
	}
	r.exec(`%s`, strings.NewReplacer("DATABASE tailorbird", "DATABASE "+database, "tailorbird_owner", r.owner, "tailorbird_node", r.node, "public", r.schema).Replace(block[1]))
}

func TestANodeThatMayNotChangeTables(t *testing.T) {
	r := newRights(t)
	_, err := Open(t.Context(), t.TempDir(), OnPostgres(r.nodeURL), WithMasterKey(make([]byte, masterKeySize)))
	if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "schema") {
		t.Errorf("without the right to see the schema: %v", err)
	}
	r.exec(`GRANT USAGE ON SCHEMA %s TO %s`, r.schema, r.node)
	_, err = Open(t.Context(), t.TempDir(), OnPostgres(r.nodeURL), WithMasterKey(make([]byte, masterKeySize)))
	if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "migrate up") {
		t.Errorf("without tables, and the right to make them: %v", err)
	}
	r.grant()
	this := time.Now().UTC().Truncate(time.Microsecond)
	if _, err := Migrate(t.Context(), "", OnPostgres(r.ownerURL), MonthsSince(this.AddDate(-2, 0, 0))); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, r.nodeURL, make([]byte, masterKeySize))
	if problem := s.Stats().Problem; problem != "" {
		t.Errorf("with its months the node says %q", problem)
	}
	ancient := this.AddDate(-5, 0, 0)
	events := []engine.Applied{applied(1, "now", this), applied(1, "old", this.AddDate(-1, -6, 0)), applied(1, "ancient", ancient)}
	if err := commitBatch(t.Context(), s, batchOf(nil, profile.New(1, 1), "u", events...)); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int64]string{this.UnixMicro(): monthOf(this.UnixMicro()).table(), this.AddDate(-1, -6, 0).UnixMicro(): monthOf(this.AddDate(-1, -6, 0).UnixMicro()).table(), ancient.UnixMicro(): "events_other"} {
		var table string
		if err := r.admin.QueryRow(`SELECT tableoid::regclass::text FROM events WHERE at = $1`, id).Scan(&table); err != nil || !strings.HasPrefix(table, want) {
			t.Errorf("an event of %s lies in %s, not in %s: %v", time.UnixMicro(id), table, want, err)
		}
	}
	if columns, err := s.CheckQuery(t.Context(), `SELECT id AS profile_id FROM profiles`); err != nil || len(columns) != 1 {
		t.Errorf("a query has columns %v: %v", columns, err)
	}
	_, err = Migrate(t.Context(), "", OnPostgres(r.nodeURL), MonthsSince(this.AddDate(-6, 0, 0)))
	if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "owner") {
		t.Errorf("months that a node would make: %v", err)
	}

	// A right that is taken away is named, and is back when it is given again.
	r.exec(`REVOKE INSERT ON message_ids FROM %s`, r.node)
	batch := batchOf(nil, profile.New(2, 1), "v", applied(2, "later", this))
	err = commitBatch(t.Context(), s, batch)
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(fault.All(err)[0].Message, "message_ids") {
		t.Errorf("without a right: %v", err)
	}
	r.exec(`GRANT INSERT ON message_ids TO %s`, r.node)
	if err := commitBatch(t.Context(), s, batch); err != nil {
		t.Errorf("with the right again: %v", err)
	}
}

// Months that nobody has made are named as a problem, and their events kept.
func TestANodeThatMayNotMakeMonthsGoesOn(t *testing.T) {
	r := newRights(t)
	if _, err := Migrate(t.Context(), "", OnPostgres(r.ownerURL)); err != nil {
		t.Fatal(err)
	}
	this := time.Now().UTC().Truncate(time.Microsecond)
	month := monthOf(this.UnixMicro())
	r.exec(`DROP TABLE %s`, month.table())
	r.grant()
	r.exec(`GRANT CREATE ON SCHEMA %s TO %s`, r.schema, r.node) // which is not enough: the table belongs to another
	s := openAt(t, r.nodeURL, make([]byte, masterKeySize))
	if problem := s.Stats().Problem; !strings.Contains(problem, month.table()) || !strings.Contains(problem, "migrate up") {
		t.Errorf("the node says %q", problem)
	}
	a := applied(1, "now", this)
	if err := commitBatch(t.Context(), s, batchOf(nil, profile.New(1, 1), "u", a)); err != nil {
		t.Fatal(err)
	}
	var found []*event.Event
	h := s.History()
	defer h.Close()
	if err := h.Range(t.Context(), 0, 10, nil, func(_ int64, e *event.Event) error { found = append(found, e); return nil }); err != nil || len(found) != 1 {
		t.Errorf("history is %v: %v", found, err)
	}
	r.exec(`TRUNCATE events_other`)
	if _, err := Migrate(t.Context(), "", OnPostgres(r.ownerURL)); err != nil {
		t.Fatal(err)
	}
	if err := s.log.(*rowLog).months.ahead(t.Context()); err != nil || s.Stats().Problem != "" {
		t.Errorf("with the month the node says %q: %v", s.Stats().Problem, err)
	}
}
