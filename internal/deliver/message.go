package deliver

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Message is one mail to one recipient.
type Message struct {
	ID          string // opaque, without @; the same ID gives the same Message-ID on every attempt
	From        Address
	ReplyTo     Address // zero: none
	To          string  // a mailbox
	Subject     string
	HTML        string
	Text        string
	Date        time.Time
	Unsubscribe string // http or https URL for one click (RFC 8058); empty: none
	FeedbackID  string // for Gmail's complaint statistics; empty: none
}

// maxHeaderValue keeps each header line under the 998 bytes of RFC 5322, 2.1.1, however it is folded.
const maxHeaderValue = 900

// Compose writes m as it goes over the wire: multipart/alternative, quoted-printable, CRLF, no line over 998 bytes.
// It is deterministic. A value that would begin a new header line is refused as Invalid.
func Compose(m Message) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	var h mail.Header
	h.SetContentType("multipart/alternative", map[string]string{"boundary": boundary(m.ID)})
	h.Set("MIME-Version", "1.0")
	if m.FeedbackID != "" {
		h.Set("Feedback-ID", m.FeedbackID)
	}
	if m.Unsubscribe != "" {
		h.Set("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
		h.Set("List-Unsubscribe", "<"+m.Unsubscribe+">")
	}
	h.SetMessageID(m.ID + "@" + m.From.Domain())
	h.SetDate(m.Date)
	h.SetSubject(m.Subject)
	h.Set("To", "<"+m.To+">")
	if m.ReplyTo.Email != "" {
		h.SetAddressList("Reply-To", []*mail.Address{{Name: m.ReplyTo.Name, Address: m.ReplyTo.Email}})
	}
	h.SetAddressList("From", []*mail.Address{{Name: m.From.Name, Address: m.From.Email}})

	var b bytes.Buffer
	b.Grow(len(m.HTML) + len(m.Text) + len(m.HTML)/8 + 2048)
	w, err := message.CreateWriter(&b, h.Header)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the message cannot be built")
	}
	for _, part := range []struct{ kind, body string }{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		if part.body == "" {
			continue
		}
		if err := writePart(w, part.kind, part.body); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "the message cannot be built")
		}
	}
	if err := w.Close(); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the message cannot be built")
	}
	return b.Bytes(), nil
}

func writePart(w *message.Writer, kind, body string) error {
	var h message.Header
	h.SetContentType(kind, map[string]string{"charset": "utf-8"})
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(part, body); err != nil {
		return err
	}
	return part.Close()
}

// boundary is a string that no body contains, save by intent; it need not be random.
func boundary(id string) string {
	sum := sha256.Sum256([]byte(id))
	return "=_" + hex.EncodeToString(sum[:16])
}

func (m Message) check() error {
	values := []struct{ field, value string }{
		{"id", m.ID},
		{"from", m.From.Name},
		{"from", m.From.Email},
		{"reply_to", m.ReplyTo.Name},
		{"reply_to", m.ReplyTo.Email},
		{"to", m.To},
		{"subject", m.Subject},
		{"unsubscribe", m.Unsubscribe},
		{"feedback_id", m.FeedbackID},
	}
	for _, v := range values {
		if strings.ContainsAny(v.value, "\r\n\x00") {
			return fault.Field(v.field, "cannot contain line breaks: they would begin a header of their own")
		}
		if len(v.value) > maxHeaderValue {
			return fault.Field(v.field, "is longer than the %d bytes that a mail header carries", maxHeaderValue)
		}
	}
	for _, v := range []struct{ field, value string }{{"from", m.From.Email}, {"to", m.To}} {
		if v.value == "" {
			return fault.Field(v.field, "is missing")
		}
	}
	switch {
	case m.ID == "" || strings.ContainsAny(m.ID, "@<> "):
		return fault.Field("id", "must be letters and digits")
	case m.Unsubscribe != "" && strings.ContainsAny(m.Unsubscribe, "<>, "):
		return fault.Field("unsubscribe", "must be a URL")
	case m.HTML == "" && m.Text == "":
		return fault.New(fault.Invalid, "the message is empty")
	}
	return nil
}
