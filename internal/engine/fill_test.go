package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/tailorbird/tailorbird/internal/event"
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
