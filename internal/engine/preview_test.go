package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/expr"
)

// TestPropertiesOfASample tells which properties were seen, and doubts others only where all events, or many of their name,
// were looked at.
func TestPropertiesOfASample(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, nil))
	defer f.close()
	for i := range 300 { // two clusters
		f.send(f.now(), track(fmt.Sprint("u", i), "Order", map[string]any{"total": i, fmt.Sprint("of", i%2): 1}))
	}
	f.send(f.now(), track("u0", "Rare", map[string]any{"size": 1}))
	for i := range 250 {
		f.send(f.now(), track("wide", "Wide", map[string]any{fmt.Sprint("p", i): 1}))
	}
	look := func(patience time.Duration) map[string]expr.Seen {
		found, err := f.Properties(t.Context(), patience)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	order := expr.Seen{Properties: []string{"of0", "of1", "total"}, Enough: true}
	one := look(0)
	if rare := (expr.Seen{Properties: []string{"size"}}); !reflect.DeepEqual(one, map[string]expr.Seen{"Order": order, "Rare": rare}) {
		t.Errorf("of one cluster: %+v", one)
	}
	all := look(time.Minute)
	if wide := all["Wide"]; len(wide.Properties) != 200 || wide.Enough {
		t.Errorf("of an event with 250 properties: %d, enough %t", len(wide.Properties), wide.Enough)
	}
	if !reflect.DeepEqual(all["Order"], order) || all["Rare"].Enough { // the oldest of the 250 were left out
		t.Errorf("of all: %+v", all)
	}
}

// TestPreviewsSeeAllPartsOfACustomer counts the orders of customers who came as several visitors, whose events lie near
// one another in the log and far apart; what was sent is the truth.
func TestPreviewsSeeAllPartsOfACustomer(t *testing.T) {
	t.Parallel()
	f := start(t, t.TempDir(), epoch, compile(t, nil, nil))
	defer f.close()
	random := rand.New(rand.NewPCG(3, 4))
	const users, visitors = 300, 900
	orders, other := map[string]int{}, 0
	of := func(visitor int) string { // a tenth stays unknown
		if visitor%10 == 0 {
			return ""
		}
		return fmt.Sprint("u", random.IntN(users))
	}
	for i := range users {
		f.send(f.now(), track(fmt.Sprint("u", i), "Visit", nil))
		orders[fmt.Sprint("u", i)] = 0
	}
	for i := range visitors {
		cookie, user, n := fmt.Sprint("c", i), of(i), random.IntN(3)
		for range n {
			f.send(f.now(), map[string]any{"type": "track", "anonymousId": cookie, "event": "Order"})
		}
		f.send(f.now(), map[string]any{"type": "track", "anonymousId": cookie, "event": "Visit"})
		if user == "" {
			orders[cookie] = n
			continue
		}
		f.send(f.now(), map[string]any{"type": "identify", "userId": user, "anonymousId": cookie})
		orders[user], other = orders[user]+n, other+1
	}
	if other == 0 {
		t.Fatal("nobody merged")
	}
	for least := range 6 {
		want := 0
		for _, n := range orders {
			if n >= least {
				want++
			}
		}
		condition := fmt.Sprintf(`events("Order").count() >= %d && events("Visit").exists()`, least)
		count, total, _, err := f.Preview(t.Context(), condition, 0)
		if err != nil || count != want || total != len(orders) {
			t.Errorf("%d or more: %d of %d, want %d of %d, %v", least, count, total, want, len(orders), err)
		}
		if e, err := f.Estimate(t.Context(), condition, 0, time.Minute); err != nil || !e.Exact || e.Count != want || e.Total != len(orders) {
			t.Errorf("%d or more, of a sample of all: %+v, want %d, %v", least, e, want, err)
		}
	}
}

func TestAnEstimateOfAllIsExact(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, map[string]string{"vip": `profile.vip == true`}, nil))
	defer f.close()
	const people = 300
	for i := range people {
		f.send(f.now(), track(fmt.Sprint("u", i), "Order", nil))
		if i%3 == 0 {
			f.send(f.now(), track(fmt.Sprint("u", i), "Order", nil))
		}
	}
	ctx := context.Background()
	const condition = `events("Order").count() == 2`
	all, err := f.Estimate(ctx, condition, 3, time.Minute)
	if err != nil || !all.Exact || all.Count != people/3 || all.Low != all.Count || all.High != all.Count || all.Total != people || all.Looked != people || len(all.IDs) != 3 {
		t.Errorf("of all: %+v, %v", all, err)
	}
	some, err := f.Estimate(ctx, condition, 3, 0)
	if err != nil || some.Exact || some.Looked != 256 || some.Low > people/3 || some.High < people/3 || some.Low >= some.High {
		t.Errorf("of one cluster: %+v, %v", some, err)
	}
	if _, err := f.Estimate(ctx, `nosuch(1)`, 3, 0); err == nil {
		t.Error("a wrong condition is estimated")
	}
}

// TestExamplesTellWhoHasAValue computes traits of 300 customers, in two clusters, of whom the first 256 are in one: what was
// sent says who must have a value.
func TestExamplesTellWhoHasAValue(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, nil))
	defer f.close()
	const people, sample = 300, 5
	for i := range people {
		f.send(f.now(), track(fmt.Sprint("u", i), "Visit", nil))
		if i%100 == 99 { // three customers
			f.send(f.now(), track(fmt.Sprint("u", i), "Order", map[string]any{"total": i}))
		}
	}
	ctx := t.Context()
	all, err := f.Examples(ctx, `events("Order").max(e, e.properties.total)`, sample, time.Minute)
	if err != nil || !all.Exact || all.Count != 3 || all.Low != 3 || all.High != 3 || all.Total != people || all.Looked != people || all.Type != "dyn" {
		t.Errorf("of all: %+v, %v", all, err)
	}
	var values []any
	for _, one := range all.Items {
		values = append(values, one.Value)
	}
	if !reflect.DeepEqual(values, []any{99.0, 199.0, 299.0, nil, nil}) {
		t.Errorf("of all: %v", values)
	}
	counts, err := f.Examples(ctx, `events("Order").count()`, sample, time.Minute)
	if err != nil || counts.Count != people || counts.Type != "int" {
		t.Errorf("everybody has a number: %+v, %v", counts, err)
	}
	for i, one := range counts.Items {
		if want := float64(min(1, max(0, 3-i))); one.Value != want {
			t.Errorf("example %d is %v, want %v", i, one.Value, want)
		}
	}
	some, err := f.Examples(ctx, `events("Order").max(e, e.properties.total)`, sample, 0)
	if err != nil || some.Exact || some.Looked != 256 || len(some.Items) != sample || some.Low < 2 || some.Low > 3 || some.High < 3 {
		t.Errorf("of one cluster: %+v, %v", some, err)
	}
	if _, err := f.Examples(ctx, `nosuch(1)`, sample, 0); err == nil {
		t.Error("a wrong expression is evaluated")
	}
}
