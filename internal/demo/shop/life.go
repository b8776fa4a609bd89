package shop

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// life is one customer's course through time: an agenda of what comes next, and the events of what has just been done.
type life struct {
	shop     *Shop
	customer *Customer
	own      *baseline
	until    time.Time // newsletters are sent before this
	run      string    // ends the ids of events and orders: "" in the history
	agenda   []plan    // by time
	events   []Event   // done and not yet taken, by time
	devices  []device
	known    bool // has a user id
	listed   bool // gets the newsletter
	spoiled  int  // own orders that they will not place
	serial   int  // of the last message id
	recorder func(TrueOrder)
}

// plan is an entry in the agenda.
type plan struct {
	at  time.Time
	act func(*life, time.Time)
}

// device is a browser with its cookie.
type device struct {
	key    uint64
	cookie int  // how often it was cleared
	known  bool // somebody is signed in
}

// newLife stands at the beginning of the history, or where the customer joins.
func (s *Shop) newLife(c *Customer) *life {
	l := &life{shop: s, customer: c, own: s.newBaseline(c), until: s.end}
	for _, key := range c.devices {
		l.devices = append(l.devices, device{key: key})
	}
	if c.Joined.Before(s.start) {
		l.known, l.listed = true, c.Habit.Subscriber
		l.devices[0].known = roll(c.key, rollDevice, 0).chance(0.6)
		l.plan(s.start.Add(time.Duration(c.Number)*time.Millisecond), (*life).enrol)
		for !l.own.done && l.own.visit.at.Before(s.start) {
			l.own.advance()
		}
	}
	if !l.own.done {
		l.plan(l.own.visit.at, (*life).ownVisit)
	}
	if !s.config.NoMail {
		if at := firstNewsletter(later(s.start, c.Joined)); at.Before(l.until) {
			l.plan(at, (*life).newsletter)
		}
	}
	return l
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// plan enters something into the agenda; what was entered first comes first at the same time.
func (l *life) plan(at time.Time, act func(*life, time.Time)) {
	i := len(l.agenda)
	for i > 0 && l.agenda[i-1].at.After(at) {
		i--
	}
	l.agenda = slices.Insert(l.agenda, i, plan{at, act})
}

// head is the next event, or nil when nothing more will happen before the limit.
func (l *life) head(limit time.Time) *Event {
	for len(l.agenda) > 0 && l.agenda[0].at.Before(limit) && (len(l.events) == 0 || !l.events[0].Timestamp.Before(l.agenda[0].at)) {
		next := l.agenda[0]
		l.agenda = slices.Delete(l.agenda, 0, 1)
		next.act(l, next.at)
	}
	if len(l.events) == 0 || !l.events[0].Timestamp.Before(limit) {
		return nil
	}
	return &l.events[0]
}

// take removes the event that head gave.
func (l *life) take() Event {
	e := l.events[0]
	l.events = l.events[1:]
	return e
}

// emit adds an event. Its type, identity, time and content are the caller's.
func (l *life) emit(e Event) {
	l.serial++
	id := make([]byte, 0, 40)
	id = append(id, "shop-"...)
	id = strconv.AppendUint(id, l.customer.key>>16, 36)
	id = append(id, '-')
	id = strconv.AppendInt(id, int64(l.serial), 10)
	e.MessageID = string(append(id, l.run...))
	e.Timestamp = e.Timestamp.Truncate(time.Millisecond)
	e.Customer = l.customer
	i := len(l.events)
	for i > 0 && l.events[i-1].Timestamp.After(e.Timestamp) {
		i--
	}
	l.events = slices.Insert(l.events, i, e)
}

// track emits an event of a customer who is known by user id.
func (l *life) track(at time.Time, name string, properties any) {
	l.emit(Event{Type: "track", UserID: l.customer.UserID, Event: name, Timestamp: at, Properties: properties})
}

// enrol brings in a customer from the shop's old books.
func (l *life) enrol(at time.Time) {
	l.emit(Event{Type: "identify", UserID: l.customer.UserID, Timestamp: at, Traits: l.shop.traits(l.customer), Context: l.context(nil)})
}

// context is what goes with a customer's events: their language, and their card where they show it.
func (l *life) context(utm *UTM) *Context {
	c := &Context{Locale: l.customer.Language + "-" + l.customer.Country, Campaign: utm}
	if l.customer.LoyaltyID != "" {
		c.ExternalIDs = []ExternalID{{ID: l.customer.LoyaltyID, Type: "loyalty_id", Collection: "users", Encoding: "none"}}
	}
	return c
}

// ownVisit carries out the baseline's visit and enters the next.
func (l *life) ownVisit(at time.Time) {
	v := l.own.visit
	b := l.shop.fill(l.customer, at, roll(l.customer.key, rollOrder, uint64(v.number)), "")
	orderID := fmt.Sprintf("NF-%05d-%d%s", l.customer.Number+1, v.number+1, l.run)
	spoiled := v.buys && l.spoiled > 0
	if spoiled {
		l.spoiled--
	}
	outcome := browse
	if v.buys && !spoiled {
		outcome = buy
	} else if spoiled {
		outcome = fillCart
	}
	d := roll(l.customer.key, rollVisit, uint64(v.number))
	if v.buys {
		l.record(TrueOrder{ID: orderID, At: at, Total: b.order(orderID).Total, Cause: Own, Forgone: spoiled})
	}
	l.visit(sitting{at: at, outcome: outcome, basket: b, orderID: orderID, dice: d})
	if l.own.advance(); !l.own.done {
		l.plan(l.own.visit.at, (*life).ownVisit)
	}
}

// newsletter delivers the newsletter, where the customer takes it, and enters the next.
func (l *life) newsletter(at time.Time) {
	if l.listed {
		for _, a := range l.shop.React(l.customer, l.shop.newsletter(at)) {
			l.plan(a.At, func(l *life, _ time.Time) { l.do(a) })
		}
	}
	if next := at.AddDate(0, 0, 7); next.Before(l.until) {
		l.plan(next, (*life).newsletter)
	}
}

// do carries out a reaction to a past newsletter.
func (l *life) do(a Action) {
	mail := MailProperties{CampaignID: a.Mail.ID, CampaignName: a.Mail.Campaign, EmailSubject: a.Mail.Subject}
	switch a.Kind {
	case Prefetch:
		mail.Machine = true
		l.track(a.At, "Email Opened", mail)
	case Open:
		l.track(a.At, "Email Opened", mail)
	case Click:
		mail.LinkURL = a.Link.URL
		l.track(a.At, "Email Link Clicked", mail)
	case Visit:
		l.mailVisit(a)
	case Forgo:
		l.spoiled++
	case Unsubscribe:
		l.listed = false
		l.track(a.At, "Unsubscribed", ListProperties{List: "newsletter"})
	case Complain:
		l.listed = false
		l.track(a.At, "Email Marked as Spam", mail)
	}
}

// mailVisit is the visit after a click.
func (l *life) mailVisit(a Action) {
	n := mixText(l.shop.seed, a.Mail.ID)
	b := l.shop.fill(l.customer, a.At, roll(l.customer.key, rollOrder, n), a.Link.Topic)
	v := sitting{
		at: a.At, basket: b, dice: roll(l.customer.key, rollVisit, n), landing: a.Link.Topic,
		utm:     &UTM{Name: a.Mail.Campaign, Source: "newsletter", Medium: "email"},
		orderID: fmt.Sprintf("NF-%05d-%08x", l.customer.Number+1, uint32(mix(n))),
	}
	if a.Buys {
		v.outcome = buy
		l.record(TrueOrder{ID: v.orderID, At: a.At, Total: b.order(v.orderID).Total, Cause: ByMail, Mail: a.Mail.ID})
	}
	l.visit(v)
}
