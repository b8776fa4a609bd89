package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/store"
)

// damaged is a store that says of a profile which is not there that time changes it.
type damaged struct{ *store.Store }

func (s damaged) Due(ctx context.Context, now int64, behind engine.Due, limit int) ([]engine.Due, int64, error) {
	due, next, err := s.Store.Due(ctx, now, behind, limit)
	return append([]engine.Due{{At: 1, ID: 999}}, due...), next, err
}

func TestTimeGoesOnBesideAProfileThatIsGone(t *testing.T) {
	f := &fixture{t: t, clock: epoch}
	var err error
	if f.store, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	f.Engine = engine.New(engine.Config{Store: damaged{f.store}, Rules: f.store, Policy: identity.DefaultPolicy(), Clock: f.now})
	if err := f.Start(t.Context(), compile(t, map[string]string{"recent": `events().within("1h").exists()`}, nil)); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	f.send(f.now(), visit("a", "", "A"))
	f.settle()
	f.advance(2 * time.Hour)
	f.send(f.now(), visit("b", "", "A"))
	if f.profile("anonymous_id", "a").InSegment("recent") || !f.profile("anonymous_id", "b").InSegment("recent") {
		t.Error("time has not gone on")
	}
	f.verify()
}

func TestAMergeIsNotUndoneWhereOneAfterItIsGone(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, togetherRules, togetherTraits))
	defer f.close()
	for _, cards := range [][]string{{"a"}, {"b"}, {"c"}, {"a", "b"}, {"a", "c"}} {
		f.send(f.now(), shown(cards...))
	}
	f.settle()
	err := f.store.Update(t.Context(), func(c *store.Conn) error {
		_, err := c.Exec(`DELETE FROM merges WHERE loser_id = 3`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Unmerge(t.Context(), 2, "", ""); fault.CodeOf(err) != fault.Internal {
		t.Errorf("undone: %v", err)
	}
	if got := fmt.Sprint(f.holders("a", "b", "c")); got != "[a: 1 of [2 3] b: 1 of [2 3] c: 1 of [2 3]]" {
		t.Errorf("and now %s", got)
	}
}

// A profile that the disk no longer holds as it was written ends nothing but what follows from events: it is told whose it is, and
// all goes on when it has been mended.
func TestADamagedProfileIsNamed(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, map[string]string{
		"kinds": `events("A").count() + events("B").distinct(e, e.properties.kind)`,
	}))
	defer f.close()
	f.send(f.now(), visit("u", "", "A"))
	f.send(f.now(), map[string]any{"type": "track", "event": "B", "anonymousId": "u", "properties": map[string]any{"kind": "k"}})
	f.settle()
	p, err := f.store.Profile(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	state := bytes.Clone(p.State())
	flip := func() {
		state[len(state)-1] ^= 0xff // of the kinds
		err := f.store.Update(t.Context(), func(c *store.Conn) error {
			_, err := c.Exec(`UPDATE profiles SET state = $1 WHERE id = 1`, state)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	flip()
	if err := f.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := f.decode(f.now(), visit("u", "", "A"))
	for range 2 {
		err := f.Ingest(t.Context(), []*event.Event{again}) // durable, where what it comes to need not be known at once
		if err == nil {
			err = f.Settle(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), "profile 1: ") {
			t.Errorf("taken: %v", err)
		}
	}
	flip()
	if err := f.Ingest(t.Context(), []*event.Event{again}); err != nil {
		t.Error(err)
	}
	f.settle()
	if kinds := f.profile("anonymous_id", "u").Computed.Get("kinds"); kinds != 3.0 {
		t.Errorf("%v kinds", kinds)
	}
	f.verify()
}
