package expr

import (
	"fmt"
	"testing"
	"time"
)

// onDays makes events of one name at noon on days counted from the first of January 2026.
func onDays(days ...int) (events []*Event) {
	for i, d := range days {
		at := time.Date(2026, 1, 1+d, 12, 0, 0, 0, time.UTC)
		events = append(events, &Event{MessageID: fmt.Sprint("m", i), Name: "A", At: at.UnixMicro(), Tie: uint64(i)})
	}
	return events
}

func TestLifecycle(t *testing.T) {
	from := func(d time.Duration) time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).Add(d) }
	const day = 24 * time.Hour
	for _, c := range []struct {
		days []int
		text string
		at   time.Time
		want any
	}{
		{nil, `lifecycle()`, from(0), nil},
		// One event: 30 days are the typical gap.
		{[]int{0}, `lifecycle()`, from(0), "new"},
		{[]int{0}, `lifecycle()`, from(60*day - 1000), "new"},
		{[]int{0}, `lifecycle()`, from(60 * day), "at_risk"},
		{[]int{0}, `lifecycle()`, from(120 * day), "lapsed"},
		{[]int{0}, `lifecycle()`, from(240 * day), "lost"},
		{[]int{0}, `lifecycle("10d")`, from(20 * day), "at_risk"},
		{[]int{0, 0}, `lifecycle()`, from(day), "new"},
		// Days 0, 9 and 18: (30 + 18) / 3 = 16.
		{[]int{0, 9, 18}, `lifecycle()`, from((18 + 32) * day).Add(-time.Microsecond), "active"},
		{[]int{0, 9, 18}, `lifecycle()`, from((18 + 32) * day), "at_risk"},
		{[]int{0, 9, 18}, `lifecycle()`, from((18 + 64) * day), "lapsed"},
		{[]int{0, 9, 18}, `lifecycle()`, from((18 + 128) * day), "lost"},
		{[]int{0, 9, 18}, `lifecycle("30d", "90d", "180d")`, from((18 + 30) * day).Add(-time.Microsecond), "active"},
		{[]int{0, 9, 18}, `lifecycle("30d", "90d", "180d")`, from((18 + 30) * day), "at_risk"},
		{[]int{0, 9, 18}, `lifecycle("30d", "90d", "180d")`, from((18 + 180) * day), "lost"},
		{[]int{0, 9, 18}, `within("10d").lifecycle()`, from(20 * day), "new"},
	} {
		p, err := Value(`events("A").` + c.text)
		if err != nil {
			t.Fatal(err)
		}
		s := scope(c.at.UnixMicro(), onDays(c.days...))
		if got, naive := p.Result(s), p.NaiveResult(s); got != c.want || naive != c.want {
			t.Errorf("%s over days %v at %v: got %v, naively %v, want %v", c.text, c.days, c.at, got, naive, c.want)
		}
	}
}

// A customer who does nothing is woken three times in all.
func TestLifecycleWakesAtItsStages(t *testing.T) {
	p, err := Value(`events("A").lifecycle()`)
	if err != nil {
		t.Fatal(err)
	}
	s := scope(onDays(0)[0].At, onDays(0))
	var woken []string
	for next := p.NextChange(s); next != 0; next = p.NextChange(s) {
		s.Now = next
		woken = append(woken, p.Result(s).(string))
	}
	if fmt.Sprint(woken) != "[at_risk lapsed lost]" {
		t.Error(woken)
	}
}
