package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Mailbox is the built-in sink, where mail stays while no mail server is configured.
type Mailbox interface {
	// Mails gives a page of mails, newest first, and the cursor of the next one. Empty filters ask for all.
	Mails(ctx context.Context, to, campaign, cursor string, limit int) (list []deliver.StoredMail, next string, err error)
	// Mail gives one mail by its public id, with Raw; NotFound where there is none.
	Mail(ctx context.Context, id string) (deliver.StoredMail, error)
	// LookupTXT gives the records under which our own signing keys would be published.
	LookupTXT(name string) ([]string, error)
}

// Mail is one mail in the sink.
type Mail struct {
	ID         string    `json:"id"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Subject    string    `json:"subject"`
	ReceivedAt time.Time `json:"received_at"`
	MessageID  string    `json:"message_id" doc:"Of the message, as in /api/v1/messages; empty where the mail is none of ours"`
}

func mailOf(m deliver.StoredMail) Mail {
	return Mail{ID: m.ID, From: m.From, To: m.To, Subject: m.Subject, ReceivedAt: m.ReceivedAt, MessageID: m.MessageID}
}

// OpenMail is a mail taken apart.
type OpenMail struct {
	Mail
	Headers []Header `json:"headers"`
	HTML    string   `json:"html"`
	Text    string   `json:"text"`
	DKIM    string   `json:"dkim" enum:"pass,fail,none"`
}

// Header is one header field, decoded.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type listMailboxInput struct {
	Paging
	To       string `query:"to" maxLength:"320" doc:"To this address only"`
	Campaign string `query:"campaign" maxLength:"64" doc:"Of this campaign only"`
}

func (s *server) listMailbox(ctx context.Context, in *listMailboxInput) (answer[page[Mail]], error) {
	if err := s.hasMailbox(); err != nil {
		return answer[page[Mail]]{}, err
	}
	found, next, err := s.config.Mailbox.Mails(ctx, in.To, in.Campaign, in.Cursor, in.Limit)
	list := make([]Mail, len(found))
	for i, m := range found {
		list[i] = mailOf(m)
	}
	return answer[page[Mail]]{pageOf(list, next)}, err
}

type mailInput struct {
	ID string `path:"id"`
}

func (s *server) getMail(ctx context.Context, in *mailInput) (answer[OpenMail], error) {
	if err := s.hasMailbox(); err != nil {
		return answer[OpenMail]{}, err
	}
	stored, err := s.config.Mailbox.Mail(ctx, in.ID)
	if err != nil {
		return answer[OpenMail]{}, err
	}
	opened, err := deliver.ReadMail(stored.Raw, s.config.Mailbox.LookupTXT)
	if err != nil {
		return answer[OpenMail]{}, err
	}
	out := OpenMail{Mail: mailOf(stored), Headers: make([]Header, len(opened.Headers)), HTML: opened.HTML, Text: opened.Text, DKIM: opened.DKIM}
	for i, h := range opened.Headers {
		out.Headers[i] = Header(h)
	}
	return answer[OpenMail]{out}, nil
}

type rawMail struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s *server) getRawMail(ctx context.Context, in *mailInput) (rawMail, error) {
	if err := s.hasMailbox(); err != nil {
		return rawMail{}, err
	}
	stored, err := s.config.Mailbox.Mail(ctx, in.ID)
	return rawMail{ContentType: "message/rfc822", Disposition: `attachment; filename="mail.eml"`, Body: stored.Raw}, err
}

func (s *server) hasMailbox() error {
	if s.config.Mailbox == nil {
		return fault.New(fault.NotFound, "mail leaves through a mail server here; there is no mailbox to look into")
	}
	return nil
}
