package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// message is an event as its sender keeps it until it is acknowledged.
type message struct {
	id        string
	raw       []byte
	door      event.Door
	profileID int64 // of an event that our own link made
}

// decode reads it anew, as every attempt to send it does.
func (m message) decode(received time.Time) *event.Event {
	m.door.ReceivedAt = received
	e, err := event.Decode(m.raw, m.door)
	if err != nil {
		panic(fmt.Sprintf("%v in %s", err, m.raw))
	}
	e.ProfileID = m.profileID
	return e
}

// request is what a client sends together, and again until there is an answer.
type request struct {
	messages []message
	received time.Time // at the last attempt
}

// events are what one attempt to send it brings.
func (r *request) events(now time.Time) []*event.Event {
	if now.After(r.received) {
		r.received = now
	}
	events := make([]*event.Event, len(r.messages))
	for i, m := range r.messages {
		events[i] = m.decode(r.received)
	}
	return events
}

func (r *request) ids() []string {
	ids := make([]string, len(r.messages))
	for i, m := range r.messages {
		ids[i] = m.id
	}
	return ids
}

// crowd is who visits the shop.
type crowd struct {
	users, browsers, addresses int
	batch                      int // most events in a request
	next                       int // number of the next message
}

func newCrowd(r *rand.Rand) *crowd {
	c := &crowd{users: 2 + r.IntN(8), browsers: 2 + r.IntN(12), addresses: 2 + r.IntN(8), batch: 1 + r.IntN(8)}
	if r.IntN(12) == 0 { // enough for a filling in several steps
		c.users, c.browsers, c.batch = 500, 500, 60
	}
	return c
}

// smallPolicy has limits that a few people exceed.
func smallPolicy() *identity.Policy {
	return identity.NewPolicy([]identity.Rule{
		{Type: identity.UserID, Limit: 1}, {Type: identity.Email, Limit: 2}, {Type: identity.Phone, Limit: 2}, {Type: identity.AnonymousID, Limit: 3},
	}, 2, []string{"null", "guest"})
}

// own is an opened or clicked mail: an event that names its profile.
type own struct {
	profileID int64
	message   string // public id
}

// request draws a few events at a moment. said are the messages that were sent before, owns the profiles that have mail.
func (c *crowd) request(r *rand.Rand, now time.Time, said []message, owns []own) *request {
	req := &request{received: now}
	for range 1 + r.IntN(c.batch) {
		switch {
		case len(said) > 0 && r.IntN(12) == 0:
			req.messages = append(req.messages, pick(r, said))
		case len(req.messages) > 0 && r.IntN(20) == 0:
			req.messages = append(req.messages, pick(r, req.messages))
		case len(owns) > 0 && r.IntN(15) == 0:
			req.messages = append(req.messages, c.response(r, now, pick(r, owns)))
		default:
			req.messages = append(req.messages, c.message(r, now))
		}
	}
	return req
}

func (c *crowd) message(r *rand.Rand, now time.Time) message {
	body := map[string]any{}
	c.identify(r, body)
	switch n := r.IntN(20); {
	case n < 3:
		body["type"], body["traits"] = "identify", c.traits(r)
	case n < 4:
		// Segment's alias: a word that two ids are one person.
		body["type"], body["userId"] = "alias", fmt.Sprint("u", r.IntN(c.users))
		body["previousId"] = pick(r, []string{fmt.Sprint("b", r.IntN(c.browsers)), fmt.Sprint("u", r.IntN(c.users))})
	case n < 5:
		body["type"], body["name"] = "page", "Home"
	case n < 6:
		body["type"], body["event"] = "track", pick(r, []string{event.NameUnsubscribed, event.NameSubscribed})
	default:
		body["type"], body["event"], body["properties"] = "track", pick(r, eventNames), properties(r)
	}
	return c.post(r, now, body)
}

