package shop

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"
)

// mailAbout is a mail with links to products of a category.
func mailAbout(s *Shop, id, category string, at time.Time) Mail {
	m := Mail{ID: id, Subject: "New in " + category, At: at}
	for _, p := range s.Catalogue().In(category)[:3] {
		m.Links = append(m.Links, Link{URL: s.PageURL("p/" + p.ID), Topic: p.ID})
	}
	return m
}

func TestReactionIsRepeatableAndInOrder(t *testing.T) {
	s, _ := yearOfShop()
	kinds := map[ActionKind]int{}
	for n := range s.Config().Customers {
		c, m := s.Customer(n), mailAbout(s, "m1", "outdoor", s.End())
		first := s.React(c, m)
		if again := s.React(s.Customer(n), mailAbout(s, "m1", "outdoor", s.End())); !reflect.DeepEqual(first, again) {
			t.Fatalf("%s answers the same mail differently: %v, %v", c.UserID, first, again)
		}
		last := m.At
		for _, a := range first {
			kinds[a.Kind]++
			if a.At.Before(last) {
				t.Fatalf("%s: %v", c.UserID, first)
			}
			if last = a.At; a.Kind == Click && a.Link.URL == "" {
				t.Fatalf("%s clicks on nothing", c.UserID)
			}
		}
		if len(first) > 0 && first[0].Kind != Open && (first[0].Kind != Prefetch || !c.Habit.Proxied) {
			t.Fatalf("%s begins with %v", c.UserID, first[0].Kind)
		}
	}
	for _, k := range []ActionKind{Prefetch, Open, Click, Visit, Forgo, Unsubscribe} {
		if kinds[k] == 0 {
			t.Errorf("nobody did %s: %v", k, kinds)
		}
	}
	if kinds[Click] != kinds[Visit] {
		t.Errorf("clicks and visits: %v", kinds)
	}
}

// Over many mails the shares of opens and complaints are those of the customers' habits.
func TestReactionsFollowHabits(t *testing.T) {
	s, _ := yearOfShop()
	var opens, openVariance, complaints, complaintVariance, buys, buyVariance float64
	for n := range 2000 {
		c := s.Customer(n)
		h := &c.Habit
		for i := range 20 {
			m := Mail{ID: string(rune('a' + i)), At: c.Joined, Links: []Link{{URL: "x"}}} // nobody has dropped out when joining
			complains := h.ComplaintHazard
			open := complains + (1-complains)*h.OpenRate
			buy := (1 - complains) * h.OpenRate * (1 - h.UnsubscribeHazard) * h.ClickRate * max(0, h.Uplift)
			opens, openVariance = opens-open, openVariance+open*(1-open)
			complaints, complaintVariance = complaints-complains, complaintVariance+complains*(1-complains)
			buys, buyVariance = buys-buy, buyVariance+buy*(1-buy)
			for _, a := range s.React(c, m) {
				switch {
				case a.Kind == Open:
					opens++
				case a.Kind == Complain:
					complaints++
				case a.Buys:
					buys++
				}
			}
		}
	}
	near(t, "opens", opens, 0, openVariance)
	near(t, "complaints", complaints, 0, complaintVariance)
	near(t, "orders because of mail", buys, 0, buyVariance)
}

func TestManyMailsTire(t *testing.T) {
	s, _ := yearOfShop()
	opened := func(recent int) (n int) {
		for i := range 2000 {
			m := mailAbout(s, "m2", "kids", s.End())
			m.Recent = recent
			for _, a := range s.React(s.Customer(i), m) {
				if a.Kind == Open {
					n++
				}
			}
		}
		return n
	}
	if fresh, tired := opened(0), opened(6); float64(tired) > 0.6*float64(fresh) {
		t.Errorf("%d open the first mail of the week, %d the seventh", fresh, tired)
	}
}

// completed gives the total of each order in a history.
func completed(s *Shop) map[string]float64 {
	orders := map[string]float64{}
	for e := range s.History() {
		if o, ok := e.Properties.(*OrderProperties); ok && e.Event == "Order Completed" {
			orders[o.OrderID] = o.Total
		}
	}
	return orders
}

