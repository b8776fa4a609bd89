package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Relay is a Transport to one SMTP server, with connections kept open between messages.
type Relay struct {
	address  string // host:port
	host     string
	username string
	password string
	implicit bool // TLS from the first byte
	clear    bool // mail may go unencrypted
	tls      *tls.Config
	timeouts Timeouts
	hello    string

	mu       sync.Mutex
	idle     []*connection
	starttls bool // the server has offered it; from then on we insist
	closed   bool
}

// Timeouts bound the waits of a conversation.
type Timeouts struct {
	Dial    time.Duration // to connect
	Command time.Duration // for the reply to a command
	Content time.Duration // to write the message
	Dot     time.Duration // for the reply to the final dot
	Idle    time.Duration // after which an unused connection is not trusted any more
}

// DefaultTimeouts are shorter than RFC 5321 allows, as a relay of one's own is near.
var DefaultTimeouts = Timeouts{Dial: 15 * time.Second, Command: time.Minute, Content: 2 * time.Minute, Dot: 5 * time.Minute, Idle: 30 * time.Second}

const (
	maxIdle       = 16
	maxOnOneTrain = 200 // messages over one connection; many relays allow no more
)

// NewRelay reads smtp://user:password@host:port or smtps://…; it does not connect. smtp uses STARTTLS, and sends nothing
// to a server that does not offer it, which may be the work of somebody in between: save to this machine, and with
// ?tls=no. Certificates are checked; ?verify=no turns that off for a relay without a proper one. A password is never sent
// unencrypted, save to this machine.
func NewRelay(smtpURL, hello string, timeouts Timeouts) (*Relay, error) {
	u, err := url.Parse(smtpURL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, fault.Setting("smtp_url", "must look like smtp://user:password@host:587 or smtps://…")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"smtp": "587", "smtps": "465"}[u.Scheme]
	}
	r := &Relay{address: net.JoinHostPort(u.Hostname(), port), host: u.Hostname(), implicit: u.Scheme == "smtps", timeouts: timeouts, hello: hello}
	switch wanted := u.Query().Get("tls"); wanted {
	case "", "yes":
		r.clear = isLoopback(r.host)
	case "no":
		if r.implicit {
			return nil, fault.Setting("smtp_url", "tls=no contradicts smtps://; use smtp://")
		}
		r.clear = true
	default:
		return nil, fault.Setting("smtp_url", "tls is %q; it must be yes or no", wanted)
	}
	if u.User != nil {
		r.username = u.User.Username()
		r.password, _ = u.User.Password()
	}
	switch verify := u.Query().Get("verify"); verify {
	case "", "yes":
		r.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	case "no":
		r.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} //nolint:gosec // asked for
	default:
		return nil, fault.Setting("smtp_url", "verify is %q; it must be yes or no", verify)
	}
	return r, nil
}

// connection is a logged-in conversation.
type connection struct {
	client *smtp.Client
	raw    net.Conn
	used   int
	since  time.Time // when it was put aside
}

// Send implements Transport. A connection that the server closed meanwhile is replaced, unseen by the caller.
func (r *Relay) Send(ctx context.Context, envelope Envelope, raw []byte, beforeDot func() error) Result {
	for {
		c, err := r.take(ctx)
		if err != nil {
			return judge(connecting, err)
		}
		fresh := c.used == 0
		cancel := context.AfterFunc(ctx, c.drop)
		at, err := c.begin(envelope)
		if err != nil && !fresh && worn(at, err) {
			cancel()
			c.drop()
			continue
		}
		var result Result
		if err != nil {
			result = judge(at, err)
		} else {
			result = r.content(c, raw, beforeDot)
		}
		interrupted := !cancel()
		r.putBack(c, result, interrupted)
		return result
	}
}

// worn reports whether a kept connection turned out to be of no more use: gone, or the server says so.
func worn(at stage, err error) bool {
	var reply *smtp.SMTPError
	if !errors.As(err, &reply) {
		return true
	}
	return reply.Code == 421 && at == sender
}

// begin names sender and recipient and asks to send the content.
func (c *connection) begin(envelope Envelope) (stage, error) {
	c.used++
	if err := c.client.Mail(envelope.From, nil); err != nil {
		return sender, err
	}
	return recipient, c.client.Rcpt(envelope.To, nil)
}

