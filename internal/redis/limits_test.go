package redis

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/limit"
)

// server is a real Redis, started by scripts/redis.sh for one test.
type server struct {
	url, dir string
}

func start(t *testing.T) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil && os.Getenv("CI") == "" && os.Getuid() != 0 {
		t.Skip("there is no redis-server: apt-get install redis-server")
	}
	s := &server{dir: t.TempDir()}
	s.start(t)
	t.Cleanup(func() { s.stop(t) })
	return s
}

func (s *server) start(t *testing.T) {
	t.Helper()
	for name, value := range s.script(t, "start", s.dir) {
		if name == "TAILORBIRD_TEST_REDIS" {
			s.url = value
		}
	}
}

// stop ends the server and keeps its port.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.script(t, "stop", s.dir, "keep")
}

func (s *server) script(t *testing.T, args ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join("..", "..", "scripts", "redis.sh"), args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("redis.sh %v: %v\n%s", args, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	said := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		said[name] = value
	}
	return said
}

// alone is a node's own limiter, which allows everything and counts.
type alone struct{ asked atomic.Int64 }

func (a *alone) Take(context.Context, limit.Policy, string) limit.Verdict {
	a.asked.Add(1)
	return limit.Verdict{Allowed: true}
}

// node is one of several that share a server.
func node(t *testing.T, url string) (*Redis, *Limits, *alone) {
	t.Helper()
	return logging(t, url, slog.New(slog.DiscardHandler))
}

func logging(t *testing.T, url string, log *slog.Logger) (*Redis, *Limits, *alone) {
	t.Helper()
	r, err := Open(url, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	a := &alone{}
	return r, r.Limits(a), a
}

// TestNodesCountTogether takes from one bucket at three nodes at once. In an hour's window nothing comes back meanwhile.
func TestNodesCountTogether(t *testing.T) {
	s := start(t)
	policy := limit.Policy{Name: "api", Quota: 50, Window: 10 * time.Hour}
	var allowed atomic.Int64
	var working sync.WaitGroup
	for range 3 {
		_, l, a := node(t, s.url)
		working.Go(func() {
			for range 40 {
				if l.Take(t.Context(), policy, "key:1").Allowed {
					allowed.Add(1)
				}
			}
			if a.asked.Load() > 0 {
				t.Error("redis was there, and the node counted by itself")
			}
		})
	}
	working.Wait()
	if allowed.Load() != 50 {
		t.Errorf("%d allowed of 50", allowed.Load())
	}
	_, l, _ := node(t, s.url)
	v := l.Take(t.Context(), policy, "key:1")
	one := policy.Window / 50
	if v.Allowed || v.Remaining != 0 || v.Wait <= one-time.Minute || v.Wait > one || v.Full <= policy.Window-time.Minute || v.Full > policy.Window {
		t.Errorf("the empty bucket: %+v", v)
	}
	for want := 49; want >= 45; want-- {
		if v := l.Take(t.Context(), policy, "key:2"); !v.Allowed || v.Remaining != want || v.Wait != 0 {
			t.Errorf("another caller: %+v, want %d", v, want)
		}
	}
	other := limit.Policy{Name: "tracking", Quota: 50, Window: 10 * time.Hour}
	if v := l.Take(t.Context(), other, "key:1"); !v.Allowed || v.Remaining != 49 {
		t.Errorf("another policy: %+v", v)
	}
}

// TestABucketFillsAgain waits for as long as it is told to.
func TestABucketFillsAgain(t *testing.T) {
	_, l, _ := node(t, start(t).url)
	policy := limit.Policy{Name: "api", Quota: 5, Window: time.Second}
	for round := range 3 {
		var v limit.Verdict
		for v = l.Take(t.Context(), policy, "key:1"); v.Allowed; v = l.Take(t.Context(), policy, "key:1") {
		}
		if v.Wait <= 0 || v.Wait > 200*time.Millisecond {
			t.Fatalf("round %d: wait %s", round, v.Wait)
		}
		<-time.After(v.Wait)
		if v = l.Take(t.Context(), policy, "key:1"); !v.Allowed {
			t.Errorf("round %d: refused after waiting, %s more", round, v.Wait)
		}
	}
}

// TestNothingFailsWithoutRedis ends the server and starts it again.
func TestNothingFailsWithoutRedis(t *testing.T) {
	s := start(t)
	r, l, a := node(t, s.url)
	policy := limit.Policy{Name: "api", Quota: 1000, Window: time.Hour}
	take := func() {
		t.Helper()
		if !l.Take(t.Context(), policy, "key:1").Allowed {
			t.Fatal("refused")
		}
	}
	take()
	s.stop(t)
	for range 50 {
		take()
	}
	if up, failed := r.Stats(); up || failed == 0 || a.asked.Load() != 50 {
		t.Errorf("while it is down: up %v, %d failed, %d counted alone", up, failed, a.asked.Load())
	}
	s.start(t)
	deadline := time.After(time.Minute)
	for up := false; !up; up, _ = r.Stats() {
		take()
		select {
		case <-deadline:
			t.Fatal("it is not asked again")
		default:
		}
	}
	before := a.asked.Load()
	take()
	if a.asked.Load() != before {
		t.Error("it is there again, and the node counts by itself")
	}
}

// TestASilentServerIsNotWaitedFor has a server that takes connections and says nothing.
func TestASilentServerIsNotWaitedFor(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	}()
	r, l, a := node(t, "redis://"+listener.Addr().String()+"/0")
	for range 1000 {
		if !l.Take(t.Context(), limit.Policy{Name: "api", Quota: 1, Window: time.Hour}, "key:1").Allowed {
			t.Fatal("refused")
		}
	}
	if _, failed := r.Stats(); failed == 0 || failed > 100 || a.asked.Load() != 1000 {
		t.Errorf("asked %d times, alone %d times", failed, a.asked.Load())
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, url := range []string{"", "redis.internal", "http://redis.internal", "redis://h/notanumber", "redis://:secret@h:port/0"} {
		_, err := Open(url, slog.New(slog.DiscardHandler))
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestAnAbsentServerIsSaidOnce asks where nobody listens: our log says so once, and what the client has to say of each try is
// for those who debug.
func TestAnAbsentServerIsSaidOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	for level, tries := range map[slog.Level]bool{slog.LevelInfo: false, slog.LevelDebug: true} {
		var log bytes.Buffer
		r, _, _ := logging(t, "redis://user:secret@"+address, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})))
		r.Greet(t.Context())
		r.Greet(t.Context())
		if said := log.String(); strings.Count(said, "level=WARN") != 1 || strings.Contains(said, "level=DEBUG") != tries || strings.Contains(said, "secret") {
			t.Errorf("at %s: %s", level, said)
		}
	}
}
