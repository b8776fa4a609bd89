package stream

import (
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
	mu     sync.Mutex
	now    source.Status
	at     map[int32]int64     // stored positions of the partitions that are read here
	newest map[int32]time.Time // timestamp of the last message applied, of these
}

// Status tells how the stream is doing: lag for every partition of the topic, its age for those that are read here.
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

func (p *progress) trouble(at time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	state, problem := source.Running, ""
	if err != nil {
		state, problem = source.Troubled, fault.All(err)[0].Error()
	}
	if p.now.Problem = problem; p.now.State != state {
		p.now.State, p.now.Since = state, at.UTC()
	}
}

// begin notes the stored position of a partition that is read here from now on.
func (p *progress) begin(partition int32, at int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil {
		p.at, p.newest = map[int32]int64{}, map[int32]time.Time{}
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
		delete(p.newest, partition)
	}
}

func (p *progress) advance(positions []Position, records []*kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, position := range positions {
		p.at[position.Partition] = position.Next
	}
	for _, r := range records {
		at := r.Timestamp.UTC()
		p.newest[r.Partition] = at
		if at.After(p.now.LastAt) {
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
	for ctx.Err() == nil {
		now, err := broker.FindTopic(ctx, admin, c.Config.Topic)
		if fault.CodeOf(err) == fault.NotFound {
			return err
		}
		if err == nil && now.ID != topic.ID {
			return fault.New(fault.Unavailable, "the topic was deleted and made anew; it is read from its beginning")
		}
		if err == nil {
			err = c.look(ctx, admin, life)
		}
		if ctx.Err() == nil {
			c.progress.trouble(c.Now(), err)
		}
		wait(ctx, every)
	}
	return ctx.Err()
}

func (c *Consumer) look(ctx context.Context, admin *kadm.Client, life string) error {
	found, err := broker.ProgressOf(ctx, admin, c.Config.Topic, "", time.Time{})
	if err != nil {
		return err
	}
	stored, err := c.Ingest.Positions(ctx, life)
	if err != nil {
		return err
	}
	p := &c.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.CheckedAt = c.Now().UTC()
	p.now.Partitions = p.now.Partitions[:0:0]
	for _, f := range found {
		f.Position = stored[f.Partition]
		shown := source.Partition{Partition: f.Partition, Position: f.Position, End: f.End, Lag: f.Lag()}
		if shown.Lag > 0 {
			shown.Behind = -1
			if at, here := p.newest[f.Partition]; here {
				shown.Behind = max(c.Now().Sub(at), 0)
			}
		}
		p.now.Partitions = append(p.now.Partitions, shown)
	}
	return nil
}
