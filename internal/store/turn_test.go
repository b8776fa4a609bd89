package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// twoNodes opens two stores on one database, in which profiles up to an id are in their first version.
func twoNodes(t *testing.T, profiles int64) (one, other *Store) {
	t.Helper()
	one, address := onPostgresServer(t)
	other = openAt(t, address, make([]byte, masterKeySize))
	b := &engine.Batch{Now: 1, Changes: engine.NewChanges(), Turn: turnOf(t, one), Versions: engine.Versions{}}
	for id := range profiles {
		changing(b, id+1, 0)
	}
	if err := commitBatch(t.Context(), one, b); err != nil {
		t.Fatal(err)
	}
	return one, other
}

func turnOf(t *testing.T, s *Store) engine.Turn {
	t.Helper()
	begun, err := s.Shared().Turn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(begun.End)
	return begun
}

func changing(b *engine.Batch, id, version int64) {
	b.Profiles = append(b.Profiles, profile.New(id, 1))
	b.Changes.Dirty[id], b.Versions[id] = true, version
	b.Changes.Created[id] = version == 0
}

// untilWaiting returns when so many transactions wait for a lock of the database.
func untilWaiting(t *testing.T, s *Store, n int) {
	t.Helper()
	err := s.read(t.Context(), func(c *Conn) error {
		waitFor(t, c, fmt.Sprintf(`SELECT CASE WHEN count(DISTINCT pid) >= %d THEN 1 ELSE 0 END FROM pg_locks WHERE NOT granted`, n))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// overtaken fails unless exactly one of two commits held, and the other was told that a profile is another than it was, and not that
// each waited for the other.
func overtaken(t *testing.T, commits <-chan error) {
	t.Helper()
	var failed []error
	for range 2 {
		if err := <-commits; err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) != 1 || !errors.Is(failed[0], errVersion) {
		t.Errorf("failed: %v", failed)
	}
}

// TestGroupsThatStandUponEachOthersProfilesDoNotBlockEachOther has each of two nodes change the profiles that the other relies
// upon, while a third one has the last profile of one of them.
func TestGroupsThatStandUponEachOthersProfilesDoNotBlockEachOther(t *testing.T) {
	const half = 50
	one, other := twoNodes(t, 2*half)
	for round, keeps := range []int64{half, 2 * half} {
		keeper := turnOf(t, one)
		if _, _, _, err := keeper.Lock(t.Context(), engine.Versions{keeps: 0}); err != nil {
			t.Fatal(err)
		}
		commits := make(chan error, 2)
		for node, s := range []*Store{one, other} {
			b := &engine.Batch{Now: 1, Changes: engine.NewChanges(), Turn: turnOf(t, s), Versions: engine.Versions{}}
			for id := int64(1); id <= 2*half; id++ {
				version := versionAt(t, one, id)
				if second := id > half; second == ((node+round)%2 == 1) {
					changing(b, id, version)
				} else {
					b.Versions[id] = version
				}
			}
			go func() { commits <- commitBatch(t.Context(), s, b) }()
		}
		untilWaiting(t, one, 2)
		keeper.End()
		overtaken(t, commits)
	}
}

func versionAt(t *testing.T, s *Store, id int64) (version int64) {
	t.Helper()
	err := s.read(t.Context(), func(c *Conn) (err error) {
		version, err = c.Int(`SELECT version FROM profiles WHERE id = $1`, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// TestWhoWaitsForAProfileHoldsNothingElse lets a node that has locked a profile write the same event from the same place in a topic
// as one that relies on what it remembers of it, which begins to commit first.
func TestWhoWaitsForAProfileHoldsNothingElse(t *testing.T) {
	one, other := twoNodes(t, 1)
	at := time.Unix(1e9, 0).UTC()
	batch := func(turn engine.Turn) *engine.Batch {
		b := &engine.Batch{
			Now: 1, Changes: engine.NewChanges(), Turn: turn, Versions: engine.Versions{}, Events: []engine.Applied{applied(1, "m", at)},
			Positions: []engine.Position{{Topic: "t", Partition: 2, Next: 7}},
		}
		changing(b, 1, 1)
		return b
	}
	locking := turnOf(t, one)
	if _, _, _, err := locking.Lock(t.Context(), engine.Versions{1: 1}); err != nil {
		t.Fatal(err)
	}
	commits := make(chan error, 2)
	relying := batch(turnOf(t, other))
	go func() { commits <- commitBatch(t.Context(), other, relying) }()
	untilWaiting(t, one, 1)
	commits <- commitBatch(t.Context(), one, batch(locking))
	overtaken(t, commits)
	if v := versionAt(t, other, 1); v != 2 {
		t.Errorf("the profile has version %d", v)
	}
}

// TestACommitFindsProfilesInTheVersionsThatItStandsUpon lets a batch believe wrong versions of profiles that it changes, of others,
// and of some that are not there.
func TestACommitFindsProfilesInTheVersionsThatItStandsUpon(t *testing.T) {
	one, other := twoNodes(t, 4)
	for name, c := range map[string]struct {
		relies engine.Versions
		locks  engine.Versions
		held   bool
	}{
		"as they are":                {engine.Versions{2: 1, 3: 1, 99: 0}, nil, true},
		"older":                      {engine.Versions{2: 1, 3: 2}, nil, false},
		"not there":                  {engine.Versions{98: 1}, nil, false},
		"there all the same":         {engine.Versions{3: 0}, nil, false},
		"locked":                     {engine.Versions{2: 1, 3: 1}, engine.Versions{2: 1, 3: 0}, true},
		"locked, and another":        {engine.Versions{2: 1, 3: 1, 4: 7}, engine.Versions{2: 1, 3: 0}, false},
		"locked, in another version": {engine.Versions{2: 5}, engine.Versions{2: 0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			turn := turnOf(t, other)
			if len(c.locks) > 0 {
				if _, versions, _, err := turn.Lock(t.Context(), c.locks); err != nil || len(versions) != len(c.locks) {
					t.Fatal(versions, err)
				}
			}
			before := versionAt(t, one, 1)
			b := &engine.Batch{Now: 1, Changes: engine.NewChanges(), Turn: turn, Versions: maps.Clone(c.relies)}
			changing(b, 1, before)
			err := commitBatch(t.Context(), other, b)
			if held := err == nil; held != c.held || err != nil && !errors.Is(err, errVersion) {
				t.Errorf("got %v", err)
			}
			if after := versionAt(t, one, 1); (after == before+1) != c.held {
				t.Errorf("version %d became %d", before, after)
			}
		})
	}
}

// TestSoonestIsTheFirstMomentUntilAnother compares with the least of the moments that profiles, and what was added to them, have.
func TestSoonestIsTheFirstMomentUntilAnother(t *testing.T) {
	one, other := twoNodes(t, 5)
	b := &engine.Batch{Now: 1, Changes: engine.NewChanges(), Turn: turnOf(t, one), Versions: engine.Versions{}}
	for id, at := range map[int64]int64{1: 700, 2: 300, 3: 900} { // 4 and 5 have none
		changing(b, id, 1)
		b.Profiles[len(b.Profiles)-1].Timers.Set(1, at)
	}
	b.Changes.Added = map[int64]engine.Added{4: {Next: 200}}
	if err := commitBatch(t.Context(), one, b); err != nil {
		t.Fatal(err)
	}
	for until, want := range map[int64]int64{199: 0, 200: 200, 299: 200, 300: 200, 1 << 40: 200} {
		if at, err := other.Soonest(t.Context(), until); err != nil || at != want {
			t.Errorf("until %d: %d: %v", until, at, err)
		}
	}
	write := &engine.Batch{Now: 2, Changes: engine.NewChanges(), Turn: turnOf(t, other), Versions: engine.Versions{}}
	changing(write, 4, 1) // with which the addition ends
	other.additions.added.Add(1)
	if err := commitBatch(t.Context(), other, write); err != nil {
		t.Fatal(err)
	}
	for until, want := range map[int64]int64{299: 0, 300: 300, 899: 300, 1 << 40: 300} {
		if at, err := one.Soonest(t.Context(), until); err != nil || at != want {
			t.Errorf("without the addition, until %d: %d: %v", until, at, err)
		}
	}
}

func applied(profileID int64, id string, at time.Time) engine.Applied {
	return engine.Applied{ProfileID: profileID, Event: &event.Event{
		MessageID: id, Type: event.Track, Name: "E", UserID: "u", Timestamp: at, ReceivedAt: at,
	}}
}

// batchOf is what a node commits for events of one profile that holds an identifier.
func batchOf(turn engine.Turn, p *profile.Profile, value string, events ...engine.Applied) *engine.Batch {
	b := &engine.Batch{Now: 1, Changes: engine.NewChanges(), Profiles: []*profile.Profile{p}, Events: events, Turn: turn}
	b.Changes.Events = events
	b.Changes.Owners[identity.Identifier{Type: "user_id", Value: value}] = p.ID
	return b
}

func commitBatch(ctx context.Context, s *Store, b *engine.Batch) error {
	commit, err := s.Prepare(b)
	if err != nil {
		return err
	}
	return commit.Run(ctx)
}

// What two nodes do at the same time fails for one of them, which is told that it was overtaken.
func TestNodesThatAreOvertakenAreTold(t *testing.T) {
	one, address := onPostgresServer(t)
	other := openAt(t, address, make([]byte, masterKeySize))
	ctx, now := t.Context(), time.Unix(1e9, 0).UTC()
	begin := func(s *Store) engine.Turn {
		t.Helper()
		turn, err := s.Shared().Turn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(turn.End)
		return turn
	}
	stale := func(what string, err error) {
		t.Helper()
		var told *engine.Stale
		if !errors.As(err, &told) {
			t.Errorf("%s: %v", what, err)
		}
	}
	ids := map[int64]bool{}
	for _, s := range []*Store{one, other, one} {
		first, err := s.ReserveProfileIDs(ctx, 10)
		if err != nil {
			t.Fatal(err)
		}
		for id := first; id < first+10; id++ {
			if id < 1 || ids[id] {
				t.Errorf("the id %d was given before", id)
			}
			ids[id] = true
		}
	}
	if err := commitBatch(ctx, one, batchOf(begin(one), profile.New(1, 1), "u1", applied(1, "m1", now))); err != nil {
		t.Fatal(err)
	}
	stale("the same event", commitBatch(ctx, other, batchOf(begin(other), profile.New(11, 1), "u2", applied(11, "m1", now))))
	stale("the same identifier", commitBatch(ctx, other, batchOf(begin(other), profile.New(11, 1), "u1", applied(11, "m2", now))))
	if known, err := other.Known(ctx, []string{"m2", "m1"}); err != nil || !slices.Equal(known, []bool{false, true}) {
		t.Errorf("known %v: %v", known, err)
	}
	// Whoever locks second sees what the first has made of it.
	first, second := begin(one), begin(other)
	profiles, versions, _, err := first.Lock(ctx, engine.Versions{1: 1, 99: 0})
	if err != nil || !maps.Equal(versions, engine.Versions{1: 1}) || len(profiles) != 0 {
		t.Fatalf("locked %v, read %v: %v", versions, profiles, err)
	}
	seen := make(chan engine.Versions)
	go func() {
		profiles, versions, _, err := second.Lock(ctx, engine.Versions{1: 1})
		if err != nil || profiles[1] == nil || profiles[1].LastSeenAt != 77 {
			t.Errorf("read %v: %v", profiles[1], err)
		}
		seen <- versions
	}()
	changed := profile.New(1, 1)
	changed.LastSeenAt = 77
	if err := commitBatch(ctx, one, batchOf(first, changed, "u1", applied(1, "m3", now))); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; !maps.Equal(got, engine.Versions{1: 2}) {
		t.Errorf("the second saw %v", got)
	}
}

// TestNodesThatAreToldTheSameDoNotBlockEachOther writes the same message ids by two nodes at once, from either end.
func TestNodesThatAreToldTheSameDoNotBlockEachOther(t *testing.T) {
	s, address := onPostgresServer(t)
	both := []*Store{s, openAt(t, address, make([]byte, masterKeySize))}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	deadlocks := func() (n int64) {
		err := s.read(t.Context(), func(c *Conn) (err error) {
			n, err = c.Int(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := deadlocks()
	for round := range 20 {
		var together sync.WaitGroup
		for node, one := range both {
			b := &engine.Batch{Now: at.UnixMicro(), Changes: engine.NewChanges()}
			for i := range 2000 {
				b.Events = append(b.Events, engine.Applied{ProfileID: int64(node + 1), Event: &event.Event{
					MessageID: fmt.Sprint(round, "-", i), Type: event.Track, Name: "X", Timestamp: at, ReceivedAt: at, Payload: []byte(`{}`),
				}})
			}
			if node == 1 {
				slices.Reverse(b.Events)
			}
			commit, err := one.Prepare(b)
			if err != nil {
				t.Fatal(err)
			}
			together.Go(func() {
				if err := commit.Run(t.Context()); err != nil && !errors.As(err, new(*engine.Stale)) {
					t.Error(err)
				}
			})
		}
		together.Wait()
	}
	if after := deadlocks(); after != before {
		t.Errorf("PostgreSQL ended %d deadlocks", after-before)
	}
}
