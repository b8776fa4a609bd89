package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a POST that carries one is carried out once, however often
// it is sent, and answered the same each time.

const (
	idempotencyKey = "Idempotency-Key"
	replayed       = "Idempotent-Replayed"

	maxIdempotencyKey = 255     // characters
	maxKeptAnswer     = 1 << 20 // bytes; what is longer is not kept
	keptFor           = 24 * time.Hour
	givenUpAfter      = 2 * writeTimeout // no request is worked on for so long
)

// carriedOutOnce says for which operations the key counts: what only reads may be asked for as often as one likes, and PUT
// and DELETE are idempotent by themselves.
func carriedOutOnce(op huma.Operation) bool {
	scope, _ := op.Metadata["scope"].(access.Scope)
	return op.Method == http.MethodPost && scope != anyone && scope != access.Read
}

var idempotencyParameter = &huma.Param{
	Name: idempotencyKey, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
	Description: "A request that is sent again with the same key and body is not carried out again, and answered as before, for a day",
}

// keptAnswer is an answer as it is stored.
type keptAnswer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// once is the middleware that carries a request out once.
func (s *server) once(ctx huma.Context, next func(huma.Context)) {
	name := ctx.Header(idempotencyKey)
	if name == "" || !carriedOutOnce(*ctx.Operation()) {
		next(ctx)
		return
	}
	r, w := humago.Unwrap(ctx)
	request, err := s.request(ctx.Context(), w, r, name)
	var state access.RequestState
	var known []byte
	if err == nil {
		state, known, err = s.config.Requests.BeginRequest(ctx.Context(), request, request.At.Add(-keptFor), request.At.Add(-givenUpAfter))
	}
	if err == nil {
		err = refuseRepeated(state)
	}
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	if state == access.Answered {
		s.replay(ctx, w, known)
		return
	}
	answer := &keeper{ResponseWriter: w}
	defer func() { s.keep(ctx.Context(), request, answer) }() // also when the handler panics
	next(humago.NewContext(ctx.Operation(), r.WithContext(ctx.Context()), answer))
	answer.whole = true
}

// request reads what is asked for, and leaves the body to be read again.
func (s *server) request(ctx context.Context, w http.ResponseWriter, r *http.Request, name string) (access.Request, error) {
	if len(name) > 1 && strings.HasPrefix(name, `"`) && strings.HasSuffix(name, `"`) { // a string of structured fields
		name = name[1 : len(name)-1]
	}
	if name == "" || len(name) > maxIdempotencyKey || strings.IndexFunc(name, func(c rune) bool { return c < ' ' || c > '~' }) >= 0 {
		return access.Request{}, fault.Field("header."+idempotencyKey, "must be 1 to %d printable ASCII characters, such as a UUID", maxIdempotencyKey)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return access.Request{}, unreadable(err, maxBody)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return access.Request{
		KeyID: caller(ctx).ID, Name: name, At: s.config.Now().UTC().Truncate(time.Microsecond),
		Fingerprint: access.HashOf(r.Method + " " + r.URL.RequestURI() + "\n" + string(body)),
	}, nil
}

func refuseRepeated(state access.RequestState) error {
	switch state {
	case access.InFlight:
		return &fault.Error{
			Code: fault.Conflict, RetryAfter: time.Second,
			Message: "a request with this " + idempotencyKey + " is being worked on; ask again for its answer",
		}
	case access.Different:
		return fault.Field("header."+idempotencyKey, "belongs to another request; give each request one of its own")
	}
	return nil
}

func (s *server) replay(ctx huma.Context, w http.ResponseWriter, known []byte) {
	var kept keptAnswer
	if err := json.Unmarshal(known, &kept); err != nil {
		s.refuse(ctx, err)
		return
	}
	for name, values := range kept.Header {
		w.Header()[name] = values
	}
	w.Header().Set(replayed, "true")
	w.WriteHeader(kept.Status)
	_, _ = w.Write(kept.Body)
}

// keep stores an answer. What went wrong on our side, or was never answered to the end, is forgotten: it may be tried
// again.
func (s *server) keep(ctx context.Context, request access.Request, answer *keeper) {
	var kept []byte
	if answer.whole && !answer.long && answer.kept.Status < http.StatusInternalServerError && answer.kept.Status != http.StatusTooManyRequests {
		var err error
		if kept, err = json.Marshal(answer.kept); err != nil {
			kept = nil
		}
	}
	if err := s.config.Requests.EndRequest(context.WithoutCancel(ctx), request, kept); err != nil {
		s.config.Log.WarnContext(ctx, "the answer to a request was not kept", "request_id", requestID(ctx), "error", err)
	}
}

// keeper remembers an answer while it is written.
type keeper struct {
	http.ResponseWriter
	kept  keptAnswer
	long  bool
	whole bool
}

// keptHeaders are those that an answer needs; the others are those of each answer.
var keptHeaders = []string{"Content-Type", "Location"}

func (k *keeper) WriteHeader(status int) {
	if k.kept.Status == 0 {
		k.kept.Status, k.kept.Header = status, http.Header{}
		for _, name := range keptHeaders {
			if values := k.Header().Values(name); len(values) > 0 {
				k.kept.Header[name] = values
			}
		}
	}
	k.ResponseWriter.WriteHeader(status)
}

func (k *keeper) Write(b []byte) (int, error) {
	if k.kept.Status == 0 {
		k.WriteHeader(http.StatusOK)
	}
	if k.long = k.long || len(k.kept.Body)+len(b) > maxKeptAnswer; !k.long {
		k.kept.Body = append(k.kept.Body, b...)
	}
	return k.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the connection.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }
