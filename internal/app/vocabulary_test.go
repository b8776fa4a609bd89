package app

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/store"
)

// stuck is an engine that does not come to bring the tables up.
type stuck struct{ *engine.Engine }

func (stuck) Settle(ctx context.Context, _ ...int64) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestNamesAreKnownOnlyTogether asks for the names that conditions may have while there are none, while some are perhaps
// not in the tables, and while there are more than are kept.
func TestNamesAreKnownOnlyTogether(t *testing.T) {
	a, ask := ready(t)
	known := func() expr.Known {
		t.Helper()
		names, err := (conditions{a}).Known(t.Context())
		if err != nil || names.Segments == nil {
			t.Fatalf("%+v, %v", names, err)
		}
		return names
	}
	if names := known(); names.Events != nil || names.Traits != nil {
		t.Errorf("of an empty installation: %+v", names)
	}
	ask("PUT", v1+"/traits/orders", `{"expression": "events(\"Order Completed\").count()"}`, 200)
	ask("POST", "/v1/track", `{"userId":"u","event":"Seen"}`, 200)
	if names := known(); !slices.Contains(names.Events, "Seen") || !slices.Contains(names.Events, "Email Opened") || names.Traits != nil {
		t.Errorf("of one event: %+v", names)
	}
	ask("POST", "/v1/identify", `{"userId":"u","traits":{"country":"DE"}}`, 200)
	names := known()
	for _, name := range []string{"country", "orders", "last_seen_at", "email"} {
		if !slices.Contains(names.Traits, name) {
			t.Errorf("%s is not among %v", name, names.Traits)
		}
	}

	a.store.SetSettler(stuck{a.engine})
	if names := known(); names.Events != nil || names.Traits != nil {
		t.Errorf("while the tables are behind: %+v", names)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (conditions{a}).Known(ctx); err == nil {
		t.Error("who left is answered")
	}
	a.store.SetSettler(a.engine)

	if err := a.store.Update(t.Context(), func(c *store.Conn) error {
		_, err := c.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO words (kind, name) SELECT 'trait', 'trait ' || i FROM n`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if names := known(); names.Events != nil || names.Traits != nil {
		t.Errorf("of more names than are kept: %d events, %d traits", len(names.Events), len(names.Traits))
	}
}

func TestWhatIsSparedIsFoundForAHundredthOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept sparing[int]
		finds := 0
		get := func() (map[string]int, error) {
			return kept.get(func() (map[string]int, error) {
				finds++
				<-time.After(time.Second)
				switch finds {
				case 1:
					return nil, errors.New("not now")
				case 2:
					return nil, nil
				}
				return map[string]int{"finds": finds}, nil
			})
		}
		if _, err := get(); err == nil {
			t.Error("an error is lost")
		}
		if found, err := get(); err != nil || len(found) > 0 {
			t.Errorf("%v, %v", found, err)
		}
		for range 50 * 60 { // seconds
			if found, err := get(); err != nil || found["finds"] < 3 {
				t.Fatalf("%v, %v", found, err)
			}
			<-time.After(time.Second)
		}
		if finds < 31 || finds > 33 { // one a hundred and one seconds, the one that failed and the one that found nothing
			t.Errorf("it was looked for %d times in fifty minutes", finds)
		}
	})
}
