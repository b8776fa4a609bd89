// Package limit keeps callers from taking more than their share. A policy fills a bucket evenly; a caller takes from the
// bucket under their name, and waits where it is empty.
package limit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Policy is how much each caller may take. The zero Policy lets everything pass.
type Policy struct {
	Name   string // of what is limited, such as "api": a bucket belongs to a policy and a caller
	Quota  int    // that a full bucket holds
	Window time.Duration
}

// Verdict is the answer to a caller.
type Verdict struct {
	Allowed   bool
	Remaining int           // that may be taken now
	Full      time.Duration // until the bucket is full again, if nobody takes
	Wait      time.Duration // until there is enough, where it was not allowed
}

// Limiter takes one from the bucket of a caller, or says how long to wait. It never fails: where it cannot know, it
// allows.
type Limiter interface {
	Take(ctx context.Context, p Policy, caller string) Verdict
}

// The longest window, and the largest quota, that Parse takes.
const (
	maxWindow = 24 * time.Hour
	maxQuota  = 1_000_000_000
)

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}

// Parse reads a policy as people write it: "6000/m", "10/s", "100/30s", or "0" for none.
func Parse(name, text string) (Policy, error) {
	if text == "0" {
		return Policy{}, nil
	}
	count, per, _ := strings.Cut(text, "/")
	quota, err := strconv.Atoi(count)
	window := units[per]
	if window == 0 {
		window, _ = time.ParseDuration(per)
	}
	if err != nil || quota < 1 || quota > maxQuota || window < time.Second || window > maxWindow || window%time.Second != 0 {
		return Policy{}, fault.New(fault.Invalid, "%.40q is no limit; write it as 6000/m, 10/s or 100/30s, or 0 for none", text)
	}
	return Policy{Name: name, Quota: quota, Window: window}, nil
}

// String is the policy as Parse reads it.
func (p Policy) String() string {
	if p.Quota == 0 {
		return "0"
	}
	return fmt.Sprintf("%d/%s", p.Quota, p.Window)
}

// Local counts in this process alone.
type Local struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[bucketName]*rate.Limiter
}

type bucketName struct{ policy, caller string }

// maxBuckets is how many are remembered at once. Callers have keys, of which nobody has so many.
const maxBuckets = 100_000

// NewLocal begins with full buckets.
func NewLocal(now func() time.Time) *Local {
	return &Local{now: now, buckets: map[bucketName]*rate.Limiter{}}
}

// Take implements Limiter.
func (l *Local) Take(_ context.Context, p Policy, caller string) Verdict {
	if p.Quota == 0 {
		return Verdict{Allowed: true}
	}
	perSecond := float64(p.Quota) / p.Window.Seconds()
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.buckets[bucketName{p.Name, caller}]
	if bucket == nil {
		if len(l.buckets) == maxBuckets {
			clear(l.buckets)
		}
		bucket = rate.NewLimiter(rate.Limit(perSecond), p.Quota)
		l.buckets[bucketName{p.Name, caller}] = bucket
	}
	now := l.now()
	v := Verdict{Allowed: bucket.AllowN(now, 1)}
	have := bucket.TokensAt(now)
	v.Remaining = max(0, int(have))
	v.Full = seconds((float64(p.Quota) - have) / perSecond)
	if !v.Allowed {
		v.Wait = seconds((1 - have) / perSecond)
	}
	return v
}

func seconds(s float64) time.Duration { return time.Duration(max(0, s) * float64(time.Second)) }

// Share is a Limiter for one of several nodes that know nothing of each other's callers: each has its part of a quota.
type Share struct {
	Of    Limiter
	Nodes func() int // how many there are, this one included
}

// Take implements Limiter.
func (s Share) Take(ctx context.Context, p Policy, caller string) Verdict {
	if n := s.Nodes(); n > 1 && p.Quota > 0 {
		p.Quota = max(1, p.Quota/n)
		p.Name += "/" + strconv.Itoa(n) // the buckets of another number of nodes are others
	}
	return s.Of.Take(ctx, p, caller)
}
