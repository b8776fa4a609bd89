package e2e

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
)

// The members of the API's objects that the tests look at.
type (
	identifier struct{ Type, Value string }
	profile    struct {
		ID          string
		Computed    map[string]any
		Identifiers []identifier
		Subscribed  bool
	}
	event struct {
		MessageID  string `json:"message_id"`
		Name       string
		Timestamp  time.Time
		Properties map[string]any
	}
	segment struct {
		Status string
		Count  int
	}
	campaign struct {
		Status   string
		Progress struct {
			Recipients, Queued, Sent, Failed, Skipped int
			InDoubt                                   int `json:"in_doubt"`
		}
	}
	message struct {
		ID, To, Status string
	}
	report struct {
		Recipients, Sent, Opened, Clicked, Unsubscribed, Converted int
		MachineOpened                                              int `json:"machine_opened"`
		InDoubt                                                    int `json:"in_doubt"`
		Revenue                                                    float64
	}
	overview struct{ Profiles, Events, Messages int }
)

// value is the identifier of a type, "" for none.
func (p profile) value(kind string) string {
	for _, i := range p.Identifiers {
		if i.Type == kind {
			return i.Value
		}
	}
	return ""
}

func get[T any](t *testing.T, c *client.Client, path string) T {
	t.Helper()
	var v T
	if err := c.Get(t.Context(), path, &v); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return v
}

func list[T any](t *testing.T, c *client.Client, path string, query url.Values) []T {
	t.Helper()
	var all []T
	for raw, err := range c.List(t.Context(), path, query, 0) {
		if err != nil {
			t.Fatalf("GET %s: %v", path, err)
		}
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("GET %s: %v in %s", path, err, raw)
		}
		all = append(all, v)
	}
	return all
}

func call(t *testing.T, c *client.Client, method, path string, body any) {
	t.Helper()
	if err := c.Call(t.Context(), method, path, body, nil); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

// define creates a segment and waits until it is filled from history.
func define(t *testing.T, c *client.Client, name, condition string) segment {
	t.Helper()
	call(t, c, "PUT", "/api/v1/segments/"+name, map[string]string{"condition": condition})
	var s segment
	eventually(t, "segment "+name+" ready", func() bool {
		s = get[segment](t, c, "/api/v1/segments/"+name)
		return s.Status == "ready"
	})
	return s
}

// members of a segment.
func members(t *testing.T, c *client.Client, name string) []profile {
	t.Helper()
	return list[profile](t, c, "/api/v1/profiles", url.Values{"segment": {name}})
}

// track sends events, each an object of Segment's specification, in batches.
func track(t *testing.T, c *client.Client, events []map[string]any) {
	t.Helper()
	for len(events) > 0 {
		n := min(100, len(events))
		if err := c.Track(t.Context(), encode(t, events[:n])); err != nil {
			t.Fatalf("tracking: %v", err)
		}
		events = events[n:]
	}
}

func encode(t *testing.T, events []map[string]any) []json.RawMessage {
	t.Helper()
	var batch []json.RawMessage
	for _, e := range events {
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		batch = append(batch, raw)
	}
	return batch
}
