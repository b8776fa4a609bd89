package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Topic is a topic as it is now.
type Topic struct {
	Cluster    string // the id that the cluster gave itself
	ID         string // of this life of it; "" where the brokers are too old to have one
	Partitions int
}

// FindTopic asks after a topic. Its failures are explained: NotFound, with the cluster alone, where it does not exist.
func FindTopic(ctx context.Context, admin *kadm.Client, name string) (Topic, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	found, err := admin.Metadata(ctx, name)
	if err != nil {
		return Topic{}, Explain(err)
	}
	topic := Topic{Cluster: found.Cluster}
	detail, ok := found.Topics[name]
	if !ok {
		detail.Err = kerr.UnknownTopicOrPartition
	}
	if detail.Err != nil {
		return topic, Explain(detail.Err)
	}
	topic.Partitions = len(detail.Partitions)
	if detail.ID != (kadm.TopicID{}) {
		topic.ID = detail.ID.String()
	}
	return topic, nil
}

// Progress is how far a reader of a partition is.
type Progress struct {
	Partition  int32
	First, End int64 // offsets of the oldest message, and after the newest
	Position   int64 // of the next message to be read
	Known      bool  // Position was kept; otherwise it is where a reader would begin
}

// Lag is the messages that wait.
func (p Progress) Lag() int64 { return max(p.End-max(p.Position, p.First), 0) }

// ProgressOf tells how far a group is with every partition of a topic, in their order. since is the time of the first message
// that a reader without an offset begins with; zero: the oldest one. An empty group has kept no offset.
func ProgressOf(ctx context.Context, admin *kadm.Client, topic, group string, since time.Time) ([]Progress, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	first, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = first.Error()
	}
	if err != nil {
		return nil, Explain(err)
	}
	end, err := admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = end.Error()
	}
	if err != nil {
		return nil, Explain(err)
	}
	begin := first
	if !since.IsZero() {
		if begin, err = admin.ListOffsetsAfterMilli(ctx, since.UnixMilli(), topic); err == nil {
			err = begin.Error()
		}
		if err != nil {
			return nil, Explain(err)
		}
	}
	kept := kadm.OffsetResponses{}
	if group != "" {
		if kept, err = admin.FetchOffsetsForTopics(ctx, group, topic); err == nil {
			err = kept.Error()
		}
		if err != nil {
			return nil, Explain(err)
		}
	}
	var all []Progress
	for partition := range int32(len(end[topic])) {
		e, ok := end.Lookup(topic, partition)
		f, is := first.Lookup(topic, partition)
		b, was := begin.Lookup(topic, partition)
		if !ok || !is || !was {
			return nil, fault.New(fault.Unavailable, "the partitions of the topic %s are being changed", topic)
		}
		p := Progress{Partition: partition, First: f.Offset, End: e.Offset, Position: b.Offset}
		if at, ok := kept.Lookup(topic, partition); ok && at.At >= 0 {
			p.Position, p.Known = at.At, true
		}
		all = append(all, p)
	}
	return all, nil
}
