package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Limits of request bodies, in bytes: of callers with a key, who may apply many templates at once, and of strangers.
const (
	maxBody         = 16 << 20
	maxStrangerBody = 16 << 10
)

// How long a call of the management API may take. What looks at every customer, or waits for everybody to be filled, is no GET.
const (
	readPatience = 15 * time.Second
	callPatience = writeTimeout - 10*time.Second // so that there is an answer
)

// newAPI sets up huma: JSON only, without the links to schemas that it adds to answers by default.
func newAPI(s *server) huma.API {
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Tailorbird", Version: s.config.Version,
				Description: "The management API. Send an API key as a Bearer token. Lists come in pages: pass next_cursor as cursor " +
					"for the next one. Errors are problem details (RFC 9457) with a code. Times are RFC 3339 in UTC. RateLimit and " +
					"RateLimit-Policy say how many more requests a key may make; after 429, wait as long as Retry-After says.",
			},
			Servers: []*huma.Server{{URL: s.config.PublicURL}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"key":     {Type: "http", Scheme: "bearer", Description: "An API key"},
					"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "The cookie of a sign-in"},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
	api := humago.New(s.mux, config)
	api.UseMiddleware(s.authorise, s.limited, s.once)
	return api
}

// answer is the body of a successful call.
type answer[T any] struct{ Body T }

// page is one page of a list.
type page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Pass it as cursor for the next page; absent on the last one"`
}

func pageOf[T any](items []T, next string) page[T] {
	if items == nil {
		items = []T{}
	}
	return page[T]{Items: items, NextCursor: next}
}

// Paging are the parameters of lists.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Items on a page"`
	Cursor string `query:"cursor" maxLength:"512" doc:"next_cursor of the page before"`
}

// cut gives the page of a short list, held in memory, that was asked for. The cursor is a place in it.
func cut[T any](items []T, in Paging) (answer[page[T]], error) {
	from := 0
	if in.Cursor != "" {
		var err error
		if from, err = strconv.Atoi(in.Cursor); err != nil || from < 0 {
			return answer[page[T]]{}, fault.Field("query.cursor", "is none that a list gave; pass next_cursor as it came")
		}
	}
	items = items[min(from, len(items)):]
	next := ""
	if len(items) > in.Limit {
		items, next = items[:in.Limit], strconv.Itoa(from+in.Limit)
	}
	return answer[page[T]]{pageOf(items, next)}, nil
}

// DefinitionName is the path parameter of one definition.
type DefinitionName struct {
	Name string `path:"name" doc:"The name of the definition"`
}

// nothing is an operation without input, or without answer.
type nothing struct{}

type handler[I, T any] func(context.Context, *I) (T, error)

func get[I, T any](s *server, scope access.Scope, path, id, summary string, h handler[I, T]) {
	register(s, scope, http.MethodGet, path, id, summary, http.StatusOK, h)
}

func put[I, T any](s *server, scope access.Scope, path, id, summary string, h handler[I, T]) {
	register(s, scope, http.MethodPut, path, id, summary, http.StatusOK, h)
}

func post[I, T any](s *server, scope access.Scope, path, id, summary string, h handler[I, T]) {
	register(s, scope, http.MethodPost, path, id, summary, http.StatusOK, h)
}

func create[I, T any](s *server, scope access.Scope, path, id, summary string, h handler[I, T]) {
	register(s, scope, http.MethodPost, path, id, summary, http.StatusCreated, h)
}

func accept[I, T any](s *server, scope access.Scope, path, id, summary string, h handler[I, T]) {
	register(s, scope, http.MethodPost, path, id, summary, http.StatusAccepted, h)
}

func remove[I, T any](s *server, scope access.Scope, path, id, summary string, h handler[I, T]) {
	register(s, scope, http.MethodDelete, path, id, summary, http.StatusNoContent, h)
}

