package report

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var order = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return order.Add(-d) }

const day = 24 * time.Hour

func TestTheLastTouchEarnsTheOrder(t *testing.T) {
	cases := []struct {
		name    string
		touches []Touch
		want    int64 // 0: nobody
	}{
		{"no messages", nil, 0},
		{"sent only", []Touch{{MessageID: 1, SentAt: ago(day)}}, 0},
		{"opened", []Touch{{MessageID: 1, SentAt: ago(2 * day), OpenedAt: ago(day)}}, 1},
		{"a click beats a later open", []Touch{
			{MessageID: 1, ClickedAt: ago(3 * day), OpenedAt: ago(3 * day)}, {MessageID: 2, OpenedAt: ago(time.Hour)},
		}, 1},
		{"the later click", []Touch{{MessageID: 1, ClickedAt: ago(2 * day)}, {MessageID: 2, ClickedAt: ago(day)}}, 2},
		{"the later open", []Touch{{MessageID: 1, OpenedAt: ago(day)}, {MessageID: 2, OpenedAt: ago(2 * day)}}, 1},
		{"a click outside the window leaves the open", []Touch{
			{MessageID: 1, ClickedAt: ago(6 * day)}, {MessageID: 2, OpenedAt: ago(4 * day)},
		}, 2},
		{"exactly at the window's end", []Touch{{MessageID: 1, ClickedAt: ago(5 * day)}}, 1},
		{"a microsecond beyond", []Touch{{MessageID: 1, ClickedAt: ago(5*day + time.Microsecond)}}, 0},
		{"after the order", []Touch{{MessageID: 1, ClickedAt: order.Add(time.Microsecond)}}, 0},
		{"each campaign has its window", []Touch{
			{MessageID: 1, ClickedAt: ago(2 * day), Window: day}, {MessageID: 2, ClickedAt: ago(8 * day), Window: 10 * day},
		}, 2},
		{"a tie goes to the later message", []Touch{
			{MessageID: 1, SentAt: ago(2 * day), ClickedAt: ago(day)}, {MessageID: 2, SentAt: ago(3 * day), ClickedAt: ago(day)},
		}, 1},
	}
	for _, c := range cases {
		got, ok := Attribute(c.touches, order)
		if ok != (c.want != 0) || got.MessageID != c.want {
			t.Errorf("%s: message %d, %v; want %d", c.name, got.MessageID, ok, c.want)
		}
	}
}

func TestAttributionDoesNotDependOnOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		touches := make([]Touch, 1+random.IntN(6))
		for i := range touches {
			touches[i] = Touch{MessageID: int64(i + 1), SentAt: ago(time.Duration(random.IntN(3)) * day)}
			if random.IntN(2) == 0 {
				touches[i].OpenedAt = ago(time.Duration(random.IntN(7)) * day)
			}
			if random.IntN(3) == 0 {
				touches[i].ClickedAt = ago(time.Duration(random.IntN(7)) * day)
			}
		}
		want, _ := Attribute(touches, order)
		random.Shuffle(len(touches), func(i, j int) { touches[i], touches[j] = touches[j], touches[i] })
		if got, _ := Attribute(touches, order); got.MessageID != want.MessageID {
			t.Fatalf("message %d, then %d, of the same touches %+v", want.MessageID, got.MessageID, touches)
		}
	}
}

func TestRevenueReadsTheProperty(t *testing.T) {
	cases := []struct {
		properties map[string]any
		name       string
		want       float64
	}{
		{nil, "", 0},
		{map[string]any{"total": 12.5, "revenue": 10.0}, "", 12.5},
		{map[string]any{"revenue": 10.0}, "total", 10},
		{map[string]any{"total": "n/a", "revenue": "10.50"}, "total", 10.5},
		{map[string]any{"margin": -3.0, "revenue": 10.0}, "margin", -3},
		{map[string]any{"total": math.Inf(1)}, "", 0},
		{map[string]any{"total": "NaN"}, "", 0},
		{map[string]any{"total": []any{1.0}}, "", 0},
	}
	for _, c := range cases {
		if got := Revenue(c.properties, c.name); got != c.want {
			t.Errorf("%v %q: %v, want %v", c.properties, c.name, got, c.want)
		}
	}
}
