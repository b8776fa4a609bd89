package demo

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// letter is an entry in the list of the mailbox.
type letter struct {
	ID         string    `json:"id"`
	To         string    `json:"to"`
	Subject    string    `json:"subject"`
	ReceivedAt time.Time `json:"received_at"`
	MessageID  string    `json:"message_id"`
}

// openLetter is a letter with what is in it.
type openLetter struct {
	Headers []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"headers"`
	HTML string `json:"html"`
}

// mailbox finds the letters that are new. The server lists the newest first.
type mailbox struct {
	api   *client.Client
	begun time.Time            // letters received before are not ours to answer
	since time.Time            // when the newest letter known was received
	seen  map[string]time.Time // letters known, of about the time of the newest
}

// overlap is how far back the mailbox looks again, for letters that were stored out of order.
const overlap = 10 * time.Second

func newMailbox(api *client.Client, begun time.Time) *mailbox {
	return &mailbox{api: api, begun: begun, since: begun, seen: map[string]time.Time{}}
}

// unread gives the new letters, newest first.
func (m *mailbox) unread(ctx context.Context) ([]letter, error) {
	var found []letter
	newest := m.since
	for item, err := range m.api.List(ctx, "/api/v1/mailbox", nil, 0) {
		if err != nil {
			return nil, err
		}
		var l letter
		if err := json.Unmarshal(item, &l); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "an entry of the mailbox cannot be read")
		}
		if l.ReceivedAt.Before(m.since.Add(-overlap)) {
			break
		}
		if _, known := m.seen[l.ID]; known || l.ReceivedAt.Before(m.begun) {
			continue
		}
		found = append(found, l)
		if l.ReceivedAt.After(newest) {
			newest = l.ReceivedAt
		}
	}
	for _, l := range found {
		m.seen[l.ID] = l.ReceivedAt
	}
	m.since = newest
	maps.DeleteFunc(m.seen, func(_ string, at time.Time) bool { return at.Before(newest.Add(-overlap)) })
	return found, nil
}

// open fetches a letter.
func (m *mailbox) open(ctx context.Context, id string) (*openLetter, error) {
	var c openLetter
	if err := m.api.Get(ctx, "/api/v1/mailbox/"+url.PathEscape(id), &c); err != nil {
		return nil, err
	}
	return &c, nil
}
