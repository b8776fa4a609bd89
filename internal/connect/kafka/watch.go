package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// watch looks again and again at how far the reading is, until ctx ends or the topic is another one. Brokers that accept
// connections and never answer show here: the client itself only tries again.
func (f *feed) watch(ctx context.Context, admin *kadm.Client, topic broker.Topic) error {
	for {
		now, err := broker.FindTopic(ctx, admin, f.source.Topic)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case fault.CodeOf(err) == fault.NotFound:
			return err
		case err == nil && now.ID != topic.ID:
			return fault.New(fault.Unavailable, "the topic was deleted and made anew; it is read from its beginning")
		case err == nil:
			var progress []broker.Progress
			if progress, err = broker.ProgressOf(ctx, admin, f.source.Topic, f.source.Group, f.since()); err == nil {
				f.board.progress(progress)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.board.trouble(connection, err)
		timer := time.NewTimer(f.config.Every)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// progress notes how far the group is.
func (b *board) progress(all []broker.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.CheckedAt = b.clock().UTC()
	b.now.Partitions = make([]source.Partition, len(all))
	for i, p := range all {
		if p.Known && p.Position < p.First && b.gone[p.Partition] != p.First {
			b.now.Lost += p.First - p.Position
			b.gone[p.Partition] = p.First
		}
		b.now.Partitions[i] = source.Partition{Partition: p.Partition, Position: p.Position, End: p.End, Lag: p.Lag(), Behind: b.behind(p)}
	}
}

func (b *board) behind(p broker.Progress) time.Duration {
	if p.Lag() == 0 {
		return 0
	}
	at, here := b.seen[p.Partition]
	if !here {
		return -1
	}
	return max(b.clock().Sub(at), 0)
}
