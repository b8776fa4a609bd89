// Package brokertest starts a real Apache Kafka broker for tests, as scripts/kafka.sh does, and a real schema registry, as
// scripts/registry.sh does. A machine that cannot have one skips those tests, by name and visibly; with CI set in the
// environment that is a failure.
package brokertest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Broker is a running broker.
type Broker struct {
	Address string // without TLS and password
	Secured string // TLS, and SASL: PLAIN as plain, SCRAM as scram, with the password secret
	Dir     string // of its data
	CA      string // PEM, of Secured
}

// Password of the users plain and scram, and of the registry's user.
const Password = "secret"

// Shared is a broker that all tests of a package share, each with topics of its own. The package's TestMain calls Main.
func Shared(t testing.TB) *Broker {
	t.Helper()
	return sharedBroker.get(t)
}

// Own is a broker for this test alone, which may stop and start it.
func Own(t testing.TB) *Broker {
	t.Helper()
	broker, err := startBroker()
	orSkip(t, err)
	t.Cleanup(func() { _ = kafka.stop(context.Background(), broker.Dir) })
	return broker
}

// Stop ends the broker; its data stay.
func (b *Broker) Stop(t testing.TB) {
	t.Helper()
	if err := kafka.stop(context.WithoutCancel(t.Context()), b.Dir, "keep"); err != nil {
		t.Fatal(err)
	}
}

// Start begins a stopped broker again, at the same addresses.
func (b *Broker) Start(t testing.TB) {
	t.Helper()
	if _, err := startBroker(b.Dir); err != nil {
		t.Fatal(err)
	}
}

// Topic makes a topic with a name of its own and gives the name.
func (b *Broker) Topic(t testing.TB, partitions int) string {
	t.Helper()
	random := make([]byte, 4)
	_, _ = rand.Read(random)
	name := "t" + hex.EncodeToString(random)
	b.Create(t, name, partitions)
	return name
}

// Create makes a topic of a name.
func (b *Broker) Create(t testing.TB, name string, partitions int) {
	t.Helper()
	admin := kadm.NewClient(b.Client(t))
	deadline := time.Now().Add(20 * time.Second)
	for {
		created, err := admin.CreateTopic(t.Context(), int32(partitions), 1, nil, name)
		if err == nil {
			err = created.Err
		}
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("topic %s: %v", name, err)
		}
	}
	for { // until every partition has a leader
		if found, err := admin.ListTopics(t.Context(), name); err == nil && found[name].Err == nil && len(found[name].Partitions) == partitions {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("topic %s does not appear", name)
		}
	}
}

// Client is a plain client of the broker, closed when the test ends.
func (b *Broker) Client(t testing.TB, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.Address), kgo.RecordPartitioner(kgo.ManualPartitioner())}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Produce writes records and waits until the broker has them.
func (b *Broker) Produce(t testing.TB, records ...*kgo.Record) {
	t.Helper()
	if err := b.Client(t).ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// Silent is the address of a server that accepts connections and never answers, until the test ends.
func Silent(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return listener.Addr().String()
}

// startBroker starts a new broker, or that of a directory.
func startBroker(dir ...string) (*Broker, error) {
	said, err := kafka.start(dir...)
	if err != nil {
		return nil, err
	}
	b := &Broker{Address: said["TAILORBIRD_TEST_KAFKA"], Secured: said["TAILORBIRD_TEST_KAFKA_SASL"], Dir: said["TAILORBIRD_TEST_KAFKA_DIR"]}
	ca, err := os.ReadFile(filepath.Join(b.Dir, "ca.pem"))
	b.CA = string(ca)
	return b, err
}

// Until waits within a time for something that holds then, and says what it is where it does not come.
func Until(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("it does not come: %s", what)
		case <-tick.C:
		}
	}
}
