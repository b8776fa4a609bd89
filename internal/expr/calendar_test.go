package expr

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDaysOfTheCalendar(t *testing.T) {
	at := func(text string) int64 {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment.UnixMicro()
	}
	for _, c := range []struct {
		now, text string
		want      bool
	}{
		{"2026-03-01T00:00:00Z", `anniversary(profile.born) == 0`, true},
		{"2026-02-28T23:59:59Z", `anniversary(profile.born) == 1`, true},
		{"2026-03-02T00:00:00Z", `anniversary(profile.born) == 364`, true},
		{"2026-02-22T12:00:00Z", `anniversary(profile.born) <= 7`, true},
		{"2026-02-21T12:00:00Z", `anniversary(profile.born) <= 7`, false},
		{"2026-02-28T23:30:00Z", `anniversary(profile.born, "Europe/Berlin") == 0`, true},
		{"2026-03-01T03:00:00Z", `anniversary(profile.born, "America/New_York") == 0`, false},
		{"2026-03-01T05:00:00Z", `anniversary(profile.born, "America/New_York") == 0`, true}, // a date is that day everywhere
		{"2026-03-01T00:00:00Z", `anniversary("2000-02-29") == 0`, true},
		{"2026-02-28T00:00:00Z", `anniversary("2000-02-29") == 1`, true},
		{"2028-02-29T00:00:00Z", `anniversary("2000-02-29") == 0`, true},
		{"2028-03-01T00:00:00Z", `anniversary("2000-02-29") == 0`, false},
		{"2026-01-10T12:00:00Z", `anniversary(profile.last_order_at) == 0`, true},
		{"2026-03-01T00:00:00Z", `years(profile.born) == 41`, true},
		{"2026-02-28T23:59:59Z", `years(profile.born) == 40`, true},
		{"2018-02-28T12:00:00Z", `years("2000-02-29") >= 18`, false}, // of age on 1 March: BGB § 188
		{"2018-03-01T00:00:00Z", `years("2000-02-29") >= 18`, true},
		{"2026-03-01T00:00:00Z", `years(profile.absent) >= 0`, false},
		{"2026-03-01T00:00:00Z", `anniversary(profile.country) >= 0`, false},
		{"1980-01-01T00:00:00Z", `years(profile.born) == -6`, true},
	} {
		p, err := Condition(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, naive := p.Result(scope(at(c.now), nil)), p.NaiveResult(scope(at(c.now), nil)); got != c.want || naive != c.want {
			t.Errorf("%s at %s: got %v, naively %v", c.text, c.now, got, naive)
		}
	}
	for text, says := range map[string]string{
		`anniversary(profile.born) > profile.x`: "number of days", `years(profile.born, "Mars") > 1`: "no time zone",
		`years(profile.born, profile.zone) > 1`: "time zone in quotes", `events("A").where(e, years(e.timestamp) > 1).exists()`: "cannot stand inside",
		`years(profile.born)`: "must be compared", `profile.tags.exists(x, years(x) > 1)`: "loop",
	} {
		wantFault(t, text, says)
	}
}

// Between now and the announced moment nothing changes, and the counts are those of walking through the days one by one.
func TestCalendarsChangeWhenTheySay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"anniversary", "years"}).Draw(t, "function")
		zone, err := time.LoadLocation(rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu"}).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Date(2015, 6, 1, 0, 0, 0, 0, time.UTC)
		born := date{time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 6000).Draw(t, "born"))}
		if rapid.IntRange(0, 9).Draw(t, "leap") == 0 {
			born = dateOf(1996, 2, 29)
		}
		now := begin.Add(time.Duration(rapid.IntRange(0, 4*365*24*60).Draw(t, "minute")) * time.Minute)
		number := rapid.IntRange(0, 30).Draw(t, "number")
		if rapid.IntRange(0, 3).Draw(t, "far") == 0 {
			number = rapid.IntRange(-2, 367).Draw(t, "further")
		}
		operator := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "operator")
		p, err := Condition(fmt.Sprintf("%s(%q, %q) %s %d", name, born.Format(time.DateOnly), zone, operator, number))
		if err != nil {
			t.Fatal(err)
		}
		walk := func(now time.Time) int {
			today := dateIn(now, zone)
			matches := func(d date) bool {
				if born.Month() == 2 && born.Day() == 29 && !isLeap(d.Year()) {
					return d.Month() == 3 && d.Day() == 1
				}
				return d.Month() == born.Month() && d.Day() == born.Day()
			}
			n := 0
			if name == "anniversary" {
				for d := today; !matches(d); d = d.plus(1) {
					n++
				}
				return n
			}
			for d := born.plus(1); !d.After(today.Time); d = d.plus(1) {
				if matches(d) {
					n++
				}
			}
			if born.After(today.Time) { // the years that are still to come, begun ones counted
				for d := today; d.Before(born.Time); d = d.plus(1) {
					if matches(d) {
						n--
					}
				}
				if n--; matches(today) {
					n++
				}
			}
			return n
		}
		want := func(now time.Time) bool {
			n := walk(now)
			return map[string]bool{"<": n < number, "<=": n <= number, ">": n > number, ">=": n >= number, "==": n == number, "!=": n != number}[operator]
		}
		result := func(now time.Time) any { return p.Result(scope(now.UnixMicro(), nil)) }
		if got := result(now); got != want(now) {
			t.Fatalf("%s at %v: got %v", p.Text, now, got)
		}
		end := now.AddDate(1, 2, 0)
		if next := p.NextChange(scope(now.UnixMicro(), nil)); next != 0 && time.UnixMicro(next).Before(end) {
			end = time.UnixMicro(next)
		}
		for at := now; at.Before(end); at = at.Add(5 * time.Hour) {
			if result(at) != result(now) {
				t.Fatalf("%s at %v changed at %v, before the announced %v", p.Text, now, at, end)
			}
		}
		if last := end.Add(-time.Microsecond); last.After(now) && result(last) != result(now) {
			t.Fatalf("%s at %v changed before the announced %v", p.Text, now, end)
		}
		if got := result(end); got != want(end) {
			t.Fatalf("%s at %v: got %v", p.Text, end, got)
		}
	})
}

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }
