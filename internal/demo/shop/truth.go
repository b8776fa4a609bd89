package shop

import (
	"iter"
	"maps"
	"slices"
	"time"
)

// Cause is why an order was placed.
type Cause string

// The causes.
const (
	Own    Cause = "own"  // they would have bought anyway
	ByMail Cause = "mail" // they would not have
)

// Truth is what is true of a customer, and what no event says.
type Truth struct {
	UserID       string             `json:"user_id"`
	Email        string             `json:"email"`
	Phone        string             `json:"phone,omitempty"`
	LoyaltyID    string             `json:"loyalty_id,omitempty"`
	Cookies      []Cookie           `json:"cookies"`
	SharedDevice bool               `json:"shared_device"`
	Joined       time.Time          `json:"joined_at"`
	Dropped      *time.Time         `json:"dropped_at"` // null: still a customer years from now
	Stage        string             `json:"stage"`      // at the end of the history: new, active or lapsed
	Tastes       map[string]float64 `json:"tastes"`     // by category, sums to 1
	PriceLevel   float64            `json:"price_level"`
	OrderRate    float64            `json:"order_rate"` // orders a year of their own accord while active
	Conversion   float64            `json:"conversion"`
	Dropout      float64            `json:"dropout"`
	Subscriber   bool               `json:"subscriber"`
	Quadrant     Quadrant           `json:"quadrant"`
	OpenRate     float64            `json:"open_rate"`
	ClickRate    float64            `json:"click_rate"`
	Proxied      bool               `json:"proxied"`
	Uplift       float64            `json:"uplift"`
	Hour         float64            `json:"hour"`
	Orders       []TrueOrder        `json:"orders"` // in the history, by time
}

// Cookie is an anonymous id that the customer used, and whether they ever said on it who they are.
type Cookie struct {
	AnonymousID string `json:"anonymous_id"`
	Identified  bool   `json:"identified"`
}

// TrueOrder is an order that was placed, or would have been. Without any mail the customer would have placed exactly the
// orders whose cause is "own"; with the mail they placed those that are not forgone.
type TrueOrder struct {
	ID      string    `json:"order_id"`
	At      time.Time `json:"at"` // the beginning of the visit
	Total   float64   `json:"total"`
	Cause   Cause     `json:"cause"`
	Mail    string    `json:"mail,omitempty"` // the mail that caused it
	Forgone bool      `json:"forgone"`        // spoiled by mail
}

func (l *life) record(o TrueOrder) {
	if l.recorder != nil {
		l.recorder(o)
	}
}

// Truth tells the truth behind the history, customer by customer.
func (s *Shop) Truth() iter.Seq[Truth] {
	return func(yield func(Truth) bool) {
		for n := range s.config.Customers {
			if !yield(s.truthOf(s.Customer(n))) {
				return
			}
		}
	}
}

// truthOf lives the customer's history once more, and takes notes.
func (s *Shop) truthOf(c *Customer) Truth {
	h := &c.Habit
	t := Truth{
		UserID: c.UserID, Email: c.Email, Phone: c.Phone, LoyaltyID: c.LoyaltyID, SharedDevice: c.shared, Joined: c.Joined, Stage: s.stage(c),
		Tastes: map[string]float64{}, PriceLevel: h.PriceLevel, OrderRate: h.VisitRate * h.Conversion, Conversion: h.Conversion,
		Dropout: h.Dropout, Subscriber: h.Subscriber, Quadrant: h.Quadrant, OpenRate: h.OpenRate, ClickRate: h.ClickRate, Proxied: h.Proxied, Uplift: h.Uplift, Hour: h.Hour,
		Orders: []TrueOrder{},
	}
	if !c.Dropped.IsZero() {
		t.Dropped = &c.Dropped
	}
	for i, taste := range h.Tastes {
		t.Tastes[s.catalogue.Categories[i].ID] = taste
	}
	l := s.newLife(c)
	l.recorder = func(o TrueOrder) { t.Orders = append(t.Orders, o) }
	cookies := map[string]bool{}
	for l.head(s.end) != nil {
		if e := l.take(); e.AnonymousID != "" {
			cookies[e.AnonymousID] = cookies[e.AnonymousID] || e.UserID != "" || e.Context != nil && len(e.Context.ExternalIDs) > 0
		}
	}
	for _, id := range slices.Sorted(maps.Keys(cookies)) {
		t.Cookies = append(t.Cookies, Cookie{id, cookies[id]})
	}
	return t
}

// stage is the customer's stage of life at the end of the history.
func (s *Shop) stage(c *Customer) string {
	switch {
	case !c.Dropped.IsZero() && c.Dropped.Before(s.end):
		return "lapsed"
	case c.Joined.After(s.end.Add(-30 * day)):
		return "new"
	}
	return "active"
}
