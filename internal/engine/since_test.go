package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// sinceRules are conditions that time makes true and false, and sinceWindows what of an event's time does.
var (
	sinceRules = map[string]string{
		"busy": `events("A").within("3d").count() >= 2`, "once": `events("A").within("1d").count() == 1`, "quiet": `!events().within("2d").exists()`,
		"lost": `events("B").exists() && !events("A").within("36h").exists()`, "vips": `profile.vip == true && events("A").within("5d").count() < 2`,
		"mix": `"quiet" in segments || "once" in segments`,
	}
	sinceWindows = []time.Duration{0, 24 * time.Hour, 36 * time.Hour, 48 * time.Hour, 72 * time.Hour, 120 * time.Hour}
	sinceOrder   = []string{"busy", "once", "quiet", "lost", "vips", "mix"} // of use
)

// life is what one customer did, in the order of its arrival.
type life struct {
	happened []*expr.Event
	arrived  []int64
	vip      []any // what was told with each, nil: nothing
}

// sincePrograms compiles the conditions.
func sincePrograms(t fataler) map[string]*expr.Program {
	programs := map[string]*expr.Program{}
	for name, text := range sinceRules {
		var err error
		if programs[name], err = expr.Condition(text); err != nil {
			t.Fatal(err)
		}
	}
	return programs
}

// segments works out from the naive reading alone in which segments the customer is at a moment.
func (l *life) segments(programs map[string]*expr.Program, at int64) map[string]bool {
	in := map[string]bool{}
	scope := &expr.Scope{
		Now: at, Preference: func(string) (any, bool) { return nil, false }, InSegment: func(name string) bool { return in[name] },
		Trait: func(name string) (vip any, known bool) {
			for i, v := range l.vip {
				if name == "vip" && v != nil && l.arrived[i] <= at {
					vip, known = v, true
				}
			}
			return vip, known
		},
	}
	for i, e := range l.happened {
		if l.arrived[i] <= at && e.At <= at {
			scope.Events = append(scope.Events, e)
		}
	}
	slices.SortStableFunc(scope.Events, func(a, b *expr.Event) int { return int(a.At - b.At) })
	for _, name := range sinceOrder {
		in[name] = programs[name].NaiveResult(scope) == true
	}
	return in
}

// since lives through all moments at which anything can have changed up to now, and keeps when each segment began to hold.
func (l *life) since(programs map[string]*expr.Program, now int64) map[string]int64 {
	var moments []int64
	for i, e := range l.happened {
		moments = append(moments, l.arrived[i])
		for _, w := range sinceWindows {
			moments = append(moments, e.At+w.Microseconds())
		}
	}
	slices.Sort(moments)
	began := map[string]int64{}
	for _, at := range slices.Compact(moments) {
		if at < l.arrived[0] || at > now {
			continue
		}
		for name, in := range l.segments(programs, at) {
			if _, was := began[name]; in && !was {
				began[name] = at
			} else if !in {
				delete(began, name)
			}
		}
	}
	return began
}

// Members are members since the very moment at which the condition came to hold, by what was known then, whenever the
// engine looked: also where several moments passed while nothing happened, or the program was down.
func TestSinceIsTheMomentAtWhichItBecameTrue(t *testing.T) {
	t.Parallel()
	programs := sincePrograms(t)
	rapid.Check(t, func(rt *rapid.T) {
		f := startWith(rt, t.TempDir(), epoch, compile(rt, sinceRules, nil), generous())
		defer func() { f.close() }()
		people := map[string]*life{}
		for range rapid.IntRange(2, 30).Draw(rt, "steps") {
			f.advance(time.Millisecond)
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0, 1:
				f.advance(time.Duration(rapid.Int64Range(1, 200).Draw(rt, "hours")) * time.Hour)
			case 2:
				f.close()
				f.advance(time.Duration(rapid.Int64Range(0, 200).Draw(rt, "down")) * time.Hour)
				f.openWith(compile(rt, sinceRules, nil), generous())
			default:
				if rapid.Bool().Draw(rt, "after a while") { // what is due meanwhile is lived through by the event
					f.advance(time.Duration(rapid.Int64Range(1, 200).Draw(rt, "hours")) * time.Hour)
				}
				user := fmt.Sprint("u", rapid.IntRange(1, 2).Draw(rt, "user"))
				at := f.now().Add(-time.Duration(rapid.Int64Range(-48, 100).Draw(rt, "ago")) * time.Hour)
				body := map[string]any{"type": "track", "event": rapid.SampledFrom([]string{"A", "B"}).Draw(rt, "event"), "userId": user}
				if rapid.IntRange(0, 3).Draw(rt, "identify") == 0 {
					at = f.now() // the latest word counts
					body = map[string]any{"type": "identify", "userId": user, "traits": map[string]any{"vip": rapid.Bool().Draw(rt, "vip")}}
				}
				l := people[user]
				if l == nil {
					l = &life{}
					people[user] = l
				}
				var vip any
				if traits, ok := body["traits"].(map[string]any); ok {
					vip = traits["vip"]
				}
				f.send(at, body)
				id := body["messageId"].(string)
				name, _ := body["event"].(string)
				l.happened = append(l.happened, &expr.Event{
					MessageID: id, Type: body["type"].(string), Name: name, At: at.UnixMicro(), Tie: event.Tie(id),
				})
				l.arrived, l.vip = append(l.arrived, f.now().UnixMicro()), append(l.vip, vip)
			}
			f.verify() // every timer that is due has fired
			for user, l := range people {
				have, want := f.profile(identity.UserID, user).Segments.Map(), l.since(programs, f.now().UnixMicro())
				if !maps.Equal(have, want) {
					rt.Fatalf("%s at %v: %v, want %v", user, f.now(), moments(have), moments(want))
				}
			}
		}
	})
}

// moments tells times.
func moments(since map[string]int64) map[string]time.Time {
	told := map[string]time.Time{}
	for name, at := range since {
		told[name] = time.UnixMicro(at).UTC()
	}
	return told
}
