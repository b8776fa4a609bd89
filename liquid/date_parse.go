package liquid

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxDateText is the longest text that is taken for a date.
const maxDateText = 128

// parseDate reads a date in text, in any of the usual ways: RFC 2822, "March 14, 2016", "14 Mar 2016 5pm",
// "14/3/2016", "now" and "today". What it does not say is taken from the day of the clock; a text without zone is in
// local.
func parseDate(s string, clock func() time.Time, local *time.Location) (time.Time, bool) {
	if s == "" || len(s) > maxDateText {
		return time.Time{}, false
	}
	s = strings.ToLower(s)
	if s == "now" || s == "today" {
		return clock().In(local), true
	}
	d := dateText{rest: s}
	d.takeTime()
	d.takeDate()
	return d.resolve(clock, local)
}

// parseISO reads 2006-01-02, with an optional time and zone.
func parseISO(s string, local *time.Location) (time.Time, bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	layout := "2006-01-02"
	if len(s) > 10 {
		if s[10] != 'T' && s[10] != 't' && s[10] != ' ' || len(s) < 16 {
			return time.Time{}, false
		}
		layout += s[10:11] + "15:04"
		rest := s[16:]
		if len(rest) >= 3 && rest[0] == ':' {
			layout += ":05"
			rest = rest[3:]
			for len(rest) > 0 && (rest[0] == '.' || isDigit(rest[0])) {
				rest = rest[1:]
			}
		}
		switch {
		case rest == "":
		case rest == "Z" || rest == " UTC":
			layout += strings.Replace(rest, "Z", "Z07:00", 1)
		case rest[0] == ' ' && len(rest) == 6:
			layout += " -0700"
		case len(rest) == 6:
			layout += "-07:00"
		case len(rest) == 5:
			layout += "-0700"
		default:
			return time.Time{}, false
		}
	}
	t, err := time.ParseInLocation(layout, s, local)
	return t, err == nil
}

// dateText is a date while it is read: the text not yet understood and the parts found so far.
type dateText struct {
	rest                    string
	year, month, day        int
	yearDay                 int // instead of month and day
	hour, minute, second    int
	nanosecond, offset      int
	hasDate, hasTime, zoned bool
	isWeekday               bool
	weekday                 time.Weekday
}

var (
	timeText = regexp.MustCompile(`(\d{1,2})(?::(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*([ap])?(?:\.?m\b\.?)?|\s*([ap])\.?m\b\.?)`)
	zoneText = regexp.MustCompile(`^\s*(?:(z|utc|gmt|[ecmp][sd]t|cet|cest|bst|jst)\b|(?:utc|gmt)?([+-])(\d{1,2}):?(\d{2})?)`)

	isoText      = regexp.MustCompile(`([+-]?\d{4,})-(\d{1,2})-(\d{1,2})`)
	dayMonthText = regexp.MustCompile(`(\d{1,2})(?:st|nd|rd|th)?[\s.-]+(?:of\s+)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?:[\s,.-]*('?-?\d+))?`)
	monthDayText = regexp.MustCompile(`\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?:[\s-]*(\d{1,2})(?:st|nd|rd|th)?\b)?(?:[\s,]*('?-?\d{1,}))?`)
	ordinalText  = regexp.MustCompile(`\b(\d{4})-?(\d{3})\b`)
	slashText    = regexp.MustCompile(`(\d+)/(\d+)(?:/(\d+))?`)
	dotText      = regexp.MustCompile(`(\d+)\.(\d+)\.(\d+)`)
	digitText    = regexp.MustCompile(`\b(\d{4})(\d{2})(\d{2})(?:t?(\d{2})(\d{2})(\d{2})?)?\b`)
	weekdayText  = regexp.MustCompile(`\b(sun|mon|tue|wed|thu|fri|sat)[a-z]*\b`)
)

const (
	monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"
	dayNames   = "sunmontuewedthufrisat"
)

var zoneHours = map[string]int{
	"z": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
	"cet": 1, "cest": 2, "bst": 1, "jst": 9,
}

// take removes what a pattern matches from the text and returns its groups.
func (d *dateText) take(pattern *regexp.Regexp) []string {
	at := pattern.FindStringSubmatchIndex(d.rest)
	if at == nil {
		return nil
	}
	groups := make([]string, len(at)/2)
	for i := range groups {
		if at[2*i] >= 0 {
			groups[i] = d.rest[at[2*i]:at[2*i+1]]
		}
	}
	d.rest = d.rest[:at[0]] + " " + d.rest[at[1]:]
	return groups
}

