package engine_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/store"
)

// troubled is a store whose disk is slow, or does not answer once.
type troubled struct {
	*store.Store
	fails atomic.Int64 // the profile that cannot be read alone the first time; 0: none
	slow  time.Duration

	held   atomic.Pointer[chan struct{}]                // until it is closed nothing is written that follows from events; nil: it is
	failed atomic.Pointer[func(run func() error) error] // how the next group is written, once; nil: as it should be
	loaded atomic.Pointer[func()]                       // is called once, when the next profiles have been read

	saves  atomic.Int64 // batches that hold what follows from events
	groups atomic.Int64 // that the scout read for
}

func (s *troubled) LoadProfiles(ctx context.Context, ids []int64) (map[int64]*profile.Profile, error) {
	if one := s.fails.Load(); one != 0 && slices.Equal(ids, []int64{one}) && s.fails.CompareAndSwap(one, 0) {
		return nil, fault.New(fault.Unavailable, "the disk does not answer")
	}
	profiles, err := s.Store.LoadProfiles(ctx, ids)
	if then := s.loaded.Swap(nil); then != nil {
		(*then)()
	}
	return profiles, err
}

func (s *troubled) Known(ctx context.Context, messageIDs []string) ([]bool, error) {
	s.groups.Add(1)
	<-time.After(s.slow)
	return s.Store.Known(ctx, messageIDs)
}

func (s *troubled) Prepare(b *engine.Batch) (engine.Commit, error) {
	if b.Changes != nil {
		s.saves.Add(1)
	}
	commit, err := s.Store.Prepare(b)
	return troubledCommit{commit, s, b.Changes != nil}, err
}

type troubledCommit struct {
	engine.Commit
	disk  *troubled
	whole bool
}

func (c troubledCommit) Run(ctx context.Context) error {
	run := func() error { return c.Commit.Run(ctx) }
	if held := c.disk.held.Load(); held != nil && c.whole {
		<-*held
	}
	if !c.whole {
		if failed := c.disk.failed.Swap(nil); failed != nil {
			return (*failed)(run)
		}
	}
	return run()
}

// startOn is start with a troubled store.
func startOn(t *testing.T, s *troubled) *fixture {
	f := &fixture{t: t, dir: t.TempDir(), clock: epoch}
	f.openOn(s, compile(t, nil, nil))
	return f
}

func (f *fixture) openOn(s *troubled, rules *engine.Rules) {
	f.define(rules)
	var err error
	if f.store, err = store.Open(context.Background(), f.dir); err != nil {
		f.t.Fatal(err)
	}
	s.Store = f.store
	f.run(s, rules, identity.DefaultPolicy())
}

// A read that fails in the middle of a filling has the piece filled once more, and nobody's history counted twice.
func TestAFillingThatCannotReadCountsNothingTwice(t *testing.T) {
	for name, rules := range map[string]*engine.Rules{
		"a segment": compile(t, map[string]string{
			"twice": `events("Order").count() >= 2`, "once": `events("Order").within("7d").count() == 1`,
		}, nil),
		"a trait": compile(t, nil, map[string]string{"orders": `events("Order").count()`}),
	} {
		t.Run(name, func(t *testing.T) {
			var disk troubled
			f := startOn(t, &disk)
			defer f.close()
			for i := range 10 {
				f.send(f.now(), track(fmt.Sprint("u", i), "Order", nil))
			}
			a, b := f.profile("user_id", "u3").ID, f.profile("user_id", "u7").ID
			if _, err := f.Merge(context.Background(), a, b, engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
				t.Fatal(err)
			}
			disk.fails.Store(max(a, b)) // the loop reads it by itself
			if err := f.SetRules(context.Background(), rules); err != nil {
				t.Fatal(err)
			}
			if err := f.WaitFilled(context.Background()); err != nil {
				t.Fatal(err)
			}
			if disk.fails.Load() != 0 {
				t.Error("nothing failed")
			}
			f.verify()
		})
	}
}

// While what events concern is being read, more is about to happen: nothing is saved for want of something to do.
func TestReadingAheadIsNotIdleness(t *testing.T) {
	disk := troubled{slow: 40 * time.Millisecond} // longer than an idle loop waits before it saves
	f := startOn(t, &disk)
	defer f.close()
	saves, groups := disk.saves.Load(), disk.groups.Load()
	var senders sync.WaitGroup
	for i := range 8 { // so that some wait whenever others are answered
		var events []*event.Event
		for j := range 10 {
			events = append(events, f.decode(f.now(), track(fmt.Sprint("u", i, "-", j), "Order", nil)))
		}
		senders.Go(func() {
			for _, ev := range events {
				if err := f.Ingest(context.Background(), []*event.Event{ev}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	saves, groups = disk.saves.Load()-saves, disk.groups.Load()-groups
	if saves > groups/2 { // each, where reading counts as idleness
		t.Errorf("%d saves for %d groups", saves, groups)
	}
}
