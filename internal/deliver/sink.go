package deliver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Mailbox keeps what the sink receives. When Put returns nil, the mail is durable.
type Mailbox interface {
	Put(ctx context.Context, from, to string, raw []byte) error
}

const maxSinkMail = 16 << 20

// Sink is a real SMTP server on this machine that keeps all mail instead of passing it on. It answers 250 only after
// the mailbox has the mail.
type Sink struct {
	server   *smtp.Server
	listener net.Listener
	done     chan struct{} // closed when nothing is served any more
}

// OpenSink listens on a free loopback port and serves until Close; the end of ctx does not stop it.
func OpenSink(ctx context.Context, mailbox Mailbox, log *slog.Logger) (*Sink, error) {
	var tcp net.ListenConfig
	listener, err := tcp.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the mail sink cannot listen")
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &sinkSession{mailbox: mailbox, log: log}, nil
	}))
	server.Domain = "localhost"
	server.MaxMessageBytes = maxSinkMail
	server.MaxRecipients = 100
	server.ReadTimeout = 5 * time.Minute
	server.WriteTimeout = time.Minute
	server.ErrorLog = sinkLog{log}
	s := &Sink{server: server, listener: listener, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		if err := server.Serve(listener); err != nil {
			log.Error("the mail sink takes no more mail", "error", err)
		}
	}()
	return s, nil
}

// URL is where a Relay reaches the sink.
func (s *Sink) URL() string { return "smtp://" + s.listener.Addr().String() }

// Close ends all conversations. It may be called twice.
func (s *Sink) Close() error {
	err := s.server.Close()
	_ = s.listener.Close() // the server knows of it only once it has begun to serve
	if err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fault.Wrap(fault.Internal, err, "the mail sink did not stop")
	}
	<-s.done
	return nil
}

type sinkSession struct {
	mailbox Mailbox
	log     *slog.Logger
	from    string
	to      []string
}

func (s *sinkSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *sinkSession) Data(r io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err
	}
	for _, to := range s.to {
		if err := s.mailbox.Put(context.Background(), s.from, to, raw.Bytes()); err != nil {
			s.log.Error("the mail sink could not keep a mail", "error", err)
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "could not be stored"}
		}
	}
	return nil
}

func (s *sinkSession) Reset()        { s.from, s.to = "", nil }
func (s *sinkSession) Logout() error { return nil }

// sinkLog passes the server's complaints, which are about broken connections, to the log.
type sinkLog struct{ log *slog.Logger }

func (l sinkLog) Printf(format string, _ ...any) { l.log.Debug("mail sink: " + format) }
func (l sinkLog) Println(...any)                 { l.log.Debug("mail sink: connection failed") }
