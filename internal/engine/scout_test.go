package engine_test

import (
	"context"
	"testing"

	"github.com/tailorbird/tailorbird/internal/event"
)

// What was read ahead of the loop counts only as far as it is still so: not where the profile changed, was written and left memory
// meanwhile, where its identifier came to somebody, or where the same event was taken, once or several commits ago.
func TestWhatWasReadAheadIsNotBelievedForLong(t *testing.T) {
	for name, others := range map[string]func(f *fixture) [][]*event.Event{
		"nothing happens":     func(*fixture) [][]*event.Event { return nil },
		"her profile changes": func(f *fixture) [][]*event.Event { return some(f, track("ada", "Bought", nil)) },
		"it changes twice": func(f *fixture) [][]*event.Event {
			return some(f, track("ada", "Bought", nil), track("ada", "Bought", nil))
		},
		"it changes long before": func(f *fixture) [][]*event.Event {
			return some(f, track("ada", "Bought", nil), track("eve", "Bought", nil))
		},
		"others change":                 func(f *fixture) [][]*event.Event { return some(f, track("eve", "Bought", nil)) },
		"she comes to be":               func(f *fixture) [][]*event.Event { return some(f, track("new", "Bought", nil)) },
		"she comes to be another":       func(f *fixture) [][]*event.Event { return some(f, alias("ada", "new")) },
		"an event is taken":             func(f *fixture) [][]*event.Event { return some(f, twice()) },
		"an event is taken, and others": func(f *fixture) [][]*event.Event { return some(f, twice(), track("eve", "Bought", nil)) },
		"an event is taken, and many others": func(f *fixture) [][]*event.Event {
			return some(f, twice(), track("eve", "1", nil), track("eve", "2", nil), track("eve", "3", nil), track("eve", "4", nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, t.TempDir(), epoch, compile(t, map[string]string{
				"buyers": `events("Bought").count() >= 1`, "regulars": `events("Bought").count() >= 3`,
			}, map[string]string{"bought": `events("Bought").count()`}))
			defer f.close()
			f.send(epoch, track("ada", "Bought", nil))
			before := others(f)
			waiting := []*event.Event{f.decode(epoch, twice()), f.decode(epoch, track("new", "Bought", nil)), f.decode(epoch, track("ada", "Bought", nil))}
			if err := f.IngestBehind(context.Background(), waiting, before...); err != nil {
				t.Fatal(err)
			}
			distinct, bought := map[string]bool{}, map[string]float64{"ada": 1}
			same := "new" // as whom
			for _, events := range append(before, waiting) {
				for _, ev := range events {
					if ev.Type == event.Alias {
						same = "ada"
					}
					if ev.Name == "Bought" && !distinct[ev.MessageID] {
						bought[ev.UserID]++
					}
					distinct[ev.MessageID] = true
				}
			}
			if n := f.eventCount(); n != int64(1+len(distinct)) {
				t.Errorf("%d events are stored of %d", n, 1+len(distinct))
			}
			if same == "ada" {
				bought["ada"] += bought["new"]
				bought["new"] = bought["ada"]
			}
			for who, n := range bought {
				if have := f.profile("user_id", who).Computed.Get("bought"); have != n {
					t.Errorf("%s bought %v times, not %v", who, have, n)
				}
			}
			f.verify()
		})
	}
}

// What was written is kept to be compared with what was read before, and not for longer.
func TestWhatWasWrittenIsForgotten(t *testing.T) {
	f := start(t, t.TempDir(), epoch, compile(t, nil, nil))
	defer f.close()
	f.send(epoch, track("ada", "Bought", nil))
	f.settle()
	if kept, err := f.Frozen(context.Background()); kept > 0 || err != nil {
		t.Errorf("%d are kept, %v", kept, err)
	}
}

// some are events of a group each.
func some(f *fixture, bodies ...map[string]any) (groups [][]*event.Event) {
	for _, body := range bodies {
		groups = append(groups, []*event.Event{f.decode(epoch, body)})
	}
	return groups
}

// twice is an event that is sent more than once.
func twice() map[string]any {
	body := track("ada", "Bought", nil)
	body["messageId"] = "twice"
	return body
}

func alias(from, to string) map[string]any {
	return map[string]any{"type": "alias", "previousId": from, "userId": to}
}
