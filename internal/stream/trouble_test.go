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
		t.Cleanup(func() { cancel(); <-done })
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
