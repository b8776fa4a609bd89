package segment

import (
	"testing"
	"time"
)

func TestScheduleIsReadAndWritten(t *testing.T) {
	for text, want := range map[string]string{
		"": "1h", "15m": "15m", "every 15m": "15m", "60m": "1h", "24h": "1d", "1d": "1d", "1d at 00:00": "1d", "7d at 6:05": "7d at 06:05",
		"every  1d at 03:30 Europe/Berlin": "1d at 03:30 Europe/Berlin", "1d at 00:00 Europe/Berlin": "1d at 00:00 Europe/Berlin", "on demand": "on demand",
		"90m": "90m", "31d": "31d", "5m": "5m",
	} {
		s, err := ParseSchedule(text)
		if err != nil || s.String() != want {
			t.Errorf("%q is %q, want %q (%v)", text, s, want, err)
		}
		if again, err := ParseSchedule(s.String()); err != nil || again.String() != want {
			t.Errorf("%q reads back as %v, %v", s, again, err)
		}
	}
	for _, wrong := range []string{
		"4m", "32d", "0h", "1w", "1h at 03:00", "1d at 24:00", "1d at 03:60", "1d at 03:00 Mars/Olympus", "1d at 03:00 Local", "* * * * *", "-1h", "1d at 03",
		"99999d", "1d at 03:00 ../../etc/passwd",
	} {
		if s, err := ParseSchedule(wrong); err == nil {
			t.Errorf("%q was read as %v", wrong, s)
		}
	}
}

// The moments are those that a calendar on the wall would name.
func TestScheduleNext(t *testing.T) {
	for _, c := range []struct{ schedule, after, want string }{
		{"15m", "2026-03-01T10:07:00Z", "2026-03-01T10:15:00Z"},
		{"15m", "2026-03-01T10:15:00Z", "2026-03-01T10:30:00Z"},
		{"1h", "2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z"},
		{"1d", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"},
		{"1d at 06:00", "2026-03-01T05:59:00Z", "2026-03-01T06:00:00Z"},
		{"1d at 06:00", "2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z"},
		{"1d at 06:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T04:00:00Z"}, // summer time begins that night
		{"1d at 06:00 Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T05:00:00Z"}, // and ends that one
		{"1d at 02:30 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"}, // 02:30 is not on that day: 03:30 is
		{"1d at 02:30 Europe/Berlin", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"},
		{"1d at 23:00 America/New_York", "2026-01-02T03:30:00Z", "2026-01-02T04:00:00Z"},
		{"7d at 12:00", "1970-01-01T12:00:00Z", "1970-01-08T12:00:00Z"},
		{"7d at 12:00", "1970-01-01T11:00:00Z", "1970-01-01T12:00:00Z"},
	} {
		s, err := ParseSchedule(c.schedule)
		if err != nil {
			t.Fatal(err)
		}
		after, _ := time.Parse(time.RFC3339, c.after)
		if got := s.Next(after).Format(time.RFC3339); got != c.want {
			t.Errorf("%s after %s is %s, want %s", c.schedule, c.after, got, c.want)
		}
	}
}
