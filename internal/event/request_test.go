package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// textFields are those of an event that must be a string; the first four may be a number.
var textFields = []string{
	"userId", "anonymousId", "previousId", "groupId", "type", "messageId", "event", "name", "category", "timestamp", "originalTimestamp", "sentAt",
}

// membersOf reads the members that a struct with these names gets from encoding/json: in any case, the last of a name, and null does not
// undo a string that is no pointer. It is nil where the text is no object.
func membersOf(object []byte, names ...string) map[string]json.RawMessage {
	if !json.Valid(object) || bytes.TrimLeft(object, " \t\r\n")[0] != '{' {
		return nil
	}
	members := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(object))
	for _, _ = d.Token(); d.More(); {
		token, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		for i, name := range names {
			if strings.EqualFold(name, token.(string)) && (string(value) != "null" || i >= len(textFields) || name == "event") {
				members[name] = value
			}
		}
	}
	return members
}

var eventFields = append(textFields, "properties", "traits", "context")

// compareEvent holds an event that was taken, or what was said against it, against what encoding/json makes of the body.
func compareEvent(t *testing.T, body []byte, e *Event, err error) {
	t.Helper()
	body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	members := membersOf(body, eventFields...)
	fits, texts := members != nil, map[string]string{}
	for i, name := range textFields {
		var v any
		if raw := members[name]; raw != nil && json.Unmarshal(raw, &v) != nil {
			fits = false // a number out of range
		}
		switch v := v.(type) {
		case nil:
		case string:
			texts[name] = v
		case float64:
			texts[name] = string(members[name])
			fits = fits && i < 4
		default:
			fits = false
		}
	}
	if err != nil {
		if text := err.Error(); members != nil && strings.Contains(text, "is not a JSON object") {
			t.Fatalf("%s: %v", body, err)
		}
		return
	}
	if !fits {
		t.Fatalf("%s was taken", body)
	}
	want := Event{
		MessageID: texts["messageId"], Type: Type(texts["type"]), Name: texts["event"], UserID: texts["userId"], AnonymousID: texts["anonymousId"],
		PreviousID: texts["previousId"], GroupID: texts["groupId"], Payload: members["properties"], Context: members["context"],
	}
	if want.MessageID == "" {
		want.MessageID = "made"
	}
	if want.Type == Identify || want.Type == Group {
		want.Payload = members["traits"]
	}
	if want.Type != Track {
		want.Name = e.Name
	}
	for _, raw := range []*json.RawMessage{&want.Payload, &want.Context} {
		if string(*raw) == "null" {
			*raw = nil
		}
	}
	if want.Type == Page || want.Type == Screen {
		comparePage(t, want.Payload, e, texts)
		want.Payload = e.Payload
	}
	got := fmt.Sprintf("%q", []string{e.MessageID, string(e.Type), e.Name, e.UserID, e.AnonymousID, e.PreviousID, e.GroupID, string(e.Payload), string(e.Context)})
	if want := fmt.Sprintf("%q", []string{
		want.MessageID, string(want.Type), want.Name, want.UserID, want.AnonymousID, want.PreviousID, want.GroupID, string(want.Payload), string(want.Context),
	}); got != want {
		t.Fatalf("%s\n got %s\nwant %s", body, got, want)
	}
	var c struct {
		ExternalIDs []ExternalID `json:"externalIds"`
	}
	if want.Context != nil && json.Unmarshal(want.Context, &c) != nil || fmt.Sprint(e.ExternalIDs) != fmt.Sprint(c.ExternalIDs) {
		t.Fatalf("%s: external ids %v, want %v", body, e.ExternalIDs, c.ExternalIDs)
	}
	if at, err := time.Parse(time.RFC3339Nano, texts["timestamp"]); err == nil && texts["originalTimestamp"] == "" && texts["sentAt"] == "" && at.Before(received) {
		if !e.Timestamp.Equal(at.Truncate(time.Microsecond)) {
			t.Fatalf("%s: at %v, want %v", body, e.Timestamp, at)
		}
	}
}

