package store

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// commitEvents stores n events of random profiles, whose ids begin with prefix.
func commitEvents(t testing.TB, s *Store, random *rand.Rand, prefix string, n int) []engine.Applied {
	t.Helper()
	b := &engine.Batch{Now: 1, Changes: engine.NewChanges()}
	seen := map[int64]bool{}
	for i := range n {
		at := time.Unix(1e9+random.Int64N(1e6), 0).UTC()
		a := engine.Applied{ProfileID: 1 + random.Int64N(20), Event: &event.Event{
			MessageID: fmt.Sprintf("%s-%d", prefix, i), Type: event.Track, Name: string("ABC"[i%3]), UserID: "u", Timestamp: at, ReceivedAt: at,
			Payload: []byte(fmt.Sprintf(`{"i":%d}`, i)),
		}}
		b.Changes.Events = append(b.Changes.Events, a)
		if !seen[a.ProfileID] {
			seen[a.ProfileID] = true
			b.Profiles = append(b.Profiles, profile.New(a.ProfileID, 1))
		}
	}
	b.Events = b.Changes.Events
	commit, err := s.Prepare(b)
	if err == nil {
		err = commit.Run(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Changes.Events
}

// Through blocks, runs, merged runs and restarts, every event is there once, in order of profile and time, and its
// message id is known.
func TestTheLogKeepsEveryEventInOrder(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s, err := Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	all := map[string]engine.Applied{}
	for round := range 2*eventFanOut + 3 {
		for _, a := range commitEvents(t, s, random, fmt.Sprint("r", round), 100+random.IntN(200)) {
			all[a.Event.MessageID] = a
		}
		if round%5 == 4 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(ctx, dir); err != nil {
				t.Fatal(err)
			}
		}
		if round < 2*eventFanOut+1 { // the last rounds stay in the tail
			compact(t, s)
		}
	}
	defer s.Close()
	levels := 0
	for _, r := range s.log.(*blockLog).runs {
		levels = max(levels, r.level)
	}
	if levels == 0 {
		t.Fatal("no level was merged")
	}
	if n, err := s.EventCount(ctx); err != nil || n != int64(len(all)) {
		t.Errorf("counted %d of %d", n, len(all))
	}
	h := s.History()
	defer h.Close()
	found := 0
	var lastProfile int64
	var last *event.Event
	err = h.Range(ctx, 0, 1000, nil, func(id int64, e *event.Event) error {
		want, ok := all[e.MessageID]
		if !ok || want.ProfileID != id || string(want.Event.Payload) != string(e.Payload) || !want.Event.Timestamp.Equal(e.Timestamp) {
			t.Fatalf("got %d %+v, want %+v", id, e, want)
		}
		if id < lastProfile || id == lastProfile && before(e, last) {
			t.Fatalf("out of order at %v", e)
		}
		lastProfile, last = id, e
		found++
		return nil
	})
	if err != nil || found != len(all) {
		t.Fatalf("found %d of %d, %v", found, len(all), err)
	}
	const from, to = 3, 9
	some, found := map[string]bool{}, 0
	for id, a := range all {
		if a.Event.Name == "A" && a.ProfileID >= from && a.ProfileID < to {
			some[id] = true
		}
	}
	wanted := func(id, at int64, name []byte) bool {
		if id < from || id >= to || at == 0 {
			t.Errorf("asked about an event of %d at %d", id, at)
		}
		return string(name) == "A"
	}
	err = h.Stream(ctx, from, to, wanted, func(id int64, e *event.Event) error {
		want := all[e.MessageID]
		if !some[e.MessageID] || want.ProfileID != id || want.Event.Type != e.Type || want.Event.Name != e.Name ||
			string(want.Event.Payload) != string(e.Payload) || !want.Event.Timestamp.Equal(e.Timestamp) {
			t.Fatalf("streamed %d %+v, want %+v", id, e, want)
		}
		found++
		return nil
	})
	if err != nil || len(some) == 0 || found != len(some) {
		t.Fatalf("streamed %d of %d, %v", found, len(some), err)
	}
	var ids []string
	for id := range all {
		ids = append(ids, id)
	}
	known, err := s.Known(ctx, append(ids, "never seen", "nor this"))
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range known {
		if k != (i < len(ids)) {
			t.Fatalf("message id %d of %d known: %v", i, len(ids), k)
		}
	}
	pages := 0
	if err := s.View(ctx, func(c *Conn) error {
		n, err := c.Int(`SELECT count(*) FROM run_pages WHERE run_id NOT IN (SELECT id FROM runs)`)
		pages = int(n)
		return err
	}); err != nil || pages != 0 {
		t.Errorf("%d pages of dropped runs remain, %v", pages, err)
	}
}

func TestTimelinePagesNewestFirst(t *testing.T) {
	ctx, s := context.Background(), open(t)
	random := rand.New(rand.NewPCG(3, 4))
	want := 0
	for i := range 4 {
		for _, a := range commitEvents(t, s, random, fmt.Sprint("r", i), 200) {
			if a.ProfileID == 7 {
				want++
			}
		}
		if i == 1 {
			compact(t, s)
		}
	}
	var last *event.Event
	got, cursor := 0, ""
	for {
		page, next, err := s.Timeline(ctx, 7, cursor, 9)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if last != nil && before(last, e) {
				t.Fatal("not newest first")
			}
			last = e
			got++
		}
		if cursor = next; next == "" {
			break
		}
	}
	if got != want {
		t.Errorf("%d events, want %d", got, want)
	}
}

// before reports whether a stands before b among the events of a profile.
func before(a, b *event.Event) bool {
	return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(event.Tie(a.MessageID), event.Tie(b.MessageID))) < 0
}
