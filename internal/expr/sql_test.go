package expr

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// The incremental reading, the naive one and SQL on a real SQLite say the same of any row.
func TestSQLSaysWhatTheConditionSays(t *testing.T) {
	compareReadings(t, SQLite, "sqlite3", ":memory:",
		`CREATE TABLE profiles (id INTEGER PRIMARY KEY, traits TEXT NOT NULL, computed TEXT NOT NULL, preferences TEXT NOT NULL, subscribed INTEGER NOT NULL) STRICT`,
		`CREATE TABLE memberships (segment TEXT NOT NULL, profile_id INTEGER NOT NULL, PRIMARY KEY (segment, profile_id)) STRICT, WITHOUT ROWID`)
}

// And so does SQL on a real PostgreSQL.
func TestSQLSaysWhatTheConditionSaysOnPostgreSQL(t *testing.T) {
	compareReadings(t, PostgreSQL, "pgx", storetest.Postgres(t),
		`CREATE TABLE profiles (id BIGINT PRIMARY KEY, traits JSONB NOT NULL, computed JSONB NOT NULL, preferences JSONB NOT NULL, subscribed BOOLEAN NOT NULL)`,
		`CREATE TABLE memberships (segment TEXT COLLATE "C" NOT NULL, profile_id BIGINT NOT NULL, PRIMARY KEY (segment, profile_id))`)
}

