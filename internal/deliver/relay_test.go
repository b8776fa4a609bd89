package deliver

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// scriptedServer is a real SMTP server whose answers a test chooses.
type scriptedServer struct {
	mu       sync.Mutex
	mail     func(from string) error
	rcpt     func(to string) error
	data     func(conn *smtp.Conn, to, raw string) error
	sessions int
	accepted []string // recipients
	url      string
}

type scriptedSession struct {
	server *scriptedServer
	conn   *smtp.Conn
	to     string
}

func (s *scriptedSession) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.mail != nil {
		return s.server.mail(from)
	}
	return nil
}

func (s *scriptedSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if s.server.rcpt != nil {
		return s.server.rcpt(to)
	}
	return nil
}

func (s *scriptedSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.server.data != nil {
		if err := s.server.data(s.conn, s.to, string(raw)); err != nil {
			return err
		}
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.accepted = append(s.server.accepted, s.to)
	return nil
}

func (s *scriptedSession) Reset()        {}
func (s *scriptedSession) Logout() error { return nil }

func startServer(t *testing.T, s *scriptedServer) *scriptedServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions++
		return &scriptedSession{server: s, conn: c}, nil
	}))
	server.Domain = "relay.example"
	server.ErrorLog = discard{}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	s.url = "smtp://" + listener.Addr().String()
	return s
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func newRelay(t *testing.T, url string) *Relay {
	t.Helper()
	timeouts := DefaultTimeouts
	timeouts.Dot = 200 * time.Millisecond
	relay, err := NewRelay(url, "shop.example", timeouts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = relay.Close() })
	return relay
}

func reply(code, a, b, c int) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{a, b, c}, Message: "says the script"}
}

var envelope = Envelope{From: "news@shop.example", To: "ada@customer.example"}

func TestRepliesBecomeVerdicts(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	cases := []struct {
		name     string
		server   *scriptedServer
		verdict  Verdict
		badInbox bool
		dotted   bool // beforeDot was called
	}{
		{"accepted", &scriptedServer{}, Accepted, false, true},
		{"421 at MAIL", &scriptedServer{mail: func(string) error { return reply(421, 4, 3, 2) }}, Deferred, false, false},
		{"550 at MAIL", &scriptedServer{mail: func(string) error { return reply(550, 5, 7, 1) }}, Deferred, false, false},
		{"450 greylisted", &scriptedServer{rcpt: func(string) error { return reply(450, 4, 2, 0) }}, Deferred, false, false},
		{"452 full at RCPT", &scriptedServer{rcpt: func(string) error { return reply(452, 4, 2, 2) }}, Deferred, false, false},
		{"550 5.1.1", &scriptedServer{rcpt: func(string) error { return reply(550, 5, 1, 1) }}, Refused, true, false},
		{"550 5.7.1 policy", &scriptedServer{rcpt: func(string) error { return reply(550, 5, 7, 1) }}, Refused, false, false},
		{"550 plain", &scriptedServer{rcpt: func(string) error {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.NoEnhancedCode, Message: "no such user"}
		}}, Refused, true, false},
		{"452 after DATA", &scriptedServer{data: func(*smtp.Conn, string, string) error { return reply(452, 4, 3, 1) }}, Deferred, false, true},
		{"554 after DATA", &scriptedServer{data: func(*smtp.Conn, string, string) error { return reply(554, 5, 6, 0) }}, Refused, false, true},
		{"drop after DATA", &scriptedServer{data: func(c *smtp.Conn, _, _ string) error { return c.Close() }}, InDoubt, false, true},
		{"no answer to the dot", &scriptedServer{data: func(*smtp.Conn, string, string) error { <-release; return nil }}, InDoubt, false, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			relay := newRelay(t, startServer(t, c.server).url)
			for range 2 { // the second shows that the relay recovers
				calls := 0
				result := relay.Send(t.Context(), envelope, []byte("Subject: x\r\n\r\nbody\r\n"), func() error { calls++; return nil })
				if result.Verdict != c.verdict || result.BadInbox != c.badInbox || (calls == 1) != c.dotted || calls > 1 {
					t.Errorf("%+v, %d calls", result, calls)
				}
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "smtp://" + listener.Addr().String()
	_ = listener.Close()
	result := newRelay(t, url).Send(t.Context(), envelope, []byte("x"), func() error { t.Error("no dot without a connection"); return nil })
	if result.Verdict != Deferred {
		t.Errorf("%+v", result)
	}
}

func TestWithheldMessageDoesNotArrive(t *testing.T) {
	server := startServer(t, &scriptedServer{})
	relay := newRelay(t, server.url)
	cause := errors.New("suppressed")
	result := relay.Send(t.Context(), envelope, []byte("Subject: x\r\n\r\nbody\r\n"), func() error { return cause })
	if result.Verdict != Withheld || !errors.Is(result.Cause, cause) {
		t.Errorf("%+v", result)
	}
	if result := relay.Send(t.Context(), Envelope{From: envelope.From, To: "next@customer.example"}, []byte("Subject: y\r\n\r\n"), func() error { return nil }); result.Verdict != Accepted {
		t.Errorf("the next: %+v", result)
	}
	if got := strings.Join(server.accepted, " "); got != "next@customer.example" {
		t.Errorf("arrived: %s", got)
	}
}

func TestConnectionsAreReusedAndReplaced(t *testing.T) {
	var conns []*smtp.Conn
	server := &scriptedServer{}
	server.data = func(c *smtp.Conn, _, _ string) error {
		server.mu.Lock()
		defer server.mu.Unlock()
		conns = append(conns, c)
		return nil
	}
	startServer(t, server)
	relay := newRelay(t, server.url)
	send := func() {
		t.Helper()
		if r := relay.Send(t.Context(), envelope, []byte("Subject: x\r\n\r\n"), func() error { return nil }); r.Verdict != Accepted {
			t.Fatalf("%+v", r)
		}
	}
	send()
	send()
	if server.sessions != 1 {
		t.Errorf("%d connections for two messages", server.sessions)
	}
	_ = conns[1].Close() // the server hangs up between two messages
	send()
	if server.sessions != 2 {
		t.Errorf("%d connections after the server hung up", server.sessions)
	}
}

func TestCancelledSendEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := startServer(t, &scriptedServer{rcpt: func(string) error { cancel(); <-t.Context().Done(); return nil }})
	if r := newRelay(t, server.url).Send(ctx, envelope, []byte("x"), func() error { return nil }); r.Verdict != Deferred {
		t.Errorf("%+v", r)
	}
}

func TestRelayURLs(t *testing.T) {
	for _, bad := range []string{"", "http://x", "smtp://", "smtp://x?verify=maybe", "smtp://x?tls=maybe", "smtps://x?tls=no", "://"} {
		if _, err := NewRelay(bad, "x", DefaultTimeouts); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
