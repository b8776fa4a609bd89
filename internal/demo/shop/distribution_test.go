package shop

import (
	"math"
	"testing"
	"time"
)

// near fails where a count lies more than four standard deviations from its expectation.
func near(t *testing.T, what string, got, want, variance float64) {
	t.Helper()
	if away := math.Abs(got-want) / math.Sqrt(variance); away > 4 {
		t.Errorf("%s: %.1f, expected %.1f ± %.1f (%.1f standard deviations)", what, got, want, math.Sqrt(variance), away)
	}
}

// chiSquare is Pearson's statistic.
func chiSquare(observed, expected []float64) float64 {
	sum := 0.0
	for i := range observed {
		sum += (observed[i] - expected[i]) * (observed[i] - expected[i]) / expected[i]
	}
	return sum
}

// Mean and variance of the gamma distribution are kθ and kθ², of the beta distribution a/(a+b) and ab/((a+b)²(a+b+1)).
func TestDiceHaveTheMomentsOfTheirDistributions(t *testing.T) {
	const n = 200_000
	for _, shape := range []float64{0.35, 1, 1.3, 6} {
		d, sum := roll(1, 2, uint64(shape*100)), 0.0
		for range n {
			sum += d.gamma(shape, 2)
		}
		near(t, "gamma", sum, n*shape*2, n*shape*4)
	}
	for _, p := range [][2]float64{{1, 7}, {2, 4.6}, {0.5, 0.5}} {
		a, b := p[0], p[1]
		d, sum := roll(1, 3, uint64(a*100)), 0.0
		for range n {
			sum += d.beta(a, b)
		}
		near(t, "beta", sum, n*a/(a+b), n*a*b/((a+b)*(a+b)*(a+b+1)))
	}
	d, count := roll(1, 4, 0), make([]float64, 4)
	for range n {
		count[d.pick([]float64{1, 2, 3, 4})]++
	}
	if x := chiSquare(count, []float64{n * .1, n * .2, n * .3, n * .4}); x > 21.1 { // 3 degrees, p = 0.0001
		t.Errorf("pick: chi-square %.1f", x)
	}
}

// A Poisson process on the clock of the season has, in each month, as many points as the season and the days say.
func TestBusinessClockFollowsTheSeason(t *testing.T) {
	from, to := start, start.AddDate(20, 0, 0)
	d, at := roll(5, 6, 7), from
	observed, expected, total := make([]float64, 12), make([]float64, 12), 0.0
	for {
		if at = afterBusiness(at, time.Duration(d.ExpFloat64()*float64(6*time.Hour))); !at.Before(to) {
			break
		}
		observed[at.Month()-1]++
	}
	for t := from; t.Before(to); t = t.Add(6 * time.Hour) {
		expected[t.Month()-1] += season(t)
		total += season(t)
	}
	if x := chiSquare(observed, expected); x > 39.1 { // 12 degrees, p = 0.0001
		t.Errorf("chi-square %.1f\n%v\n%v", x, observed, expected)
	}
	if mean := total / (20 * 365.25 * 4); math.Abs(mean-1) > 0.01 {
		t.Errorf("the season is %.3f on average over the year", mean)
	}
}

func TestPopulationHasItsParameters(t *testing.T) {
	s, _ := yearOfShop()
	n := float64(s.Config().Customers)
	var browsers, subscribers, existing, rate, buyers, converted, visits, variance, dropped, orders, dropVariance float64
	live := make([]float64, len(countries))
	for i := range s.Config().Customers {
		c := s.Customer(i)
		for k := range countries {
			if countries[k].code == c.Country {
				live[k]++
			}
		}
		h := &c.Habit
		if h.Subscriber {
			subscribers++
		}
		if c.Joined.Before(s.Start()) {
			existing++
		}
		if h.Conversion == 0 {
			browsers++
			continue
		}
		buyers++
		rate += h.VisitRate * h.Conversion
		for b := s.newBaseline(c); !b.done && b.visit.at.Before(s.End()); b.advance() {
			visits++
			converted -= h.Conversion
			variance += h.Conversion * (1 - h.Conversion)
			if b.visit.buys {
				converted++
				orders++
				dropped -= h.Dropout
				dropVariance += h.Dropout * (1 - h.Dropout)
				if c.Dropped.Equal(b.visit.at) {
					dropped++
				}
			}
		}
	}
	near(t, "browsers", browsers, n*browserShare, n*browserShare*(1-browserShare))
	near(t, "subscribers", subscribers, n*subscriberShare, n*subscriberShare*(1-subscriberShare))
	near(t, "customers from before", existing, n*existingShare, n*existingShare*(1-existingShare))
	near(t, "order rate", rate, buyers*orderShape*orderScale, buyers*orderShape*orderScale*orderScale)
	near(t, "orders above conversion × visits", converted, 0, variance)
	near(t, "dropouts above dropout × orders", dropped, 0, dropVariance)
	expected := make([]float64, len(countries))
	for k := range countries {
		expected[k] = n * countries[k].weight / 100
	}
	if x := chiSquare(live, expected); x > 29.9 { // 7 degrees, p = 0.0001
		t.Errorf("countries: chi-square %.1f, %v for %v", x, live, expected)
	}
	if visits < 5_000 || orders < 1_500 {
		t.Errorf("only %v visits and %v orders", visits, orders)
	}
}

// The category of a basket's first product is drawn from the tastes of the month, twice for some: summed over customers, the
// categories have their tastes' share.
func TestFirstProductsFollowTastes(t *testing.T) {
	s, _ := yearOfShop()
	categories := s.Catalogue().Categories
	observed, expected := make([]float64, len(categories)), make([]float64, len(categories))
	for n := range 2000 {
		c := s.Customer(n)
		tastes, total := s.tastesIn(c, time.May), 0.0
		for _, w := range tastes {
			total += w
		}
		at := time.Date(2025, 5, 10, 12, 0, 0, 0, time.UTC)
		b := s.fill(c, at, roll(c.key, rollOrder, 99), "")
		observed[s.catalogue.categoryNumber(b.lines[0].product.Category)]++
		for i, w := range tastes {
			expected[i] += w / total
		}
	}
	if x := chiSquare(observed, expected); x > 29.9 { // at most 7 degrees, p = 0.0001
		t.Errorf("chi-square %.1f\n%v\n%v", x, observed, expected)
	}
}
