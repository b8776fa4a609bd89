package limit

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// naive is the definition: a bucket holds the quota, is filled evenly, and never over its brim.
type naive struct {
	have float64
	at   time.Time
}

func (b *naive) take(p Policy, now time.Time) (allowed bool, wait float64) {
	perSecond := float64(p.Quota) / p.Window.Seconds()
	b.have = min(float64(p.Quota), b.have+now.Sub(b.at).Seconds()*perSecond)
	b.at = now
	if b.have >= 1 {
		b.have--
		return true, 0
	}
	return false, (1 - b.have) / perSecond
}

func TestTheLocalLimiterIsTheBucket(t *testing.T) {
	const slack = 1e-6
	random := rand.New(rand.NewPCG(1, 2))
	now := time.Unix(1e9, 0)
	l := NewLocal(func() time.Time { return now })
	policy := Policy{Name: "api", Quota: 20, Window: 10 * time.Second}
	callers := map[string]*naive{}
	refused := 0
	for i := range 5000 {
		now = now.Add(time.Duration(random.ExpFloat64() * float64(120*time.Millisecond)))
		caller := []string{"a", "b", "c"}[min(random.IntN(6), 2)]
		bucket := callers[caller]
		if bucket == nil {
			bucket = &naive{have: 20, at: now}
			callers[caller] = bucket
		}
		have := bucket.have
		want, wait := bucket.take(policy, now)
		got := l.Take(t.Context(), policy, caller)
		if got.Allowed != want {
			if near := bucket.have; near > 1-slack || near < slack { // the last bit of a sum
				bucket.have = have
				continue
			}
			t.Fatalf("%d: %+v, want %v (%f)", i, got, want, bucket.have)
		}
		if !want {
			refused++
		}
		full := (20 - bucket.have) / 2
		if d := got.Wait.Seconds() - wait; d > slack || d < -slack {
			t.Fatalf("%d: wait %s, want %f s", i, got.Wait, wait)
		}
		if d := got.Full.Seconds() - full; d > slack || d < -slack {
			t.Fatalf("%d: full in %s, want %f s", i, got.Full, full)
		}
		if d := bucket.have - float64(got.Remaining); d < -slack || d > 1+slack {
			t.Fatalf("%d: %d remain of %f", i, got.Remaining, bucket.have)
		}
	}
	if refused < 500 || refused > 4500 {
		t.Errorf("%d of 5000 refused: the test tries too little", refused)
	}
}

func TestNodesShareAQuota(t *testing.T) {
	now := time.Unix(1e9, 0)
	nodes := 3
	policy := Policy{Name: "api", Quota: 30, Window: time.Hour}
	allowed := 0
	for range 3 {
		l := Share{Of: NewLocal(func() time.Time { return now }), Nodes: func() int { return nodes }}
		for range 30 {
			if l.Take(t.Context(), policy, "a").Allowed {
				allowed++
			}
		}
	}
	if allowed != 30 {
		t.Errorf("three nodes allowed %d of 30 together", allowed)
	}
	nodes = 1000
	if l := (Share{Of: NewLocal(func() time.Time { return now }), Nodes: func() int { return nodes }}); !l.Take(t.Context(), policy, "a").Allowed {
		t.Error("nothing is left of a part")
	}
}

func TestPoliciesAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]Policy{
		"6000/m": {"x", 6000, time.Minute}, "10/s": {"x", 10, time.Second}, "100/30s": {"x", 100, 30 * time.Second},
		"5/2h": {"x", 5, 2 * time.Hour}, "0": {},
	} {
		got, err := Parse("x", text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if again, err := Parse("x", got.String()); err != nil || again != want {
			t.Errorf("%s, written %s: %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "10", "/s", "10/", "-1/s", "0/s", "1.5/s", "10/fortnight", "10/0s", "10/100ms", "10/1500ms", "10/48h", "9999999999/s", "10/s/s"} {
		if got, err := Parse("x", text); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}
