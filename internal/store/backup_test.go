package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// TestACopyIsOneMoment copies a database eight pages at a time while transactions go on that write in two places. In the
// copy both places agree, nothing that was durable before the copy began is missing, and the writer was never held up.
func TestACopyIsOneMoment(t *testing.T) {
	s, ctx := openFiles(t), context.Background()
	filler := fmt.Sprintf("%04000d", 0) // so that a few hundred rows are a thousand pages
	var written, during atomic.Int64
	write := func() error {
		n := written.Load() + 1
		err := s.Update(ctx, func(c *Conn) error {
			if _, err := c.Exec(`INSERT INTO words (kind, name) VALUES ($1, $2)`, fmt.Sprintf("%06d", n), filler); err != nil {
				return err
			}
			_, err := c.Exec(`INSERT INTO settings (name, value) VALUES ('newest', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, fmt.Sprint(n))
			return err
		})
		if err == nil {
			written.Store(n)
		}
		return err
	}
	for range 400 {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	before := written.Load()
	source := s.Directory()
	source.step = 8
	path := filepath.Join(t.TempDir(), "copy.db")
	facts, err := source.Copy(ctx, path, func(_, _ int64) {
		if err := write(); err != nil { // between two steps, on the writer's own connection
			t.Error(err)
		}
		during.Add(1)
	})
	if err != nil {
		t.Fatal(err)
	}
	if during.Load() < 50 {
		t.Fatalf("only %d commits while it was copied", during.Load())
	}
	if again, err := (Restoring{}).Inspect(ctx, path); err != nil || fmt.Sprint(again) != fmt.Sprint(facts) {
		t.Errorf("inspected: %v, %v; copied: %v", again, err, facts)
	}
	err = onCopy(ctx, path, func(c *Conn) error {
		newest, err := c.Int(`SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'newest'`)
		if err != nil {
			return err
		}
		rows, err := c.Int(`SELECT count(*) FROM words`)
		if newest != before || rows != before {
			t.Errorf("the copy says %d and holds %d of the %d that were there", newest, rows, before)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if facts.Rows["words"] != before || facts.Schema == 0 {
		t.Errorf("facts: %v", facts)
	}
}

// TestDamageIsFound overwrites pages of a copy, one at a time.
func TestDamageIsFound(t *testing.T) {
	s, ctx := openFiles(t), context.Background()
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 20 {
		commitEvents(t, s, random, fmt.Sprint("r", i), 200)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if _, err := s.Directory().Copy(ctx, path, nil); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const pageSize = 4096
	if len(whole) < 30*pageSize {
		t.Fatalf("only %d bytes", len(whole))
	}
	for page := range len(whole) / pageSize {
		damaged := slices.Clone(whole)
		for i := range 512 { // its head, where SQLite keeps what the page is
			damaged[page*pageSize+i] ^= 0x5a
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := (Restoring{}).Inspect(ctx, path); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("page %d: %v", page, err)
		}
	}
}

func TestACopyOfANewerReleaseIsRefused(t *testing.T) {
	s, ctx := openFiles(t), context.Background()
	err := s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if facts, err := s.Directory().Copy(ctx, path, nil); err != nil || facts.Schema != 9999 {
		t.Fatalf("%v, %v", facts, err)
	}
	if _, err := (Restoring{}).Inspect(ctx, path); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("restored: %v", err)
	}
}
