package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := reopen(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// openFiles opens a database in a directory, for what only SQLite has.
func openFiles(t testing.TB) *Store {
	t.Helper()
	s, err := Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// compact sorts the log where that is SQLite's.
func compact(t testing.TB, s *Store) {
	t.Helper()
	if l, ok := s.log.(*blockLog); ok {
		if err := l.compact(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// reopen opens the database of a directory, of the kind that is tested.
func reopen(t testing.TB, dir string) (*Store, error) {
	t.Helper()
	return Open(context.Background(), dir, OnPostgres(storetest.Database(t, dir)))
}

func set(name, value string) func(*Conn) error {
	return func(c *Conn) error {
		// $2 before $1: the numbers, not the order of appearance, say which argument is meant.
		_, err := c.Exec(`INSERT INTO settings (value, name) VALUES ($2, $1)`, name, value)
		return err
	}
}

func get(t *testing.T, s *Store, name string) (value string) {
	t.Helper()
	err := s.View(context.Background(), func(c *Conn) error {
		_, err := c.One(`SELECT value FROM settings WHERE name = $1`, []any{name}, func(r Row) error { value = r.Text(0); return nil })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestAFailingUpdateUndoesOnlyItself(t *testing.T) {
	s, ctx := open(t), context.Background()
	boom := errors.New("boom")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := s.Update(ctx, func(c *Conn) error {
				if err := set(fmt.Sprint("k", i), fmt.Sprint("v", i))(c); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return boom
				case 2:
					panic("very boom")
				}
				return nil
			})
			if (err == nil) != (i%3 == 0) {
				t.Errorf("update %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	for i := range 50 {
		want := ""
		if i%3 == 0 {
			want = fmt.Sprint("v", i)
		}
		if got := get(t, s, fmt.Sprint("k", i)); got != want {
			t.Errorf("k%d is %q, want %q", i, got, want)
		}
	}
}

func TestADataDirectoryHasOneUser(t *testing.T) {
	s := openFiles(t)
	if _, err := Open(context.Background(), s.Dir()); fault.CodeOf(err) != fault.Conflict {
		t.Fatalf("opened twice: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal("closing twice:", err)
	}
	again, err := Open(context.Background(), s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := s.Update(context.Background(), set("a", "b")); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("update after close: %v", err)
	}
}

func TestPublicIDsAreOpaqueAndTyped(t *testing.T) {
	s := open(t)
	id := s.PublicID(ProfileKind, 7)
	if n, ok := s.InternalID(ProfileKind, id); !ok || n != 7 {
		t.Fatalf("round trip: %d %v", n, ok)
	}
	if _, ok := s.InternalID(MessageKind, id); ok {
		t.Error("a profile's id was taken as a message's")
	}
	if _, ok := s.InternalID(ProfileKind, id[:25]+"z"); ok {
		t.Error("a forged id was taken")
	}
}

func TestConflictHasACode(t *testing.T) {
	s, ctx := open(t), context.Background()
	if err := s.Update(ctx, set("a", "1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(ctx, set("a", "2")); fault.CodeOf(err) != fault.Conflict {
		t.Fatalf("got %v", err)
	}
}
