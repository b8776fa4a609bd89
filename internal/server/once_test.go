package server_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/backup"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/limit"
	"github.com/tailorbird/tailorbird/internal/server"
)

func named(name string) map[string]string { return map[string]string{"Idempotency-Key": name} }

// TestARequestIsCarriedOutOnce makes a key again and again under one name, and looks at how many there are.
func TestARequestIsCarriedOutOnce(t *testing.T) {
	s := open(t, func(c *server.Config) { c.Requests = requestsOf(c) })
	keys := len(s.guard.List())
	create := request{method: "POST", path: "/api/v1/keys", body: `{"name":"shop","scopes":["track"]}`, header: named("one")}
	first := s.do(t, create)
	if first.Code != http.StatusCreated || first.Header().Get("Idempotent-Replayed") != "" {
		t.Fatalf("first: %d %s", first.Code, first.Body)
	}
	for range 3 {
		again := s.do(t, create)
		if again.Code != first.Code || again.Body.String() != first.Body.String() || again.Header().Get("Content-Type") != first.Header().Get("Content-Type") {
			t.Errorf("again: %d %s, first %d %s", again.Code, again.Body, first.Code, first.Body)
		}
		if again.Header().Get("Idempotent-Replayed") != "true" {
			t.Error("it does not say that it was answered before")
		}
	}
	quoted := create
	quoted.header = named(`"one"`)
	if again := s.do(t, quoted); again.Body.String() != first.Body.String() {
		t.Errorf("the same name in quotation marks: %d %s", again.Code, again.Body)
	}
	if n := len(s.guard.List()); n != keys+1 {
		t.Fatalf("%d keys were made", n-keys)
	}

	other := create
	other.body = `{"name":"app","scopes":["track"]}`
	if w := s.do(t, other); w.Code != http.StatusUnprocessableEntity || problemIn(t, w).locations()[0] != "header.Idempotency-Key" {
		t.Errorf("another request under its name: %d %s", w.Code, w.Body)
	}
	other.header = named("two")
	if w := s.do(t, other); w.Code != http.StatusCreated {
		t.Errorf("another request: %d %s", w.Code, w.Body)
	}
	_, secret, err := s.guard.Create(t.Context(), "other admin", []access.Scope{access.Admin})
	if err != nil {
		t.Fatal(err)
	}
	theirs := create
	theirs.key = secret
	if w := s.do(t, theirs); w.Code != http.StatusCreated || w.Body.String() == first.Body.String() {
		t.Errorf("another caller's request of that name: %d %s", w.Code, w.Body)
	}
	bad := request{method: "POST", path: "/api/v1/keys", body: `{"name":"","scopes":["track"]}`, header: named("bad")}
	if one, two := s.do(t, bad), s.do(t, bad); one.Code != 422 || two.Code != 422 || two.Body.String() != one.Body.String() || two.Header().Get("Idempotent-Replayed") == "" {
		t.Errorf("what was refused: %d %s, %d %s", one.Code, one.Body, two.Code, two.Body)
	}
	for _, name := range []string{strings.Repeat("n", 256), "a\x01b", "ü"} {
		create.header = named(name)
		if w := s.do(t, create); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d %s", name, w.Code, w.Body)
		}
	}

	s.now = s.now.Add(25 * time.Hour)
	create.header = named("one")
	if w := s.do(t, create); w.Code != http.StatusCreated || w.Body.String() == first.Body.String() {
		t.Errorf("a day later: %d %s", w.Code, w.Body)
	}
}

// requestsOf gives the store of a configuration, which is a real one.
func requestsOf(c *server.Config) access.Requests {
	return c.Suppressions.(access.Requests) //nolint:forcetypeassert // of a test
}

// slow makes backups that wait to be let go, and counts them.
type slow struct {
	server.Backups
	begun chan struct{}
	goOn  chan error
	count atomic.Int64
}

func (s *slow) Begin(context.Context) (backup.Backup, error) {
	s.count.Add(1)
	s.begun <- struct{}{}
	return backup.Backup{Name: "b", Status: backup.Running}, <-s.goOn
}

func (s *slow) Open(string) (*os.File, error) { return nil, errors.New("none") }

