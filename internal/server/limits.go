package server

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/limit"
)

// Limits is how much each key may ask for.
type Limits struct {
	Limiter       limit.Limiter
	API, Tracking limit.Policy
}

// admit takes a request from its key's bucket, and tells how it stands in the fields of
// draft-ietf-httpapi-ratelimit-headers: RateLimit-Policy says what the limit is, RateLimit what remains. It fails with
// RateLimited where the bucket is empty. The program's own calls, and those that need no key, are
// not counted.
func (s *server) admit(w http.ResponseWriter, r *http.Request, p limit.Policy, key access.Key) error {
	if p.Quota == 0 || key.Lent() {
		return nil
	}
	v := s.config.Limits.Limiter.Take(r.Context(), p, strconv.FormatInt(key.ID, 10))
	h := w.Header()
	h.Set("RateLimit-Policy", fmt.Sprintf(`"%s";q=%d;w=%d`, p.Name, p.Quota, int(p.Window.Seconds())))
	h.Set("RateLimit", fmt.Sprintf(`"%s";r=%d;t=%d`, p.Name, v.Remaining, whole(v.Full)))
	if v.Allowed {
		return nil
	}
	s.metrics.limited.WithLabelValues(p.Name).Inc()
	return &fault.Error{
		Code: fault.RateLimited, RetryAfter: v.Wait,
		Message: fmt.Sprintf("the key %q may make %d requests in %s; wait as long as Retry-After says, or send several events in a batch", key.Name, p.Quota, p.Window),
	}
}

// whole is a duration in seconds, rounded up.
func whole(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// limited is the middleware of the management API's limit.
func (s *server) limited(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	if err := s.admit(w, r, s.config.Limits.API, caller(ctx.Context())); err != nil {
		s.refuse(ctx, err)
		return
	}
	next(ctx)
}
