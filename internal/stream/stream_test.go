package stream

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/broker/brokertest"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

func TestMain(m *testing.M) { brokertest.Main(m) }

// database is a database in memory: events and positions in one transaction, on the condition that the positions are what
// the batch begins at. It does not look at message ids, so that whatever comes twice shows.
type database struct {
	mu        sync.Mutex
	events    []*event.Event
	positions map[string]map[int32]int64
	conflicts int
	held      []source.Quarantined
	before    func() error // asked before each transaction
}

func newDatabase() *database { return &database{positions: map[string]map[int32]int64{}} }

func (d *database) IngestAt(_ context.Context, events []*event.Event, positions []Position) error {
	d.mu.Lock()
	before := d.before
	d.mu.Unlock()
	if before != nil {
		if err := before(); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range positions {
		if d.positions[p.Topic][p.Partition] != p.From {
			d.conflicts++
			return fault.New(fault.Conflict, "partition %d is at %d, not at %d", p.Partition, d.positions[p.Topic][p.Partition], p.From)
		}
	}
	for _, p := range positions {
		if d.positions[p.Topic] == nil {
			d.positions[p.Topic] = map[int32]int64{}
		}
		d.positions[p.Topic][p.Partition] = p.Next
	}
	d.events = append(d.events, events...)
	return nil
}

func (d *database) Positions(_ context.Context, topic string) (map[int32]int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[int32]int64{}
	for partition, at := range d.positions[topic] {
		all[partition] = at
	}
	return all, nil
}

func (d *database) Quarantine(_ context.Context, messages []source.Quarantined) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = append(d.held, messages...)
	return nil
}

// applied counts by message id.
func (d *database) applied() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	times := map[string]int{}
	for _, e := range d.events {
		times[e.MessageID]++
	}
	return times
}

func (d *database) size() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.events)
}

func configOf(b *brokertest.Broker, topic string) Config {
	return Config{Cluster: broker.Cluster{Brokers: []string{b.Address}}, Topic: topic, Group: topic, Partitions: 6, Replication: 1}
}

func produce(t *testing.T, c Config) *Producer {
	t.Helper()
	return produceTelling(t, c, slog.New(slog.DiscardHandler))
}

func produceTelling(t *testing.T, c Config, log *slog.Logger) *Producer {
	t.Helper()
	p, err := OpenProducer(c, time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Second)
		defer cancel()
		_ = p.Close(ctx)
	})
	return p
}

// ready waits until a producer takes events.
func ready(t *testing.T, p *Producer) {
	t.Helper()
	until(t, "the producer", func() bool { return p.Ready() == nil })
}

// consume runs a consumer until the function that it gives is called.
func consume(t *testing.T, c Config, d *database) (*Consumer, func()) {
	t.Helper()
	consumer := &Consumer{Config: c, Ingest: d, Quarantine: d, Now: time.Now, Log: slog.New(slog.DiscardHandler), Every: 50 * time.Millisecond}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- consumer.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return consumer, stop
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	brokertest.Until(t, 90*time.Second, what, holds)
}

func track(user string, n int) *event.Event {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return &event.Event{MessageID: fmt.Sprintf("%s-%d", user, n), Type: event.Track, Name: "Seen", UserID: user, Timestamp: now, ReceivedAt: now}
}

// Several producers write for many customers; what is applied is all of it, once, and each customer's in order.
func TestEachCustomerInOrder(t *testing.T) {
	b := brokertest.Shared(t)
	c := configOf(b, "order-"+b.Topic(t, 1)) // made by the producer
	p := produce(t, c)
	ready(t, p)
	const users, each = 40, 50
	var group sync.WaitGroup
	for u := range users {
		group.Go(func() {
			for n := 0; n < each; n += 5 {
				var batch []*event.Event
				for i := range 5 {
					batch = append(batch, track(fmt.Sprintf("u%d", u), n+i))
				}
				if err := p.Ingest(t.Context(), batch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	d := newDatabase()
	consumer, stop := consume(t, c, d)
	until(t, "all events", func() bool { return d.size() == users*each })
	last := map[string]int{}
	for _, e := range d.events {
		var n int
		if _, err := fmt.Sscanf(e.MessageID, e.UserID+"-%d", &n); err != nil || n != last[e.UserID] {
			t.Fatalf("%s comes after %d events of the customer", e.MessageID, last[e.UserID])
		}
		last[e.UserID]++
	}
	until(t, "no lag", func() bool {
		s := consumer.Status()
		lag, known := s.Lag()
		behind, _ := s.Behind()
		return s.State == source.Running && len(s.Partitions) == 6 && known && lag == 0 && behind == 0
	})
	stop()
	// Another consumer goes on at what is stored, whatever Kafka knows of its group.
	if err := p.Ingest(t.Context(), []*event.Event{track("late", 0)}); err != nil {
		t.Fatal(err)
	}
	c.Group = "another-" + c.Group
	consume(t, c, d)
	until(t, "the last event", func() bool { return d.size() == users*each+1 })
	for id, times := range d.applied() {
		if times != 1 {
			t.Errorf("%s is applied %d times", id, times)
		}
	}
}

// Consumers come and go, the database fails now and then, and a consumer that was fenced off without its knowledge tries to
// apply what another has: the database never sees an event twice, nor misses one.
func TestRebalancesDoubleNothing(t *testing.T) {
	b := brokertest.Shared(t)
	c := configOf(b, b.Topic(t, 6))
	p := produce(t, c)
	ready(t, p)
	d := newDatabase()
	random := rand.New(rand.NewPCG(1, 2))
	var calls, waiting atomic.Int64
	var gate sync.RWMutex // held while somebody else goes on
	d.before = func() error {
		waiting.Add(1)
		gate.RLock()
		defer gate.RUnlock()
		waiting.Add(-1)
		if calls.Add(1)%5 == 0 {
			return fault.New(fault.Unavailable, "the database is busy")
		}
		return nil
	}
	const total, each = 12_000, 200
	_, stop := consume(t, c, d)
	stops := []func(){stop}
	for n := 0; n < total; n += each {
		fenced := n%3_000 == 0 && n > 0
		if fenced {
			gate.Lock()
		}
		var batch []*event.Event
		for i := range each {
			batch = append(batch, track(fmt.Sprintf("u%d", (n+i)%97), n+i))
		}
		if err := p.Ingest(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		if fenced {
			until(t, "a consumer with a batch in hand", func() bool { return waiting.Load() > 0 })
			d.goOn(t, b, c.Topic)
			gate.Unlock()
		}
		switch random.IntN(8) {
		case 0, 1:
			if len(stops) < 3 {
				_, stop := consume(t, c, d)
				stops = append(stops, stop)
			}
		case 2:
			if len(stops) > 1 {
				stops[0]()
				stops = stops[1:]
			}
		}
	}
	until(t, "all events", func() bool { return len(d.applied()) == total })
	for id, times := range d.applied() {
		if times != 1 {
			t.Errorf("%s is applied %d times", id, times)
		}
	}
	t.Logf("%d conflicts, %d transactions", d.conflicts, calls.Load())
	if d.conflicts == 0 {
		t.Error("no consumer was ever fenced off: the test shows nothing")
	}
}

// goOn applies everything that is in the topic, as another node does to which all partitions went.
func (d *database) goOn(t *testing.T, b *brokertest.Broker, topic string) {
	t.Helper()
	ends, err := kadm.NewClient(b.Client(t)).ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	found, err := broker.FindTopic(t.Context(), kadm.NewClient(b.Client(t)), topic)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	life := topic + "/" + found.ID
	if d.positions[life] == nil {
		d.positions[life] = map[int32]int64{}
	}
	from := map[int32]kgo.Offset{}
	left := int64(0)
	ends.Each(func(end kadm.ListedOffset) {
		from[end.Partition] = kgo.NewOffset().At(d.positions[life][end.Partition])
		left += end.Offset - d.positions[life][end.Partition]
	})
	client := b.Client(t, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	for left > 0 {
		for _, r := range client.PollRecords(t.Context(), 1_000).Records() {
			e, err := Read(r.Value)
			if err != nil || r.Offset != d.positions[life][r.Partition] {
				t.Errorf("offset %d where %d is stored: %v", r.Offset, d.positions[life][r.Partition], err)
				return
			}
			d.events = append(d.events, e)
			d.positions[life][r.Partition] = r.Offset + 1
			left--
		}
	}
}

// The broker is stopped and started while events are written. What was acknowledged is there; what was not is sent again by
// its sender, and only that can be there twice, under one message id.
func TestTheBrokerRestartsInMidProduction(t *testing.T) {
	t.Parallel()
	b := brokertest.Own(t)
	c := configOf(b, b.Topic(t, 6))
	p := produce(t, c)
	ready(t, p)
	d := newDatabase()
	consume(t, c, d)
	var repeated sync.Map
	var written, failed atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var group sync.WaitGroup
	for u := range 8 {
		group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				e := track(fmt.Sprintf("u%d", u), n)
				for {
					err := p.Ingest(t.Context(), []*event.Event{e})
					if err == nil {
						written.Add(1)
						break
					}
					if fault.CodeOf(err) != fault.Unavailable {
						t.Error(err)
						return
					}
					failed.Add(1)
					repeated.Store(e.MessageID, true)
					wait(ctx, 10*time.Millisecond) // it is refused at once
				}
			}
		})
	}
	until(t, "the first events", func() bool { return d.size() > 500 })
	b.Stop(t)
	until(t, "requests that fail", func() bool { return failed.Load() > 0 })
	b.Start(t)
	before := written.Load()
	until(t, "events that are taken again", func() bool { return written.Load() > before+500 })
	cancel()
	group.Wait()
	until(t, "all events", func() bool { return int64(len(d.applied())) == written.Load() })
	twice := 0
	for id, times := range d.applied() {
		if _, again := repeated.Load(id); times > 1 && !again {
			t.Errorf("%s was acknowledged at once, and is there %d times", id, times)
		}
		if times > 1 {
			twice++
		}
	}
	if err := p.Ready(); err != nil {
		t.Errorf("the producer still has a problem: %v", err)
	}
	t.Logf("%d events, %d requests failed, %d events came twice under one id", written.Load(), failed.Load(), twice)
}

// A broker that accepts connections and never answers makes requests fail within seconds, and holds no more than a bounded
// number of events.
func TestASilentBroker(t *testing.T) {
	t.Parallel()
	c := Config{Cluster: broker.Cluster{Brokers: []string{brokertest.Silent(t)}}, Topic: "t", Group: "t", Partitions: 1, Replication: 1}
	p := produce(t, c)
	p.opened.Store(true) // as if it had answered once
	begun := time.Now()
	var many []*event.Event
	for n := range maxBuffered + 10 {
		many = append(many, track("u", n))
	}
	for _, events := range [][]*event.Event{many, many[:1]} {
		if err := p.Ingest(t.Context(), events); fault.CodeOf(err) != fault.Unavailable || fault.All(err)[0].RetryAfter == 0 {
			t.Errorf("%v", err)
		}
		if waiting := p.Waiting(); waiting > p.Capacity() {
			t.Errorf("%d events wait", waiting)
		}
	}
	if took := time.Since(begun); took > patience+3*time.Second {
		t.Errorf("it took %v: the second was not refused at once", took)
	}
	if err := p.Ready(); err == nil || !strings.Contains(err.Error(), "the brokers do not answer in time") {
		t.Errorf("problem %v", err)
	}
}

func TestWhatOthersWriteIsKeptApart(t *testing.T) {
	b := brokertest.Shared(t)
	c := configOf(b, b.Topic(t, 1))
	b.Produce(t, &kgo.Record{Topic: c.Topic, Value: Append(nil, track("u", 1))}, &kgo.Record{Topic: c.Topic, Value: []byte("\x00junk")},
		&kgo.Record{Topic: c.Topic, Value: Append(nil, track("u", 2))})
	d := newDatabase()
	consumer, stop := consume(t, c, d)
	until(t, "both events", func() bool { return d.size() == 2 })
	if len(d.held) != 1 || string(d.held[0].Message.Value) != "\x00junk" || d.held[0].Message.Offset != 1 {
		t.Errorf("in quarantine: %+v", d.held)
	}
	stop()
	newer := Append(nil, track("u", 3))
	newer[0]++
	b.Produce(t, &kgo.Record{Topic: c.Topic, Value: newer})
	consumer, _ = consume(t, c, d)
	until(t, "that the node is too old", func() bool { return strings.Contains(consumer.Status().Problem, "upgrade this node") })
	if d.size() != 2 || len(d.held) != 1 {
		t.Errorf("%d events, %d in quarantine", d.size(), len(d.held))
	}
}
