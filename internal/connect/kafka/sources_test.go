package kafka

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/tailorbird/tailorbird/internal/broker/brokertest"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/reach"
	"github.com/tailorbird/tailorbird/internal/source"
)

// some makes orders of users from ≤ i < to, dealt to three partitions.
func some(topic string, from, to int) (records []*kgo.Record) {
	for i := from; i < to; i++ {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(i % 3), Value: fmt.Appendf(nil, `{"user":"u%d","total":%d.5}`, i, i)})
	}
	return records
}

func usersBetween(from, to int) map[string]int {
	users := map[string]int{}
	for i := from; i < to; i++ {
		users[fmt.Sprintf("u%d", i)] = 1
	}
	return users
}

func TestMessagesBecomeEventsOnce(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 3)
	broker.Produce(t, some(topic, 0, 1_200)...)
	broker.Produce(t,
		&kgo.Record{Topic: topic, Partition: 1, Key: []byte("k"), Value: []byte(`{"user":"bad","total":"much"}`), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}}},
		&kgo.Record{Topic: topic, Partition: 1, Key: []byte("gone")},
		&kgo.Record{Topic: topic, Partition: 2, Value: []byte("not JSON")},
	)
	broker.Produce(t, some(topic, 1_200, 1_300)...)
	f := begin(t, nil, orders(broker, topic))
	until(t, "all events", func() bool { return f.log.size() == 1_300 && len(f.quarantine.all()) == 2 })
	f.untilState(t, "orders", source.Running, "")
	until(t, "no lag", func() bool { s := f.Status("orders"); lag, _ := s.Lag(); return len(s.Partitions) == 3 && lag == 0 })
	if got, want := f.log.users(), usersBetween(0, 1_300); !maps.Equal(got, want) {
		t.Errorf("%d users, want %d", len(got), len(want))
	}
	status := f.Status("orders")
	if behind, known := status.Behind(); behind != 0 || !known {
		t.Errorf("%s behind, known: %v", behind, known)
	}
	if status.Read != 1_303 || status.Accepted != 1_300 || status.Passed != 1 || status.Rejected != 2 {
		t.Errorf("status %+v", status)
	}
	for _, q := range f.quarantine.all() {
		switch string(q.Message.Value) {
		case "not JSON":
			if !strings.Contains(q.Reason, "not a JSON object") || q.Message.Partition != 2 {
				t.Errorf("%+v", q)
			}
		default:
			if !strings.HasPrefix(q.Reason, "properties.total: ") || string(q.Message.Key) != "k" || q.Message.Headers["h"] != "v" || q.Message.TopicID == "" {
				t.Errorf("%+v", q)
			}
		}
	}
	f.stop()
	// Where it goes on is what the group has kept.
	broker.Produce(t, some(topic, 1_300, 1_310)...)
	g := begin(t, f, orders(broker, topic))
	until(t, "the rest", func() bool { return g.log.size() == 1_310 })
	if read := g.Status("orders").Read; read != 10 || g.log.twice != 0 {
		t.Errorf("read %d, %d twice", read, g.log.twice)
	}
}

// Events that were accepted while the commit of their offsets never came are read again, and are the same.
func TestACrashBeforeTheCommitDoublesNothing(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 3)
	broker.Produce(t, some(topic, 0, 600)...)
	f := begin(t, nil, orders(broker, topic))
	accepted := make(chan struct{})
	f.log.mu.Lock()
	f.log.refuse = func(n int) error {
		if n < 3 {
			return &fault.Error{Code: fault.Unavailable, Message: "too many events are waiting"}
		}
		return nil
	}
	if f.log.calls > 0 {
		f.log.mu.Unlock()
		t.Skip("the events came before the fault was set up")
	}
	f.log.after = func() {
		select {
		case <-accepted:
		default:
			close(accepted)
			f.Follow(nil) // ends the reading at once: the commit has no time
		}
	}
	f.log.mu.Unlock()
	<-accepted
	f.stop()
	f.log.after = nil
	g := begin(t, f, orders(broker, topic))
	until(t, "all events", func() bool { return g.log.size() == 600 })
	if got := g.log.users(); !maps.Equal(got, usersBetween(0, 600)) {
		t.Errorf("%d users", len(got))
	}
}

