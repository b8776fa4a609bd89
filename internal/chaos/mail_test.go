package chaos

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-message/textproto"
	"github.com/emersion/go-smtp"
)

// postOffice is an SMTP server that writes down every mail before it says that it has it, as a real one does.
type postOffice struct {
	url    string
	delay  time.Duration // before the answer to a mail
	server *smtp.Server
	served sync.WaitGroup
	file   *os.File

	mu    sync.Mutex
	mails []mail
}

// mail is one that was accepted.
type mail struct {
	campaign string
	to       string
	from     string // the address of the node that brought it
	at       time.Time
}

func openPostOffice(address, file string, delay time.Duration) (*postOffice, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		return nil, err
	}
	o := &postOffice{url: "smtp://" + listener.Addr().String() + "?tls=no", delay: delay}
	if o.file, err = os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	o.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		host, _, err := net.SplitHostPort(c.Conn().RemoteAddr().String())
		return &delivery{office: o, mail: mail{from: host}}, err
	}))
	o.server.Domain, o.server.MaxRecipients, o.server.MaxMessageBytes = "office.example", 10, 1<<20
	o.server.ReadTimeout, o.server.WriteTimeout = 30*time.Second, 30*time.Second
	o.server.ErrorLog = quiet{} // of connections that a killed node leaves behind
	o.served.Go(func() { _ = o.server.Serve(listener) })
	return o, nil
}

func (o *postOffice) close() {
	_ = o.server.Close()
	o.served.Wait()
	o.file.Close()
}

// keep makes a mail durable.
func (o *postOffice) keep(m mail) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := fmt.Fprintf(o.file, "%s %s %s %s\n", m.at.Format(time.RFC3339Nano), m.campaign, m.to, m.from); err != nil {
		return err
	}
	o.mails = append(o.mails, m)
	return nil
}

func (o *postOffice) accepted() []mail {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.mails)
}

func (o *postOffice) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.mails)
}

type delivery struct {
	office *postOffice
	mail   mail
}

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.mail.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil { // cut off: nothing is kept, and nothing is said against the mail
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 4, 2}, Message: "the mail did not come"}
	}
	header, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return err
	}
	m := d.mail
	m.campaign, m.at = strings.TrimSpace(header.Get("Subject")), time.Now()
	if err := d.office.keep(m); err != nil {
		return err
	}
	<-time.After(d.office.delay)
	return nil
}

func (d *delivery) Reset() { d.mail.to = "" }

func (d *delivery) Logout() error { return nil }

// quiet is a log that keeps nothing.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

func (quiet) Println(...any) {}
