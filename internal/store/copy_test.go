package store

import (
	"context"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// TestSumsAreOfWhatRowsSay writes one row in the ways of both databases, and others that differ from it.
func TestSumsAreOfWhatRowsSay(t *testing.T) {
	columns := []copiedColumn{{name: "a", kind: "bigint"}, {name: "b", kind: "jsonb"}, {name: "c", kind: "text"}, {name: "d", kind: "bytea"}, {name: "e", kind: "double precision"}}
	sumOf := func(rows ...[]any) Sum {
		var s summing
		for _, row := range rows {
			if err := s.add(columns, row); err != nil {
				t.Fatal(err)
			}
		}
		return s.sum()
	}
	one := []any{int64(1), `{"b":1.50e3,"a":[0.10,-0,12345678901234567890]}`, "x", []byte{0, 1}, 2.0}
	same := []any{true, []byte(`{"a": [0.1, 0, 1234567890123456789.0e1], "b": 1500}`), []byte("x"), []byte{0, 1}, int64(2)}
	if a, b := sumOf(one), sumOf(same); a != b {
		t.Errorf("%v and %v", a, b)
	}
	other := []any{int64(2), `{}`, "y", []byte{}, 0.5}
	if a, b := sumOf(one, other), sumOf(other, same); a != b {
		t.Errorf("the order matters: %v and %v", a, b)
	}
	for column, value := range map[int]any{0: int64(2), 1: `{"b":1501,"a":[0.1,0,12345678901234567890]}`, 2: "xx", 3: []byte{0}, 4: nil} {
		changed := append([]any{}, one...)
		changed[column] = value
		if sumOf(one) == sumOf(changed) {
			t.Errorf("column %d does not matter", column)
		}
	}
	if sumOf(one, one) == sumOf(other, other) || sumOf(one, one) == sumOf(one) {
		t.Error("rows that come twice vanish")
	}
}

// TestACopyThatDiffersIsNoDatabase changes a row of a copy before it is finished.
func TestACopyThatDiffersIsNoDatabase(t *testing.T) {
	address, dir := storetest.Postgres(t), t.TempDir()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(c *Conn) error {
		return c.ExecEach(`INSERT INTO daily_counts (day, name, value) VALUES ($1, $2, $3)`, [][]any{{1, "a", 0.5}, {2, "b", 1.0}})
	}); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	change := func(statement string) {
		target, err := openPostgres(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer target.close()
		err = target.update(t.Context(), anyone, func(c *Conn) error {
			n, err := c.Exec(statement)
			if err == nil && n != 1 {
				t.Errorf("%s changed %d rows", statement, n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	rows := int64(0)
	_, err = CopyToPostgres(ctx, dir, address, func(p CopyProgress) {
		if rows = p.Done; rows == 2 {
			kill()
		}
	})
	if err == nil || rows == 0 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	change(`UPDATE daily_counts SET value = 0.25 WHERE day = 1`)
	for range 2 {
		if _, err := CopyToPostgres(t.Context(), dir, address, nil); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("a copy that differs: %v", err)
		}
		if other, err := Open(t.Context(), t.TempDir(), OnPostgres(address)); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("it is opened: %v", err)
			_ = other.Close()
		}
		for what, migrate := range map[string]func(context.Context, string, ...Option) (Migrations, error){"up": Migrate, "status": MigrationStatus} {
			if _, err := migrate(t.Context(), "", OnPostgres(address)); fault.CodeOf(err) != fault.Conflict {
				t.Errorf("migrate %s: %v", what, err)
			}
		}
	}
	change(`UPDATE daily_counts SET value = 0.5 WHERE day = 1`)
	var first, last CopyProgress
	_, err = CopyToPostgres(t.Context(), dir, address, func(p CopyProgress) {
		if last = p; first.Total == 0 {
			first = p
		}
	})
	if err != nil {
		t.Error(err)
	}
	if !first.Resumed || first.Done != first.Total/passes || last.Done != last.Total { // all was copied, and nothing read again
		t.Errorf("it went on at %+v and ended at %+v", first, last)
	}
}