func compareReadings(t *testing.T, dialect Dialect, driver, address string, tables ...string) {
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	for _, statement := range tables {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	names := rapid.SampledFrom([]string{"a", "b", "city name", "subscribed"})
	texts := rapid.SampledFrom([]string{"", "a", "A", "ab", "Ünï", "ü", "2026-01-01", "1", "true", "a\nb", `q"'\`, "😀x"})
	scalars := rapid.OneOf(rapid.Map(texts, func(s string) any { return s }), rapid.Map(rapid.SampledFrom([]float64{0, 1, -1, 2.5, 1e15, 1e21, 0.1}), func(f float64) any { return f }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }))
	values := rapid.OneOf(scalars, scalars, rapid.Map(rapid.SliceOfN(scalars, 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b"}), scalars, 0, 2), func(m map[string]any) any { m["nil"] = nil; return m }))
	objects := rapid.MapOfN(names, values, 0, 4)
	leaf := func(t *rapid.T) Node {
		kind := rapid.SampledFrom([]string{KindTrait, KindTrait, KindTrait, KindPreference, KindConsent, KindSegment, KindText}).Draw(t, "kind")
		switch kind {
		case KindConsent:
			return Node{Kind: kind, Name: "marketing"}
		case KindSegment:
			return Node{Kind: kind, Name: rapid.SampledFrom([]string{"vip", "other"}).Draw(t, "segment")}
		case KindText:
			return Node{Kind: kind, Text: rapid.SampledFrom([]string{"true", "false"}).Draw(t, "constant")}
		}
		n := Node{Kind: kind, Name: names.Draw(t, "name")}
		if n.Name == "subscribed" {
			return n
		}
		if rapid.IntRange(0, 3).Draw(t, "deep") == 0 {
			n.Path = []string{rapid.SampledFrom([]string{"a", "b", "nil"}).Draw(t, "member")}
		}
		switch rapid.IntRange(0, 6).Draw(t, "how") {
		case 0:
		case 1:
			n.Operator = "has"
		case 2:
			n.Operator, n.Value = rapid.SampledFrom([]string{"in", "includes_any", "includes_all"}).Draw(t, "list"), append([]any{}, rapid.SliceOfN(scalars, 0, 2).Draw(t, "items")...)
		case 3:
			n.Operator, n.Value = rapid.SampledFrom([]string{"contains", "starts_with", "ends_with"}).Draw(t, "affix"), any(texts.Draw(t, "text"))
		case 4:
			n.Operator, n.Value = "includes", scalars.Draw(t, "item")
		default:
			n.Operator, n.Value = rapid.SampledFrom(nodeSigns).Draw(t, "sign"), scalars.Draw(t, "value")
		}
		return n
	}
	var tree func(t *rapid.T, depth int) Node
	tree = func(t *rapid.T, depth int) Node {
		kind := rapid.SampledFrom([]string{"leaf", "leaf", KindAll, KindAny, KindNot}).Draw(t, "group")
		switch {
		case depth == 0 || kind == "leaf":
			return leaf(t)
		case kind == KindNot:
			return Node{Kind: kind, Nodes: []Node{tree(t, depth-1)}}
		}
		return Node{Kind: kind, Nodes: []Node{tree(t, depth-1), tree(t, depth-1)}}
	}
	rapid.Check(t, func(t *rapid.T) {
		text, err := Text(tree(t, 3))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Condition(text)
		if err != nil {
			t.Skip(err)
		}
		where, args, ok := p.SQL(dialect)
		if !ok {
			t.Fatalf("%s has no SQL", text)
		}
		traits, computed, preferences := objects.Draw(t, "traits"), objects.Draw(t, "computed"), objects.Draw(t, "preferences")
		subscribed, vip := rapid.Bool().Draw(t, "consents"), rapid.Bool().Draw(t, "vip")
		column := func(v any) string {
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		for _, statement := range []string{`DELETE FROM profiles`, `DELETE FROM memberships`} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec(`INSERT INTO profiles VALUES (7, $1, $2, $3, $4)`, column(traits), column(computed), column(preferences), subscribed); err != nil {
			t.Fatal(err)
		}
		if vip {
			if _, err := db.Exec(`INSERT INTO memberships VALUES ('vip', 7)`); err != nil {
				t.Fatal(err)
			}
		}
		s := scope(noon.UnixMicro(), nil)
		s.Trait = func(name string) (any, bool) {
			for _, values := range []map[string]any{computed, traits} {
				if v, ok := values[name]; ok {
					return v, true
				}
			}
			return subscribed, name == "subscribed"
		}
		s.Preference = func(name string) (any, bool) { v, ok := preferences[name]; return v, ok }
		s.Consent = func(string) (any, bool) { return subscribed, true }
		s.InSegment = func(name string) bool { return vip && name == "vip" }
		var count int
		if err := db.QueryRow(`SELECT count(*) FROM profiles WHERE `+where, args...).Scan(&count); err != nil {
			t.Fatalf("%s\n%s\n%v", text, where, err)
		}
		if got, naive := p.Result(s), p.NaiveResult(s); got != naive || got != (count == 1) {
			t.Fatalf("%s\nis %v, naively %v, by SQL %d over %s %s %s %v\n%s %v", text, got, naive, count, column(traits), column(computed), column(preferences), subscribed, where, args)
		}
		var never sql.NullBool
		if err := db.QueryRow(`SELECT (`+where+`) IS NULL FROM profiles`, args...).Scan(&never); err != nil || never.Bool {
			t.Fatalf("%s is NULL", where)
		}
	})
}

// Arguments are numbered in the order of their first use, and none is left over.
func TestSQLArguments(t *testing.T) {
	p, err := Condition(`profile.country == "DE" && preferences.weekly && "vip" in segments && profile.age in [1, 2]`)
	if err != nil {
		t.Fatal(err)
	}
	for _, dialect := range []Dialect{SQLite, PostgreSQL} {
		where, args, ok := p.SQL(dialect)
		if !ok {
			t.Fatal("has no SQL")
		}
		most := 0
		for _, place := range regexp.MustCompile(`\$(\d+)`).FindAllStringSubmatch(where, -1) {
			n, _ := strconv.Atoi(place[1])
			if n > most+1 {
				t.Errorf("$%d comes before $%d", n, most+1)
			}
			most = max(most, n)
		}
		if !strings.Contains(where, fmt.Sprint("$", len(args))) || strings.Contains(where, fmt.Sprint("$", len(args)+1)) {
			t.Errorf("%d arguments for %s", len(args), where)
		}
	}
	for _, text := range []string{
		`events("A").exists()`, `age(profile.x) < duration("1d")`, `profile.x + 1 > 2`, `profile.created_at > "2026"`, `profile["a\"b"] == 1`, `profile.a["0"] == 1`,
		`profile.x == "a\u0000"`, `profile.x.matches("a")`, `consent.marketing == true`, `sequence("A", "B")`, `profile.x > timestamp("2026-01-01T00:00:00Z")`,
	} {
		p, err := Condition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if where, _, ok := p.SQL(SQLite); ok {
			t.Errorf("%s became %s", text, where)
		}
	}
}
