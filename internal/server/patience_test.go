package server_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/server"
)

// clientsWait is how long senders of events usually wait for an answer.
const clientsWait = 5 * time.Second

// busy is an engine that is given time, and needs all of it.
type busy struct{ given time.Duration }

func (b *busy) Ingest(ctx context.Context, _ []*event.Event) error {
	if until, limited := ctx.Deadline(); limited {
		b.given = time.Until(until)
	}
	return fault.Wrap(fault.Unavailable, context.DeadlineExceeded, "the answer took too long; send this again")
}

func TestNobodyWaitsLongerForTheEngineThanSendersDo(t *testing.T) {
	for path, most := range map[string]time.Duration{"track": clientsWait, "batch": clientsWait, "import": 30 * time.Second} {
		b := &busy{}
		s := open(t, func(c *server.Config) { c.Ingest = b })
		body := `{"type":"track","userId":"u","event":"X"}`
		if path != "track" {
			body = `{"batch":[` + body + `]}`
		}
		w := s.do(t, request{method: "POST", path: "/v1/" + path, body: body, header: basic(writeKey)})
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
		if b.given <= 0 || b.given >= most {
			t.Errorf("%s: the engine was given %v, and may take less than %v", path, b.given, most)
		}
	}
}

// limitedConn knows until when it is read from.
type limitedConn struct {
	net.Conn
	until *atomic.Pointer[time.Time]
}

func (c limitedConn) SetReadDeadline(at time.Time) error {
	c.until.Store(&at)
	return c.Conn.SetReadDeadline(at)
}

type limitedConns struct {
	net.Listener
	until atomic.Pointer[time.Time]
}

func (l *limitedConns) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return limitedConn{conn, &l.until}, err
}

// slowDecider calls during while it works.
type slowDecider struct {
	server.Identity
	server.Decider
	during func(context.Context)
}

func (s slowDecider) StoredProfileID(context.Context, string) (int64, error) { return 1, nil }

func (s slowDecider) Unmerge(ctx context.Context, _ int64, _, _ string) (*engine.Unmerged, error) {
	s.during(ctx)
	return nil, fault.New(fault.NotFound, "it is none that merged")
}

// A connection whose time for reading ends takes its request along, also when the body has been read long before: what is
// worked out from a body may take as long as the call.
func TestTheTimeForReadingABodyDoesNotEndItsCall(t *testing.T) {
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := &limitedConns{Listener: inner}
	var reading, working time.Time
	s := open(t, func(c *server.Config) {
		d := slowDecider{during: func(ctx context.Context) {
			reading = *conns.until.Load()
			working, _ = ctx.Deadline()
		}}
		c.Identity, c.Decider, c.Requests = d, d, requestsOf(c)
	})
	serving := server.HTTP(s, slog.New(slog.DiscardHandler))
	go func() { _ = serving.Serve(conns) }()
	t.Cleanup(func() { _ = serving.Close() })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+inner.Addr().String()+"/api/v1/profiles/p/unmerge", strings.NewReader(`{"note":"two"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminKey)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "one") // whoever reads it reads the body first
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound || working.IsZero() {
		t.Fatalf("status %d, worked out until %v", answer.StatusCode, working)
	}
	if !reading.IsZero() && reading.Before(working) {
		t.Errorf("the connection is read from for %v, and the call may take %v", time.Until(reading), time.Until(working))
	}
}
