package stream

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// progress is how far a consumer is, and what is in its way.
type progress struct {
	told trouble

	mu       sync.Mutex
	now      source.Status
	at       map[int32]int64 // stored positions of the partitions that are read here
	problems [2]error        // by obstacle
}

// obstacle is a kind of trouble. One of a kind ends without the other.
type obstacle int

const (
	reading  obstacle = iota // Kafka, or what is stored of how far the reading is
	applying                 // events that were read
)

// Status tells how the stream is doing, with every partition of the topic, whoever reads it. Behind is how old the first event
// is that waits. No partitions are known while Kafka or the database do not answer.
func (c *Consumer) Status() source.Status {
	c.progress.mu.Lock()
	defer c.progress.mu.Unlock()
	now := c.progress.now
	if now.State == "" {
		now.State = source.Starting
	}
	now.Partitions = slices.Clone(now.Partitions)
	return now
}

// trouble notes what is in the way, or with nil that nothing of the kind is any more.
func (p *progress) trouble(at time.Time, what obstacle, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems[what] = err
	state, problem := source.Running, ""
	if err := cmp.Or(p.problems[:]...); err != nil {
		state, problem = source.Troubled, fault.All(err)[0].Message
	}
	if state == source.Troubled && (p.now.State != state || p.problems[reading] != nil) {
		p.now.Partitions = nil // what was known before it began holds no more
	}
	if p.now.Problem = problem; p.now.State != state {
		p.now.State, p.now.Since = state, at.UTC()
	}
	p.told.is(problem)
}

// begin notes the stored position of a partition that is read here from now on.
func (p *progress) begin(partition int32, at int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil {
		p.at = map[int32]int64{}
	}
	p.at[partition] = at
}

func (p *progress) next(partition int32) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at[partition]
}

func (p *progress) forget(partitions []int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, partition := range partitions {
		delete(p.at, partition)
	}
}

func (p *progress) advance(positions []Position, records []*kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, position := range positions {
		p.at[position.Partition] = position.Next
	}
	for _, r := range records {
		if at := r.Timestamp.UTC(); at.After(p.now.LastAt) {
			p.now.LastAt = at
		}
	}
	p.now.Read += int64(len(records))
	p.now.Accepted += int64(len(records))
}

// watch looks again and again at how far the reading is, until ctx ends or the topic is another one.
func (c *Consumer) watch(ctx context.Context, admin *kadm.Client, topic broker.Topic, life string) error {
	every := c.Every
	if every == 0 {
		every = 5 * time.Second
	}
	first := oldest{config: c.Config}
	for ctx.Err() == nil {
		now, err := broker.FindTopic(ctx, admin, c.Config.Topic)
		if fault.CodeOf(err) == fault.NotFound {
			return err
		}
		if err == nil && now.ID != topic.ID {
			return fault.New(fault.Unavailable, "the topic was deleted and made anew; it is read from its beginning")
		}
		if err == nil {
			err = c.look(ctx, admin, life, &first)
		}
		if ctx.Err() == nil {
			c.progress.trouble(c.Now(), reading, err)
		}
		wait(ctx, every)
	}
	return ctx.Err()
}

// look finds out how far the reading is.
func (c *Consumer) look(ctx context.Context, admin *kadm.Client, life string, first *oldest) error {
	found, err := broker.ProgressOf(ctx, admin, c.Config.Topic, "", time.Time{})
	if err != nil {
		return err
	}
	stored, err := c.Ingest.Positions(ctx, life)
	if err != nil {
		return err
	}
	for i := range found {
		found[i].Position = stored[found[i].Partition]
	}
	written := first.written(ctx, unread(found))
	now := c.Now()
	partitions := make([]source.Partition, len(found))
	for i, f := range found {
		partitions[i] = source.Partition{Partition: f.Partition, Position: f.Position, End: f.End, Lag: f.Lag()}
		if at, known := written[f.Partition]; known {
			partitions[i].Behind = max(now.Sub(at), 0)
		} else if f.Lag() > 0 {
			partitions[i].Behind = -1
		}
	}
	if c.progress.shown(now, partitions) == 0 {
		c.progress.trouble(now, applying, nil) // whoever has applied it
	}
	return nil
}

// shown notes how far all partitions are, and gives the events that wait in those that are read here.
func (p *progress) shown(at time.Time, partitions []source.Partition) (here int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Partitions, p.now.CheckedAt = partitions, at.UTC()
	for _, shown := range partitions {
		if _, mine := p.at[shown.Partition]; mine {
			here += shown.Lag
		}
	}
	return here
}