func (d *dateText) takeTime() {
	at := timeText.FindStringIndex(d.rest)
	g := d.take(timeText)
	if g == nil {
		return
	}
	d.hasTime = true
	d.hour, d.minute, d.second = number0(g[1]), number0(g[2]), number0(g[3])
	if g[4] != "" {
		d.nanosecond = number0((g[4] + "000000000")[:9])
	}
	if half := g[5] + g[6]; half != "" {
		d.hour %= 12
		if half == "p" {
			d.hour += 12
		}
	}
	head, tail := d.rest[:at[0]], d.rest[at[0]:]
	if m := zoneText.FindStringSubmatchIndex(tail); m != nil {
		z := zoneText.FindStringSubmatch(tail)
		d.zoned = true
		if z[1] != "" {
			d.offset = zoneHours[z[1]] * 3600
		} else {
			d.offset = number0(z[3])*3600 + number0(z[4])*60
			if z[2] == "-" {
				d.offset = -d.offset
			}
		}
		d.rest = head + " " + tail[m[1]:]
	}
}

func number0(s string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(s, "'"))
	return n
}

func (d *dateText) takeDate() {
	if g := d.take(weekdayText); g != nil {
		d.isWeekday = true
		d.weekday = time.Weekday(strings.Index(dayNames, g[1]) / 3)
	}
	if g := d.take(dayMonthText); g != nil {
		d.setDate(g[3], strings.Index(monthNames, g[2])/3+1, g[1])
	} else if g := d.take(monthDayText); g != nil {
		d.setDate(g[3], strings.Index(monthNames, g[1])/3+1, g[2])
	} else if g := d.take(isoText); g != nil {
		d.setDate(g[1], number0(g[2]), g[3])
	} else if g := d.take(ordinalText); g != nil {
		d.setDate(g[1], 1, "1")
		d.yearDay = number0(g[2])
	} else if g := d.take(slashText); g != nil {
		d.setOrdered(g[1], g[2], g[3])
	} else if g := d.take(dotText); g != nil {
		d.setOrdered(g[1], g[2], g[3])
	} else if g := d.take(digitText); g != nil {
		d.setDate(g[1], number0(g[2]), g[3])
		if g[4] != "" {
			d.hasTime = true
			d.hour, d.minute, d.second = number0(g[4]), number0(g[5]), number0(g[6])
		}
	}
}

// setOrdered reads year/month/day, or day/month/year where only the last one can be the year.
func (d *dateText) setOrdered(first, second, third string) {
	switch {
	case third == "":
		d.setDate("", number0(first), second)
	case len(third) > 2:
		d.setDate(third, number0(second), first)
	default:
		d.setDate(first, number0(second), third)
	}
}

func (d *dateText) setDate(year string, month int, day string) {
	d.hasDate = true
	d.year, d.month, d.day = -1<<31, month, 1
	if day != "" {
		d.day = number0(day)
	}
	if year == "" {
		return
	}
	d.year = number0(year)
	if digits := strings.TrimPrefix(year, "'"); len(digits) <= 2 && d.year >= 0 {
		if d.year += 1900; d.year < 1969 {
			d.year += 100
		}
	}
}

func (d *dateText) resolve(clock func() time.Time, local *time.Location) (time.Time, bool) {
	if !d.hasDate && !d.hasTime {
		return time.Time{}, false
	}
	zone := local
	if d.zoned {
		zone = time.UTC
		if d.offset != 0 {
			zone = time.FixedZone("", d.offset)
		}
	}
	now := clock().In(zone)
	switch {
	case !d.hasDate:
		d.year, d.month, d.day = now.Year(), int(now.Month()), now.Day()
		if d.isWeekday {
			d.day += int(d.weekday - now.Weekday())
		}
	case d.year == -1<<31:
		d.year = now.Year()
	}
	if d.month < 1 || d.month > 12 || d.day < -6 || d.hasDate && d.day < 1 || d.hour > 24 || d.minute > 59 || d.second > 60 {
		return time.Time{}, false
	}
	if d.yearDay > 0 {
		d.day = d.yearDay
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, d.nanosecond, zone)
	if d.yearDay > 0 {
		return t, t.Year() == d.year
	}
	return t, !d.hasDate || d.day <= 31
}
