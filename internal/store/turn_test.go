package store

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
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
