package shop

import (
	"strings"
	"time"
)

// newcomerShare is how many newcomers join the live shop a year, for each customer of the history.
const newcomerShare = 0.5

// Live is the shop after its history: the same customers go on, newcomers join, and mail is no longer sent by the shop
// itself. It is used from one goroutine.
type Live struct {
	shop    *Shop
	run     string
	stream  *stream
	byMail  map[string]*life
	arrival dice
	next    time.Time // when the next newcomer joins
	count   int
}

// Live begins at a time at or after the end of the history. The run is a short text that ends the ids of messages, orders and
// newcomers, so that two runs from near times do not share them.
func (s *Shop) Live(from time.Time, run string) *Live {
	v := &Live{
		shop: s, run: "-" + run, byMail: map[string]*life{}, arrival: roll(s.seed, rollArrival, mixText(0, run)), count: s.config.Customers,
	}
	v.stream = &stream{limit: from.Add(100 * 365 * day)}
	for n := range s.config.Customers {
		l := s.newLife(s.Customer(n))
		for l.head(from) != nil {
			l.take()
		}
		v.admit(l)
	}
	v.next = from
	v.expectNewcomer()
	return v
}

// admit lets a life go on in the live shop.
func (v *Live) admit(l *life) {
	l.run = v.run
	v.byMail[l.customer.Email] = l
	v.stream.add(l)
}

func (v *Live) expectNewcomer() {
	rate := newcomerShare * float64(v.shop.config.Customers)
	v.next = afterBusiness(v.next, time.Duration(v.arrival.ExpFloat64()/rate*year))
}

// Next is the next event, by time; there is always one, unless everybody is gone for a century.
func (v *Live) Next() (Event, bool) {
	for len(v.stream.heads) == 0 || !v.stream.heads[0].Timestamp.Before(v.next) {
		n := v.count
		v.count++
		key := mix(mixText(v.shop.seed, v.run) ^ mix(uint64(n)))
		c := v.shop.newCustomer(n, key, v.next, roll(key, rollCustomer, 0))
		c.UserID += v.run
		c.LoyaltyID, c.Phone = "", "" // numbers are unique among the customers of the history only
		name, domain, _ := strings.Cut(c.Email, "@")
		c.Email = name + v.run + "@" + domain
		v.admit(v.shop.newLife(c))
		v.expectNewcomer()
	}
	return v.stream.next()
}

// Customer finds a customer by e-mail address: those of the history, and newcomers of this run.
func (v *Live) Customer(email string) (*Customer, bool) {
	l, ok := v.byMail[strings.ToLower(email)]
	if !ok {
		return nil, false
	}
	return l.customer, true
}

// Visit carries out a visit after a click: its events, in order of time from the action's on.
func (v *Live) Visit(c *Customer, a Action) []Event {
	l := v.byMail[c.Email]
	waiting, agenda := l.events, l.agenda
	l.events, l.agenda = nil, nil
	l.mailVisit(a)
	visit := l.events
	l.events, l.agenda = waiting, agenda // an order after a mail is not cancelled later
	return visit
}

// Forgo makes the customer leave out the next order of their own.
func (v *Live) Forgo(c *Customer) { v.byMail[c.Email].spoiled++ }