// identify says who it is, in one of the ways that senders know.
func (c *crowd) identify(r *rand.Rand, body map[string]any) {
	if r.IntN(10) < 6 {
		body["anonymousId"] = fmt.Sprint("b", r.IntN(c.browsers))
	}
	if r.IntN(10) < 5 || body["anonymousId"] == nil {
		body["userId"] = fmt.Sprint("u", r.IntN(c.users))
	}
	if r.IntN(25) == 0 {
		body["userId"] = "guest"
	}
	if r.IntN(8) == 0 {
		body["context"] = map[string]any{"externalIds": []any{map[string]any{"type": "loyalty_id", "id": fmt.Sprint("L", r.IntN(c.addresses))}}}
	}
	if r.IntN(10) == 0 {
		body["context"] = map[string]any{"traits": map[string]any{"email": c.address(r)}}
	}
}

func (c *crowd) address(r *rand.Rand) string {
	return fmt.Sprintf("P%d@Example.com", r.IntN(c.addresses))
}

func (c *crowd) traits(r *rand.Rand) map[string]any {
	traits := map[string]any{}
	if r.IntN(2) == 0 {
		traits["vip"] = r.IntN(3) > 0
	}
	if r.IntN(2) == 0 {
		if traits["city"] = any(pick(r, cities)); r.IntN(5) == 0 {
			traits["city"] = nil
		}
	}
	if r.IntN(3) == 0 {
		traits["email"] = c.address(r)
	}
	if r.IntN(4) == 0 {
		traits["preferences"] = map[string]any{"mail": pick(r, []string{"weekly", "daily"})}
	}
	return traits
}

func properties(r *rand.Rand) map[string]any {
	p := map[string]any{}
	if r.IntN(5) > 0 {
		p["n"] = r.IntN(5)
	}
	if r.IntN(3) > 0 {
		p["city"] = pick(r, cities)
	}
	return p
}

// response is what became of a mail, as our own doors tell it.
func (c *crowd) response(r *rand.Rand, now time.Time, o own) message {
	body := map[string]any{
		"type": "track", "event": pick(r, []string{event.NameEmailOpened, event.NameEmailClicked, event.NameEmailDelivered}), "anonymousId": "door",
		"properties": map[string]any{"message_id": o.message, "campaign": "spring", "machine": r.IntN(3) == 0},
	}
	m := c.post(r, now, body)
	m.profileID = o.profileID
	return m
}

// post dates a body and takes it through the door: mostly at once, sometimes late, and imported ones even ahead of time.
func (c *crowd) post(r *rand.Rand, now time.Time, body map[string]any) message {
	c.next++
	m := message{id: fmt.Sprint("m", c.next)}
	at := now
	switch r.IntN(8) {
	case 0, 1:
		at = now.Add(-time.Duration(r.Int64N(int64(time.Hour))))
	case 2, 3:
		at = now.Add(-time.Duration(r.Int64N(int64(70 * 24 * time.Hour))))
	case 4:
		m.door.Historical = true
		at = now.Add(time.Duration(r.Int64N(int64(12*24*time.Hour))) - 6*24*time.Hour)
	case 5: // on a whole hour, where moments coincide
		at = now.Add(-time.Duration(r.IntN(200)) * time.Hour).Truncate(time.Hour)
	}
	return m.dated(body, at)
}

// brink is a request whose events leave one of these windows within a time.
func (c *crowd) brink(r *rand.Rand, now time.Time, windows []time.Duration, within time.Duration) *request {
	req := &request{received: now}
	for range 1 + r.IntN(3) {
		body := map[string]any{"type": "track", "event": pick(r, eventNames), "properties": properties(r)}
		c.identify(r, body)
		c.next++
		at := now.Add(time.Duration(r.Int64N(int64(within))) - pick(r, windows))
		req.messages = append(req.messages, message{id: fmt.Sprint("m", c.next)}.dated(body, at))
	}
	return req
}

// dated is a message with this body and time.
func (m message) dated(body map[string]any, at time.Time) message {
	body["messageId"], body["timestamp"], body["originalTimestamp"] = m.id, at.Format(time.RFC3339Nano), at.Format(time.RFC3339Nano)
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	m.raw = raw
	return m
}
