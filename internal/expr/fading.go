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

// weightOf is what an event of an age in days counts.
func weightOf(age int64, halfLife time.Duration) float64 {
	return math.Exp2(-float64(age) / (float64(halfLife) / float64(24*time.Hour)))
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
	pairs  int         // values in all days together
	events int64
	floor  int64 // days before it are not seen
}

type fadingDay struct {
	day    int64
	counts []named // by name
}

type named struct {
	name string
	n    int64
}

// add counts n events of a value.
func (f *fading) add(day int64, name string, n int64) {
	if day < f.floor {
		return
	}
	i, found := slices.BinarySearchFunc(f.days, day, func(d fadingDay, day int64) int { return cmp.Compare(d.day, day) })
	if !found {
		f.days = slices.Insert(f.days, i, fadingDay{day: day})
	}
	d := &f.days[i]
	j, found := slices.BinarySearchFunc(d.counts, name, func(c named, name string) int { return strings.Compare(c.name, name) })
	if !found {
		d.counts = slices.Insert(d.counts, j, named{name: name})
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
			f.add(d.day, c.name, c.n)
		}
	}
}

// weight is what all count on a day.
func (f *fading) weight(today int64, halfLife time.Duration) float64 {
	var sum exactSum
	horizon := horizonOf(halfLife)
	for _, d := range f.days {
		if age := today - d.day; age < horizon {
			for _, c := range d.counts {
				sum.addProduct(float64(c.n), weightOf(age, halfLife))
			}
		}
	}
	return sum.value()
}

// addProduct adds a · b, which both parts of it make exactly (Dekker's product, with a fused multiplication).
func (s *exactSum) addProduct(a, b float64) {
	product := a * b
	s.add(product)
	if rest := math.FMA(a, b, -product); rest != 0 {
		s.add(rest)
	}
}

// shares are what the values with the most weight have of it all. Only the differences between days count, so that
// shares stay as they are while time passes.
func (f *fading) shares(halfLife time.Duration) map[string]any {
	newest := f.days[len(f.days)-1].day
	sums := map[string]*exactSum{}
	var all exactSum
	for _, d := range f.days {
		weight := weightOf(newest-d.day, halfLife)
		for _, c := range d.counts {
			if sums[c.name] == nil {
				sums[c.name] = &exactSum{}
			}
			sums[c.name].addProduct(float64(c.n), weight)
			all.addProduct(float64(c.n), weight)
		}
	}
	type share struct {
		name string
		of   float64
	}
	total := all.value()
	shares := make([]share, 0, len(sums))
	for name, sum := range sums {
		shares = append(shares, share{name, sum.value() / total})
	}
	slices.SortFunc(shares, func(a, b share) int { return cmp.Or(cmp.Compare(b.of, a.of), strings.Compare(a.name, b.name)) })
	top := map[string]any{}
	for _, s := range shares[:min(len(shares), maxInterests)] {
		top[s.name] = s.of
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
	return (f.days[0].day + horizonOf(t.halfLife)) * microsOfDay
}

// crosses is the moment at which the weight, which only falls by itself, comes to the other side of a number or leaves it.
func (f *fading) crosses(t *Term, number float64, today int64) int64 {
	if f.events == 0 {
		return 0
	}
	side := compareFloats(f.weight(today, t.halfLife), number)
	low, high := today, f.days[len(f.days)-1].day+horizonOf(t.halfLife) // on the high day there is nothing left
	if compareFloats(0, number) == side {
		return 0
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; compareFloats(f.weight(middle, t.halfLife), number) == side {
			low = middle
		} else {
			high = middle
		}
	}
	return high * microsOfDay
}
