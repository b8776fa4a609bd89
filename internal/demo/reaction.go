package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/tailorbird/tailorbird/internal/demo/shop"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// browsers are what customers read their mail with.
var browsers = [...]string{
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:136.0) Gecko/20100101 Firefox/136.0",
}

// privacyProxy is how Apple's mail privacy proxy calls itself.
const privacyProxy = "Mozilla/5.0"

// The earliest that anybody opens a mail after it came, and how many letters are read between two ticks.
const (
	soonest       = 8 * time.Second
	lettersAtOnce = 500
)

// readMail lets the customers decide about what has come since the last look.
func (s *street) readMail(ctx context.Context) error {
	letters, err := s.post.unread(ctx)
	if err != nil {
		if fault.CodeOf(err) == fault.NotFound {
			return nil // mail goes out by real SMTP: nobody here gets any
		}
		return err
	}
	for _, l := range letters {
		c, ok := s.shop.Customer(l.To)
		if !ok {
			continue // a test send to somebody else
		}
		mail := shop.Mail{ID: l.ID, Subject: l.Subject, At: l.ReceivedAt}
		// Whether somebody opens it does not depend on the links, so that only opened letters are fetched.
		if s.driver.shop.React(c, mail) == nil {
			continue
		}
		s.todo.add(l.ReceivedAt.Add(soonest/2), func(ctx context.Context) error { return s.decide(ctx, c, l, mail) })
	}
	return nil
}

// decide opens a letter and enters what the customer does about it.
func (s *street) decide(ctx context.Context, c *shop.Customer, l letter, mail shop.Mail) error {
	inside, err := s.post.open(ctx, l.ID)
	if err != nil {
		return err
	}
	r := &reader{street: s, customer: c, letter: l, doors: readDoors(inside)}
	for _, link := range r.doors.links {
		mail.Links = append(mail.Links, shop.Link{URL: link.path, Topic: s.driver.shop.Topic(link.picture)})
	}
	for _, a := range s.driver.shop.React(c, mail) {
		at := l.ReceivedAt.Add(soonest + a.At.Sub(mail.At)/reactionSpeed)
		s.todo.add(at, func(ctx context.Context) error { return r.carryOut(ctx, a) })
	}
	return nil
}

// act does what is due.
func (s *street) act(ctx context.Context) error {
	for range lettersAtOnce {
		next, ok := s.todo.next(s.Now())
		if !ok {
			return nil
		}
		if err := next.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// reader is a customer with a letter in hand.
type reader struct {
	*street
	customer *shop.Customer
	letter   letter
	doors    doors
	landed   string // where a click led
}

// carryOut does one thing about the letter, through the door that is meant for it.
func (r *reader) carryOut(ctx context.Context, a shop.Action) (err error) {
	switch a.Kind {
	case shop.Prefetch:
		if r.doors.pixel != "" {
			_, err = r.knock(ctx, http.MethodGet, r.doors.pixel, privacyProxy)
		}
	case shop.Open:
		if r.doors.pixel != "" {
			_, err = r.knock(ctx, http.MethodGet, r.doors.pixel, r.browser())
		}
	case shop.Click:
		r.landed, err = r.knock(ctx, http.MethodGet, a.Link.URL, r.browser())
	case shop.Visit:
		r.visit(a)
	case shop.Unsubscribe:
		if r.doors.unsubscribe != "" {
			_, err = r.knock(ctx, http.MethodPost, r.doors.unsubscribe, r.browser())
		}
	case shop.Complain:
		err = r.complain(ctx)
	case shop.Forgo:
		r.street.shop.Forgo(r.customer)
	}
	return err
}

func (r *reader) browser() string { return browsers[r.customer.Number%len(browsers)] }

// visit enters what the customer does in the shop after the click.
func (r *reader) visit(a shop.Action) {
	if r.landed == "" {
		return // the click did not get through
	}
	if topic := r.driver.shop.Topic(r.landed); topic != "" {
		a.Link.Topic = topic
	}
	if landed, err := url.Parse(r.landed); err == nil {
		a.Mail.Campaign = landed.Query().Get("utm_campaign")
	}
	begun := r.Now().UTC().Add(time.Second)
	for _, e := range r.street.shop.Visit(r.customer, a) {
		e.Timestamp = begun.Add(e.Timestamp.Sub(a.At) / visitSqueeze).Truncate(time.Millisecond)
		r.todo.add(e.Timestamp, func(ctx context.Context) error {
			event, err := encode(&e)
			if err != nil {
				return err
			}
			return r.api.Track(ctx, []json.RawMessage{event})
		})
	}
}

// complain reports a mail as spam, as the webhook of a mailbox provider would.
func (r *reader) complain(ctx context.Context) error {
	event, err := json.Marshal(map[string]any{
		"type": "track", "event": "Email Marked as Spam", "userId": r.customer.UserID, "messageId": "complaint-" + r.letter.ID, "timestamp": r.Now().UTC(),
		"properties": map[string]any{"message_id": r.letter.MessageID},
	})
	if err != nil {
		return fault.Wrap(fault.Internal, err, "a complaint cannot be written")
	}
	return r.api.Track(ctx, []json.RawMessage{event})
}

// mailProgram is a client that does not follow redirects: it visits no page that a mail leads to.
func mailProgram(c *http.Client) *http.Client {
	program := *c
	program.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &program
}

// knock makes the request of a mail program, without keys, and gives where the answer redirects to.
func (r *reader) knock(ctx context.Context, method, path, agent string) (redirect string, err error) {
	var body io.Reader
	if method == http.MethodPost {
		body = bytes.NewReader([]byte("List-Unsubscribe=One-Click")) // RFC 8058
	}
	request, err := http.NewRequestWithContext(ctx, method, r.BaseURL+path, body)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "%s is not an address", path)
	}
	request.Header.Set("User-Agent", agent)
	if body != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := r.reading.Do(request)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "the server at %s does not answer", r.BaseURL)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "the server's answer broke off")
	}
	if response.StatusCode >= 400 {
		return "", fault.New(fault.Unavailable, "%s %s answered %s", method, path, response.Status)
	}
	return response.Header.Get("Location"), nil
}