func TestTwoReadersShareATopic(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 3)
	one := begin(t, nil, orders(broker, topic))
	two := begin(t, one, orders(broker, topic))
	produced := 0
	produce := func(n int) {
		broker.Produce(t, some(topic, produced, produced+n)...)
		produced += n
	}
	produce(1_000)
	until(t, "both read", func() bool { // whoever joins later gets nothing of what the first has read
		produce(30)
		return one.Status("orders").Read > 0 && two.Status("orders").Read > 0
	})
	produce(500)
	one.stop()
	produce(500)
	one = begin(t, one, orders(broker, topic))
	produce(500)
	until(t, "all events", func() bool { return two.log.size() == produced })
	if got := two.log.users(); !maps.Equal(got, usersBetween(0, produced)) {
		t.Errorf("%d users of %d", len(got), produced)
	}
}

func TestABrokerThatGoesAway(t *testing.T) {
	t.Parallel()
	broker := brokertest.Own(t)
	topic := broker.Topic(t, 3)
	broker.Produce(t, some(topic, 0, 10)...)
	f := begin(t, nil, orders(broker, topic))
	until(t, "the first events", func() bool { return f.log.size() == 10 })
	broker.Stop(t)
	f.untilState(t, "orders", source.Troubled, "nothing listens")
	broker.Start(t)
	broker.Produce(t, some(topic, 10, 20)...)
	until(t, "the others", func() bool { return f.log.size() == 20 })
	f.untilState(t, "orders", source.Running, "")
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 1)
	broker.Produce(t, &kgo.Record{Topic: topic, Value: []byte(`{"user":"u0","total":1}`)})
	secured := func(change func(*source.Source)) source.Source {
		s := orders(broker, topic)
		s.Brokers = []string{broker.Secured}
		s.TLS = &source.TLS{CA: broker.CA}
		s.SASL = &source.SASL{Mechanism: "scram-sha-256", Username: "scram", PasswordSecret: "kafka-password"}
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		source source.Source
		state  source.State
		want   string
	}{
		"scram-sha-256":     {secured(func(s *source.Source) {}), source.Running, ""},
		"scram-sha-512":     {secured(func(s *source.Source) { s.SASL.Mechanism = "scram-sha-512" }), source.Running, ""},
		"plain":             {secured(func(s *source.Source) { s.SASL.Mechanism, s.SASL.Username = "plain", "plain" }), source.Running, ""},
		"a wrong password":  {secured(func(s *source.Source) { s.SASL.PasswordSecret = "wrong-password" }), source.Troubled, "do not accept the user name or the password"},
		"no secret":         {secured(func(s *source.Source) { s.SASL.PasswordSecret = "none" }), source.Troubled, `secret "none" is not set`},
		"no sign-in":        {secured(func(s *source.Source) { s.SASL = nil }), source.Troubled, "end the connection"},
		"no authority":      {secured(func(s *source.Source) { s.TLS.CA = "" }), source.Troubled, "tls.ca"},
		"another name":      {secured(func(s *source.Source) { s.TLS.ServerName = "kafka.example.com" }), source.Troubled, "tls.server_name"},
		"TLS where none is": {secured(func(s *source.Source) { s.Brokers = []string{broker.Address} }), source.Troubled, "the brokers"},
		"nobody there":      {secured(func(s *source.Source) { s.Brokers = []string{"127.0.0.1:1"} }), source.Troubled, "nothing listens"},
		"no topic":          {secured(func(s *source.Source) { s.Topic = "none-" + topic }), source.Troubled, "does not exist"},
		"silence":           {secured(func(s *source.Source) { s.Brokers = []string{brokertest.Silent(t)}; s.TLS, s.SASL = nil, nil }), source.Troubled, "do not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.source.Group = "g-" + topic + "-" + strings.ReplaceAll(name, " ", "-")
			f := begin(t, nil, c.source)
			f.untilState(t, "orders", c.state, c.want)
			if c.state == source.Running {
				until(t, "the event", func() bool { return f.log.size() == 1 })
			}
		})
	}
}

// Brokers in a private network are called only where the operator allows it, also those that a public one names.
func TestPrivateNetworksAreNotCalled(t *testing.T) {
	broker := brokertest.Shared(t)
	s := orders(broker, broker.Topic(t, 1))
	s.Definition = s.WithDefaults(s.Name)
	f := begin(t, nil)
	f.config.Reach = reach.Policy{}
	f.Follow([]source.Source{s})
	f.untilState(t, "orders", source.Troubled, "--allow-network")
}

