package stream

import (
	"context"
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/broker"
)

// oldest finds how long the first messages that wait have been doing so, whoever reads their partitions.
type oldest struct {
	config Config
	known  map[int32]stamp // by partition, of the last time
}

// stamp is a message, and when it was written.
type stamp struct {
	offset int64
	at     time.Time
}

const peek = 2 * time.Second // that the first messages of all partitions may take

// written tells when the messages at offsets, by partition, were written, or the first ones after them that there still are.
// Partitions whose message cannot be read in time are left out. One that is known from the last time is not read again.
func (o *oldest) written(ctx context.Context, offsets map[int32]int64) map[int32]time.Time {
	found, missing := map[int32]stamp{}, map[int32]kgo.Offset{}
	for partition, offset := range offsets {
		if s, is := o.known[partition]; is && s.offset == offset {
			found[partition] = s
		} else {
			missing[partition] = kgo.NewOffset().At(offset)
		}
	}
	if len(missing) > 0 {
		o.read(ctx, missing, func(r *kgo.Record) { found[r.Partition] = stamp{offsets[r.Partition], r.Timestamp.UTC()} })
	}
	o.known = found
	times := make(map[int32]time.Time, len(found))
	for partition, s := range found {
		times[partition] = s.at
	}
	return times
}

// read gives the first message of each partition from an offset.
func (o *oldest) read(ctx context.Context, from map[int32]kgo.Offset, first func(*kgo.Record)) {
	ctx, cancel := context.WithTimeout(ctx, peek)
	defer cancel()
	client, err := kgo.NewClient(append(o.config.Options(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{o.config.Topic: from}), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxPartitionBytes(1), kgo.FetchMaxBytes(maxFetch), kgo.MaxDecompressBatchBytes(maxDecompress), // one batch of each
	)...)
	if err != nil {
		return
	}
	defer client.Close()
	for left := maps.Clone(from); len(left) > 0 && ctx.Err() == nil; {
		client.PollFetches(ctx).EachPartition(func(p kgo.FetchTopicPartition) {
			if _, wanted := left[p.Partition]; wanted && len(p.Records) > 0 {
				first(p.Records[0])
				delete(left, p.Partition)
			}
		})
	}
}

// unread are the offsets of the first messages that wait, by partition.
func unread(all []broker.Progress) map[int32]int64 {
	first := map[int32]int64{}
	for _, p := range all {
		if p.Lag() > 0 {
			first[p.Partition] = max(p.Position, p.First)
		}
	}
	return first
}
