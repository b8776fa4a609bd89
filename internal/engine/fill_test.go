package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/store"
)

// TestTheFirstEventOfATermMayComeWhileItIsFilled has customers do for the first time, before their turn in the filling has
// come, what a new segment asks about.
func TestTheFirstEventOfATermMayComeWhileItIsFilled(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, nil))
	defer f.close()
	const people, rounds = 20_000, 5
	var some []*event.Event
	for i := range people {
		some = append(some, f.decode(epoch, track(fmt.Sprint("u", i), "Viewed", nil)))
		if len(some) == 1000 {
			if err := f.Ingest(context.Background(), some); err != nil {
				t.Fatal(err)
			}
			some = nil
		}
	}
	texts := map[string]string{}
	for round := range rounds {
		texts[fmt.Sprint("buyers", round)] = fmt.Sprintf(`events("Order %d").exists()`, round)
		if err := f.SetRules(context.Background(), compile(t, texts, nil)); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			f.send(f.now(), track(fmt.Sprint("u", people-1-i), fmt.Sprint("Order ", round), nil))
		}
		if err := f.WaitFilled(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		p := f.profile("user_id", fmt.Sprint("u", people-1-i))
		for name := range texts {
			if !p.InSegment(name) {
				t.Errorf("customer %d is not in %s", i, name)
			}
		}
	}
}

// Whoever was in a segment that is deleted leaves it, on the record; another one of the same name is entered anew, and has
// days of its own.
func TestMembersLeaveASegmentThatIsDeleted(t *testing.T) {
	const buyers = `events("Order").exists()`
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"buyers": buyers, "all": "true"}, nil))
	defer f.close()
	ctx := context.Background()
	define := func(segments map[string]string) {
		t.Helper()
		f.advance(time.Hour)
		if err := f.SetRules(ctx, compile(t, segments, nil)); err != nil {
			t.Fatal(err)
		}
		if err := f.WaitFilled(ctx); err != nil {
			t.Fatal(err)
		}
		f.verify()
	}
	history := func(user string) (told []string) {
		t.Helper()
		f.settle()
		list, _, err := f.store.Transitions(ctx, f.profile("user_id", user).ID, "buyers", "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range slices.Backward(list) {
			what := "left"
			if one.Entered {
				what = "entered"
			}
			told = append(told, fmt.Sprint(what, " by ", one.Cause.Kind, " after ", time.UnixMicro(one.At).Sub(epoch)))
		}
		return told
	}
	expect := func(user string, want ...string) {
		t.Helper()
		if have := history(user); !slices.Equal(have, want) {
			t.Errorf("%s %q, want %q", user, have, want)
		}
	}
	f.send(f.now(), track("in", "Order", nil))
	f.send(f.now(), track("joined", "Order", nil))
	f.send(f.now(), track("out", "Viewed", nil))
	define(map[string]string{"all": "true"})
	left := []string{"entered by event after 0s", "left by deletion after 1h0m0s"}
	expect("in", left...)
	expect("out")
	define(map[string]string{"all": "true", "buyers": buyers})
	expect("in", append(left, "entered by definition after 2h0m0s")...)

	// Where one is deleted and another takes its name at once, nothing of the former is left either. A merge while that is
	// on its way ends what was, too.
	f.advance(time.Hour)
	for _, segments := range []map[string]string{{"all": "true"}, {"all": "true", "buyers": `events("Viewed").exists()`}} {
		if err := f.SetRules(ctx, compile(t, segments, nil)); err != nil {
			t.Fatal(err)
		}
	}
	in, joined := f.profile("user_id", "in").ID, f.profile("user_id", "joined").ID
	if _, err := f.Merge(ctx, in, joined, engine.MergeCause{Kind: engine.MergedByHand}); err != nil {
		t.Fatal(err)
	}
	if err := f.WaitFilled(ctx); err != nil {
		t.Fatal(err)
	}
	f.verify()
	var both []string
	for _, one := range append(left, "entered by definition after 2h0m0s", "left by deletion after 3h0m0s") {
		both = append(both, one, one)
	}
	expect("in", both...)
	expect("out", "entered by definition after 3h0m0s")
	days, _, err := f.store.SegmentHistory(ctx, "buyers", "", 10)
	if err != nil || len(days) != 1 || days[0].Entered != 1 || days[0].Left != 0 || days[0].Members != 1 {
		t.Errorf("days %+v, %v", days, err)
	}
}

// A filling adds to profiles without writing them, until they are written for something else; memory and the store say the
// same of them all the while, across restarts and further fillings.
func TestAFillingAddsToProfiles(t *testing.T) {
	const people = 50
	dir, ctx := t.TempDir(), context.Background()
	texts := map[string]string{}
	f := start(t, dir, epoch, compile(t, texts, nil))
	for i := range people {
		f.send(f.now(), track(fmt.Sprint("u", i), "Order", nil))
		f.send(f.now(), track(fmt.Sprint("u", i), "Viewed", nil))
	}
	additions := func(want int64) {
		t.Helper()
		if f.store.Shared() != nil { // several nodes store profiles as a whole
			want = 0
		}
		f.settle()
		err := f.store.View(ctx, func(c *store.Conn) error {
			have, err := c.Int(`SELECT count(*) FROM additions`)
			if have != want {
				t.Errorf("something was added to %d profiles, not to %d", have, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		f.verify()
	}
	define := func(name, text string) {
		t.Helper()
		f.advance(time.Hour)
		texts[name] = text
		if err := f.SetRules(ctx, compile(t, texts, nil)); err != nil {
			t.Fatal(err)
		}
		if err := f.WaitFilled(ctx); err != nil {
			t.Fatal(err)
		}
		for i := range people {
			if p := f.profile("user_id", fmt.Sprint("u", i)); !p.InSegment(name) {
				t.Errorf("customer %d is not in %s", i, name)
			}
		}
	}
	define("buyers", `events("Order").within("2d").count() >= 1`)
	additions(people)
	f.send(f.now(), track("u1", "Order", nil))
	additions(people - 1)
	define("viewers", `events("Viewed").within("7d").count() >= 1`)
	additions(people)
	f.close()
	f = start(t, dir, f.now(), compile(t, texts, nil))
	defer f.close()
	additions(people)
	f.advance(46*time.Hour + 30*time.Minute) // all but one order are older than two days
	f.live(track("u1", "Viewed", nil))
	f.filled()
	for i := range people {
		name := fmt.Sprint("u", i)
		if p := f.profile("user_id", name); p.InSegment("buyers") != (i == 1) || !p.InSegment("viewers") {
			t.Errorf("customer %d is in %v", i, p.Segments.Map())
		}
	}
	additions(0)
}
