package expr

import (
	"math"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// date is a day of the calendar, as midnight UTC of that day whatever zone it is a day of.
type date struct{ time.Time }

func dateOf(year int, month time.Month, day int) date {
	return date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// dateIn is the day that it is in a zone at a moment.
func dateIn(t time.Time, zone *time.Location) date { return dateOf(t.In(zone).Date()) }

// asDate reads a value as a day: a text without a time of day as it stands, a time as the day that it falls on in the
// zone.
func asDate(v ref.Val, zone *time.Location) (date, bool) {
	if s, ok := v.(types.String); ok {
		if t, err := time.Parse(time.DateOnly, string(s)); err == nil {
			return date{t}, true
		}
	}
	at, ok := asTime(v).(types.Timestamp)
	if !ok {
		return date{}, false
	}
	return dateIn(at.Time, zone), true
}

// begins is the first moment of the day in a zone.
func (d date) begins(zone *time.Location) time.Time {
	t := time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, zone)
	if dateIn(t, zone).Before(d.Time) { // midnight was skipped: the day begins where the clocks have moved
		_, t = t.ZoneBounds()
	}
	return t
}

// in is the day's anniversary in a year. That of 29 February is 1 March in a year without one, as in English and German
// law.
func (d date) in(year int) date { return dateOf(year, d.Month(), d.Day()) }

func (d date) plus(days int) date { return date{d.AddDate(0, 0, days)} }

// untilAnniversary counts the days from today to the next anniversary of d: 0 on the day itself, at most 365.
func untilAnniversary(d, today date) int {
	next := d.in(today.Year())
	if next.Before(today.Time) {
		next = d.in(today.Year() + 1)
	}
	return int(next.Sub(today.Time) / (24 * time.Hour))
}

// yearsSince counts the whole years from d to today; below 0 when d is still to come.
func yearsSince(d, today date) int {
	years := today.Year() - d.Year()
	if today.Before(d.in(today.Year()).Time) {
		years--
	}
	return years
}

// anniversaryChanges lists, among others, the next moment at which the comparison of anniversary(d) with a number can
// turn.
func anniversaryChanges(d date, number float64, now time.Time, zone *time.Location) []time.Time {
	days := int(math.Floor(number))
	var moments []time.Time
	today := dateIn(now, zone)
	for year := today.Year(); year <= today.Year()+2; year++ {
		next := d.in(year)
		for _, day := range []date{next.plus(-days), next.plus(-days - 1), next.plus(-days + 1), next.plus(1)} {
			moments = append(moments, day.begins(zone))
		}
	}
	return moments
}

// yearsChanges is the same for years(d).
func yearsChanges(d date, number float64, _ time.Time, zone *time.Location) []time.Time {
	years := d.Year() + int(math.Floor(number))
	return []time.Time{d.in(years).begins(zone), d.in(years + 1).begins(zone)}
}

// overCalendar makes the function of now, a value and a zone that compares days.
func overCalendar(count func(d, today date) int) func(args ...ref.Val) ref.Val {
	return func(args ...ref.Val) ref.Val {
		name, _ := args[2].(types.String)
		zone, err := mappingZones.get(string(name), time.LoadLocation)
		if err != nil {
			return missingValue
		}
		d, ok := asDate(args[1], zone)
		if !ok {
			return missingValue
		}
		return types.Int(count(d, dateIn(args[0].(types.Timestamp).Time, zone)))
	}
}
