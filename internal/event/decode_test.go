package event

import (
	"encoding/json"
	"errors"
	"reflect"
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
		{`{"type":"track","userId":{"a":1},"event":"X"}`, "userId"},
		{`{"type":"track","userId":"u","anonymousId":[1],"event":"X"}`, "anonymousId"},
		{`{"type":"track","userId":true,"event":"X"}`, "userId"},
		{`{"type":"track","userId":" \t","event":"X"}`, "userId"},
		{`{"type":"track","userId":"u","anonymousId":"\u00a0","event":"X"}`, "anonymousId"},
		{`{"type":"track","userId":"u\u0000","event":"X"}`, "userId"},
		{`{"type":"track","userId":"u","event":"X\u0000"}`, "event"},
		{`{"type":"track","userId":"u","event":"X","messageId":"\u0000m"}`, "messageId"},
		{`{"type":"track","event":"X","context":{"externalIds":[{"type":"a","id":"b\u0000"}]}}`, "context.externalIds[0]"},
		{`{"type":"track","event":"X","context":{"externalIds":[{"type":"a","id":" "}]}}`, "context.externalIds[0]"},
		{`{"type":"track","event":"X","context":{"externalIds":"a"}}`, "context.externalIds"},
		{`{"type":"track","event":"X","context":{"externalIds":[{"type":"a","id":{}}]}}`, "context.externalIds"},
		{`{"type":"track","userId":"u","event":"X","timestamp":17}`, "timestamp"},
		{`{"type":"track","userId":"u","event":"X","properties":` + nested(65) + `}`, "properties"},
		{`{"type":"track","userId":"u","event":"X","properties":{"a":` + strings.Repeat("[", 12_000) + strings.Repeat("]", 12_000) + `}}`, "properties"},
		{`{"type":"identify","userId":"u","traits":` + nested(65) + `}`, "traits"},
		{`{"type":"track","userId":"u","event":"X","context":` + nested(65) + `}`, "context"},
		{`{"type":"track","userId":"u","event":"X","properties":{"a":1e400}}`, "properties"},
		{`{"type":"track","userId":"u","event":"X","properties":{"a":[-1E+309]}}`, "properties"},
		{`{"type":"track","userId":"u","event":"X","properties":{"a":1` + strings.Repeat("0", 400) + `}}`, "properties"},
		{`null`, ""},
		{` null`, ""},
		{`7`, ""},
		{`"text"`, ""},
		{`{"type":"track",`, ""},
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
			t.Errorf("%.200s\n got %v, want field %q", c.body, err, c.field)
			continue
		}
		for _, inside := range []string{"json:", "Go ", "struct", "unmarshal", "event."} {
			if strings.Contains(f.Message, inside) {
				t.Errorf("%.200s: %q speaks of our insides", c.body, f.Message)
			}
		}
		if object := strings.HasPrefix(c.body, "{"); !object && !strings.Contains(f.Message, "is not a JSON object") {
			t.Errorf("%s: %q", c.body, f.Message)
		}
	}
}

// nested is an object of that many levels.
func nested(levels int) string {
	return strings.Repeat(`{"a":`, levels-1) + "{}" + strings.Repeat("}", levels-1)
}

// TestWhatLooksWrongAndIsNotIsTaken holds the scan for depth and numbers against the standard decoder.
func TestWhatLooksWrongAndIsNotIsTaken(t *testing.T) {
	for _, properties := range []string{
		nested(64), `{"a":"` + strings.Repeat("[", 100) + `"}`, `{"a":"\\","b":"\"` + strings.Repeat("{", 100) + `"}`, `{"a":"1e999","1e999":1}`,
		`{"a":1e308,"b":-1E+300,"c":1e-999,"d":1` + strings.Repeat("0", 300) + `}`, `{"a":[` + strings.Repeat("[],", 200) + `{}]}`,
	} {
		var want map[string]any
		if err := json.Unmarshal([]byte(properties), &want); err != nil {
			t.Fatal(err)
		}
		e, err := Decode([]byte(`{"type":"track","userId":"u","event":"X","properties":`+properties+`}`), door())
		if err != nil || !reflect.DeepEqual(e.Properties(), want) {
			t.Errorf("%.100s: %v", properties, err)
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
	for _, body := range bodies {
		f.Add([]byte(body))
		f.Add([]byte(`{"batch":[` + body + `],"context":{}}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < 10_000 { // beyond, encoding/json gives up where there are as many levels
			compareScan(t, body)
			compareBatch(t, body)
		}
		e, err := Decode(body, door())
		compareEvent(t, body, e, err)
		if err == nil && (e.MessageID == "" || e.Timestamp.IsZero()) {
			t.Fatalf("accepted without id or time: %+v", e)
		}
	})
}
