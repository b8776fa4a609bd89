package deliver

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // mail in any character set can be shown
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-message/textproto"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Mail is a stored mail, taken apart for display.
type Mail struct {
	Subject string
	Headers []Header // decoded, in order
	HTML    string
	Text    string
	DKIM    string // DKIMPass, DKIMFail or DKIMNone
}

// Header is one header field.
type Header struct {
	Name  string
	Value string
}

// ReadMail takes raw apart. lookup gives the TXT records under which signing keys are published; nil asks DNS.
func ReadMail(raw []byte, lookup func(name string) ([]string, error)) (Mail, error) {
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil && !message.IsUnknownCharset(err) {
		return Mail{}, fault.Wrap(fault.Invalid, err, "the mail cannot be read")
	}
	defer func() { _ = r.Close() }()
	m := Mail{DKIM: Verify(raw, lookup)}
	m.Subject, _ = r.Header.Subject()
	for fields := r.Header.Fields(); fields.Next(); {
		value, err := fields.Text()
		if err != nil {
			value = fields.Value()
		}
		m.Headers = append(m.Headers, Header{Name: fields.Key(), Value: value})
	}
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil && !message.IsUnknownCharset(err) {
			return m, fault.Wrap(fault.Invalid, err, "a part of the mail cannot be read")
		}
		body, err := io.ReadAll(io.LimitReader(part.Body, maxSinkMail))
		if err != nil {
			return m, fault.Wrap(fault.Invalid, err, "a part of the mail cannot be read")
		}
		switch kind := part.Header.Get("Content-Type"); {
		case strings.HasPrefix(kind, "text/html"):
			m.HTML = string(body)
		case strings.HasPrefix(kind, "text/plain") || kind == "":
			m.Text = string(body)
		}
	}
}

// Head is what lists show of a mail.
type Head struct {
	ID      string // the left side of the Message-ID: ours is Message.ID
	From    string // decoded
	Subject string // decoded
}

// ReadHead reads the head of a mail as far as it can be read.
func ReadHead(raw []byte) Head {
	parsed, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return Head{}
	}
	h := mail.Header{Header: message.Header{Header: parsed}}
	head := Head{}
	head.Subject, _ = h.Subject()
	if head.From, err = h.Text("From"); err != nil {
		head.From = h.Get("From")
	}
	if id, err := h.MessageID(); err == nil {
		head.ID, _, _ = strings.Cut(id, "@")
	}
	return head
}
