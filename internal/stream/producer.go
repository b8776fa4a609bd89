// Package stream is the way of events through a Kafka topic: the tracking API writes them there and answers when Kafka has
// them, and nodes read them and have them applied, each exactly once.
//
// What makes it exactly once is the database: a batch of events and how far it is in the topic are committed in one
// transaction, on the condition that the stored position is the one that the batch begins at. A node that has lost a
// partition to another, and does not know it yet, fails that condition.
package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Limits of a producer.
const (
	maxBuffered      = 20_000      // events that wait for Kafka; more are refused
	maxBufferedBytes = 128 << 20   // of these
	maxMessage       = 4<<20 + 1e5 // bytes of a batch; the largest events are imported ones
	patience         = 4 * time.Second
	retryAfter       = 2 * time.Second
)

// Producer writes events to the topic. It implements the Ingester of the tracking API. Its methods may be called from any
// goroutine.
type Producer struct {
	client  *kgo.Client
	config  Config
	ready   atomic.Bool            // the topic is there
	problem atomic.Pointer[string] // why the last events were not taken; nil where they were
	cancel  context.CancelFunc
	opened  chan struct{} // open has ended
}

// OpenProducer makes a producer, and in the background the topic where it does not exist yet: until then, and while the
// cluster cannot be reached, no events are taken. It fails where the settings cannot be used.
func OpenProducer(c Config) (*Producer, error) {
	client, err := kgo.NewClient(append(c.Options(),
		kgo.DefaultProduceTopic(c.Topic), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.MaxBufferedRecords(maxBuffered), kgo.MaxBufferedBytes(maxBufferedBytes), kgo.ProducerBatchMaxBytes(maxMessage),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()), kgo.ProducerLinger(2*time.Millisecond),
		// An event that a broker may have is neither given up nor written twice: it is sent again under its sequence number. These
		// only say when a broker that does not answer is asked anew.
		kgo.ProduceRequestTimeout(5*time.Second), kgo.RequestTimeoutOverhead(5*time.Second), kgo.RecordDeliveryTimeout(time.Minute),
	)...)
	if err != nil {
		return nil, fault.New(fault.Invalid, "--stream-url cannot be used: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Producer{client: client, config: c, cancel: cancel, opened: make(chan struct{})}
	go p.open(ctx)
	return p, nil
}

// open looks for the topic, or makes it, until it is there.
func (p *Producer) open(ctx context.Context) {
	defer close(p.opened)
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, lastPause/2) {
		err := p.config.ensureTopic(ctx, kadm.NewClient(p.client))
		if err == nil {
			p.problem.Store(nil)
			p.ready.Store(true)
			return
		}
		_ = p.noted(err) // nobody waits for it
		wait(ctx, pause)
	}
}

// ensureTopic makes the topic where it does not exist.
func (c Config) ensureTopic(ctx context.Context, admin *kadm.Client) error {
	_, err := broker.FindTopic(ctx, admin, c.Topic)
	if fault.CodeOf(err) != fault.NotFound {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, broker.Timeout)
	defer cancel()
	size := "4300000" // as maxMessage
	_, err = admin.CreateTopic(ctx, int32(c.Partitions), int16(c.Replication), map[string]*string{"max.message.bytes": &size}, c.Topic)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		err = nil
	}
	return broker.Explain(err)
}

// Ingest writes events and returns once Kafka has all of them durably, on every replica in sync. Unavailable, within
// seconds: it is not known to have them; some may be written, or be written later, and whoever sends them again under the same message
// ids doubles nothing.
func (p *Producer) Ingest(ctx context.Context, events []*event.Event) error {
	if len(events) == 0 {
		return nil
	}
	if !p.ready.Load() {
		said := p.Problem()
		if said == "" {
			said = "Kafka has not answered yet"
		}
		return &fault.Error{Code: fault.Unavailable, Message: said, RetryAfter: retryAfter}
	}
	w := writing{done: make(chan struct{})}
	w.left.Store(int64(len(events)))
	for _, e := range events {
		record := &kgo.Record{Key: keyOf(e), Value: Append(make([]byte, 0, 128+len(e.Payload)+len(e.Context)), e)}
		p.client.TryProduce(context.WithoutCancel(ctx), record, w.wrote)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var err error
	select {
	case <-w.done:
		err = w.failure()
	case <-timer.C:
		err = context.DeadlineExceeded
	case <-ctx.Done():
		err = ctx.Err()
	}
	return p.noted(err)
}

// writing is one call of Ingest under way.
type writing struct {
	left  atomic.Int64
	done  chan struct{}
	mu    sync.Mutex
	first error
}

func (w *writing) wrote(_ *kgo.Record, err error) {
	if err != nil {
		w.mu.Lock()
		if w.first == nil {
			w.first = err
		}
		w.mu.Unlock()
	}
	if w.left.Add(-1) == 0 {
		close(w.done)
	}
}

func (w *writing) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first
}

// noted keeps what is wrong and gives it as the tracking API answers it.
func (p *Producer) noted(err error) error {
	if err == nil {
		p.problem.Store(nil)
		return nil
	}
	said := "events cannot be written to Kafka: "
	switch explained := broker.Explain(err); {
	case errors.Is(err, kgo.ErrMaxBuffered):
		said = "too many events wait for Kafka; send this again in a moment"
	case errors.Is(err, context.Canceled):
		said = "the answer took too long; send this again"
	case errors.Is(err, kerr.MessageTooLarge):
		return fault.New(fault.TooLarge, "an event is over the limit of the topic %s, max.message.bytes", p.config.Topic)
	default:
		said += fault.All(explained)[0].Message
	}
	p.problem.Store(&said)
	return &fault.Error{Code: fault.Unavailable, Message: said, RetryAfter: retryAfter, Cause: err}
}

// Problem says why the last events were not taken; "" where they were.
func (p *Producer) Problem() string {
	if said := p.problem.Load(); said != nil {
		return *said
	}
	return ""
}

// Waiting counts the events that wait for Kafka, of Capacity.
func (p *Producer) Waiting() int { return int(p.client.BufferedProduceRecords()) }

// Capacity is how many events may wait for Kafka.
func (*Producer) Capacity() int { return maxBuffered }

// Close waits for what is under way as long as ctx allows, and closes the connections.
func (p *Producer) Close(ctx context.Context) error {
	p.cancel()
	err := p.client.Flush(ctx)
	<-p.opened
	p.client.Close()
	return broker.Explain(err)
}