// content sends the message and waits for the server's decision.
func (r *Relay) content(c *connection, raw []byte, beforeDot func() error) Result {
	w, err := c.client.Data()
	if err != nil {
		return judge(content, err)
	}
	_ = c.raw.SetDeadline(time.Now().Add(r.timeouts.Content))
	if _, err := w.Write(raw); err != nil {
		return judge(content, err)
	}
	if err := beforeDot(); err != nil {
		return Result{Verdict: Withheld, Text: err.Error(), Cause: err}
	}
	reply, err := w.CloseWithResponse()
	if err != nil {
		return judge(decision, err)
	}
	return Result{Verdict: Accepted, Code: 250, Text: reply.StatusText}
}

// take gives an idle connection or makes one.
func (r *Relay) take(ctx context.Context) (*connection, error) {
	r.mu.Lock()
	for len(r.idle) > 0 {
		c := r.idle[len(r.idle)-1]
		r.idle = r.idle[:len(r.idle)-1]
		if time.Since(c.since) < r.timeouts.Idle {
			r.mu.Unlock()
			return c, nil
		}
		go c.quit()
	}
	closed, starttls := r.closed, r.starttls
	r.mu.Unlock()
	if closed {
		return nil, errors.New("the relay is closed")
	}
	return r.connect(ctx, starttls)
}

// putBack keeps a connection for the next message, if it is between messages.
func (r *Relay) putBack(c *connection, result Result, interrupted bool) {
	usable := !interrupted && c.used < maxOnOneTrain
	switch {
	case result.Verdict == Accepted:
	case result.Code == 0 || result.Code == 421:
		usable = false
	default:
		usable = usable && c.client.Reset() == nil
	}
	if usable {
		c.since = time.Now()
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.closed && len(r.idle) < maxIdle {
			r.idle = append(r.idle, c)
			return
		}
	}
	if result.Verdict == Accepted && !interrupted {
		go c.quit()
		return
	}
	c.drop()
}

func (r *Relay) connect(ctx context.Context, starttls bool) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeouts.Dial)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.address)
	if err != nil {
		return nil, err
	}
	_ = raw.SetDeadline(time.Now().Add(r.timeouts.Command))
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	c, err := r.greet(raw, starttls)
	stop()
	if err != nil {
		_ = raw.Close()
		if errors.Is(err, errStartTLS) {
			r.mu.Lock()
			r.starttls = true
			r.mu.Unlock()
			return r.connect(context.WithoutCancel(ctx), true)
		}
		return nil, err
	}
	return c, nil
}

// errStartTLS says that the server offers STARTTLS, which needs a connection that begins with it.
var errStartTLS = errors.New("the server offers STARTTLS")

func (r *Relay) greet(raw net.Conn, starttls bool) (*connection, error) {
	var client *smtp.Client
	encrypted := r.implicit || starttls
	switch {
	case r.implicit:
		client = smtp.NewClient(tls.Client(raw, r.tls))
	case starttls:
		var err error
		if client, err = smtp.NewClientStartTLS(raw, r.tls); err != nil {
			return nil, err
		}
	default:
		client = smtp.NewClient(raw)
	}
	client.CommandTimeout, client.SubmissionTimeout = r.timeouts.Command, r.timeouts.Dot
	if !starttls { // with it, the greeting is done
		if err := client.Hello(r.hello); err != nil {
			return nil, err
		}
	}
	if offered, _ := client.Extension("STARTTLS"); offered && !encrypted {
		return nil, errStartTLS
	}
	if !encrypted && !r.clear {
		return nil, errors.New("the server offers no encryption (STARTTLS): nothing is sent; use smtps://, or add ?tls=no to --smtp-url if the way there is trusted")
	}
	if r.username != "" {
		if !encrypted && !isLoopback(r.host) {
			return nil, errors.New("the server offers no encryption; the password is not sent")
		}
		if err := client.Auth(r.login(client)); err != nil {
			return nil, err
		}
	}
	return &connection{client: client, raw: raw}, nil
}

func (r *Relay) login(client *smtp.Client) sasl.Client {
	if _, mechanisms := client.Extension("AUTH"); !strings.Contains(mechanisms, "PLAIN") && strings.Contains(mechanisms, "LOGIN") {
		return sasl.NewLoginClient(r.username, r.password)
	}
	return sasl.NewPlainClient("", r.username, r.password)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func (c *connection) quit() {
	_ = c.raw.SetDeadline(time.Now().Add(5 * time.Second))
	if c.client.Quit() != nil {
		c.drop()
	}
}

func (c *connection) drop() { _ = c.raw.Close() }

// Close ends the idle connections. Those in use end with their message.
func (r *Relay) Close() error {
	r.mu.Lock()
	idle := r.idle
	r.idle, r.closed = nil, true
	r.mu.Unlock()
	for _, c := range idle {
		c.quit()
	}
	return nil
}
