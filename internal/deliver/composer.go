package deliver

import (
	"context"
	"time"
)

// Content is what a message says.
type Content struct {
	From    Address
	ReplyTo Address
	Subject string
	HTML    string
	Text    string
}

// Source renders the content of a job for its recipient, with links for it. An Invalid error means that it can never
// be rendered.
type Source interface {
	Content(ctx context.Context, job Job, links *Links) (Content, error)
}

// SignedComposer is the Composer that renders, builds and signs.
type SignedComposer struct {
	Source Source
	Keys   Keys
	Tokens *Tokens
	Base   string // the public URL, without a slash at its end
	Now    func() time.Time
}

// Compose implements Composer.
func (c *SignedComposer) Compose(ctx context.Context, job Job) (Letter, error) {
	links := c.Tokens.Links(c.Base, job.ID)
	content, err := c.Source.Content(ctx, job, links)
	if err != nil {
		return Letter{}, err
	}
	raw, err := Compose(Message{
		ID: job.PublicID, From: content.From, ReplyTo: content.ReplyTo, To: job.To, Subject: content.Subject,
		HTML: content.HTML, Text: content.Text, Date: c.Now(), Unsubscribe: links.Unsubscribe(), FeedbackID: feedbackID(job),
	})
	if err != nil {
		return Letter{}, err
	}
	key, err := c.Keys.SigningKey(ctx, content.From.Domain())
	if err != nil {
		return Letter{}, err
	}
	if raw, err = key.Sign(raw); err != nil {
		return Letter{}, err
	}
	return Letter{Envelope: Envelope{From: content.From.Email, To: job.To}, Subject: content.Subject, Raw: raw}, nil
}

// feedbackID groups Gmail's complaint figures by campaign; its last part names the sending system.
func feedbackID(job Job) string {
	clean := make([]byte, 0, len(job.Campaign))
	for _, b := range []byte(job.Campaign) {
		if b <= ' ' || b >= 0x7f || b == ':' {
			b = '-'
		}
		clean = append(clean, b)
	}
	return string(clean) + "::broadcast:tailorbird"
}
