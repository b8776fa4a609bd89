package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Refused is one event of a batch that the server will never take.
type Refused struct {
	Index  int    // position in the batch
	Reason string // what is wrong, beginning with the field to blame
}

// Track sends a batch of events to the tracking API. They are durable and applied, all of them, when it returns nil; on
// an error none is, or it is not known. It may be given the same events again: each counts once, by its message id.
func (c *Client) Track(ctx context.Context, batch []json.RawMessage) error {
	return c.post(ctx, "/v1/batch", batch)
}

// Import sends a batch of history, which triggers no message. What the server refuses is left out, and named; the rest
// is durable when the error is nil.
func (c *Client) Import(ctx context.Context, batch []json.RawMessage) ([]Refused, error) {
	rest := batch
	at := make([]int, len(batch)) // where an event of rest stands in batch
	for i := range at {
		at[i] = i
	}
	var refused []Refused
	for len(rest) > 0 {
		bad := refusedIn(c.post(ctx, "/v1/import", rest))
		if bad.err != nil || len(bad.events) == 0 {
			return refused, bad.err
		}
		var keep []json.RawMessage
		var keepAt []int
		for i, event := range rest {
			if reason, is := bad.events[i]; is {
				refused = append(refused, Refused{Index: at[i], Reason: reason})
				continue
			}
			keep, keepAt = append(keep, event), append(keepAt, at[i])
		}
		rest, at = keep, keepAt
	}
	slices.SortFunc(refused, func(a, b Refused) int { return a.Index - b.Index })
	return refused, nil
}

func (c *Client) post(ctx context.Context, path string, batch []json.RawMessage) error {
	if c.writeKey == "" {
		return fault.New(fault.Unauthorized, "the write key is missing")
	}
	size := 16
	for _, event := range batch {
		size += len(event) + 1
	}
	body := bytes.NewBuffer(make([]byte, 0, size))
	body.WriteString(`{"batch":[`)
	for i, event := range batch {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(event)
	}
	body.WriteString(`]}`)
	return c.send(ctx, http.MethodPost, path, body.Bytes(), nil, func(r *http.Request) { r.SetBasicAuth(c.writeKey, "") })
}

var inBatch = regexp.MustCompile(`^batch\[(\d+)\]\.?(.*)$`)

// verdict is what an answer says of the events of a batch.
type verdict struct {
	events map[int]string // refused ones, by position
	err    error          // where the answer is about anything else
}

func refusedIn(err error) verdict {
	v := verdict{events: map[int]string{}}
	for _, f := range fault.All(err) {
		place := inBatch.FindStringSubmatch(f.Field)
		if place == nil || f.Code != fault.Invalid && f.Code != fault.TooLarge {
			return verdict{err: err}
		}
		i, numberErr := strconv.Atoi(place[1])
		if numberErr != nil {
			return verdict{err: err}
		}
		reason := f.Message
		if place[2] != "" {
			reason = place[2] + ": " + reason
		}
		v.events[i] = reason
	}
	return v
}