func TestATopicThatIsMadeAnew(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 3)
	broker.Produce(t, some(topic, 0, 30)...)
	f := begin(t, nil, orders(broker, topic))
	until(t, "the first events", func() bool { return f.log.size() == 30 })
	if _, err := kadm.NewClient(broker.Client(t)).DeleteTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	f.untilState(t, "orders", source.Troubled, "does not exist")
	broker.Create(t, topic, 3)
	broker.Produce(t, some(topic, 100, 130)...) // at the offsets of the first ones
	f.Poke("orders")
	until(t, "the others", func() bool { return f.log.size() == 60 })
	f.untilState(t, "orders", source.Running, "")
}

// What was in the topic before a source was defined is none of its business where it starts with the latest.
func TestStartWithTheLatest(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 3)
	old := some(topic, 0, 30)
	for _, r := range old {
		r.Timestamp = time.Now().Add(-time.Hour)
	}
	broker.Produce(t, old...)
	s := orders(broker, topic)
	s.Start = source.Latest
	f := begin(t, nil, s)
	f.untilState(t, "orders", source.Running, "")
	broker.Produce(t, some(topic, 30, 60)...)
	until(t, "the new events", func() bool { return f.log.size() == 30 })
	if got := f.log.users(); !maps.Equal(got, usersBetween(30, 60)) {
		t.Errorf("users %v", got)
	}
	if lost := f.Status("orders").Lost; lost != 0 {
		t.Errorf("%d lost", lost)
	}
}

func TestMessagesOfASchemaRegistry(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 1)
	registry := brokertest.SharedRegistry(t)
	// Serialisers call the subject of a .proto file that is imported as the import calls it, slashes included.
	line := registry.Add(t, topic+"/line.proto", sr.Schema{Type: sr.TypeProtobuf, Schema: lineProto})
	order := registry.Add(t, topic+"-order", sr.Schema{Type: sr.TypeProtobuf, Schema: orderProto, References: []sr.SchemaReference{
		{Name: "shop/line.proto", Subject: topic + "/line.proto", Version: 1},
	}})
	money := `{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"amount","type":"double"}]}`
	registry.Add(t, topic+"-money", sr.Schema{Schema: money})
	sale := `{"type":"record","name":"Sale","namespace":"shop","fields":[{"name":"id","type":"string"},{"name":"total","type":["null","Money"]}]}`
	saleID := registry.Add(t, topic+"-sale", sr.Schema{Schema: sale, References: []sr.SchemaReference{{Name: "shop.Money", Subject: topic + "-money", Version: 1}}})
	refund := registry.Add(t, topic+"-refund", sr.Schema{Type: sr.TypeJSON, Schema: `{"type":"object","properties":{"id":{"type":"string"}}}`})
	schema, err := avro.ParseWithCache(strings.Replace(sale, `"Money"]`, money+`]`, 1), "", &avro.SchemaCache{})
	if err != nil {
		t.Fatal(err)
	}
	avroValue, err := avro.Marshal(schema, map[string]any{"id": "a1", "total": map[string]any{"shop.Money": map[string]any{"amount": 9.5}}})
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := newProtobufReader(orderProto, map[string]string{"shop/line.proto": lineProto})
	if err != nil {
		t.Fatal(err)
	}
	named, err := compiled.named("shop.Order")
	if err != nil {
		t.Fatal(err)
	}
	message := dynamicpb.NewMessage(named.of)
	if err := protojson.Unmarshal([]byte(`{"id":"p1","lines":[{"sku":"x","price":2}]}`), message); err != nil {
		t.Fatal(err)
	}
	protoValue, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	var away atomic.Bool
	away.Store(true)
	right := source.Registry{URL: inFront(t, registry, &away), Username: brokertest.RegistryUser, PasswordSecret: "kafka-password"}
	wrong := right
	wrong.PasswordSecret = "wrong-password"
	s := orders(broker, topic)
	s.Format, s.Registry = source.Avro, &wrong
	s.Mapping = json.RawMessage(`{"event":"\"Sold\"","user_id":"row.id","properties":{"total":"row.total.amount","lines":"row.lines"}}`)
	broker.Produce(t,
		&kgo.Record{Topic: topic, Value: framed(saleID, avroValue)},
		&kgo.Record{Topic: topic, Value: framed(order, append([]byte{2, 2}, protoValue...))},
		&kgo.Record{Topic: topic, Value: framed(line, []byte{0, 10, 1, 'z'})},
		&kgo.Record{Topic: topic, Value: framed(math.MaxInt32, avroValue)},
		&kgo.Record{Topic: topic, Value: framed(refund, []byte(`{"id":"r1"}`))},
		&kgo.Record{Topic: topic, Value: []byte("raw")},
		&kgo.Record{Topic: topic, Value: []byte(`{"id":"j1"}`)},
	)
	f := begin(t, nil, s)
	f.untilState(t, "orders", source.Troubled, "schema registry answers 503")
	away.Store(false)
	f.Poke("orders")
	f.untilState(t, "orders", source.Troubled, "does not accept the user name or the password")
	if n := len(f.quarantine.all()); n != 0 || f.log.size() != 0 {
		t.Fatalf("%d in quarantine while the registry cannot say", n)
	}
	s.Definition = s.WithDefaults(s.Name)
	s.Registry = &right
	f.Follow([]source.Source{s})
	until(t, "the events", func() bool { return f.log.size() == 4 && len(f.quarantine.all()) == 3 })
	for _, e := range f.log.events {
		if want := map[string]string{"a1": `{"total":9.5}`, "p1": `{"lines":[{"price":2,"sku":"x"}]}`, "j1": `{}`, "r1": `{}`}[e.UserID]; string(e.Payload) != want {
			t.Errorf("%s: %s, want %s", e.UserID, e.Payload, want)
		}
	}
	reasons := ""
	for _, q := range f.quarantine.all() {
		reasons += q.Reason + "\n"
	}
	for _, want := range []string{"no schema 2147483647", "does not begin with the id of a schema", "user_id"} {
		if !strings.Contains(reasons, want) {
			t.Errorf("no %q among the reasons:\n%s", want, reasons)
		}
	}
}

