package server

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

type requestIDKey struct{}

// requestID is the id of the request that ctx belongs to.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// observe gives each request an id, measures it, logs it, and turns a panic into a 500.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := r.Header.Get("X-Request-Id")
		if !plainID(id) {
			id = rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
		answer := &recorder{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				s.rescue(answer, r, cause)
			}
			s.metrics.observe(r, answer.status(), time.Since(start))
			s.logRequest(r, answer, time.Since(start))
		}()
		next.ServeHTTP(answer, r)
	})
}

// plainID reports whether a caller's request id may go into the log and back.
func plainID(id string) bool {
	return id != "" && len(id) <= 64 && strings.IndexFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) < 0
}

func (s *server) rescue(w *recorder, r *http.Request, cause any) {
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause) // the agreed way to drop a connection
	}
	s.config.Log.ErrorContext(r.Context(), "a request panicked",
		"request_id", requestID(r.Context()), "path", r.URL.Path, "panic", cause, "stack", string(debug.Stack()))
	if w.code == 0 {
		problemOf(fault.New(fault.Internal, "panic"), "").write(w)
	}
}

// quiet are the beginnings of paths whose requests come by the thousand a second, or never end. They are logged at debug
// level while they succeed.
var quiet = []string{"/v1/", "/o/", "/c/", "/assets/", "/demo/", "/healthz", "/readyz", "/metrics"}

// logRequest writes the access log. Queries are left out: they may hold addresses.
func (s *server) logRequest(r *http.Request, w *recorder, took time.Duration) {
	level := slog.LevelInfo
	if w.status() < http.StatusBadRequest && slices.ContainsFunc(quiet, func(p string) bool { return strings.HasPrefix(r.URL.Path, p) }) {
		level = slog.LevelDebug
	}
	path := r.URL.Path
	if token := strings.IndexByte(path[min(1, len(path)):], '/'); token == 1 {
		path = path[:3] + "…" // /o/, /c/ and /u/ are followed by a token that stands for a person
	}
	s.config.Log.LogAttrs(r.Context(), level, "request",
		slog.String("request_id", requestID(r.Context())), slog.String("method", r.Method), slog.String("path", path),
		slog.Int("status", w.status()), slog.Int64("bytes", w.bytes), slog.Duration("took", took))
}

// logFailure keeps the cause of an answer that says only that something went wrong. What fails because the caller has
// gone is no failure of ours.
func (s *server) logFailure(ctx context.Context, p *Problem, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		s.config.Log.DebugContext(ctx, "a request was given up by its caller", "request_id", requestID(ctx), "error", err)
		return
	}
	if p.Status >= http.StatusInternalServerError && p.Status != http.StatusServiceUnavailable {
		s.config.Log.ErrorContext(ctx, "a request failed", "request_id", requestID(ctx), "error", err)
	}
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	code  int
	bytes int64
}

func (w *recorder) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) status() int {
	if w.code == 0 {
		return http.StatusOK
	}
	return w.code
}

// policy is the content security policy of the program's own pages. Styles may be inline because components and mail
// previews write them; scripts may not. Pictures may come from anywhere, since mail shows the pictures of the shop.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https: http:; " +
	"font-src 'self' data:; connect-src 'self'; manifest-src 'self'; frame-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// secure sets the headers that every answer has; a page with a policy of its own replaces it.
func (s *server) secure(next http.Handler) http.Handler {
	https := strings.HasPrefix(s.config.PublicURL, "https://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if https {
			h.Set("Strict-Transport-Security", "max-age="+strconv.Itoa(365*24*3600))
		}
		next.ServeHTTP(w, r)
	})
}
