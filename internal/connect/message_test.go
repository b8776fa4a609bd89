package connect

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	sources "github.com/tailorbird/tailorbird/internal/source"
)

func TestMessagesBecomeEvents(t *testing.T) {
	m, err := NewMessageMapping(json.RawMessage(`{
		"event": "\"Order Completed\"", "user_id": "row.customer.id", "anonymous_id": "message.headers.visitor",
		"where": "row.status != 'draft'",
		"properties": {"total": "row.total", "lines": "row.lines.map(l, l.sku)", "shard": "message.partition", "fixed": 1, "nested": {"a": "message.key"}},
		"external_ids": {"loyalty_id": "row.card"}}`))
	if err != nil {
		t.Fatal(err)
	}
	around := sources.Message{
		Topic: "orders", Partition: 2, Offset: 41, Key: []byte("k"), Headers: map[string]string{"visitor": "v1"},
		Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	event := func(value string) string {
		t.Helper()
		row, err := DecodeMessage([]byte(value))
		if err != nil {
			return err.Error()
		}
		made, err := m.Event(row, around, "the-id")
		if err != nil {
			return err.Error()
		}
		return string(made)
	}
	for value, want := range map[string]string{
		`{"customer":{"id":7},"total":12.5,"lines":[{"sku":"a"},{"sku":"b"}],"card":"c9"}`: `{"type":"track","event":"Order Completed","messageId":"the-id",` +
			`"userId":"7","anonymousId":"v1","timestamp":"2026-01-02T03:04:05Z",` +
			`"properties":{"fixed":1,"lines":["a","b"],"nested":{"a":"k"},"shard":2,"total":12.5},"context":{"externalIds":[{"type":"loyalty_id","id":"c9"}]}}`,
		`{"status":"draft"}`:            ``,
		`{"status":"x","lines":"none"}`: `properties.lines`,
		`[1]`:                           `not a JSON object`,
		`{"a":1}{}`:                     `not a JSON object`,
		"{\"a\":\"\xff\"}":              `not UTF-8`,
		`{"a":1e999}`:                   `out of range`,
	} {
		if got := event(value); got != want && (want == "" || want[0] == '{' || !strings.Contains(got, want)) {
			t.Errorf("%s\n got %s\nwant %s", value, got, want)
		}
	}
}

func TestMappingOfMessagesNamesWhatIsWrong(t *testing.T) {
	for spec, want := range map[string]string{
		`[]`:                   "mapping:",
		`{"user_id":"row.id"}`: "mapping.type:",
		`{"event":"\"x\""}`:    "mapping:",
		`{"event":"\"x\"","user_id":"row.id","gather":{"key":"row.a","item":{"b":"row.b"}}}`: "mapping.gather:",
		`{"event":"\"x\"","user_id":"row.id","propertys":{}}`:                                "mapping.propertys:",
		`{"event":"\"x\"","user_id":"row.id","properties":{"a":{"b":"1 +\n * 2"}}}`:          "mapping.properties.a.b:2:2",
	} {
		_, err := NewMessageMapping(json.RawMessage(spec))
		if fault.CodeOf(err) != fault.Invalid || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", spec, err, want)
		}
	}
}
