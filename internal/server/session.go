package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/fault"
)

const sessionCookie = "tailorbird_session"

// Session is who is signed in, and where.
type Session struct {
	KeyName   string         `json:"key_name"`
	Scopes    []access.Scope `json:"scopes"`
	Version   string         `json:"version"`
	Demo      bool           `json:"demo"`
	Mail      string         `json:"mail" enum:"sink,smtp"`
	PublicURL string         `json:"public_url"`
}

func (s *server) sessionOf(key access.Key) Session {
	c := s.config
	return Session{KeyName: key.Name, Scopes: key.Scopes, Version: c.Version, Demo: c.Demo, Mail: c.Mail, PublicURL: c.PublicURL}
}

type signInInput struct {
	Body struct {
		Key string `json:"key" minLength:"1" maxLength:"256"`
	}
	from string // the caller's address
}

// Resolve notes where the request comes from; huma calls it.
func (in *signInInput) Resolve(ctx huma.Context) []error {
	in.from, _, _ = net.SplitHostPort(ctx.RemoteAddr())
	return nil
}

type cookieAnswer struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Session
}

func (s *server) signIn(ctx context.Context, in *signInInput) (cookieAnswer, error) {
	if wait := s.attempts.wait(in.from); wait > 0 {
		return cookieAnswer{}, &fault.Error{Code: fault.RateLimited, Message: "too many wrong keys; wait a little", RetryAfter: wait}
	}
	key, token, expires, err := s.config.Guard.SignIn(ctx, strings.TrimSpace(in.Body.Key))
	if fault.CodeOf(err) == fault.Unauthorized {
		s.attempts.failed(in.from)
		return cookieAnswer{}, &fault.Error{Code: fault.Unauthorized, Field: "key", Message: "this key is unknown; check for missing characters"}
	}
	if err != nil {
		return cookieAnswer{}, err
	}
	return cookieAnswer{SetCookie: s.cookie(token, expires), Body: s.sessionOf(key)}, nil
}

func (s *server) cookie(token string, expires time.Time) http.Cookie {
	return http.Cookie{ //nolint:gosec // Secure follows the public URL: on one machine there may be no TLS
		Name: sessionCookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: strings.HasPrefix(s.config.PublicURL, "https://"), MaxAge: int(expires.Sub(s.config.Now()).Seconds()),
	}
}

func (s *server) getSession(ctx context.Context, _ *nothing) (answer[Session], error) {
	return answer[Session]{s.sessionOf(caller(ctx))}, nil
}

type signOutInput struct {
	Session string `cookie:"tailorbird_session"`
}

type signOutAnswer struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *server) signOut(ctx context.Context, in *signOutInput) (signOutAnswer, error) {
	if in.Session != "" {
		if err := s.config.Guard.SignOut(ctx, in.Session); err != nil {
			return signOutAnswer{}, err
		}
	}
	gone := s.cookie("", s.config.Now()) //nolint:gosec // the attributes are those of the cookie that goes
	gone.MaxAge = -1
	return signOutAnswer{SetCookie: gone}, nil
}

// attempts slows down whoever tries out keys: ten wrong ones at once, then one every two seconds, by address.
type attempts struct {
	mu   sync.Mutex
	from map[string]*rate.Limiter
	now  func() time.Time
}

const (
	attemptInterval = 2 * time.Second
	attemptBurst    = 10
	maxAddresses    = 10_000 // remembered at once
)

func newAttempts(now func() time.Time) *attempts {
	return &attempts{from: map[string]*rate.Limiter{}, now: now}
}

// wait says how long an address must wait before it may try again.
func (a *attempts) wait(address string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	limiter, ok := a.from[address]
	if !ok {
		return 0
	}
	if missing := 1 - limiter.TokensAt(a.now()); missing > 0 {
		return time.Duration(missing * float64(attemptInterval))
	}
	return 0
}

func (a *attempts) failed(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.from[address] == nil {
		if len(a.from) == maxAddresses {
			clear(a.from) // the guesses of so many addresses are bounded by the connections that they take
		}
		a.from[address] = rate.NewLimiter(rate.Every(attemptInterval), attemptBurst)
	}
	a.from[address].AllowN(a.now(), 1)
}
