package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Events lie by the month in which they happened, in whatever order they come; those of months that were taken away, or are
// too far, have a place too.
func TestEventsLieByMonth(t *testing.T) {
	s, _ := onPostgresServer(t)
	ctx, this := t.Context(), time.Now().UTC().Truncate(time.Microsecond)
	old := time.Date(this.Year()-3, 5, 31, 23, 59, 59, 999_999_000, time.UTC)
	events := []engine.Applied{
		applied(1, "now", this), applied(1, "next", old.Add(time.Microsecond)), applied(1, "old", old), applied(1, "ancient", time.Unix(-1e9, 0).UTC()),
	}
	if err := commitBatch(ctx, s, batchOf(nil, profile.New(1, 1), "u", events...)); err != nil {
		t.Fatal(err)
	}
	place := func(tie string) (table string) {
		err := s.View(ctx, func(c *Conn) error {
			_, err := c.One(`SELECT tableoid::regclass::text FROM events WHERE at = $1`, []any{events[slices.IndexFunc(events, func(a engine.Applied) bool { return a.Event.MessageID == tie })].Event.Timestamp.UnixMicro()},
				func(r Row) error { table = r.Text(0); return nil })
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	for id, want := range map[string]string{
		"now": monthOf(this.UnixMicro()).table(), "old": fmt.Sprintf("events_%d_05", old.Year()), "next": fmt.Sprintf("events_%d_06", old.Year()), "ancient": "events_other",
	} {
		if got := place(id); !strings.HasPrefix(got, want) { // the rest may be split
			t.Errorf("%s lies in %s, not in %s", id, got, want)
		}
	}
	err := s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`ALTER TABLE events DETACH PARTITION ` + monthOf(old.UnixMicro()).table())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	events = append(events, applied(1, "late", old.Add(-time.Hour)))
	if err := commitBatch(ctx, s, batchOf(nil, profile.New(1, 1), "u", events[4])); err != nil {
		t.Fatal(err)
	}
	if got := place("late"); !strings.HasPrefix(got, "events_other") {
		t.Errorf("the late one lies in %s", got)
	}
	h := s.History()
	defer h.Close()
	var order []string
	if err := h.Range(ctx, 0, 10, nil, func(_ int64, e *event.Event) error { order = append(order, e.MessageID); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"ancient", "late", "next", "now"}; !slices.Equal(order, want) {
		t.Errorf("history is %v, want %v", order, want)
	}
	recent, err := s.Recent(ctx, 2)
	if err != nil || len(recent) != 2 || recent[0].Event.MessageID != "late" || recent[1].Event.MessageID != "ancient" {
		t.Errorf("recent are %v: %v", recent, err)
	}
}

// TestMakingAMonthHoldsNobodyUp has a partition wait for another one that is being made elsewhere.
func TestMakingAMonthHoldsNobodyUp(t *testing.T) {
	s, _ := onPostgresServer(t)
	log := s.log.(*rowLog)
	last := monthOf(time.Now().UnixMicro()) - 50
	made, asked := make(chan struct{}), make(chan struct{})
	err := s.Update(t.Context(), func(c *Conn) error {
		if err := c.Serial("events"); err != nil {
			return err
		}
		go func() {
			defer close(made)
			if err := log.months.make(t.Context(), []month{last}); err != nil {
				t.Error(err)
			}
		}()
		waitFor(t, c, `SELECT count(*) FROM pg_locks WHERE NOT granted`)
		go func() { defer close(asked); s.Stats() }()
		select {
		case <-asked:
		case <-made:
			t.Error("how the writer is doing is known only when the partition is made")
		}
		return nil
	})
	<-made
	if err != nil || len(log.months.missing([]month{last})) != 0 {
		t.Errorf("the partition is not made: %v", err)
	}
}

// waitFor asks until a count is not 0.
func waitFor(t *testing.T, c *Conn, count string) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); ; {
		n, err := c.Int(count)
		if err != nil || time.Now().After(until) {
			t.Fatalf("it does not come: %s: %v", count, err)
		}
		if n > 0 {
			return
		}
	}
}
