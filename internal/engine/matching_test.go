package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// The database counts what the evaluation of every profile counts.
func TestTheDatabaseCountsTheSame(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"buyer": `events("Order").within("5d").exists()`}, map[string]string{"orders": `events("Order").count()`}))
	defer f.close()
	for i := range 60 {
		user := fmt.Sprint("u", i)
		traits := map[string]any{"country": []any{"DE", "FR", nil, 7.0, "dé"}[i%5], "tags": []any{"a", float64(i % 3)}, "address": map[string]any{"city": fmt.Sprint("C", i%4)}}
		if i%7 == 0 {
			traits["preferences"] = map[string]any{"weekly": i%2 == 0}
		}
		f.send(epoch, map[string]any{"type": "identify", "userId": user, "traits": traits})
		for range i % 3 {
			f.send(epoch, track(user, "Order", nil))
		}
		if i%6 == 0 {
			f.send(epoch, track(user, "Unsubscribed", nil))
		}
	}
	count := func(condition string) (int, int, []int64) {
		n, total, ids, err := f.Preview(context.Background(), condition, 5)
		if err != nil {
			t.Fatalf("%s: %v", condition, err)
		}
		return n, total, ids
	}
	for range 2 {
		some := 0
		for _, condition := range []string{
			`true`, `profile.country == "DE"`, `profile.country != "DE"`, `!(profile.country == "DE")`, `profile.country in ["FR", 7]`, `has(profile.country)`,
			`profile.country.startsWith("d")`, `"a" in profile.tags && 2 in profile.tags`, `profile.address.city == "C1"`, `profile.orders >= 1`, `profile.orders == 2 || preferences.weekly`,
			`consent.marketing`, `!profile.subscribed`, `"buyer" in segments`, `!("buyer" in segments) && profile.country > "D"`,
		} {
			n, total, ids := count(condition)
			// The same in words that no database reads.
			want, all, sample := count("(" + condition + ") && !(profile.nothing + 1 > 0)")
			if n != want || total != all || !slices.Equal(ids, sample) {
				t.Errorf("%s: %d of %d (%v), evaluated %d of %d (%v)", condition, n, total, ids, want, all, sample)
			}
			some += n
		}
		if some == 0 {
			t.Error("nothing was counted")
		}
		f.advance(6 * 24 * time.Hour) // the buyers leave by themselves
	}
}

// A sequence is filled from history and kept as events come, each counted once whatever its part.
func TestSequencesAreKept(t *testing.T) {
	conditions := map[string]string{
		"twice": `sequence("View", "View").within("2h").during("3d")`, "bought": `sequence(events("View").where(e, e.properties.n > 1), "Order").without("Return")`,
		"any": `sequence("View", events(), "Order")`,
	}
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"nobody": `false`}, nil))
	defer f.close()
	send := func(user string, names ...string) {
		for i, name := range names {
			f.send(f.now(), track(user, name, map[string]any{"n": float64(i + 1)}))
			f.advance(time.Minute)
		}
	}
	send("a", "View", "View", "Order")
	send("b", "View")
	if err := f.SetRules(context.Background(), compile(t, conditions, nil)); err != nil {
		t.Fatal(err)
	}
	send("c", "View", "View", "Return", "Order")
	send("b", "Order")
	f.verify()
	in := func(user string) (names []string) {
		p := f.profile("user_id", user)
		for name := range conditions {
			if p.InSegment(name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return names
	}
	for user, want := range map[string]string{"a": "[any bought twice]", "b": "[]", "c": "[any twice]"} {
		if got := fmt.Sprint(in(user)); got != want {
			t.Errorf("%s is in %s, want %s", user, got, want)
		}
	}
	f.advance(4 * 24 * time.Hour)
	f.send(f.now(), track("d", "View", nil))
	f.verify()
	if got := fmt.Sprint(in("a")); got != "[any bought]" {
		t.Errorf("after four days a is in %s", got)
	}
}
