package event_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/tailorbird/tailorbird/internal/event"
)

// FuzzProperty: a property asked for alone is what decoding everything gives.
func FuzzProperty(f *testing.F) {
	for _, payload := range []string{
		`{}`, ` { "a" : 1 , "b":[{"a":2},"]"],"c":{"a":"}"}} `, `{"a":"x\\","b":"\"","a":null}`, `{"\u0061":true,"b":-1.5e3}`, `{"é":"\ud83d\ude00","":0}`,
	} {
		f.Add(payload, "a")
		f.Add(payload, "b")
		f.Add(payload, "")
	}
	f.Add("{\"\x800\":0}", "\x800")
	f.Add("{\"\x800\":0}", "\uFFFD0")
	f.Fuzz(func(t *testing.T, payload, name string) {
		body, err := json.Marshal(map[string]any{
			"type": "track", "event": "E", "userId": "u", "messageId": "m", "properties": json.RawMessage(payload),
		})
		if err != nil {
			return // no JSON
		}
		e, err := event.Decode(body, event.Door{})
		if err != nil {
			return
		}
		alone, has := e.Property(name)
		want, wanted := e.Properties()[name]
		if has != wanted || !reflect.DeepEqual(alone, want) {
			t.Fatalf("%q of %s is %#v (%v) alone and %#v (%v) among all", name, payload, alone, has, want, wanted)
		}
	})
}
