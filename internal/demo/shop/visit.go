package shop

import (
	"fmt"
	"strings"
	"time"
)

// outcome is how far a visit gets.
type outcome int

const (
	browse   outcome = iota // may still put something into the cart and leave it
	fillCart                // fills the cart and leaves it
	buy
)

// sitting is a visit to be carried out.
type sitting struct {
	at      time.Time
	outcome outcome
	basket  basket
	orderID string
	dice    dice
	landing string // the product or category that a link led to
	utm     *UTM
}

// How visits go.
const (
	secondDeviceUse = 0.3
	cookieLoss      = 0.05
	cartShare       = 0.22 // of visits without an order
	checkoutShare   = 0.35 // of left carts
	loginShare      = 0.35 // of visits where nobody is signed in and nothing is ordered
	searchShare     = 0.3
	cancelShare     = 0.03 // of orders
	moreViews       = 0.68 // chance of one more product
	maxViews        = 12
)

// visit emits the events of a sitting.
func (l *life) visit(v sitting) {
	if v.outcome == buy && v.basket.inStore && l.known {
		l.buyInStore(v)
		return
	}
	d := v.dice
	w := &walk{life: l, at: v.at, dice: d, device: l.sitDown(d), utm: v.utm}
	cart := v.outcome != browse || d.chance(cartShare)
	checkout := v.outcome == buy || cart && d.chance(checkoutShare)
	signIn := !w.device.known && (checkout || d.chance(loginShare))
	w.arrive(v.landing, v.basket)
	if signIn && !checkout {
		w.identify()
	}
	w.browse(v.basket)
	if !cart {
		return
	}
	for _, line := range v.basket.lines {
		p := l.shop.properties(line.product)
		p.Quantity, p.CartID = line.quantity, v.orderID
		w.track("Product Added", p)
	}
	if !checkout {
		return
	}
	if signIn {
		w.identify()
	}
	order := v.basket.order(v.orderID)
	order.Channel = "web"
	w.track("Checkout Started", order)
	if v.outcome == buy {
		w.track("Order Completed", order)
		l.mayCancel(w.at, order, d)
	}
}

// buyInStore is an order at a till: all that is known is the card.
func (l *life) buyInStore(v sitting) {
	order := v.basket.order(v.orderID)
	l.emit(Event{
		Type: "track", AnonymousID: "till-" + strings.ToLower(v.orderID), Event: "Order Completed", Timestamp: v.at,
		Properties: order, Context: l.context(nil),
	})
}

// mayCancel enters the cancellation of an order, a few days later, for some.
func (l *life) mayCancel(at time.Time, order *OrderProperties, d dice) {
	if !d.chance(cancelShare) {
		return
	}
	at = at.Add(time.Hour + time.Duration(d.ExpFloat64()*30*float64(time.Hour)))
	l.plan(at, func(l *life, at time.Time) { l.track(at, "Order Cancelled", order) })
}

// sitDown chooses the device of a visit.
func (l *life) sitDown(d dice) *device {
	at := &l.devices[0]
	if second, lost := d.chance(secondDeviceUse), d.chance(cookieLoss); second && len(l.devices) > 1 {
		at = &l.devices[1]
	} else if lost {
		at.cookie++
		at.known = false
	}
	if l.customer.shared && at == &l.devices[0] {
		at.known = false // somebody else sat here in between
	}
	return at
}

// anonymousID is the device's cookie.
func (v *device) anonymousID() string {
	a, b := mix(v.key+uint64(v.cookie)), mix(v.key^mix(uint64(v.cookie)+1))
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint32(a), uint16(a>>32), (a>>48)&0xfff, 0x8000|(b&0x3fff), b>>16)
}

// walk is a visit under way.
type walk struct {
	life   *life
	at     time.Time
	dice   dice
	device *device
	utm    *UTM
	cookie string
}

// emit adds an event and lets some time pass.
func (w *walk) emit(e Event) {
	if w.cookie == "" {
		w.cookie = w.device.anonymousID()
	}
	e.AnonymousID, e.Timestamp = w.cookie, w.at
	if w.device.known {
		e.UserID = w.life.customer.UserID
	}
	w.life.emit(e)
	w.at = w.at.Add(time.Duration(8+w.dice.IntN(90)) * time.Second)
}

func (w *walk) track(name string, properties any) {
	w.emit(Event{Type: "track", Event: name, Properties: properties})
}

func (w *walk) page(name, path, category string) {
	url := w.life.shop.PageURL(path)
	w.emit(Event{
		Type: "page", Name: name, Context: &Context{Locale: w.life.customer.Language + "-" + w.life.customer.Country, Campaign: w.utm},
		Properties: Page{URL: url, Path: "/" + path, Title: name + " – " + Name, Category: category},
	})
}

// arrive is the first page: the one behind the link, the category of interest, or the front page.
func (w *walk) arrive(landing string, b basket) {
	first := b.lines[0].product
	front, search := w.dice.chance(0.6), w.dice.chance(searchShare)
	switch s := w.life.shop; {
	case landing != "" && s.topicCategory(landing) == landing:
		w.page("Category", "c/"+landing, landing)
	case landing != "":
		w.page("Product", "p/"+landing, s.topicCategory(landing))
	case front:
		w.page("Home", "", "")
	default:
		w.page("Category", "c/"+first.Category, first.Category)
	}
	if search && landing == "" {
		w.track("Products Searched", SearchProperties{Query: first.Subcategory})
	}
}

// browse looks at the wanted products and at some of their neighbours.
func (w *walk) browse(b basket) {
	s, c := w.life.shop, w.life.customer
	for _, line := range b.lines {
		w.track("Product Viewed", s.properties(line.product))
	}
	for range w.dice.geometric(moreViews, maxViews) {
		category := s.catalogue.categoryNumber(b.lines[0].product.Category)
		if w.dice.chance(0.2) {
			category = w.dice.pick(s.tastesIn(c, w.at.Month()))
		}
		w.track("Product Viewed", s.properties(s.catalogue.pick(w.dice, category, c.Habit.PriceLevel)))
	}
}

// identify signs the visitor in, and up where they are new.
func (w *walk) identify() {
	l := w.life
	w.device.known = true
	w.emit(Event{Type: "identify", Traits: l.shop.traits(l.customer), Context: l.context(w.utm)})
	if l.known {
		return
	}
	l.known = true
	if l.customer.Habit.Subscriber {
		l.listed = true
		w.track("Subscribed", ListProperties{List: "newsletter", Source: l.customer.Source})
	}
}
