package shop

import "time"

// seasonByMonth is how busy each month is. It sums to 12, so that over a whole year the season changes when people buy
// and not how much.
var seasonByMonth = [12]float64{0.85, 0.80, 0.90, 0.95, 0.95, 0.90, 0.80, 0.80, 0.95, 1.10, 1.45, 1.55}

// season is the shop's activity at a time, 1 on average over the year.
func season(t time.Time) float64 { return seasonByMonth[t.Month()-1] }

// afterBusiness is when an activity clock that runs at the pace of the season has advanced by d beyond from. Waiting times
// drawn on this clock make a Poisson process whose rate follows the season (time rescaling).
func afterBusiness(from time.Time, d time.Duration) time.Time {
	for range 12 * 40 {
		w := season(from)
		monthEnd := time.Date(from.Year(), from.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		inMonth := time.Duration(w * float64(monthEnd.Sub(from)))
		if d < inMonth {
			return from.Add(time.Duration(float64(d) / w))
		}
		d -= inMonth
		from = monthEnd
	}
	return from // forty years on: beyond every horizon
}

// categorySeason is how much more a category is looked at in a month; 1 where nothing is said.
func categorySeason(category string, m time.Month) float64 {
	switch category {
	case "outdoor":
		return pickMonth(m, time.April, time.August, 1.5, 0.8)
	case "garden":
		return pickMonth(m, time.March, time.July, 1.8, 0.6)
	case "kids", "paper":
		return pickMonth(m, time.November, time.December, 1.7, 0.9)
	case "living":
		return pickMonth(m, time.September, time.December, 1.3, 0.9)
	}
	return 1
}

func pickMonth(m, first, last time.Month, in, out float64) float64 {
	if m >= first && m <= last {
		return in
	}
	return out
}
