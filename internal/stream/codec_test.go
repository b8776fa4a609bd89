package stream

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// someEvent draws an event as the door makes them.
func someEvent(t *rapid.T) *event.Event {
	text := rapid.StringN(0, 40, 200)
	object := func(name string) json.RawMessage {
		if rapid.Bool().Draw(t, "no "+name) {
			return nil
		}
		raw, _ := json.Marshal(map[string]string{name: text.Draw(t, name)})
		return raw
	}
	at := rapid.Int64Range(0, 4e15)
	e := &event.Event{
		MessageID: "m" + text.Draw(t, "message id"), Type: rapid.SampledFrom(types[:]).Draw(t, "type"), Name: text.Draw(t, "name"),
		UserID: text.Draw(t, "user id"), AnonymousID: text.Draw(t, "anonymous id"), PreviousID: text.Draw(t, "previous id"), GroupID: text.Draw(t, "group id"),
		Timestamp: time.UnixMicro(at.Draw(t, "timestamp")).UTC(), ReceivedAt: time.UnixMicro(at.Draw(t, "received at")).UTC(),
		Payload: object("payload"), Context: object("context"), ProfileID: rapid.Int64().Draw(t, "profile"), Historical: rapid.Bool().Draw(t, "historical"),
	}
	if rapid.Bool().Draw(t, "external ids") {
		e.ExternalIDs = []event.ExternalID{{Type: "loyalty_id", ID: text.Draw(t, "loyalty id")}}
		e.Context, _ = json.Marshal(map[string]any{"externalIds": e.ExternalIDs})
	}
	return e
}

func TestEventsSurviveTheTopic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := someEvent(t)
		got, err := Read(Append(nil, e))
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("%v\n got %+v\nwant %+v", err, got, e)
		}
	})
}

// An event has no field that the form of the topic leaves out: one that is new must be written too, under a new version.
func TestTheFormHasEveryField(t *testing.T) {
	exported := 0
	for i := range reflect.TypeFor[event.Event]().NumField() {
		if reflect.TypeFor[event.Event]().Field(i).IsExported() {
			exported++
		}
	}
	if exported != 14 {
		t.Errorf("an event has %d fields, the form of the topic knows 14", exported)
	}
}

func TestWhatIsNotOursIsRefused(t *testing.T) {
	sound := Append(nil, &event.Event{MessageID: "m", Type: event.Track, Name: "x", UserID: "u", Payload: json.RawMessage(`{}`)})
	for cut := range sound {
		if _, err := Read(sound[:cut]); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%d of %d bytes: %v", cut, len(sound), err)
		}
	}
	newer := append([]byte{version + 1}, sound[1:]...)
	if _, err := Read(newer); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "upgrade") {
		t.Errorf("a newer form: %v", err)
	}
	for _, junk := range []string{`{"event":"x"}`, "", "\x00\x00\x00", string(sound) + "x", "\x01\x09\x00" + string(sound[3:]), "\x01\x00\x02" + string(sound[3:])} {
		if _, err := Read([]byte(junk)); junk != `{"event":"x"}` && fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%q: %v", junk, err)
		} else if err == nil {
			t.Errorf("%q is taken", junk)
		}
	}
}

func TestStreamURLs(t *testing.T) {
	for text, want := range map[string]Config{
		"kafka://k": {Cluster: broker.Cluster{Brokers: []string{"k:9092"}}, Topic: "tailorbird-events", Group: "tailorbird-events", Partitions: 12, Replication: -1},
		"kafka://k1:1,k2:2/shop?group=g&partitions=3&replication=2": {
			Cluster: broker.Cluster{Brokers: []string{"k1:1", "k2:2"}}, Topic: "shop", Group: "g", Partitions: 3, Replication: 2,
		},
		"kafka://u:p%40ss@[::1]:9,k2/shop?sasl=plain": {
			Cluster: broker.Cluster{Brokers: []string{"[::1]:9", "k2:9092"}, SASL: broker.Plain, User: "u", Password: "p@ss"}, Topic: "shop", Group: "shop", Partitions: 12, Replication: -1,
		},
	} {
		got, err := ParseURL(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", text, err, got, want)
		}
	}
	for _, wrong := range []string{
		"", "kafka:", "http://k", "kafka://", "kafka://k/a b", "kafka://k/a/b", "kafka://k?groop=x", "kafka://k?partitions=0", "kafka://k,?x", "kafka://k:x",
		"kafka://u:secret@k?sasl=oauth", "kafka://k?ca=/none", "kafka://u:secret@k:bad", "kafka://k#x",
	} {
		_, err := ParseURL(wrong)
		if fault.CodeOf(err) != fault.Invalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