func TestTryAgain(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 1)
	broker.Produce(t, &kgo.Record{Topic: topic, Value: []byte(`{"user":"u1","total":"12,50"}`)})
	s := orders(broker, topic)
	f := begin(t, nil, s)
	until(t, "the message in quarantine", func() bool { return len(f.quarantine.all()) == 1 })
	q := f.quarantine.all()[0]
	if err := f.Retry(t.Context(), q); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("with the same mapping: %v", err)
	}
	if again := f.quarantine.all()[0]; again.Attempts != 2 || again.Reason == "" {
		t.Errorf("%+v", again)
	}
	s.Definition = s.WithDefaults(s.Name)
	s.Mapping = json.RawMessage(`{"event":"\"Order Completed\"","user_id":"row.user","properties":{"total":"number(row.total, ',')"}}`)
	f.Follow([]source.Source{s})
	if err := f.Retry(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if len(f.quarantine.all()) != 0 || f.log.size() != 1 || f.log.events[messageID("orders", q.Message)] == nil {
		t.Errorf("%d in quarantine, events %v", len(f.quarantine.all()), f.log.events)
	}
	f.Follow(nil)
	if err := f.Retry(t.Context(), q); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("without its source: %v", err)
	}
	q.Size++
	f.Follow([]source.Source{s})
	if err := f.Retry(t.Context(), q); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a beginning alone: %v", err)
	}
}

func TestAFullQuarantineStopsTheSource(t *testing.T) {
	broker := brokertest.Shared(t)
	topic := broker.Topic(t, 1)
	broker.Produce(t, &kgo.Record{Topic: topic, Value: []byte(`{"user":"u1","total":1}`)})
	f := begin(t, nil)
	for i := range int64(source.MaxQuarantined) {
		f.quarantine.kept[-i] = source.Quarantined{Source: "orders"}
	}
	s := orders(broker, topic)
	s.Definition = s.WithDefaults(s.Name)
	f.Follow([]source.Source{s})
	f.untilState(t, "orders", source.Full, "quarantine")
	if f.log.size() != 0 {
		t.Error("it reads on")
	}
	if err := errors.Join(f.quarantine.DropQuarantined(t.Context(), -1), f.quarantine.DropQuarantined(t.Context(), -2)); err != nil {
		t.Fatal(err)
	}
	f.Poke("orders")
	until(t, "the event", func() bool { return f.log.size() == 1 })
}
