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
	"log/slog"
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
	lookEvery        = time.Second     // at whether Kafka answers
	lookRetry        = 2 * time.Second // that a look is tried again, after which it says what is wrong
	doubt            = 5 * time.Second // in which no look is believed after a write that failed
)

// Producer writes events to the topic. It implements the Ingester of the tracking API. Its methods may be called from any
// goroutine.
//
// It always knows whether Kafka takes events. Every second it looks at the topic, so that a node to which nobody sends notices as
// well; and what comes of writing says more than a look. While Kafka takes none, events are refused at once.
type Producer struct {
	client  *kgo.Client // writes
	asking  *kgo.Client // looks
	config  Config
	now     func() time.Time
	opened  atomic.Bool  // the topic was there once
	written atomic.Int64 // events
	failed  atomic.Int64 // when writing last did, ns
	trouble trouble
	cancel  context.CancelFunc
	watched chan struct{} // watch has ended
}

// OpenProducer makes a producer, and in the background the topic where it does not exist yet: until then, and while the
// cluster cannot be reached, no events are taken, and the log says so once. It fails where the settings cannot be used.
func OpenProducer(c Config, now func() time.Time, log *slog.Logger) (*Producer, error) {
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
	asking, err := kgo.NewClient(append(c.Options(), kgo.RetryTimeout(lookRetry))...)
	if err != nil {
		client.Close()
		return nil, fault.New(fault.Invalid, "--stream-url cannot be used: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Producer{
		client: client, asking: asking, config: c, now: now, cancel: cancel, watched: make(chan struct{}),
		trouble: trouble{log: log, now: now, begins: cannotWrite, ends: "events are written to the stream again"},
	}
	go p.watch(ctx)
	return p, nil
}

const cannotWrite = "events cannot be written to the stream"

// watch looks again and again at whether Kafka answers.
func (p *Producer) watch(ctx context.Context) {
	defer close(p.watched)
	for ctx.Err() == nil {
		before := p.written.Load()
		err := p.look(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && p.written.Load() == before:
			p.trouble.is(fault.All(err)[0].Message)
		case p.now().Sub(time.Unix(0, p.failed.Load())) > doubt:
			p.trouble.is("")
		}
		wait(ctx, lookEvery)
	}
}

// look asks after the topic. The first time it makes it where it does not exist.
func (p *Producer) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	admin := kadm.NewClient(p.asking)
	_, err := p.config.find(ctx, admin)
	if p.opened.Load() {
		return err
	}
	if fault.CodeOf(err) == fault.NotFound {
		err = p.config.makeTopic(ctx, admin)
	}
	p.opened.Store(err == nil)
	return err
}

func (c *Config) makeTopic(ctx context.Context, admin *kadm.Client) error {
	size := "4300000" // as maxMessage
	_, err := admin.CreateTopic(ctx, int32(c.Partitions), int16(c.Replication), map[string]*string{"max.message.bytes": &size}, c.Topic)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		err = nil
	}
	return broker.Explain(err)
}

// Ready says why Kafka takes no events now, as far as that is known; nil where it takes them. The fault is Unavailable.
func (p *Producer) Ready() error {
	switch problem := p.trouble.what(); {
	case problem != "":
		return unavailable(cannotWrite+": "+problem, nil)
	case !p.opened.Load():
		return unavailable(cannotWrite+": Kafka has not answered yet", nil)
	}
	return nil
}

func unavailable(message string, cause error) error {
	return &fault.Error{Code: fault.Unavailable, Message: message, RetryAfter: retryAfter, Cause: cause}
}

// Ingest writes events and returns once Kafka has all of them durably, on every replica in sync. Unavailable, within
// seconds, and at once where the producer is not Ready: Kafka is not known to have them; some may be written, or be written later, and
// whoever sends them again under the same message ids doubles nothing.
func (p *Producer) Ingest(ctx context.Context, events []*event.Event) error {
	if len(events) == 0 {
		return nil
	}
	if err := p.Ready(); err != nil {
		return err
	}
	before := p.written.Load()
	w := writing{producer: p, done: make(chan struct{})}
	w.left.Store(int64(len(events)))
	for _, e := range events {
		record := &kgo.Record{Key: keyOf(e), Value: Append(make([]byte, 0, 128+len(e.Payload)+len(e.Context)), e)}
		p.client.TryProduce(context.WithoutCancel(ctx), record, w.wrote)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.done:
		return p.outcome(w.failure())
	case <-ctx.Done():
	case <-timer.C:
		if p.written.Load() == before {
			return p.outcome(context.DeadlineExceeded)
		}
	}
	return unavailable("the answer took too long; send this again", ctx.Err())
}

// writing is one call of Ingest under way, or one that nobody waits for any more.
type writing struct {
	producer *Producer
	left     atomic.Int64
	done     chan struct{}
	mu       sync.Mutex
	first    error
}

func (w *writing) wrote(_ *kgo.Record, err error) {
	if err == nil {
		w.producer.written.Add(1)
	} else {
		w.mu.Lock()
		if w.first == nil {
			w.first = err
		}
		w.mu.Unlock()
	}
	if w.left.Add(-1) > 0 {
		return
	}
	if w.failure() == nil {
		w.producer.trouble.is("") // whoever waits
	}
	close(w.done)
}

func (w *writing) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first
}

// outcome gives what came of writing as the tracking API answers it, and remembers that Kafka takes nothing.
func (p *Producer) outcome(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kgo.ErrMaxBuffered):
		return unavailable("too many events wait for Kafka; send this again in a moment", err)
	case errors.Is(err, kerr.MessageTooLarge):
		return fault.New(fault.TooLarge, "an event is over the limit of the topic %s, max.message.bytes", p.config.Topic)
	}
	problem := fault.All(broker.Explain(err))[0].Message
	p.failed.Store(p.now().UnixNano())
	p.trouble.is(problem)
	return unavailable(cannotWrite+": "+problem, err)
}

// Waiting counts the events that wait for Kafka, of Capacity.
func (p *Producer) Waiting() int { return int(p.client.BufferedProduceRecords()) }

// Capacity is how many events may wait for Kafka.
func (*Producer) Capacity() int { return maxBuffered }

// Close waits for what is under way as long as ctx allows, and closes the connections.
func (p *Producer) Close(ctx context.Context) error {
	p.cancel()
	err := p.client.Flush(ctx)
	<-p.watched
	p.client.Close()
	p.asking.Close()
	return broker.Explain(err)
}
