package stream

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/broker/brokertest"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// journal is a log that a test reads while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) count(what string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), what)
}

func (j *journal) log() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// Whoever asks is told how old the first event is that waits, whether or not the one who is asked reads its partition, and that
// it is not known where it is not.
func TestHowOldIsWhatWaits(t *testing.T) {
	t.Parallel()
	b := brokertest.Own(t)
	c := configOf(b, b.Topic(t, 2))
	minute := time.Now().Add(-time.Minute)
	write := func(partition int32, n int, at time.Time) {
		b.Produce(t, &kgo.Record{Topic: c.Topic, Partition: partition, Timestamp: at, Value: Append(nil, track("u", n))})
	}
	write(0, 1, minute.Add(-time.Hour))
	d := newDatabase()
	var log journal
	consumers := []*Consumer{}
	for range 2 {
		consumer := &Consumer{Config: c, Ingest: d, Quarantine: d, Now: time.Now, Log: log.log(), Every: 50 * time.Millisecond}
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan error, 1)
		go func() { done <- consumer.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		consumers = append(consumers, consumer)
	}
	until(t, "a partition for each", func() bool {
		for _, consumer := range consumers {
			consumer.progress.mu.Lock()
			here := len(consumer.progress.at)
			consumer.progress.mu.Unlock()
			if here != 1 {
				return false
			}
		}
		return d.size() == 1
	})
	d.mu.Lock()
	d.before = func() error { return fault.New(fault.Unavailable, "the database is busy") }
	d.mu.Unlock()
	write(0, 2, minute)
	write(0, 3, time.Now())
	for _, consumer := range consumers {
		until(t, "the age of the first event that waits", func() bool {
			lag, _ := consumer.Status().Lag()
			behind, known := consumer.Status().Behind()
			return lag == 2 && known && behind >= time.Minute && behind < 3*time.Minute
		})
	}
	until(t, "a warning of what cannot be applied", func() bool { return log.count("the stream is not read") == 1 })
	d.mu.Lock()
	d.before = nil
	d.mu.Unlock()
	for _, consumer := range consumers {
		until(t, "no lag", func() bool {
			lag, known := consumer.Status().Lag()
			return known && lag == 0 && consumer.Status().State == source.Running
		})
	}
	until(t, "word that it is applied", func() bool { return log.count("the stream is read again") == 1 })
	b.Stop(t)
	for _, consumer := range consumers {
		until(t, "that nothing is known", func() bool {
			_, lag := consumer.Status().Lag()
			_, behind := consumer.Status().Behind()
			return !lag && !behind && consumer.Status().State == source.Troubled
		})
	}
	b.Start(t)
	for _, consumer := range consumers {
		until(t, "that it is known again", func() bool { _, known := consumer.Status().Lag(); return known })
	}
	if begun, over := log.count("the stream is not read"), log.count("the stream is read again"); begun != 3 || over != 3 {
		t.Errorf("the log has %d warnings and %d ends:\n%s", begun, over, log.text.String())
	}
}

// A producer to which nobody gives anything knows within seconds that Kafka has gone and that it is back; in between what comes is
// refused at once, and the log has one line for each.
func TestAnIdleProducerKnowsWhetherKafkaIsThere(t *testing.T) {
	t.Parallel()
	b := brokertest.Own(t)
	var log journal
	p := produceTelling(t, configOf(b, b.Topic(t, 2)), log.log())
	ready(t, p)
	if begun := log.count("level="); begun != 0 {
		t.Errorf("the log of a start has %d lines", begun)
	}
	b.Stop(t)
	brokertest.Until(t, patience+lookEvery+5*time.Second, "that Kafka is away", func() bool { return p.Ready() != nil })
	begun := time.Now()
	for n := range 100 {
		if err := p.Ingest(t.Context(), []*event.Event{track("u", n)}); fault.CodeOf(err) != fault.Unavailable || fault.All(err)[0].RetryAfter == 0 {
			t.Fatal(err)
		}
	}
	if took := time.Since(begun); took > patience/2 {
		t.Errorf("a hundred requests waited %s in all while Kafka is known to be away", took)
	}
	b.Start(t)
	brokertest.Until(t, doubt+patience+5*time.Second, "that Kafka is back", func() bool { return p.Ready() == nil })
	if err := p.Ingest(t.Context(), []*event.Event{track("u", 1)}); err != nil {
		t.Error(err)
	}
	if begun, over := log.count(cannotWrite), log.count(p.trouble.ends); begun != 1 || over != 1 || log.count("level=") != 2 {
		t.Errorf("the log should have a warning and an end:\n%s", log.text.String())
	}
}
