package demo

import (
	"context"
	"maps"
	"net/url"
	"time"
)

// letter is an entry in the list of the mailbox.
type letter struct {
	ID         string    `json:"id"`
	To         string    `json:"to"`
	Subject    string    `json:"subject"`
	ReceivedAt time.Time `json:"received_at"`
	MessageID  string    `json:"message_id"`
	Campaign   string    `json:"campaign"`
}

// content is a letter opened.
type content struct {
	Headers []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"headers"`
	HTML string `json:"html"`
}

// mailbox finds the letters that are new. The server lists the newest first.
type mailbox struct {
	door  *door
	begun time.Time            // letters received before are not ours to answer
	since time.Time            // when the newest letter known was received
	seen  map[string]time.Time // letters known, of about the time of the newest
}

// overlap is how far back the mailbox looks again, for letters that were stored out of order.
const overlap = 10 * time.Second

func newMailbox(d *door, begun time.Time) *mailbox {
	return &mailbox{door: d, begun: begun, since: begun, seen: map[string]time.Time{}}
}

// unread gives the new letters, newest first.
func (m *mailbox) unread(ctx context.Context) ([]letter, error) {
	var found []letter
	newest := m.since
	for cursor := ""; ; {
		var page struct {
			Items []letter `json:"items"`
			Next  string   `json:"next_cursor"`
		}
		if err := m.door.get(ctx, "/api/v1/mailbox?limit=200&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		old := len(page.Items) == 0
		for _, l := range page.Items {
			if old = l.ReceivedAt.Before(m.since.Add(-overlap)); old {
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
		if cursor = page.Next; cursor == "" || old {
			break
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
func (m *mailbox) open(ctx context.Context, id string) (*content, error) {
	var c content
	if err := m.door.get(ctx, "/api/v1/mailbox/"+url.PathEscape(id), &c); err != nil {
		return nil, err
	}
	return &c, nil
}