// Without mail the shop sells exactly the orders that the truth calls the customers' own; with mail it sells those that are
// not forgone, and those because of mail.
func TestCounterfactual(t *testing.T) {
	config := Config{Seed: 3, Customers: 1500, Days: 200}
	s := open(t, config)
	without, with := map[string]float64{}, map[string]float64{}
	byQuadrant := map[Quadrant]map[string]int{SureThing: {}, Persuadable: {}, LostCause: {}, SleepingDog: {}}
	var late []string
	for truth := range s.Truth() {
		for _, o := range truth.Orders {
			if o.At.After(s.End().Add(-2 * time.Hour)) {
				late = append(late, o.ID) // begun, and perhaps not completed within the history
			}
			switch {
			case o.Cause == Own && o.Forgone:
				byQuadrant[truth.Quadrant]["forgone"]++
				without[o.ID] = o.Total
			case o.Cause == Own:
				without[o.ID], with[o.ID] = o.Total, o.Total
			default:
				byQuadrant[truth.Quadrant]["caused"]++
				with[o.ID] = o.Total
			}
		}
	}
	gotWith := completed(s)
	config.NoMail = true
	gotWithout := completed(open(t, config))
	for _, id := range late {
		delete(with, id)
		delete(without, id)
		delete(gotWith, id)
		delete(gotWithout, id)
	}
	if !maps.Equal(without, gotWithout) {
		t.Errorf("without mail: %d orders in the events, %d in the truth", len(gotWithout), len(without))
	}
	if !maps.Equal(with, gotWith) {
		t.Errorf("with mail: %d orders in the events, %d in the truth", len(gotWith), len(with))
	}
	for q, n := range byQuadrant {
		if (n["caused"] > 0) != (q == Persuadable) || (n["forgone"] > 0) != (q == SleepingDog) {
			t.Errorf("%s: %v", q, n)
		}
	}
}

func TestLiveGoesOn(t *testing.T) {
	s := open(t, Config{Seed: 6, Customers: 1200})
	events := slices.Collect(s.History())
	from := s.End().Add(3 * time.Hour)
	live := s.Live(from, "r1")
	ids := make(map[string]bool, len(events))
	for _, e := range events {
		ids[e.MessageID] = true
	}
	last, count, newcomers := from, 0, map[string]bool{}
	for {
		e, ok := live.Next()
		if !ok {
			t.Fatal("the live shop ended")
		}
		if e.Timestamp.After(from.Add(14 * day)) {
			break
		}
		if e.Timestamp.Before(last) {
			t.Fatalf("%v after %v", e.Timestamp, last)
		}
		if ids[e.MessageID] {
			t.Fatalf("message id %s was used before", e.MessageID)
		}
		ids[e.MessageID], last = true, e.Timestamp
		count++
		if e.Customer.Number >= s.Config().Customers {
			newcomers[e.Customer.UserID] = true
			if c, ok := live.Customer(e.Customer.Email); !ok || c != e.Customer {
				t.Fatalf("%s is not found", e.Customer.Email)
			}
		}
	}
	want := float64(s.Config().Customers) * newcomerShare * 14 / 365.25 * seasonByMonth[from.Month()-1]
	near(t, "newcomers", float64(len(newcomers)), want, want)
	if perDay := float64(count) / 14; math.Abs(perDay/(float64(len(events))/365)-0.85) > 0.4 {
		t.Errorf("%.0f events a day", perDay)
	}
}

func TestLiveVisitOrdersAndForgoes(t *testing.T) {
	s := open(t, Config{Seed: 4, Customers: 200, Days: 60})
	live := s.Live(s.End(), "r1")
	c, ok := live.Customer(s.Customer(5).Email)
	if !ok {
		t.Fatal("customer 5 is not there")
	}
	m := mailAbout(s, "m3", "sport", s.End())
	visit := live.Visit(c, Action{Kind: Visit, At: s.End(), Mail: &m, Link: m.Links[0], Buys: true})
	final := visit[len(visit)-1]
	if final.Event != "Order Completed" || final.UserID != c.UserID {
		t.Fatalf("the visit ends with %+v", final)
	}
	if p := final.Properties.(*OrderProperties).Products[0]; p.ProductID != m.Links[0].Topic {
		t.Errorf("came for %s, bought %s", m.Links[0].Topic, p.ProductID)
	}
	orders := func(spoil bool) (n int) {
		live := s.Live(s.End(), "r2")
		for i := range s.Config().Customers {
			if c, _ := live.Customer(s.Customer(i).Email); spoil {
				live.Forgo(c)
			}
		}
		for {
			e, _ := live.Next()
			if e.Timestamp.After(s.End().Add(120 * day)) {
				return n
			}
			if e.Event == "Order Completed" && e.Customer.Number < s.Config().Customers {
				n++
			}
		}
	}
	if all, fewer := orders(false), orders(true); fewer >= all {
		t.Errorf("%d orders, and %d after everybody was put off", all, fewer)
	}
}

func TestTopicOfAnAddress(t *testing.T) {
	s := open(t, Config{})
	for address, want := range map[string]string{
		"https://shop.example/shop/p/outdoor-07?utm_source=x": "outdoor-07", "https://shop.example/products/kids-01.svg": "kids-01",
		"https://shop.example/shop/c/garden": "garden", "https://shop.example/shop": "", "": "", "https://elsewhere.example/p/none-99": "",
	} {
		if got := s.Topic(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
