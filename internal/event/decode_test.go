package event

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

var received = time.Date(2026, 3, 1, 12, 0, 10, 0, time.UTC)

func door() Door {
	return Door{ReceivedAt: received, NewID: func() string { return "made" }}
}

func TestDecodeNamesTheFieldToBlame(t *testing.T) {
	cases := []struct{ body, field string }{
		{`{"userId":"u","event":"X"}`, "type"},
		{`{"type":"trak","userId":"u"}`, "type"},
		{`{"type":"track","event":"X"}`, "userId"},
		{`{"type":"track","userId":"u"}`, "event"},
		{`{"type":"track","userId":"u","event":7}`, "event"},
		{`{"type":"track","userId":{},"event":"X"}`, ""},
		{`{"type":"track","userId":"u","event":"X","properties":[1]}`, "properties"},
		{`{"type":"identify","userId":"u","traits":"x"}`, "traits"},
		{`{"type":"track","userId":"u","event":"X","timestamp":"yesterday"}`, "timestamp"},
		{`{"type":"track","userId":"u","event":"X","timestamp":"2026-01-01T00:00:00Z","sentAt":"now"}`, "sentAt"},
		{`{"type":"track","userId":"u","event":"X","context":{"externalIds":[{"type":"loyalty_id"}]}}`, "context.externalIds[0]"},
		{`{"type":"alias","userId":"u"}`, "previousId"},
		{`{"type":"group","userId":"u"}`, "groupId"},
		{`{"type":"track","event":"X","userId":"` + strings.Repeat("u", 600) + `"}`, "userId"},
		{`nonsense`, ""},
		{`[]`, ""},
	}
	for _, c := range cases {
		_, err := Decode([]byte(c.body), door())
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Invalid || f.Field != c.field {
			t.Errorf("%s\n got %v, want field %q", c.body, err, c.field)
		}
	}
}

// The formula is the one of Segment's specification: timestamp = receivedAt - (sentAt - originalTimestamp).
func TestClockSkewIsCorrected(t *testing.T) {
	d := door()
	body := `{"type":"track","userId":"u","event":"X","timestamp":"2026-03-01T13:00:00Z","sentAt":"2026-03-01T13:00:07Z"}`
	e, err := Decode([]byte(body), d)
	if err != nil {
		t.Fatal(err)
	}
	if want := received.Add(-7 * time.Second); !e.Timestamp.Equal(want) {
		t.Errorf("skewed: got %v, want %v", e.Timestamp, want)
	}
	d.Historical = true
	if e, err = Decode([]byte(body), d); err != nil || e.Timestamp.Hour() != 13 {
		t.Errorf("history keeps its time: got %v, %v", e.Timestamp, err)
	}
	e, err = Decode([]byte(`{"type":"track","userId":"u","event":"X"}`), door())
	if err != nil || !e.Timestamp.Equal(received) {
		t.Errorf("without a time it is the arrival: got %v, %v", e.Timestamp, err)
	}
}

func TestDecodeKeepsWhatWasSent(t *testing.T) {
	body := `{"type":"page","anonymousId":42,"name":"Home","category":"Shop","properties":{"url":"/"},
		"context":{"traits":{"email":"a@b.example"},"externalIds":[{"type":"loyalty_id","id":"L1"}]}}`
	e, err := Decode([]byte(body), door())
	if err != nil {
		t.Fatal(err)
	}
	if e.Name != NamePageViewed || e.AnonymousID != "42" || e.MessageID != "made" {
		t.Errorf("got %+v", e)
	}
	p := e.Properties()
	if p["name"] != "Home" || p["category"] != "Shop" || p["url"] != "/" {
		t.Errorf("properties %v", p)
	}
	if e.ContextTraits()["email"] != "a@b.example" || e.ExternalIDs[0].ID != "L1" {
		t.Errorf("context %v %v", e.ContextTraits(), e.ExternalIDs)
	}
}

func TestSizeLimitIsTheDocumentedOne(t *testing.T) {
	head, tail := `{"type":"track","userId":"u","event":"X","properties":{"x":"`, `"}}`
	fill := strings.Repeat("a", MaxEventBytes-len(head)-len(tail))
	if _, err := Decode([]byte(head+fill+tail), door()); err != nil {
		t.Errorf("exactly at the limit: %v", err)
	}
	if _, err := Decode([]byte(head+fill+"a"+tail), door()); err == nil {
		t.Error("one byte over the limit was taken")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"type":"track","userId":"u","event":"X","properties":{"a":[1,{"b":null}]},"context":{"traits":{}}}`))
	f.Add([]byte(`{"type":"identify","anonymousId":1e3,"traits":{"email":"x"},"timestamp":"2026-01-01"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := Decode(body, door())
		if err == nil && (e.MessageID == "" || e.Timestamp.IsZero()) {
			t.Fatalf("accepted without id or time: %+v", e)
		}
	})
}
