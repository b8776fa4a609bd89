package profile_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/report"
)

// anyProfile makes profiles of all shapes.
func anyProfile(t *rapid.T) *profile.Profile {
	moment := rapid.Int64Range(-1<<50, 1<<50)
	name := rapid.StringN(0, 8, 20)
	values := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Map(name, func(s string) any { return s }),
		rapid.Map(rapid.Float64Range(-1e6, 1e6), func(f float64) any { return f }),
		rapid.Just[any]([]any{1.0, "x", nil}), rapid.Just[any](map[string]any{"a": true}))
	traits := rapid.MapOfN(name, rapid.Custom(func(t *rapid.T) profile.Trait {
		return profile.Trait{Value: values.Draw(t, "value"), At: moment.Draw(t, "at"), Tie: rapid.Uint64().Draw(t, "tie")}
	}), 0, 5)
	p := profile.New(7, moment.Draw(t, "created"))
	p.UpdatedAt, p.FirstSeenAt, p.LastSeenAt, p.MergedInto = moment.Draw(t, "updated"), moment.Draw(t, "first"), moment.Draw(t, "last"), moment.Draw(t, "into")
	for _, to := range []*profile.Traits{&p.Traits, &p.Preferences} {
		for name, said := range traits.Draw(t, "traits") {
			to.Set(name, said)
		}
	}
	for name, v := range rapid.MapOfN(name, values, 0, 5).Draw(t, "computed") {
		p.Computed.Set(name, v)
	}
	for name, since := range rapid.MapOfN(name, moment, 0, 5).Draw(t, "segments") {
		p.Segments.Enter(name, since)
	}
	p.Absorbed = rapid.SliceOfN(moment, 1, 3).Draw(t, "absorbed")
	p.Apart = rapid.SliceOfN(moment, 1, 3).Draw(t, "apart")
	p.Identifiers = []identity.Identifier{{Type: "email", Value: name.Draw(t, "email")}}
	p.Touches = []report.Touch{{MessageID: 3, Campaign: name.Draw(t, "campaign"), SentAt: time.UnixMicro(1 + moment.Draw(t, "sent")&^1).UTC()}}
	if rapid.Bool().Draw(t, "said") {
		p.Subscription = profile.Trait{Value: rapid.Bool().Draw(t, "subscribed"), At: 5, Tie: 9}
	}
	p.Withdrawn = rapid.Bool().Draw(t, "withdrawn")
	p.Withdrawals = []profile.Withdrawal{{At: moment.Draw(t, "made"), Told: moment.Draw(t, "told"), Tie: 7, Own: p.Withdrawn}}
	for rule := range int64(4) {
		p.Timers.Set(rule, rapid.Int64Range(0, 3).Draw(t, "timer"))
	}
	return p
}

func TestAProfileComesBackAsItWasStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProfile(t)
		back, err := profile.FromState(p.ID, p.State())
		if err != nil || !reflect.DeepEqual(back, p) {
			t.Fatalf("%+v came back as %+v, %v", p, back, err)
		}
	})
}

func TestAStoredProfileCutShortIsDamaged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProfile(t)
		state := p.State()
		n := rapid.IntRange(0, len(state)-1).Draw(t, "length")
		if _, err := profile.FromState(p.ID, state[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are read without an error", n, len(state))
		}
	})
}

func TestTimersGiveTheFirstMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := profile.New(1, 0)
		naive := map[int64]int64{}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			rule, at := rapid.Int64Range(1, 6).Draw(t, "rule"), rapid.Int64Range(0, 9).Draw(t, "at")
			timers := &p.Timers
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				timers.Keep(func(have int64) bool { return have != rule })
				naive[rule] = 0
			case 1:
				pack(p)
			case 2:
				back, err := profile.FromState(1, p.State())
				if err != nil {
					t.Fatal(err)
				}
				p, timers = back, &back.Timers
			default:
				timers.Set(rule, at)
				naive[rule] = at
			}
			want := int64(0)
			due := map[int64]bool{}
			for rule, at := range naive {
				if at != 0 && (want == 0 || at < want) {
					want = at
				}
				if at != 0 && at <= 5 {
					due[rule] = true
				}
			}
			if got := timers.Next(); got != want {
				t.Fatalf("the first of %v is %d, not %d", naive, want, got)
			}
			timers.Due(5, func(rule int64) {
				if !due[rule] {
					t.Fatalf("%d of %v is not due by 5", rule, naive)
				}
				delete(due, rule)
			})
			if len(due) > 0 {
				t.Fatalf("of %v, %v are due too", naive, due)
			}
		}
	})
}
