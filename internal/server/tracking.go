package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Ingester takes events into the engine.
type Ingester interface {
	// Ingest returns once the events are durable and applied, all or none. An event whose MessageID is known already is
	// passed over. It fails with Unavailable, at once, when the queue is full.
	Ingest(ctx context.Context, events []*event.Event) error
}

// endpoint is one door of the tracking API.
//
// Bodies beyond Segment's documented limits are bad input (400). Beyond hardLimit we stop reading: 413.
type endpoint struct {
	kind       event.Type // empty for batch and import, whose events say it themselves
	historical bool
	eventLimit int
	bodyLimit  int
	hardLimit  int64
	patience   time.Duration // with the engine
}

const (
	trackHardLimit  = 2 << 20
	importHardLimit = 2 * event.MaxImportBatchBytes

	// How long a request waits for its events to be durable and applied. Senders give up after five seconds or ten, and what they
	// did not hear of they send again in any case.
	trackPatience  = 4 * time.Second
	importPatience = 20 * time.Second
)

func single(kind event.Type) endpoint {
	return endpoint{kind: kind, eventLimit: event.MaxEventBytes, bodyLimit: event.MaxEventBytes, hardLimit: trackHardLimit, patience: trackPatience}
}

func batch() endpoint {
	return endpoint{eventLimit: event.MaxEventBytes, bodyLimit: event.MaxBatchBytes, hardLimit: trackHardLimit, patience: trackPatience}
}

func history() endpoint {
	return endpoint{
		historical: true, eventLimit: event.MaxImportEventBytes, bodyLimit: event.MaxImportBatchBytes, hardLimit: importHardLimit, patience: importPatience,
	}
}

// track is the handler of an endpoint: 200 says that every event of the request is durable and applied, anything else
// that none was.
func (s *server) track(e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allowAnyOrigin(w)
		n, err := s.accept(w, r, e)
		if err != nil {
			p := s.trackingProblem(r.Context(), err)
			s.metrics.rejected.WithLabelValues(p.Code).Inc()
			p.write(w)
			return
		}
		s.metrics.accepted.Add(float64(n))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"success":true}`)
	}
}

func (s *server) accept(w http.ResponseWriter, r *http.Request, e endpoint) (int, error) {
	received := s.config.Now()
	admit := func(secret string) error { return s.allowTracking(w, r, secret) }
	if secret, given := credentials(r); given {
		if err := admit(secret); err != nil {
			return 0, err
		}
		admit = nil // whatever key the body may name
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer recycle(buffer)
	if err := readBody(w, r, buffer, e.hardLimit); err != nil {
		return 0, err
	}
	body := bytes.TrimSpace(buffer.Bytes())
	if len(body) > e.bodyLimit && e.kind == "" {
		return 0, fault.Field("batch", "the request is %d bytes; at most %d are allowed; send several smaller ones", len(body), e.bodyLimit)
	}
	door := event.Door{Type: e.kind, ReceivedAt: received, Historical: e.historical, MaxBytes: e.eventLimit, NewID: s.config.NewID}
	read := event.ReadBatch
	if e.kind != "" {
		read = event.ReadEvent
	}
	request := read(body)
	if admit != nil {
		// What is wrong with a body is nobody's business without a key.
		if err := admit(request.WriteKey()); err != nil {
			return 0, err
		}
	}
	events, err := request.Events(door)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), e.patience)
	defer cancel()
	return len(events), s.config.Ingest.Ingest(ctx, events)
}

// credentials gives the key of the Authorization header: the user name of Basic, or a Bearer token.
func credentials(r *http.Request) (key string, given bool) {
	if user, _, ok := r.BasicAuth(); ok {
		return user, user != ""
	}
	return bearer(r.Header.Get("Authorization"))
}

func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// allowTracking lets a request pass whose key may track, and has not tracked too much.
func (s *server) allowTracking(w http.ResponseWriter, r *http.Request, secret string) error {
	if secret == "" {
		return fault.New(fault.Unauthorized,
			"the write key is missing; send it as the user name of HTTP Basic authentication, or as \"writeKey\" in the body")
	}
	key, err := s.config.Guard.Authenticate(r.Context(), secret)
	if err != nil {
		return fault.New(fault.Unauthorized, "the write key is unknown")
	}
	if !key.Allows(access.Track) {
		return fault.New(fault.Forbidden, "the key %q lacks the scope track", key.Name)
	}
	return s.admit(w, r, s.config.Limits.Tracking, key)
}

// trackingProblem differs from the management API's by Segment's status for bad input, and by the way to authenticate.
func (s *server) trackingProblem(ctx context.Context, err error) *Problem {
	p := problemOf(err, "")
	if p.Code == string(fault.Invalid) {
		p.Status = http.StatusBadRequest
		p = p.titled()
	}
	if p.Status == http.StatusUnauthorized {
		p.challenge = `Basic realm="tailorbird", charset="UTF-8"`
	}
	s.logFailure(ctx, p, err)
	return p
}

// allowAnyOrigin lets browsers send events from the pages of any shop: the write key, not the origin, is what counts.
func allowAnyOrigin(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "RateLimit, RateLimit-Policy, Retry-After")
}

// onlyPost answers other methods than a tracking endpoint takes.
func onlyPost(w http.ResponseWriter, _ *http.Request) {
	allowAnyOrigin(w)
	notAllowed(w, http.MethodPost, http.MethodOptions)
}

// preflight answers what a browser asks before it sends events.
func preflight(w http.ResponseWriter, _ *http.Request) {
	allowAnyOrigin(w)
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}