// comparePage holds that the properties of a page are those given, and its name and category where they say nothing of them.
func comparePage(t *testing.T, properties json.RawMessage, e *Event, texts map[string]string) {
	t.Helper()
	want, got := map[string]any{}, map[string]any{}
	if properties != nil && json.Unmarshal(properties, &want) != nil || e.Payload != nil && json.Unmarshal(e.Payload, &got) != nil {
		t.Fatalf("%s of %s", e.Payload, properties)
	}
	for _, name := range []string{"name", "category"} {
		if _, has := want[name]; !has && texts[name] != "" {
			want[name] = texts[name]
		}
	}
	if a, b := fmt.Sprint(got), fmt.Sprint(want); a != b {
		t.Fatalf("%s of %s: %s, want %s", e.Payload, properties, a, b)
	}
}

// compareBatch holds the events of a batch against what encoding/json makes of the body, each of them decoded alone.
func compareBatch(t *testing.T, body []byte) {
	t.Helper()
	events, err := ReadBatch(body).Events(door())
	if !utf8.Valid(body) {
		if err == nil {
			t.Fatalf("%q is no text and was taken", body)
		}
		return
	}
	var list []json.RawMessage
	members := membersOf(body, append(make([]string, len(textFields)), "batch", "context")...)
	bad := members == nil || json.Unmarshal(members["batch"], &list) != nil || len(list) == 0
	if err != nil {
		return
	}
	if bad || len(list) != len(events) {
		t.Fatalf("%s was taken, with %d events, want %d", body, len(events), len(list))
	}
	for i, raw := range list {
		one := membersOf(raw, eventFields...)
		if inherited := members["context"]; string(inherited) != "null" && inherited != nil && (one["context"] == nil || string(one["context"]) == "null") {
			raw = fmt.Appendf(nil, `%s,"context":%s}`, raw[:len(raw)-1], inherited)
		}
		compareEvent(t, raw, events[i], nil)
	}
}

// bodies are requests, and those that other tests have.
var bodies = []string{
	`{"TYPE":"track","userid":"a","USERID":"b","EVENT":"X"}`, `{"\u0074ype":"track","u\u017fer\u0049d":"b","event":"X"}`, "{\"type\":\"trac\u212a\",\"\u212a\":1}",
	`{"type":"track","userId":"a","userId":null,"event":"X"}`, `{"type":"track","userId":"a","event":"X","event":null}`,
	`{"type":"track","userId":"a","event":"X","properties":{"a":1},"properties":null}`, `{"type":"track","userId":"a","event":"X","properties":{"a":1},"PROPERTIES":{"b":1}}`,
	`{"type":"track","userId":{},"userId":"a","event":"X"}`, `{"type":"track","userId":-0,"anonymousId":1e3,"event":"X"}`, `{"type":"track","userId":1e999,"event":"X"}`,
	`{"type":"track","userId":"\ud800","event":"X\udc00\ud83d\ude00"}`, "{\"type\":\"track\",\"userId\":\"a\xff\xfeb\",\"event\":\"X\"}", `{"type":"track","userId":"a\u0000","event":"X"}`,
	`{"type":"track","userId":"a","event":"X","junk":{"userId":"b","a":[1e999]},"integrations":{"All":true}}`,
	`{"type":"page","userId":"a","name":"Home \"1\"","category":"x","properties":{}}`, `{"type":"page","userId":"a","name":"Home","properties":{"name":null,"url":"/"}}`,
	`{"type":"screen","userId":"a","name":"Home","category":"\u00e9","properties":{ "a" : 1e3}}`, `{"type":"page","userId":"a","name":"Home"}`, `{"type":"page","userId":"a","properties":{"a":1}}`,
	`{"type":"track","event":"X","context":{"EXTERNALIDS":[{"TYPE":"a","Id":"b"}],"traits":{}}}`, `{"type":"track","event":"X","context":{"externalIds":[{"type":"a","id":"b"}]},"context":{}}`,
	`{"type":"track","event":"X","userId":"u","context":{"externalIds":[{"type":"a","id":"b"}]},"context":{}}`,
	`{"type":"identify","userId":"u","traits":{"a":"b"},"properties":7,"context":null,"timestamp":"2026-01-02T03:04:05.678Z"}`, `{"type":"group","userId":"u","groupId":7,"traits":{"a":[{}]}}`,
	`{"type":"alias","userId":"u","previousId":"v","writeKey":{}}`,
}

