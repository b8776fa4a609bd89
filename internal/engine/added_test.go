package engine_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// orderedOnce are customers of whom each ordered once, and whom nobody remembers.
func orderedOnce(t *testing.T, disk *troubled, customers int) *fixture {
	f := &fixture{t: t, dir: t.TempDir(), clock: epoch, cached: -1}
	f.openOn(disk, compile(t, nil, nil))
	for i := range customers {
		f.send(f.now(), track(fmt.Sprint("u", i), "Order", nil))
	}
	f.close()
	f.openOn(disk, compile(t, nil, nil))
	return f
}

// ordersOf are rules that are filled by adding to profiles.
func ordersOf(t *testing.T) *engine.Rules {
	return compile(t, map[string]string{
		"buyers": `events("Order").within("2d").count() >= 1`, "regulars": `events("Order").count() >= 2`,
	}, nil)
}

// segmentsOf reads a customer by her identifier, who is told within a minute.
func (f *fixture) segmentsOf(user string) (in []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	view, err := f.store.ProfileBy(ctx, identity.Identifier{Type: identity.UserID, Value: user})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, m := range view.Segments {
		in = append(in, m.Name)
	}
	return in
}

// Who asks by an identifier reads what a filling has added to a customer whom nobody remembers, though nothing can be written.
func TestWhatAFillingAddedIsReadByAnIdentifierUnwritten(t *testing.T) {
	var disk troubled
	f := orderedOnce(t, &disk, 10)
	defer f.close()
	held := make(chan struct{})
	disk.held.Store(&held)
	release := sync.OnceFunc(func() { disk.held.Store(nil); close(held) })
	defer release()
	before := disk.saves.Load()
	if err := f.SetRules(context.Background(), ordersOf(t)); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); disk.saves.Load() == before; { // who asks in the moment in which something is added may wait for it
		if time.Since(began) > time.Minute {
			t.Fatal("nothing was added")
		}
		runtime.Gosched()
	}
	for i := range 10 {
		for began := time.Now(); fmt.Sprint(f.segmentsOf(fmt.Sprint("u", i))) != "[buyers]"; {
			if time.Since(began) > time.Minute {
				t.Fatalf("customer %d is in %v", i, f.segmentsOf(fmt.Sprint("u", i)))
			}
		}
	}
	// What happens while the tables are read counts, also where it is written and forgotten by then.
	meanwhile := func() {
		release()
		f.send(f.now(), track("u3", "Order", nil))
		f.settle()
		f.send(f.now(), track("u4", "Viewed", nil))
	}
	disk.loaded.Store(&meanwhile)
	if in := f.segmentsOf("u3"); fmt.Sprint(in) != "[buyers regulars]" {
		t.Errorf("is in %v", in)
	}
	if err := f.WaitFilled(context.Background()); err != nil {
		t.Fatal(err)
	}
	f.verify()
}

// What the scout read before a filling added to it lacks the addition: it is added, or what was read is not believed.
func TestWhatAFillingAddsIsAddedToWhatWasReadAhead(t *testing.T) {
	for name, written := range map[string]bool{"unwritten": false, "written": true} {
		t.Run(name, func(t *testing.T) {
			var disk troubled
			f := orderedOnce(t, &disk, 10)
			defer f.close()
			ctx := context.Background()
			if err := f.IngestBehindFilling(ctx, f.decode(f.now(), track("u3", "Order", nil)), ordersOf(t), 10, written); err != nil {
				t.Fatal(err)
			}
			if err := f.WaitFilled(ctx); err != nil {
				t.Fatal(err)
			}
			if in := f.segmentsOf("u3"); fmt.Sprint(in) != "[buyers regulars]" {
				t.Errorf("is in %v", in)
			}
			f.verify()
		})
	}
}

// What the scout read before a commit failed counts as far as it is so: where the commit held all the same its events are known,
// and who changed by them is another; where it did not, they are new.
func TestWhatWasReadAheadOfACommitThatFailedIsNotBelieved(t *testing.T) {
	broken := errors.New("the disk says that it failed")
	for name, how := range map[string]func(run func() error) error{
		"it held":     func(run func() error) error { return errors.Join(run(), broken) },
		"it did not":  func(func() error) error { return broken },
		"it did hold": nil, // and said so
	} {
		t.Run(name, func(t *testing.T) {
			var disk troubled
			f := &fixture{t: t, dir: t.TempDir(), clock: epoch}
			rules := compile(t, nil, map[string]string{"bought": `events("Bought").count()`})
			f.openOn(&disk, rules)
			defer f.close()
			f.send(epoch, track("ada", "Bought", nil))
			var before [][]*event.Event
			for _, body := range []map[string]any{twice(), track("new", "Bought", nil)} {
				before = append(before, []*event.Event{f.decode(epoch, body)})
			}
			waiting := []*event.Event{f.decode(epoch, twice()), f.decode(epoch, track("new", "Bought", nil)), f.decode(epoch, track("ada", "Bought", nil))}
			want := map[string]float64{"ada": 3, "new": 2}
			if how != nil {
				disk.failed.Store(&how)
			}
			if err := f.IngestBehind(context.Background(), waiting, before...); err != nil {
				t.Fatal(err)
			}
			if disk.failed.Load() != nil {
				t.Fatal("nothing failed")
			}
			for who, n := range want {
				if have := f.profile("user_id", who).Computed.Get("bought"); have != n {
					t.Errorf("%s bought %v times, not %v", who, have, n)
				}
			}
			if n := f.eventCount(); n != 5 {
				t.Errorf("%d events are stored, want 5", n)
			}
			f.verify()
		})
	}
}

// What a filling added to profiles counts in a copy of the database for several nodes, until they are written as a whole there.
func TestWhatAFillingAddedCountsInACopy(t *testing.T) {
	address := storetest.Postgres(t)
	ctx := context.Background()
	f := orderedOnce(t, &troubled{}, 10)
	if err := f.SetRules(ctx, ordersOf(t)); err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFilled(ctx); err != nil {
		t.Fatal(err)
	}
	f.close()
	if _, err := store.CopyToPostgres(ctx, f.dir, address, nil); err != nil {
		t.Fatal(err)
	}
	var err error
	if f.store, err = store.Open(ctx, f.dir, store.OnPostgres(address)); err != nil {
		t.Fatal(err)
	}
	added := func(want int64) {
		t.Helper()
		err := f.store.View(ctx, func(c *store.Conn) error {
			n, err := c.Int(`SELECT count(*) FROM additions a JOIN profiles p ON p.id = a.profile_id AND p.version = a.version`)
			if n != want {
				t.Errorf("something is added to %d profiles, not to %d", n, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	added(10)
	f.run(f.store, ordersOf(t), identity.DefaultPolicy())
	defer func() { f.close() }()
	if in := f.segmentsOf("u5"); fmt.Sprint(in) != "[buyers]" {
		t.Errorf("unchanged, in %v", in)
	}
	f.send(f.now(), track("u3", "Order", nil))
	if in := f.segmentsOf("u3"); fmt.Sprint(in) != "[buyers regulars]" {
		t.Errorf("after another order, in %v", in)
	}
	added(9)
	f.verify()
	f.advance(47 * time.Hour)
	f.send(f.now(), track("u7", "Order", nil))
	f.advance(time.Hour)
	f.filled()
	for who, want := range map[string]string{"u3": "[regulars]", "u5": "[]", "u7": "[buyers regulars]"} {
		if in := f.segmentsOf(who); fmt.Sprint(in) != want {
			t.Errorf("after two days %s is in %v, want %s", who, in, want)
		}
	}
	added(0)
	f.verify()
}
