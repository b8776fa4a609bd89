package expr

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
)

// What fades is counted by days (UTC): an event's weight halves with every half-life of its age in whole days, so that
// values change at midnight only, and what is kept grows with days and not with events. After fadedAfter half-lives an
// event, which then counts for less than a thousandth, is forgotten.
const (
	fadedAfter       = 10
	shortestHalfLife = 24 * time.Hour
	longestHalfLife  = 365 * 24 * time.Hour
	maxInterests     = 10  // values that interests lists
	maxInterestName  = 200 // bytes of one
)

// maxFading bounds what is kept of one customer: values, each counted once for every day on which it occurs. The oldest
// days beyond it are not seen.
var maxFading = 5_000 // tests lower it

const microsOfDay = 24 * 60 * 60 * 1_000_000

// dayOf is the number of a day, from 1970-01-01 UTC.
func dayOf(at int64) int64 {
	day := at / microsOfDay
	if at%microsOfDay < 0 {
		day--
	}
	return day
}

// halfLifeOf reads the last argument of what fades.
func halfLifeOf(arg ast.Expr) (time.Duration, *complaint) {
	text, ok := literalString(arg)
	if !ok {
		return 0, &complaint{arg, `takes a half-life in quotes, such as "30d"`}
	}
	d, err := ParseDuration(text)
	if err != nil {
		return 0, &complaint{arg, err.Error()}
	}
	if d < shortestHalfLife || d > longestHalfLife {
		return 0, &complaint{arg, "a half-life is between 1d and 365d"}
	}
	return d, nil
}

// horizonOf is the age in days from which an event counts for nothing.
func horizonOf(halfLife time.Duration) int64 {
	return int64(math.Ceil(fadedAfter * float64(halfLife) / float64(24*time.Hour)))
}

// wholeWeight is what an event of today counts. Weights are whole numbers, so that sums of them are exact in any order.
const wholeWeight = 1 << 32

// weightOf is what an event of an age in days counts.
func weightOf(age int64, halfLife time.Duration) int64 {
	return int64(math.Round(wholeWeight * math.Exp2(-float64(age)/(float64(halfLife)/float64(24*time.Hour)))))
}

// weightsOf are the weights by age, up to the horizon.
func weightsOf(halfLife time.Duration) []int64 {
	weights := make([]int64, horizonOf(halfLife))
	for age := range weights {
		weights[age] = weightOf(int64(age), halfLife)
	}
	return weights
}

// interestName is the name under which a value is counted; false for what has none.
func interestName(v any) (string, bool) {
	name := ""
	switch v := v.(type) {
	case string:
		name = v
	case bool:
		name = strconv.FormatBool(v)
	case float64:
		name = strconv.FormatFloat(v, 'g', -1, 64)
		if math.Abs(v) < 1e15 {
			name = strconv.FormatFloat(v+0, 'f', -1, 64)
		}
	}
	return name, name != "" && len(name) <= maxInterestName
}

// fading counts values by days. The zero value is empty.
type fading struct {
	days   []fadingDay // oldest first
	names  []string    // of values, by their number
	number map[string]int32
	pairs  int // values in all days together
	events int64
	floor  int64 // days before it are not seen
}

type fadingDay struct {
	day    int64
	counts []valueCount
}

// valueCount is how many events of a day have a value.
type valueCount struct {
	value int32
	n     int64
}

// add counts n events of a value.
func (f *fading) add(day int64, name string, n int64) {
	if day < f.floor {
		return
	}
	value, known := f.number[name]
	if !known {
		if f.number == nil {
			f.number = map[string]int32{}
		}
		value = int32(len(f.names))
		f.names, f.number[name] = append(f.names, name), value
	}
	i := len(f.days)
	for i > 0 && f.days[i-1].day >= day {
		i--
	}
	if i == len(f.days) || f.days[i].day != day {
		f.days = slices.Insert(f.days, i, fadingDay{day: day})
	}
	d := &f.days[i]
	j := slices.IndexFunc(d.counts, func(c valueCount) bool { return c.value == value })
	if j < 0 {
		j = len(d.counts)
		d.counts = append(d.counts, valueCount{value: value})
		f.pairs++
	}
	d.counts[j].n += n
	f.events += n
	f.trim()
}

// trim gives up the oldest days beyond the bound. What comes later for these is not seen either: the days after them are
// past the bound together with them, whatever comes.
func (f *fading) trim() {
	for f.pairs > maxFading {
		f.floor = f.days[0].day + 1
		f.drop()
	}
}

// forget lets days up to the last one go.
func (f *fading) forget(last int64) {
	for len(f.days) > 0 && f.days[0].day <= last {
		f.drop()
	}
}

func (f *fading) drop() {
	for _, c := range f.days[0].counts {
		f.events -= c.n
	}
	f.pairs -= len(f.days[0].counts)
	f.days[0] = fadingDay{}
	f.days = f.days[1:]
}

func (f *fading) merge(g *fading) {
	f.floor = max(f.floor, g.floor)
	f.forget(f.floor - 1)
	for _, d := range g.days {
		for _, c := range d.counts {
			f.add(d.day, g.names[c.value], c.n)
		}
	}
}

// weight is what all count on a day.
func (f *fading) weight(today int64, weights []int64) float64 {
	sum := int64(0)
	for _, d := range f.days {
		if age := today - d.day; age >= 0 && age < int64(len(weights)) {
			for _, c := range d.counts {
				sum += c.n * weights[age]
			}
		}
	}
	return float64(sum) / wholeWeight
}

// shares are what the values with the most weight have of it all. Only the differences between days count, so that
// shares stay as they are while time passes.
func (f *fading) shares(weights []int64) map[string]any {
	newest := f.days[len(f.days)-1].day
	sums := make([]int64, len(f.names))
	all := int64(0)
	for _, d := range f.days {
		if newest-d.day >= int64(len(weights)) {
			continue
		}
		for _, c := range d.counts {
			weight := c.n * weights[newest-d.day]
			sums[c.value] += weight
			all += weight
		}
	}
	type share struct {
		name string
		sum  int64
	}
	shares := make([]share, 0, len(sums))
	for i, sum := range sums {
		if sum > 0 {
			shares = append(shares, share{f.names[i], sum})
		}
	}
	slices.SortFunc(shares, func(a, b share) int { return cmp.Or(cmp.Compare(b.sum, a.sum), strings.Compare(a.name, b.name)) })
	top := make(map[string]any, maxInterests)
	for _, s := range shares[:min(len(shares), maxInterests)] {
		top[s.name] = float64(s.sum) / float64(all)
	}
	return top
}

// changes is the first moment after a day's beginning at which a value can change by itself; 0 for never.
func (f *fading) changes(t *Term, today int64) int64 {
	switch {
	case f.events == 0:
		return 0
	case t.Reducer == "decayed":
		return (today + 1) * microsOfDay
	}
	return (f.days[0].day + int64(len(t.weights))) * microsOfDay
}

// crosses is the moment at which the weight, which only falls by itself, comes to the other side of a number or leaves it.
func (f *fading) crosses(t *Term, number float64, today int64) int64 {
	if f.events == 0 {
		return 0
	}
	side := compareFloats(f.weight(today, t.weights), number)
	low, high := today, f.days[len(f.days)-1].day+int64(len(t.weights)) // on the high day there is nothing left
	if compareFloats(0, number) == side {
		return 0
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; compareFloats(f.weight(middle, t.weights), number) == side {
			low = middle
		} else {
			high = middle
		}
	}
	return high * microsOfDay
}