// register puts an operation on the mux and into the OpenAPI document. Faults of the handler become problems here, and
// nowhere else.
func register[I, T any](s *server, scope access.Scope, method, path, id, summary string, status int, h handler[I, T]) {
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, MaxBodyBytes: maxBody,
		Tags:     []string{strings.Split(strings.TrimPrefix(path, "/api/v1/"), "/")[0]},
		Metadata: map[string]any{"scope": scope},
		// What ends the reading of a body ends its request as well, however long ago it was read.
		BodyReadTimeout: writeTimeout,
		Errors:          []int{http.StatusUnauthorized, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}
	if scope == anyone {
		op.MaxBodyBytes = maxStrangerBody
	} else {
		op.Security = []map[string][]string{{"key": {}}, {"session": {}}}
		if scope != signedIn {
			op.Description = "Needs a key with the scope " + string(scope) + "."
		}
		op.Errors = append(op.Errors, http.StatusTooManyRequests)
		if carriedOutOnce(op) {
			op.Parameters = append(op.Parameters, idempotencyParameter)
			op.Errors = append(op.Errors, http.StatusConflict)
		}
	}
	patience := callPatience
	if method == http.MethodGet {
		patience = readPatience
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*T, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		out, err := h(ctx, in)
		if err != nil {
			p := problemOf(err, "body")
			s.logFailure(ctx, p, err)
			return nil, p
		}
		return &out, nil
	})
}

type keyKey struct{}

// caller is the key with which the request of ctx was made.
func caller(ctx context.Context) access.Key {
	key, _ := ctx.Value(keyKey{}).(access.Key)
	return key
}

// authorise lets a call pass when its key has the operation's scope. It is the only place that asks.
func (s *server) authorise(ctx huma.Context, next func(huma.Context)) {
	scope, ok := ctx.Operation().Metadata["scope"].(access.Scope)
	if ok && scope == anyone {
		next(ctx)
		return
	}
	key, err := s.authenticate(ctx)
	if err == nil && scope != signedIn && !key.Allows(scope) {
		err = fault.New(fault.Forbidden, "the key %q lacks the scope %s", key.Name, scope)
	}
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	next(huma.WithValue(ctx, keyKey{}, key))
}

func (s *server) authenticate(ctx huma.Context) (access.Key, error) {
	if secret, ok := bearer(ctx.Header("Authorization")); ok {
		return s.config.Guard.Authenticate(ctx.Context(), secret)
	}
	if cookie, err := huma.ReadCookie(ctx, sessionCookie); err == nil {
		return s.config.Guard.Session(ctx.Context(), cookie.Value)
	}
	return access.Key{}, fault.New(fault.Unauthorized, "a key is needed; send the header Authorization: Bearer KEY")
}

// refuse answers with a problem before a handler does.
func (s *server) refuse(ctx huma.Context, err error) {
	_, w := humago.Unwrap(ctx)
	s.turnAway(ctx.Context(), w, err)
}

// turnAway answers with a problem, and says how to authenticate where that is what is missing.
func (s *server) turnAway(ctx context.Context, w http.ResponseWriter, err error) {
	p := problemOf(err, "")
	if p.Status == http.StatusUnauthorized {
		p.challenge = `Bearer realm="tailorbird"`
	}
	s.logFailure(ctx, p, err)
	p.write(w)
}

// sameOrigin refuses what other sites make a browser send with the cookie of a sign-in. Tracking and the links in mail
// use no cookie and are open to all.
func (s *server) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(s.config.PublicURL); err != nil {
		s.config.Log.Warn("the public URL is no origin; requests of its pages are judged by their headers alone", "error", err)
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problemOf(fault.New(fault.Forbidden, "another site may not make this request"), "").write(w)
	}))
	guarded := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			w.Header().Set("Cache-Control", "no-store")
			guarded.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// unknownCall is the answer to a path or a method that the APIs do not have.
func (s *server) unknownCall(w http.ResponseWriter, r *http.Request) {
	problemOf(fault.New(fault.NotFound, "there is no %s %.100s; see /api/docs", r.Method, r.URL.Path), "").write(w)
}
