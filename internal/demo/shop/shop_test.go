package shop

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

var start = time.Date(2025, 3, 10, 8, 30, 0, 0, time.UTC)

func open(t testing.TB, config Config) *Shop {
	t.Helper()
	if config.Start.IsZero() {
		config.Start = start
	}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// yearOfShop is one year of 2,000 customers, with its events kept.
var yearOfShop = sync.OnceValues(func() (*Shop, []Event) {
	s, err := New(Config{Seed: 1, Customers: 2000, Start: start})
	if err != nil {
		panic(err)
	}
	var events []Event
	for e := range s.History() {
		events = append(events, e)
	}
	return s, events
})

func TestNewNamesTheFieldToBlame(t *testing.T) {
	for field, config := range map[string]Config{
		"customers": {Customers: -1, Start: start}, "days": {Days: MaxDays + 1, Start: start}, "start": {},
	} {
		_, err := New(config)
		if f := fault.All(err); len(f) != 1 || f[0].Field != field {
			t.Errorf("want a fault about %s, got %v", field, err)
		}
	}
}

func fingerprint(t *testing.T, config Config) string {
	t.Helper()
	sum := sha256.New()
	out := json.NewEncoder(sum)
	for e := range open(t, config).History() {
		if err := out.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func TestSameSeedSameBytes(t *testing.T) {
	config := Config{Seed: 7, Customers: 300, Days: 120}
	first := fingerprint(t, config)
	if again := fingerprint(t, config); again != first {
		t.Error("the same configuration gave other events")
	}
	if config.Seed++; fingerprint(t, config) == first {
		t.Error("another seed gave the same events")
	}
}

// The door of the tracking API judges every event.
func TestEveryEventIsValid(t *testing.T) {
	s, events := yearOfShop()
	ids := make(map[string]bool, len(events))
	last := s.Start()
	for i, e := range events {
		if e.Timestamp.Before(last) || !e.Timestamp.Before(s.End()) {
			t.Fatalf("event %d at %v comes after %v", i, e.Timestamp, last)
		}
		last = e.Timestamp
		if ids[e.MessageID] {
			t.Fatalf("message id %s twice", e.MessageID)
		}
		ids[e.MessageID] = true
		if i%10 != 0 { // decoding all takes long under the race detector
			continue
		}
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := event.Decode(body, event.Door{ReceivedAt: s.End(), Historical: true})
		if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		if !got.Timestamp.Equal(e.Timestamp) || got.MessageID != e.MessageID {
			t.Fatalf("%s became %+v", body, got)
		}
	}
	if n := float64(len(events)) / float64(s.Config().Customers); n < 60 || n > 80 {
		t.Errorf("%.1f events a customer and year; 60 to 80 are wanted", n)
	}
}

func TestCatalogue(t *testing.T) {
	c := open(t, Config{}).Catalogue()
	if len(c.Products) != 200 || len(c.Categories) != 8 {
		t.Fatalf("%d products in %d categories", len(c.Products), len(c.Categories))
	}
	names := map[string]bool{}
	for _, p := range c.Products {
		if names[p.Name] || p.Price <= 0 || math.Round(p.Price*100) != p.Price*100 || p.Stock < 1 {
			t.Errorf("odd product %+v", p)
		}
		names[p.Name] = true
		if q, ok := c.Product(p.ID); !ok || q.SKU != p.SKU {
			t.Errorf("%s is not found by its id", p.ID)
		}
	}
	found := c.Search("kettlebell", 10)
	if len(found) != 2 || !strings.HasPrefix(found[0].ID, "sport-") {
		t.Errorf("search found %d", len(found))
	}
	if c.Search(" ", 10) != nil {
		t.Error("an empty search found something")
	}
}

func TestCustomersAreTheirOwn(t *testing.T) {
	s, _ := yearOfShop()
	seen := map[string]string{}
	for n := range s.Config().Customers {
		c := s.Customer(n)
		for _, id := range []string{c.UserID, c.Email, c.Phone, c.LoyaltyID} {
			if other := seen[id]; id != "" && other != "" {
				t.Fatalf("%s and %s share %s", other, c.UserID, id)
			}
			seen[id] = c.UserID
		}
		if !strings.HasSuffix(c.Email, ".example") || strings.ContainsFunc(c.Email, func(r rune) bool { return r > 126 || r <= ' ' }) {
			t.Fatalf("address %q", c.Email)
		}
		if c.Phone != "" && (len(c.Phone) < 11 || len(c.Phone) > 13) {
			t.Fatalf("telephone %q", c.Phone)
		}
	}
}

func BenchmarkYear(b *testing.B) {
	for b.Loop() {
		n, bytes := 0, 0
		for e := range open(b, Config{Seed: 1}).History() {
			body, err := json.Marshal(e)
			if err != nil {
				b.Fatal(err)
			}
			n++
			bytes += len(body)
		}
		b.ReportMetric(float64(n), "events")
		b.ReportMetric(float64(bytes)/float64(n), "bytes/event")
	}
}
