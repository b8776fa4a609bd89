package demo

import (
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/demo/shop"
)

// orders are when each customer of the shop ordered, by user id.
func orders(s *shop.Shop) map[string][]time.Time {
	all := map[string][]time.Time{}
	for e := range s.History() {
		if e.Event == "Order Completed" {
			all[e.Customer.UserID] = append(all[e.Customer.UserID], e.Timestamp)
		}
	}
	return all
}

// At each position of the clock, when the history has just arrived, where windows end, long after, and back in the middle of
// it, what the server keeps of the shop's customers is what their events say, and what the shop knows; also where two of
// them were made one by hand, and where that was taken back.
func TestTheShopAtPositionsOfTheClock(t *testing.T) {
	const window = 90 * 24 * time.Hour // of the segment frequent
	loaded := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	config := Config{BaseURL: "http://demo.test", APIKey: "a-management-key-for-tests", Seed: 9, Customers: 120, Days: 150, Now: func() time.Time { return loaded }}
	dir := t.TempDir()
	open := func(now time.Time) (*app.App, *driver) {
		a, err := app.Open(t.Context(), app.Config{DataDir: dir, APIKey: config.APIKey, Now: now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close() })
		keys, err := a.Keys()
		if err != nil {
			t.Fatal(err)
		}
		config.WriteKey = keys.Write
		config.HTTP = client.InProcess(a.Handler())
		return a, driverOf(t, config)
	}
	a, d := open(loaded)
	if err := d.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	sold, sales := orders(d.shop), []time.Time{}
	for _, of := range sold {
		sales = append(sales, of...)
	}
	latest, buyers := slices.MaxFunc(sales, time.Time.Compare), slices.Sorted(maps.Keys(sold))
	partner := map[string]string{} // who was made one, by user id
	check := func(now time.Time) {
		t.Helper()
		found, err := a.Verify(t.Context())
		if err != nil || len(found.Differences) > 0 {
			t.Fatalf("%v: %v, %d differences: %v", now, err, len(found.Differences), found.Differences[:min(len(found.Differences), 5)])
		}
		checkFrequent(t, d, now, window, sold, partner)
	}
	for i, now := range []time.Time{loaded, latest.Add(window), loaded.Add(-75 * 24 * time.Hour), latest.Add(window - time.Minute), loaded.Add(400 * 24 * time.Hour)} {
		if i > 0 {
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			a, d = open(now)
		}
		check(now)
		for n := range 4 { // two of them become one, and half of these two again
			one, other := buyers[8*i+2*n], buyers[8*i+2*n+1]
			joinCustomers(t, d, one, other, n%2 == 0)
			if n%2 == 1 {
				partner[one], partner[other] = other, one
			}
		}
		check(now)
	}
}

// shown is a customer as the server shows her.
type shown struct {
	ID       string
	Segments []struct{ Name string }
	Computed struct {
		Orders int `json:"order_count"`
	}
	Merged []struct {
		ProfileID string `json:"profile_id"`
	}
}

func show(t *testing.T, d *driver, user string) (p shown) {
	t.Helper()
	var found struct{ Items []shown }
	if err := d.api.Get(t.Context(), "/api/v1/profiles?identifier="+url.QueryEscape("user_id:"+user), &found); err != nil || len(found.Items) != 1 {
		t.Fatalf("%s: %d are found, %v", user, len(found.Items), err)
	}
	return found.Items[0]
}

// checkFrequent compares every buyer with the orders that the shop sold her, and whoever is one with her, by now.
func checkFrequent(t *testing.T, d *driver, now time.Time, window time.Duration, sold map[string][]time.Time, partner map[string]string) {
	t.Helper()
	for user, of := range sold {
		orders, recent := 0, 0
		for _, at := range append(slices.Clone(of), sold[partner[user]]...) {
			if at.After(now) {
				continue
			}
			orders++
			if at.Add(window).After(now) {
				recent++
			}
		}
		p := show(t, d, user)
		frequent := slices.ContainsFunc(p.Segments, func(s struct{ Name string }) bool { return s.Name == "frequent" })
		if p.Computed.Orders != orders || frequent != (recent >= 3) {
			t.Errorf("%v: %s has %d orders and is frequent: %v; the shop sold %d, of which %d lately", now, user, p.Computed.Orders, frequent, orders, recent)
		}
	}
}

// joinCustomers merges two by hand, and takes it back where again says so.
func joinCustomers(t *testing.T, d *driver, one, other string, again bool) {
	t.Helper()
	var p shown
	err := d.api.Call(t.Context(), http.MethodPost, "/api/v1/profiles/"+show(t, d, one).ID+"/merge", map[string]any{"identifier": "user_id:" + other}, &p)
	if err == nil && again {
		err = d.api.Call(t.Context(), http.MethodPost, "/api/v1/profiles/"+p.Merged[0].ProfileID+"/unmerge", map[string]any{}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}
