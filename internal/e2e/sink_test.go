package e2e

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// sink is an SMTP server that keeps what it accepts.
type sink struct {
	address string
	delay   time.Duration // before the answer to a message
	accept  chan struct{} // told of each accepted message; drops what nobody waits for

	mu    sync.Mutex
	mails []letter
}

// letter is one accepted message: in a sink that delays its answer, accepted means stored, as in a real one.
type letter struct {
	from string
	to   []string
	raw  []byte
}

func newSink(t *testing.T, delay time.Duration) *sink {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{address: listener.Addr().String(), delay: delay, accept: make(chan struct{}, 1)}
	server := smtp.NewServer(s)
	server.Domain, server.MaxRecipients, server.MaxMessageBytes = "sink.example", 100, 10<<20
	server.ReadTimeout, server.WriteTimeout = patience, patience
	server.ErrorLog = quiet{} // of connections that a killed client leaves behind
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) }) // ends with Close
	t.Cleanup(func() {
		_ = server.Close()
		served.Wait()
	})
	return s
}

func (s *sink) url() string { return "smtp://" + s.address }

// NewSession begins a connection.
func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }

func (s *sink) received() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.mails...)
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mails)
}

type session struct {
	sink *sink
	mail letter
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mail = letter{from: from}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = append(s.mail.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err // cut off: nothing is kept
	}
	s.mail.raw = raw.Bytes()
	s.sink.mu.Lock()
	s.sink.mails = append(s.sink.mails, s.mail)
	s.sink.mu.Unlock()
	select {
	case s.sink.accept <- struct{}{}:
	default:
	}
	if s.sink.delay > 0 {
		<-time.After(s.sink.delay)
	}
	return nil
}

func (s *session) Reset() { s.mail = letter{} }

func (s *session) Logout() error { return nil }

// quiet is a log that keeps nothing.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

func (quiet) Println(...any) {}
