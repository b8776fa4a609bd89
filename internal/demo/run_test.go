package demo

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/demo/shop"
)

// openServer opens the whole program on an empty data directory.
func openServer(t *testing.T, config app.Config) (*app.App, Config) {
	t.Helper()
	config.DataDir = t.TempDir()
	config.Log = slog.New(slog.DiscardHandler)
	a, err := app.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := a.Keys()
	if err != nil {
		t.Fatal(err)
	}
	return a, Config{BaseURL: "http://demo.test", APIKey: keys.API, WriteKey: keys.Write, Seed: 9, Customers: 300, Days: 150}
}

// driverOf is a driver of a server that is open.
func driverOf(t *testing.T, config Config) *driver {
	t.Helper()
	config, err := config.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	api, err := client.New(client.Config{URL: config.BaseURL, APIKey: config.APIKey, WriteKey: config.WriteKey, HTTP: config.HTTP})
	if err != nil {
		t.Fatal(err)
	}
	return &driver{Config: config, api: api}
}

// expectation is what a history means, worked out from its events alone.
type expectation struct {
	events, profiles int
	orders           map[string]int     // by user id
	value            map[string]float64 // less cancelled orders
}

func expect(s *shop.Shop) expectation {
	x := expectation{orders: map[string]int{}, value: map[string]float64{}}
	customers, cookies := map[string]bool{}, map[string]bool{}
	for e := range s.History() {
		x.events++
		known := e.UserID != "" || e.Context != nil && len(e.Context.ExternalIDs) > 0
		if known {
			customers[e.Customer.UserID] = true
		}
		if e.AnonymousID != "" {
			cookies[e.AnonymousID] = cookies[e.AnonymousID] || known
		}
		o, ok := e.Properties.(*shop.OrderProperties)
		switch {
		case !ok:
		case e.Event == "Order Completed":
			x.orders[e.Customer.UserID]++
			x.value[e.Customer.UserID] += o.Total
		case e.Event == "Order Cancelled":
			x.value[e.Customer.UserID] -= o.Total
		}
	}
	x.profiles = len(customers)
	for _, known := range cookies {
		if !known {
			x.profiles++ // somebody who never said who they are
		}
	}
	return x
}

// The history arrives whole, each customer is one profile whatever devices they used, and what the server computes of them
// is what the shop knows. Loading again changes nothing.
func TestHistoryArrives(t *testing.T) {
	a, config := openServer(t, app.Config{})
	config.HTTP = client.InProcess(a.Handler())
	d := driverOf(t, config)
	if err := d.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := expect(d.shop)
	const keeperEvents, keeperProfiles = 2, 1
	checkOverview(t, d, want.events+keeperEvents, want.profiles+keeperProfiles)
	for n := range config.Customers {
		checkCustomer(t, d, d.shop.Customer(n), want)
	}
	found, err := a.Verify(t.Context())
	if err != nil || len(found.Differences) > 0 {
		t.Errorf("recomputed: %v, %d differences: %v", err, len(found.Differences), found.Differences)
	}

	again := driverOf(t, config)
	if err := again.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !again.shop.Start().Equal(d.shop.Start()) {
		t.Errorf("the second start begins at %v, the first at %v", again.shop.Start(), d.shop.Start())
	}
	if _, err := again.loadHistory(t.Context()); err != nil { // as after a crash in the middle
		t.Fatal(err)
	}
	checkOverview(t, d, want.events+keeperEvents, want.profiles+keeperProfiles)
}

func checkOverview(t *testing.T, d *driver, events, profiles int) {
	t.Helper()
	var overview struct{ Profiles, Events int }
	if err := d.api.Get(t.Context(), "/api/v1/overview", &overview); err != nil {
		t.Fatal(err)
	}
	if overview.Events != events || overview.Profiles != profiles {
		t.Errorf("the server has %d events of %d profiles, the shop sent %d of %d", overview.Events, overview.Profiles, events, profiles)
	}
}

