package shop

import (
	"math"
	"slices"
	"time"
)

// line is a product and how many of it.
type line struct {
	product  *Product
	quantity int
}

// basket is what a visit is about: what is bought where the visit ends in an order, and else what was wanted. inStore says
// that a customer with a card buys in the shop in town.
type basket struct {
	lines   []line
	inStore bool
}

// Shipping is free from freeShippingFrom euro on.
const (
	freeShippingFrom = 60.0
	shippingCost     = 4.9
	inStoreShare     = 0.3 // of the own orders of customers with a card
)

// fill draws a basket. Only the customer's tastes and the dice decide; topic, a product or category or "", is what they
// came for.
func (s *Shop) fill(c *Customer, at time.Time, d dice, topic string) basket {
	category := d.pick(s.tastesIn(c, at.Month()))
	if n := s.catalogue.categoryNumber(s.topicCategory(topic)); n >= 0 {
		category = n
	}
	b := basket{inStore: d.chance(inStoreShare) && c.LoyaltyID != "" && topic == ""}
	more := d.geometric(0.42, 5)
	if p, ok := s.catalogue.Product(topic); ok {
		b.add(p, 1)
	}
	for range more + 1 {
		if d.chance(0.25) {
			category = d.pick(s.tastesIn(c, at.Month()))
		}
		b.add(s.catalogue.pick(d, category, c.Habit.PriceLevel), 1+d.geometric(0.15, 3))
	}
	return b
}

func (b *basket) add(p *Product, quantity int) {
	if !slices.ContainsFunc(b.lines, func(l line) bool { return l.product == p }) {
		b.lines = append(b.lines, line{p, quantity})
	}
}

// order is the basket as an order.
func (b *basket) order(id string) *OrderProperties {
	o := &OrderProperties{OrderID: id, Channel: "web", Currency: Currency}
	for _, l := range b.lines {
		p := l.product
		o.Subtotal += p.Price * float64(l.quantity)
		o.Products = append(o.Products, ProductProperties{
			ProductID: p.ID, SKU: p.SKU, Name: p.Name, Category: p.Category, Variant: p.Subcategory, Price: p.Price, Quantity: l.quantity,
		})
	}
	if b.inStore {
		o.Channel = "store"
	} else if o.Subtotal < freeShippingFrom {
		o.Shipping = shippingCost
	}
	o.Total = math.Round((o.Subtotal+o.Shipping)*100) / 100
	return o
}

// topicCategory is the category that a product or category id stands for, "" for neither.
func (s *Shop) topicCategory(topic string) string {
	if p, ok := s.catalogue.Product(topic); ok {
		return p.Category
	}
	if _, ok := s.catalogue.Category(topic); ok {
		return topic
	}
	return ""
}
