package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/broker/brokertest"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// fed is a server with a stream.
type fed struct {
	office
	key string // of the tracking API
}

func streaming(t *testing.T, config Config) (fed, func()) {
	t.Helper()
	o, stop := running(t, config)
	keys, err := o.Keys()
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Until(t, 30*time.Second, "that events are taken", func() bool { return o.ready(t.Context()) == nil })
	return fed{o, keys.Write}, stop
}

func (f fed) events() int {
	totals, err := f.store.Totals(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return totals.Events
}

func refused(t *testing.T, config Config, words ...string) {
	t.Helper()
	config.Listen, config.Ready = "127.0.0.1:0", func(string) {}
	a, err := Open(t.Context(), config)
	if err == nil {
		_ = a.Close()
	}
	if fault.CodeOf(err) != fault.Conflict {
		t.Fatalf("the start should be refused: %v", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

// accepted opens what a server would be, and gives the events that there are.
func accepted(t *testing.T, config Config) int {
	t.Helper()
	config.Listen, config.Ready = "127.0.0.1:0", func(string) {}
	a, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	return fed{office: office{T: t, App: a}}.events()
}

// A database that a stream feeds has no server without it until it is retired, which first applies what waits there.
func TestAStreamIsRetiredBeforeTheDatabaseDoesWithout(t *testing.T) {
	kafka := brokertest.Shared(t)
	topic := kafka.Topic(t, 2)
	address := "kafka://" + kafka.Address + "/"
	dir := t.TempDir()
	config := Config{DataDir: dir, StreamURL: address + topic, DatabaseURL: storetest.Database(t, dir)}
	f, stop := streaming(t, config)
	f.track(f.key, `{"batch":[{"type":"track","event":"X","userId":"u","messageId":"1"}]}`)
	brokertest.Until(t, 60*time.Second, "the event", func() bool { return f.events() == 1 })
	if err := RetireStream(t.Context(), config, nil); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("it is retired under a server: %v", err)
	}
	stop()
	a, err := Open(t.Context(), config) // takes events, and reads none
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Until(t, 30*time.Second, "that events are taken", func() bool { return a.ready(t.Context()) == nil })
	left := office{t, a, asking(t, a)}
	keys, err := a.Keys()
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		left.track(keys.Write, fmt.Sprintf(`{"batch":[{"type":"track","event":"X","userId":"u%d","messageId":"left-%d"}]}`, n, n))
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	without, other := config, config
	without.StreamURL, other.StreamURL = "", address+kafka.Topic(t, 1)
	refused(t, without, topic, "--stream-url", "stream retire")
	refused(t, other, topic, "--stream-url", "stream retire")
	if err := RetireStream(t.Context(), other, nil); fault.CodeOf(err) != fault.NotFound || !strings.Contains(err.Error(), topic) {
		t.Errorf("a stream is retired that never was: %v", err)
	}
	if err := RetireStream(t.Context(), config, nil); err != nil {
		t.Fatal(err)
	}
	if n := accepted(t, without); n != 6 {
		t.Errorf("%d events", n)
	}
	f, stop = streaming(t, other)
	f.track(f.key, `{"batch":[{"type":"track","event":"X","userId":"u","messageId":"2"}]}`)
	stop()
	if topics, err := AbandonStreams(t.Context(), other); err != nil || len(topics) != 1 {
		t.Errorf("abandoned %v %v", topics, err)
	}
	accepted(t, without)
}

// A topic of the same name in another cluster is another stream: nothing is written there, nor read.
func TestAnotherClusterIsAnotherStream(t *testing.T) {
	kafka := brokertest.Shared(t)
	topic, dir := kafka.Topic(t, 1), t.TempDir()
	config := Config{DataDir: dir, DatabaseURL: storetest.Database(t, dir)}
	a, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	for _, cluster := range []string{"of another cluster", "of a third"} {
		if noted, err := a.store.AdoptStream(t.Context(), topic, cluster); err != nil || noted != "of another cluster" {
			t.Fatal(noted, err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	config.StreamURL = "kafka://" + kafka.Address + "/" + topic
	o, stop := running(t, config)
	defer stop()
	brokertest.Until(t, 30*time.Second, "that it is another cluster", func() bool {
		err := o.ready(t.Context())
		return err != nil && strings.Contains(err.Error(), "of another cluster") && strings.Contains(o.streamStatus().Problem, "of another cluster")
	})
	if answer := o.ask("GET", "/readyz", "", 503); !strings.Contains(answer, "stream retire") {
		t.Error(answer)
	}
}
