// Package report is what a campaign was worth: who was reached, who answered, and which revenue it earned.
//
// Reports count people, not events: a customer who opens a message five times is one who opened. What a machine did (a
// privacy proxy that loads every picture, a scanner that follows every link) is counted apart and earns nothing.
package report

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// DefaultWindow is how long after a click or an open a conversion counts, where a campaign does not say.
const DefaultWindow = 5 * 24 * time.Hour

// Touch is a message as far as attribution is concerned. Times that did not happen are zero; those of machines do not
// count as having happened.
type Touch struct {
	MessageID int64
	Campaign  string
	SentAt    time.Time
	OpenedAt  time.Time // the last open by a person
	ClickedAt time.Time // the last click by a person
	// Window is how long after the open or click a conversion counts for the message's campaign; 0 is DefaultWindow.
	Window time.Duration
}

// Attribute gives the message that earned a conversion at the time at: the last touch. That is the message with the most
// recent click inside its window; without any, the one with the most recent open inside its window. A message that was
// neither opened nor clicked earns nothing. The window is closed on both ends: a click exactly one window before the
// conversion counts. Of two touches at one instant the later message wins (by time of sending, then by id), so that the
// answer does not depend on the order of touches.
func Attribute(touches []Touch, at time.Time) (Touch, bool) {
	for _, engaged := range []func(Touch) time.Time{
		func(t Touch) time.Time { return t.ClickedAt },
		func(t Touch) time.Time { return t.OpenedAt },
	} {
		var best Touch
		found := false
		for _, t := range touches {
			when := engaged(t)
			if when.IsZero() || when.After(at) || at.Sub(when) > t.window() {
				continue
			}
			if !found || later(t, best, engaged) {
				best, found = t, true
			}
		}
		if found {
			return best, true
		}
	}
	return Touch{}, false
}

func (t Touch) window() time.Duration {
	if t.Window <= 0 {
		return DefaultWindow
	}
	return t.Window
}

func later(a, b Touch, engaged func(Touch) time.Time) bool {
	if c := engaged(a).Compare(engaged(b)); c != 0 {
		return c > 0
	}
	if c := a.SentAt.Compare(b.SentAt); c != 0 {
		return c > 0
	}
	return a.MessageID > b.MessageID
}

// Revenue reads the worth of a conversion from its event's properties: the named property, or "total" where name is
// empty; where that is missing or no number, "revenue"; else 0. Numbers may be written as text, as some shops do.
func Revenue(properties map[string]any, name string) float64 {
	if name == "" {
		name = "total"
	}
	for _, key := range []string{name, "revenue"} {
		if v, ok := number(properties[key]); ok {
			return v
		}
	}
	return 0
}

func number(v any) (f float64, ok bool) {
	switch v := v.(type) {
	case float64:
		f, ok = v, true
	case int64:
		f, ok = float64(v), true
	case int:
		f, ok = float64(v), true
	case json.Number:
		n, err := v.Float64()
		f, ok = n, err == nil
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		f, ok = n, err == nil
	}
	return f, ok && !math.IsNaN(f) && !math.IsInf(f, 0)
}
