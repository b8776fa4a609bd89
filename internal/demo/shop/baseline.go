package shop

import (
	"math"
	"time"
)

// baseline is what a customer does of their own accord, one visit after the other. It draws from a stream of its own, so
// that it is the same whatever mail they get.
type baseline struct {
	shop     *Shop
	customer *Customer
	dice     dice
	business time.Time // on the clock of afterBusiness
	visit    ownVisit
	done     bool
}

// ownVisit is a visit of the baseline.
type ownVisit struct {
	number int
	at     time.Time
	buys   bool
}

// newBaseline stands at the first visit, which is when the customer joins.
func (s *Shop) newBaseline(c *Customer) *baseline {
	b := &baseline{shop: s, customer: c, dice: roll(c.key, rollBaseline, 0), business: c.Joined}
	b.visit = ownVisit{at: c.Joined, buys: b.dice.chance(c.Habit.Conversion)}
	return b
}

// advance moves to the next visit, or to done where the customer has dropped out.
func (b *baseline) advance() {
	h := &b.customer.Habit
	if (b.visit.buys || h.Conversion == 0) && b.dice.chance(h.Dropout) {
		b.done = true
		return
	}
	b.business = afterBusiness(b.business, time.Duration(b.dice.ExpFloat64()/h.VisitRate*year))
	at := b.customer.atHour(b.business, b.dice)
	if earliest := b.visit.at.Add(visitGap); at.Before(earliest) {
		at = earliest
	}
	b.visit = ownVisit{number: b.visit.number + 1, at: at, buys: b.dice.chance(h.Conversion)}
}

// visitGap keeps two visits apart.
const visitGap = 45 * time.Minute

// dropout is when the customer leaves for good: the time of their last visit. Zero where that is far ahead.
func (s *Shop) dropout(c *Customer) time.Time {
	horizon := s.end.Add(dropoutHorizon)
	for b := s.newBaseline(c); b.visit.at.Before(horizon); {
		last := b.visit.at
		if b.advance(); b.done {
			return last
		}
	}
	return time.Time{}
}

// atHour is a moment on the day of t, at an hour that suits the customer.
func (c *Customer) atHour(t time.Time, d dice) time.Time {
	hour := 8 + 15*d.Float64()
	if d.chance(0.7) {
		hour = c.Habit.Hour + 2*d.NormFloat64()
	}
	hour = math.Mod(hour+48, 24)
	local := t.Add(time.Duration(c.utcOffset) * time.Hour)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	return midnight.Add(time.Duration(hour*3600)*time.Second - time.Duration(c.utcOffset)*time.Hour)
}
