package segment

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // schedules name time zones, also where the system knows none

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Schedule is when the query of an SQL segment runs. The zero value is: when somebody asks.
type Schedule struct {
	every time.Duration // whole days where at is used
	at    time.Duration // after midnight
	zone  *time.Location
}

// DefaultSchedule is what an SQL segment has that names none.
const DefaultSchedule = "1h"

// onDemand is the schedule of a query that runs when somebody asks, and whenever it changes.
const onDemand = "on demand"

// The bounds of a schedule.
const (
	shortest = 5 * time.Minute
	longest  = 31 * 24 * time.Hour
)

const wholeDay = 24 * time.Hour

var schedulePattern = regexp.MustCompile(`^(?:every )?(\d{1,4})([mhd])(?: at (\d{1,2}):(\d{2})(?: ([A-Za-z0-9_+/-]{1,64}))?)?$`)

// ParseSchedule reads "15m", "1h", "1d", "1d at 06:00" or "1d at 06:00 Europe/Berlin", with or without "every" before it,
// and "on demand". Times of day are UTC where no time zone is named. It is DefaultSchedule for "". Errors are
// Invalid with Field "schedule".
func ParseSchedule(text string) (Schedule, error) {
	wrong := func(format string, args ...any) (Schedule, error) {
		return Schedule{}, fault.Field("schedule", format, args...)
	}
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		text = DefaultSchedule
	}
	if text == onDemand {
		return Schedule{}, nil
	}
	m := schedulePattern.FindStringSubmatch(text)
	if m == nil {
		return wrong("is %.60q; write 15m, 1h, 1d, 1d at 06:00 Europe/Berlin, or on demand", text)
	}
	n, _ := strconv.Atoi(m[1])
	s := Schedule{every: time.Duration(n) * map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": wholeDay}[m[2]], zone: time.UTC}
	if s.every < shortest || s.every > longest {
		return wrong("is %s; a query runs every 5m at most, and every 31d at least", text)
	}
	if m[3] == "" {
		return s, nil
	}
	if m[2] != "d" {
		return wrong("is %s; a time of day goes with days, such as 1d at 06:00", text)
	}
	hour, _ := strconv.Atoi(m[3])
	minute, _ := strconv.Atoi(m[4])
	if hour > 23 || minute > 59 {
		return wrong("is %s; the time of day is from 00:00 to 23:59", text)
	}
	s.at = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	if m[5] != "" {
		zone, err := time.LoadLocation(m[5])
		if err != nil || m[5] == "Local" {
			return wrong("names the time zone %s, which is none; write one such as Europe/Berlin", m[5])
		}
		s.zone = zone
	}
	return s, nil
}

// String writes a schedule as ParseSchedule reads it.
func (s Schedule) String() string {
	switch {
	case s.every == 0:
		return onDemand
	case s.every%wholeDay == 0:
		text := fmt.Sprintf("%dd", s.every/wholeDay)
		if s.at != 0 || s.zone != time.UTC {
			text += fmt.Sprintf(" at %02d:%02d", s.at/time.Hour, s.at%time.Hour/time.Minute)
		}
		if s.zone != time.UTC {
			text += " " + s.zone.String()
		}
		return text
	case s.every%time.Hour == 0:
		return fmt.Sprintf("%dh", s.every/time.Hour)
	}
	return fmt.Sprintf("%dm", s.every/time.Minute)
}

// Next is the first moment of the schedule after another; zero for one on demand. Minutes and hours are counted since
// 1970, and so are days, each from its own midnight: a day that has no 02:30 has it an hour later, and one that has two
// uses one of them.
func (s Schedule) Next(after time.Time) time.Time {
	switch {
	case s.every == 0:
		return time.Time{}
	case s.every%wholeDay != 0:
		return time.UnixMicro(after.UnixMicro() - floorMod(after.UnixMicro(), s.every.Microseconds())).Add(s.every).UTC()
	}
	days := int64(s.every / wholeDay)
	local := after.In(s.zone)
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC).Unix() / int64(wholeDay/time.Second)
	for day := today - floorMod(today, days); ; day += days {
		date := time.Unix(day*int64(wholeDay/time.Second), 0).UTC()
		next := time.Date(date.Year(), date.Month(), date.Day(), int(s.at/time.Hour), int(s.at%time.Hour/time.Minute), 0, 0, s.zone)
		if next.After(after) {
			return next.UTC()
		}
	}
}

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }
