package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/report"
	"github.com/tailorbird/tailorbird/internal/server"
)

func TestTheWebApplicationIsServed(t *testing.T) {
	s := open(t, func(c *server.Config) {
		c.UI = fstest.MapFS{
			"index.html": {Data: []byte("<title>app</title>")}, "assets/app-1a2b.js": {Data: []byte("x")}, "favicon.svg": {Data: []byte("<svg/>")},
		}
		c.Extra = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("shop")) })
	})
	cases := []struct {
		method, path string
		status       int
		body, cache  string
	}{
		{"GET", "/", 200, "<title>app</title>", "no-cache"},
		{"GET", "/index.html", 200, "<title>app</title>", "no-cache"},
		{"GET", "/profiles/x.y", 200, "<title>app</title>", "no-cache"},
		{"HEAD", "/segments", 200, "<title>app</title>", "no-cache"},
		{"GET", "/assets/app-1a2b.js", 200, "x", "public, max-age=31536000, immutable"},
		{"GET", "/favicon.svg", 200, "<svg/>", "no-cache"},
		{"GET", "/assets/", 404, "", ""},
		{"GET", "/assets/old-9f.js", 404, "", ""},
		{"GET", "/api/v1/nothing", 404, "", "no-store"},
		{"POST", "/profiles", 405, "", ""},
		{"GET", "/demo/p/1", 200, "shop", ""},
		{"GET", "/healthz", 200, "ok\n", ""},
		{"GET", "/readyz", 200, "ok\n", ""},
	}
	for _, c := range cases {
		w := s.do(t, request{method: c.method, path: c.path, key: "none"})
		if w.Code != c.status || (c.status == 200 && w.Body.String() != c.body) || w.Header().Get("Cache-Control") != c.cache {
			t.Errorf("%s %s: %d %q, cache %q", c.method, c.path, w.Code, w.Body, w.Header().Get("Cache-Control"))
		}
		if c.status >= 400 {
			problemIn(t, w)
		}
		for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Strict-Transport-Security", "X-Request-Id"} {
			if w.Header().Get(header) == "" {
				t.Errorf("%s lacks %s", c.path, header)
			}
		}
		if policy := w.Header().Get("Content-Security-Policy"); strings.Contains(strings.Split(policy, "style-src")[0], "unsafe") {
			t.Errorf("%s: scripts may be inline: %s", c.path, policy)
		}
	}
}

func TestWithoutAnApplicationThePageSaysHowToBuildIt(t *testing.T) {
	s := open(t, func(c *server.Config) { c.UI = fstest.MapFS{".gitkeep": {}} })
	w := s.do(t, request{method: "GET", path: "/", key: "none"})
	if w.Code != 200 || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// broken is an engine that fails.
type broken struct {
	status func() (server.LoopStatus, error)
}

func (b broken) Status(context.Context) (server.LoopStatus, error)       { return b.status() }
func (b broken) Recent(context.Context, int) ([]server.Happening, error) { return nil, nil }
func (b broken) Ingest(context.Context, []*event.Event) error            { panic("out of memory") }
func (b broken) Pulse() server.LoopStatus                                { return server.LoopStatus{QueueDepth: 7} }

func (b broken) Totals(context.Context) (t report.Totals, err error) {
	_, err = b.status()
	return t, err
}

func (b broken) Daily(_ context.Context, _, _ time.Time) (d []report.Daily, err error) {
	return d, nil
}

func TestReadinessSaysWhatIsWrong(t *testing.T) {
	loop := broken{func() (server.LoopStatus, error) { return server.LoopStatus{}, nil }}
	var ready error
	s := open(t, func(c *server.Config) {
		c.Loop, c.Ready = &loop, func(context.Context) error { return ready }
	})
	cases := map[int]error{200: nil, 503: fault.New(fault.Unavailable, "stopping"), 500: fault.New(fault.Internal, "boom")}
	for status, err := range cases {
		ready = err
		w := s.do(t, request{method: "GET", path: "/readyz", key: "none"})
		if w.Code != status || (w.Header().Get("Retry-After") != "") != (status == 503) {
			t.Errorf("%d, want %d: %s", w.Code, status, w.Body)
		}
		if w := s.do(t, request{method: "GET", path: "/healthz", key: "none"}); w.Code != 200 {
			t.Errorf("alive: %d", w.Code)
		}
	}
	lag, behind := int64(576), 12.0
	told := map[string]server.LoopStatus{
		"ok\nstream: how many events wait is not known\nthe database is away\n":                            {Stream: &server.SourceStatus{}},
		"ok\nstream: 576 events wait, for how long is not known\nthe database is away\n":                   {Stream: &server.SourceStatus{Lag: &lag}},
		"ok\nstream: 576 events wait, the oldest for 12.0 s\nthe database is away\n":                       {Stream: &server.SourceStatus{Lag: &lag, Behind: &behind}},
		"ok\nstream: it is not read: X\nstream: how many events wait is not known\nthe database is away\n": {Stream: &server.SourceStatus{Problem: "X"}},
		"ok\nthe database is away\n": {},
	}
	ready = nil
	for want, status := range told {
		loop.status = func() (server.LoopStatus, error) { return status, fault.New(fault.Unavailable, "the database is away") }
		if w := s.do(t, request{method: "GET", path: "/readyz", key: "none"}); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%d %q, want %q", w.Code, w.Body, want)
		}
	}
}

func TestAPanicIsAnAnswerAndALogEntry(t *testing.T) {
	var log bytes.Buffer
	s := open(t, func(c *server.Config) {
		c.Ingest, c.Log = broken{}, slog.New(slog.NewJSONHandler(&log, nil))
	})
	header := basic(writeKey)
	header["X-Request-Id"] = "abc-1"
	w := s.do(t, request{method: "POST", path: "/v1/track", body: `{"userId":"u","event":"X"}`, header: header})
	if p := problemIn(t, w); p.Status != 500 || strings.Contains(w.Body.String(), "memory") || w.Header().Get("X-Request-Id") != "abc-1" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "out of memory") || !strings.Contains(log.String(), "tracking.go") {
		t.Errorf("log: %s", log.String())
	}
}

// TestWhoGoesAwayIsNoError asks a broken server, and one whose caller has gone.
func TestWhoGoesAwayIsNoError(t *testing.T) {
	for _, gone := range []bool{false, true} {
		var log bytes.Buffer
		s := open(t, func(c *server.Config) {
			c.Ready = func(context.Context) error { return fault.New(fault.Internal, "interrupted") }
			c.Log = slog.New(slog.NewJSONHandler(&log, nil))
		})
		ctx, cancel := context.WithCancel(t.Context())
		if gone {
			cancel()
		}
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/readyz", nil).WithContext(ctx))
		cancel()
		if failed := strings.Contains(log.String(), `"ERROR"`); failed == gone {
			t.Errorf("caller gone %v: %s", gone, log.String())
		}
	}
}

func TestTheAccessLogHoldsNoSecrets(t *testing.T) {
	var log bytes.Buffer
	s := open(t, func(c *server.Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	s.do(t, request{method: "GET", path: "/api/v1/keys?limit=5", header: map[string]string{"X-Request-Id": "bad id\n{}"}})
	s.do(t, request{method: "GET", path: "/u/a-token-for-somebody", key: "none"})
	s.do(t, request{method: "POST", path: "/v1/track", body: `{"userId":"ada@example.com","event":"X"}`, header: basic(writeKey)})
	var lines []map[string]any
	for line := range strings.Lines(log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, entry)
	}
	if len(lines) != 2 || lines[0]["path"] != "/api/v1/keys" || lines[0]["status"] != 200.0 || lines[1]["path"] != "/u/…" {
		t.Errorf("log %v", lines)
	}
	for _, secret := range []string{adminKey, writeKey, "a-token", "ada@example.com", "limit=5", "bad id"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestMetrics(t *testing.T) {
	s := whole(t)
	s.run(t, []step{{"track", track(shop), 200, nil, nil, ""}, {"refused", track(`{"batch":[{}]}`), 400, nil, []string{"batch[0].type"}, "invalid"}})
	for key, want := range map[string]int{"none": 401, "wrong-key-of-nobody": 401, writeKey: 403} {
		if w := s.do(t, request{method: "GET", path: "/metrics", key: key}); w.Code != want || strings.Contains(w.Body.String(), "tailorbird_events") {
			t.Errorf("key %s: %d %s", key, w.Code, w.Body)
		}
	}
	w := s.do(t, request{method: "GET", path: "/metrics"})
	problems, err := promlint.New(strings.NewReader(w.Body.String())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems { // names, units and help as Prometheus has them
		if strings.HasPrefix(p.Metric, "tailorbird_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	alone := httptest.NewRecorder()
	s.Handler.(*server.Site).Metrics.ServeHTTP(alone, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(alone.Body.String(), "tailorbird_events_accepted_total 4") {
		t.Errorf("at an address of its own: %d %s", alone.Code, alone.Body)
	}
	for _, line := range []string{
		"tailorbird_events_accepted_total 4", `tailorbird_tracking_rejected_total{code="invalid"} 1`, "tailorbird_profiles 3",
		`tailorbird_http_request_duration_seconds_count{route="POST /v1/batch",status="200"} 1`, "tailorbird_queue_events 0", `tailorbird_build_info{version="test"} 1`, "tailorbird_ready 1", "tailorbird_backup_last_success_timestamp_seconds 0", `tailorbird_messages{status="sent"} 0`,
	} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %s", line)
		}
	}
}

// TestMetricsAreThereWithoutTheRest has the counting fail: because the database is away, which others tell, and otherwise.
func TestMetricsAreThereWithoutTheRest(t *testing.T) {
	for code, told := range map[fault.Code]bool{fault.Unavailable: false, fault.Internal: true} {
		var log bytes.Buffer
		overview := broken{status: func() (server.LoopStatus, error) { return server.LoopStatus{}, fault.New(code, "no count") }}
		s := open(t, func(c *server.Config) {
			c.Loop, c.Overview, c.Log = overview, overview, slog.New(slog.NewTextHandler(&log, nil))
		})
		w := s.do(t, request{method: "GET", path: "/metrics"})
		if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, "tailorbird_queue_events 7") || strings.Contains(body, "tailorbird_profiles") {
			t.Errorf("%s: %d %s", code, w.Code, body)
		}
		if strings.Contains(log.String(), "no count") != told {
			t.Errorf("%s: logged %q", code, log.String())
		}
	}
}

// TestAnUnknownSourceHasNoQuarantine retries and discards what nobody can have left.
func TestAnUnknownSourceHasNoQuarantine(t *testing.T) {
	s := whole(t)
	for _, path := range []string{"/api/v1/quarantine/retry", "/api/v1/quarantine/discard"} {
		w := s.do(t, request{method: "POST", path: path, body: `{"source":"nosuch"}`})
		if p := problemIn(t, w); p.Status != 404 || p.Code != "not_found" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