func TestEventsAreWhatEncodingJSONMakesOfThem(t *testing.T) {
	for _, body := range bodies {
		for i := range body {
			for _, c := range "{}[]\",:\\0e n\x00\xff" {
				damaged := []byte(body)
				damaged[i] = byte(c)
				e, err := Decode(damaged, door())
				compareEvent(t, damaged, e, err)
			}
			e, err := Decode([]byte(body[:i]), door())
			compareEvent(t, []byte(body[:i]), e, err)
		}
		e, err := Decode([]byte(body), door())
		compareEvent(t, []byte(body), e, err)
		compareBatch(t, []byte(`{"batch":[`+body+`,`+body+`]}`))
	}
	taken := 0
	r := rand.New(rand.NewPCG(3, 4))
	names := append([]string{"USERID", "user\\u0049d", "junk"}, eventFields...)
	for range 5000 {
		body := `{"type":"` + []string{"track", "page", "identify", "group"}[r.IntN(4)] + `","userId":"u","event":"X","groupId":"g"`
		for range r.IntN(5) {
			body += `,"` + names[r.IntN(len(names))] + `":` + someJSON(r, 3)
		}
		e, err := Decode([]byte(body+"}"), door())
		if err == nil {
			taken++
		}
		compareEvent(t, []byte(body+"}"), e, err)
		compareBatch(t, []byte(`{"batch": [`+body+`} , `+body+`}] ,"context":`+someJSON(r, 2)+`}`))
	}
	if taken < 500 {
		t.Errorf("only %d events were taken", taken)
	}
}

// What is kept holds no part of the body, whose room the next request takes.
func TestEventsHoldNoPartOfTheBody(t *testing.T) {
	body := []byte(`{"context":{"ip":"1.2.3.4"},"batch":[{"type":"track","messageId":"m","userId":"u","event":"X","properties":{"a":"b"}},
		{"type":"page","anonymousId":"v","name":"Home","properties":{"a":"b"},"context":{"externalIds":[{"type":"a","id":"b"}]}}]}`)
	events, err := ReadBatch(body).Events(door())
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v %s %s %s %s", events, events[0].Payload, events[0].Context, events[1].Payload, events[1].Context)
	before += fmt.Sprintf("%+v %+v", *events[0], *events[1])
	for i := range body {
		body[i] = '#'
	}
	after := fmt.Sprintf("%+v %s %s %s %s", events, events[0].Payload, events[0].Context, events[1].Payload, events[1].Context)
	if after += fmt.Sprintf("%+v %+v", *events[0], *events[1]); after != before {
		t.Errorf("got %s\nwant %s", after, before)
	}
}

func TestTheKeyOfABodyIsFoundBeforeItBreaksOff(t *testing.T) {
	for body, want := range map[string]string{
		`{"writeKey":"k","batch":[`: "k", `{"batch":[{"writeKey":"no"}],"WRITEKEY":"k\u0031"}`: "k1", `{"write\u212aey":"k"}`: "k", `{"writeKey":7}`: "", `{"writeKey":"k`: "", `{"writeKey":"`: "", `{"writeKey":`: "", ``: "", `["writeKey"]`: "",
	} {
		if got := ReadBatch([]byte(body)).WriteKey(); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}
