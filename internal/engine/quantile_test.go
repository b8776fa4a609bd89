package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

// filled waits until everything holds for everybody, cut points included.
func (f *fixture) filled() {
	if _, _, _, err := f.Preview(context.Background(), "true", 0); err != nil { // goes through the loop, which sees what is due
		f.t.Fatal(err)
	}
	if err := f.WaitFilled(context.Background()); err != nil {
		f.t.Fatal(err)
	}
}

// live ingests an event that happens now.
func (f *fixture) live(body map[string]any) {
	f.n++
	body["messageId"] = fmt.Sprint("live", f.n)
	raw, err := json.Marshal(body)
	if err != nil {
		f.t.Fatal(err)
	}
	e, err := event.Decode(raw, event.Door{ReceivedAt: f.now()})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.Ingest(context.Background(), []*event.Event{e}); err != nil {
		f.t.Fatal(err)
	}
}

// fifth is the quintile by its definition: one more than the fifths of the customers that lie below.
func fifth(x float64, all []float64) float64 {
	below := 0
	for _, y := range all {
		if y < x {
			below++
		}
	}
	return float64(min(1+below*5/len(all), 5))
}

// Quintiles are learned when they are defined, when the customers have doubled, and at night; in between they stand
// still. Verification finds nothing at any time, nor after a crash or a merge.
func TestQuintiles(t *testing.T) {
	traits := map[string]string{
		"spent":  `quintile(events("Order").exists() ? dyn(events("Order").sum(e, e.properties.total)) : null)`,
		"orders": `events("Order").count()`, "often": `quintile(profile.orders)`, "fading": `events().decayed("10d")`,
		"score": `quintile(profile.spent + profile.often)`, "stage": `events("Order").lifecycle()`,
		"likes": `events("Order").interests(e, e.properties.kind, "20d")`,
	}
	segments := map[string]string{"best": `profile.spent == 5`, "good": `quintile(profile.orders) >= 4 && !("best" in segments)`, "late": `profile.stage == "at_risk"`}
	f := start(t, t.TempDir(), epoch, compile(t, segments, traits))
	defer func() { f.close() }()
	random := rand.New(rand.NewPCG(1, 1))
	totals := map[string]float64{}
	order := func(user string) {
		total := float64(random.IntN(200))
		totals[user] += total
		f.live(track(user, "Order", map[string]any{"total": total, "kind": fmt.Sprint(random.IntN(3))}))
	}
	// wrong counts the customers whose quintile is not that among all as they are.
	wrong := func() (n int) {
		var all []float64
		for _, total := range totals {
			all = append(all, total)
		}
		for user, total := range totals {
			if f.profile("user_id", user).Computed.Get("spent") != fifth(total, all) {
				n++
			}
		}
		return n
	}
	for i := range 40 {
		order(fmt.Sprint("u", i))
	}
	for i := range 30 {
		f.live(track(fmt.Sprint("visitor", i), "Viewed", nil))
	}
	f.filled()
	f.verify()
	f.advance(24 * time.Hour) // a night
	order("u0")
	f.filled()
	f.verify()
	if n := wrong(); n > 0 {
		t.Errorf("%d wrong after a night", n)
	}
	if p := f.profile("user_id", "visitor1"); p.Computed.Get("spent") != nil || p.Computed.Get("often") != 1.0 {
		t.Errorf("a visitor has %v", p.Computed.Map())
	}
	if f.profile("user_id", "u1").Computed.Get("score") == nil {
		t.Error("a quintile of quintiles is not learned")
	}
	for range 60 {
		order(fmt.Sprint("u", random.IntN(40)))
		f.advance(time.Minute)
	}
	f.filled()
	f.verify()
	if wrong() == 0 {
		t.Error("cut points moved by day")
	}
	f.live(map[string]any{"type": "alias", "userId": "u3", "previousId": "u4"})
	totals["u3"] += totals["u4"]
	delete(totals, "u4")
	f.verify()
	f.close()
	f.open(compile(t, segments, traits))
	f.verify()
	f.advance(24 * time.Hour)
	order("u9")
	f.filled()
	f.verify()
	if err := f.Learn(context.Background()); err != nil {
		t.Fatal(err)
	}
	f.verify()
	for range 5 {
		f.advance(17 * 24 * time.Hour)
		f.live(track("visitor2", "Viewed", nil))
		f.filled()
		f.verify()
	}
	// After an import they are learned anew, also where the program is stopped at once.
	for i := range 30 {
		f.send(f.now(), track(fmt.Sprint("u", i+5), "Order", map[string]any{"total": 1000.0 * float64(i)}))
		totals[fmt.Sprint("u", i+5)] += 1000 * float64(i)
	}
	f.close()
	f.open(compile(t, segments, traits))
	f.verify()
	if n := wrong(); n > 0 {
		t.Errorf("%d wrong after an import", n)
	}
	for i := range 30 {
		f.send(f.now(), track(fmt.Sprint("u", i+5), "Order", map[string]any{"total": 99000.0 - 3000.0*float64(i)}))
		totals[fmt.Sprint("u", i+5)] += 99000 - 3000*float64(i)
	}
	f.advance(time.Minute)
	f.filled()
	f.verify()
	if n := wrong(); n > 0 {
		t.Errorf("%d wrong after another import", n)
	}
	if p := f.profile("user_id", "u1"); p.Computed.Get("stage") == "new" || p.Computed.Get("fading") == 1.0 {
		t.Errorf("time has not passed for %v", p.Computed.Map())
	}
	reason, err := f.Explain(context.Background(), compile(t, segments, traits), f.profile("user_id", "u1").ID, "good", f.now().UnixMicro(), engine.Now)
	if err != nil || reason.Value != f.profile("user_id", "u1").InSegment("good") {
		t.Errorf("explained as %+v: %v", reason, err)
	}
	// Another definition of the same values is there at once, and one that is tried needs none.
	examples, err := f.Examples(context.Background(), `quintile(events("Order").count() + 0)`, 200, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[any]bool{}
	for _, e := range examples.Items {
		seen[e.Value] = true
	}
	if len(seen) < 3 {
		t.Errorf("tried: %v", seen)
	}
	segments["middle"] = `quintile(profile.orders) == 3`
	if err := f.SetRules(context.Background(), compile(t, segments, traits)); err != nil {
		t.Fatal(err)
	}
	f.filled()
	f.verify()
}
