package app

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store"
)

// TestReadinessFollowsTheDisk fills the database, which SQLite reports as it does a full disk, and makes room again.
func TestReadinessFollowsTheDisk(t *testing.T) {
	a, ask := ready(t)
	pages := func(pragma string) {
		t.Helper()
		var err error = fault.New(fault.Unavailable, "not yet")
		// SQLite undoes a transaction that finds the disk full, with all that is in it: that may be this, too.
		for until := time.Now().Add(10 * time.Second); fault.CodeOf(err) == fault.Unavailable && time.Now().Before(until); {
			err = a.store.Update(t.Context(), func(c *store.Conn) error { _, err := c.Int(pragma); return err })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ask("GET", "/readyz", "", 200)
	pages("PRAGMA max_page_count = 1") // no fewer than there are
	var text strings.Builder           // that compression does not make smaller
	for text.Len() < 30<<10 {
		text.WriteString(rand.Text())
	}
	event := `{"userId":"u","event":"X","properties":{"a":"` + text.String() + `"}}`
	ask("POST", "/v1/track", event, 200) // it is in the journal, and nothing more is taken on credit
	if err := a.store.Settle(t.Context()); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("what follows was saved: %v", err)
	}
	ask("POST", "/v1/track", strings.Replace(event, `"u"`, `"v"`, 1), 503)
	ask("GET", "/readyz", "", 503)
	ask("GET", "/readyz", "", 503)
	ask("GET", "/healthz", "", 200)
	pages("PRAGMA max_page_count = 1000000")
	ask("GET", "/readyz", "", 200)
	ask("GET", "/readyz", "", 200)
	ask("POST", "/v1/track", event, 200)
	ask("GET", "/readyz", "", 200)
}