func TestTheSameRequestAtOnce(t *testing.T) {
	work := &slow{begun: make(chan struct{}, 9), goOn: make(chan error, 9)}
	s := open(t, func(c *server.Config) { c.Requests, c.Backups = requestsOf(c), work })
	ask := request{method: "POST", path: "/api/v1/backups", header: named("one")}
	var working sync.WaitGroup
	begin := func(want int) {
		working.Go(func() {
			if w := s.do(t, ask); w.Code != want {
				t.Errorf("%d %s, want %d", w.Code, w.Body, want)
			}
		})
		<-work.begun
	}
	begin(http.StatusAccepted)
	if w := s.do(t, ask); w.Code != http.StatusConflict || w.Header().Get("Retry-After") == "" {
		t.Errorf("meanwhile: %d %s", w.Code, w.Body)
	}
	work.goOn <- nil
	working.Wait()
	if w := s.do(t, ask); w.Code != http.StatusAccepted || work.count.Load() != 1 {
		t.Errorf("afterwards: %d %s, done %d times", w.Code, w.Body, work.count.Load())
	}

	// What failed on our side may be tried again, and what a process left when it died too.
	ask.header = named("two")
	begin(http.StatusServiceUnavailable)
	work.goOn <- fault.New(fault.Unavailable, "the disk is full")
	working.Wait()
	begin(http.StatusAccepted)
	if w := s.do(t, ask); w.Code != http.StatusConflict {
		t.Errorf("meanwhile: %d %s", w.Code, w.Body)
	}
	s.now = s.now.Add(5 * time.Minute)
	begin(http.StatusAccepted)
	work.goOn <- nil
	work.goOn <- nil
	working.Wait()
	if n := work.count.Load(); n != 4 {
		t.Errorf("begun %d times, want 4", n)
	}
}

// TestKeysHaveLimits counts on a clock that stands still until it is moved.
func TestKeysHaveLimits(t *testing.T) {
	s := open(t, func(c *server.Config) {
		c.Limits = server.Limits{
			Limiter: limit.NewLocal(c.Now), API: limit.Policy{Name: "api", Quota: 3, Window: time.Minute},
			Tracking: limit.Policy{Name: "tracking", Quota: 2, Window: time.Second},
		}
	})
	list := request{method: "GET", path: "/api/v1/keys"}
	for _, want := range []string{`"api";r=2;t=20`, `"api";r=1;t=40`, `"api";r=0;t=60`} {
		w := s.do(t, list)
		if w.Code != http.StatusOK || w.Header().Get("RateLimit") != want || w.Header().Get("RateLimit-Policy") != `"api";q=3;w=60` {
			t.Errorf("%d, RateLimit %s, RateLimit-Policy %s, want %s", w.Code, w.Header().Get("RateLimit"), w.Header().Get("RateLimit-Policy"), want)
		}
	}
	w := s.do(t, list)
	if w.Code != http.StatusTooManyRequests || problemIn(t, w).Code != "rate_limited" || w.Header().Get("Retry-After") != "20" || w.Header().Get("RateLimit") != `"api";r=0;t=60` {
		t.Errorf("the fourth: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := s.do(t, request{method: "GET", path: "/api/v1/keys", key: "wrong-key-of-nobody"}); w.Code != http.StatusUnauthorized {
		t.Errorf("a wrong key: %d", w.Code)
	}
	_, secret, err := s.guard.Create(t.Context(), "other admin", []access.Scope{access.Admin})
	if err != nil {
		t.Fatal(err)
	}
	if w := s.do(t, request{method: "GET", path: "/api/v1/keys", key: secret}); w.Code != http.StatusOK {
		t.Errorf("another key: %d %s", w.Code, w.Body)
	}
	own, err := s.guard.Lend("this process", access.Scopes())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if w := s.do(t, request{method: "GET", path: "/api/v1/keys", key: own}); w.Code != http.StatusOK || w.Header().Get("RateLimit") != "" {
			t.Errorf("the program itself: %d %s", w.Code, w.Body)
		}
	}
	s.now = s.now.Add(20 * time.Second)
	if w := s.do(t, list); w.Code != http.StatusOK {
		t.Errorf("20 seconds later: %d %s", w.Code, w.Body)
	}

	event := `{"userId":"u","event":"X"}`
	inBody := request{method: "POST", path: "/v1/track", body: `{"userId":"u","event":"X","writeKey":"` + writeKey + `"}`, key: "none"}
	inHeader := request{method: "POST", path: "/v1/track", body: event, key: writeKey}
	for i, r := range []request{inBody, inHeader} {
		if w := s.do(t, r); w.Code != http.StatusOK || w.Header().Get("RateLimit-Policy") != `"tracking";q=2;w=1` {
			t.Errorf("event %d: %d %v %s", i, w.Code, w.Header(), w.Body)
		}
	}
	for _, r := range []request{inBody, inHeader} {
		if w := s.do(t, r); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("one event too many: %d %v %s", w.Code, w.Header(), w.Body)
		}
	}
	if n := len(s.inbox.take()); n != 2 {
		t.Errorf("%d events were taken", n)
	}
}