func checkCustomer(t *testing.T, d *driver, c *shop.Customer, want expectation) {
	t.Helper()
	var found struct {
		Items []struct {
			ID       string
			Computed struct {
				Orders int     `json:"order_count"`
				Value  float64 `json:"lifetime_value"`
			}
		}
	}
	get := func(identifier string) int {
		found.Items = nil
		if err := d.api.Get(t.Context(), "/api/v1/profiles?identifier="+url.QueryEscape(identifier), &found); err != nil {
			t.Fatal(err)
		}
		return len(found.Items)
	}
	if get("user_id:"+c.UserID) == 0 {
		if want.orders[c.UserID] > 0 {
			t.Errorf("%s ordered, and is not known", c.UserID)
		}
		return
	}
	p := found.Items[0]
	if p.Computed.Orders != want.orders[c.UserID] || math.Abs(p.Computed.Value-want.value[c.UserID]) > 0.005 {
		t.Errorf("%s has %d orders worth %.2f, the shop sold %d worth %.2f",
			c.UserID, p.Computed.Orders, p.Computed.Value, want.orders[c.UserID], want.value[c.UserID])
	}
	if get("email:"+c.Email) != 1 || found.Items[0].ID != p.ID {
		t.Errorf("%s is somebody else by e-mail: %v", c.UserID, found.Items)
	}
}

// watch tells of each answer to a request that passes.
type watch struct {
	next  http.RoundTripper
	heard chan *http.Response
}

func (w watch) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := w.next.RoundTrip(r)
	if err == nil {
		select {
		case w.heard <- response:
		default: // nobody waits
		}
	}
	return response, err
}

// After the history the shop lives: events come in, and whoever gets mail opens it, through the mail's own picture.
func TestShopAnswersMail(t *testing.T) {
	if testing.Short() {
		t.Skip("customers take a few seconds to open their mail")
	}
	serving, stop := context.WithCancel(t.Context())
	ready := make(chan string, 1)
	a, config := openServer(t, app.Config{Listen: "127.0.0.1:0", Demo: Handler(smallShop(t)), Ready: func(url string) { ready <- url }})
	ended := make(chan error, 2)
	go func() { ended <- a.Serve(serving) }()
	heard := make(chan *http.Response, 100)
	loaded := make(chan struct{}, 1)
	config.BaseURL = <-ready
	config.HTTP = &http.Client{Timeout: time.Minute, Transport: watch{http.DefaultTransport, heard}}
	config.Progress = func(done, total int) {
		if done == total {
			loaded <- struct{}{}
		}
	}
	go func() { ended <- Run(serving, config) }()
	defer func() {
		stop()
		for range cap(ended) {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}()
	<-loaded
	await(t, heard, "an event of the live shop", func(r *http.Response) bool { return r.Request.URL.Path == "/v1/batch" })

	api := driverOf(t, config).api
	if err := api.Call(t.Context(), http.MethodPost, "/api/v1/campaigns/picks-for-you/send", nil, nil); err != nil {
		t.Fatal(err)
	}
	await(t, heard, "somebody opening the mail", func(r *http.Response) bool {
		return strings.HasPrefix(r.Request.URL.Path, "/o/") && r.Request.UserAgent() != privacyProxy
	})
	var report struct{ Sent, Opened int }
	if err := api.Get(t.Context(), "/api/v1/campaigns/picks-for-you/report", &report); err != nil {
		t.Fatal(err)
	}
	if report.Opened == 0 || report.Sent < report.Opened {
		t.Errorf("the report says %+v", report)
	}
}

// await waits for an answer with success.
func await(t *testing.T, heard chan *http.Response, what string, is func(*http.Response) bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		select {
		case r := <-heard:
			if r.StatusCode < 400 && is(r) {
				return
			}
		case <-deadline.C:
			t.Fatalf("waited a minute for %s", what)
		}
	}
}
