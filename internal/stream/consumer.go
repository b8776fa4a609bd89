package stream

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// Position is how far a batch takes a partition: the offsets of its first message, and after its last one.
type Position struct {
	Topic     string // name and id: a topic that is deleted and made anew is another one
	Partition int32
	From      int64 // what must be stored now; 0 where nothing is
	Next      int64 // what is stored afterwards
}

// Ingester applies events of the topic.
type Ingester interface {
	// IngestAt applies events as Ingest does and, in the same transaction, moves the stored positions from From to Next. It is all
	// or nothing. Conflict: a stored position is another one, because another node has gone on from there. Unavailable: it
	// may be called again with the same. The positions may be without events.
	IngestAt(ctx context.Context, events []*event.Event, positions []Position) error
	// Positions gives what is stored of a topic, by partition.
	Positions(ctx context.Context, topic string) (map[int32]int64, error)
}

// Quarantine keeps messages of the topic that are none of ours.
type Quarantine interface {
	// Quarantine keeps messages durably. One that is there already stays as it is.
	Quarantine(ctx context.Context, messages []source.Quarantined) error
}

// QuarantineName is the source of what is in quarantine from the topic itself. No definition has a name like it.
const QuarantineName = "(stream)"

// Limits of a consumer.
const (
	maxBatch       = 2_000
	maxFetch       = 16 << 20 // bytes of one answer of a broker
	maxDecompress  = 64 << 20 // bytes of one batch, decompressed
	sessionTimeout = 15 * time.Second
	stall          = 20 * time.Second // that a batch may hold up a rebalance
	firstPause     = 250 * time.Millisecond
	lastPause      = 10 * time.Second
)

// Consumer reads the topic as one of a group, and has the events of its partitions applied.
type Consumer struct {
	Config     Config
	Ingest     Ingester
	Quarantine Quarantine
	Now        func() time.Time
	Log        *slog.Logger
	Every      time.Duration // between looks at how far the reading is; 0: 5 s

	progress progress
}

// Run reads until ctx ends. What is in the way is told by Status and, as it begins and ends, by the log, and tried again.
func (c *Consumer) Run(ctx context.Context) error {
	c.progress.told = trouble{log: c.Log, now: c.Now, begins: "the stream is not read", ends: "the stream is read again"}
	for pause := firstPause; ctx.Err() == nil; {
		pause = c.live(ctx, pause)
	}
	return nil
}

// live is one session, and the pause after it. It gives the pause after the next.
func (c *Consumer) live(ctx context.Context, pause time.Duration) time.Duration {
	begun := c.Now()
	err := c.session(ctx)
	if ctx.Err() != nil {
		return pause
	}
	c.progress.trouble(c.Now(), reading, err)
	if c.Now().Sub(begun) > lastPause {
		pause = firstPause
	}
	wait(ctx, pause)
	return min(2*pause, lastPause)
}

func wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// session is one client's life. It ends with what makes another one necessary.
func (c *Consumer) session(ctx context.Context) error {
	topic, err := c.find(ctx)
	if err != nil {
		return err
	}
	life := c.Config.Topic + "/" + topic.ID
	client, err := kgo.NewClient(append(c.Config.Options(),
		kgo.ConsumerGroup(c.Config.Group), kgo.ConsumeTopics(c.Config.Topic), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(sessionTimeout), kgo.BlockRebalanceOnPoll(),
		// Offsets in Kafka are for its own tools to look at; where the reading begins is what the database says.
		kgo.AutoCommitMarks(), kgo.AutoCommitInterval(5*time.Second),
		kgo.AdjustFetchOffsetsFn(func(ctx context.Context, wanted map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
			return c.stored(ctx, life, wanted)
		}),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.OnPartitionsRevoked(c.lose), kgo.OnPartitionsLost(c.lose),
		kgo.FetchMaxBytes(maxFetch), kgo.FetchMaxPartitionBytes(maxFetch/4), kgo.MaxConcurrentFetches(1), kgo.MaxDecompressBatchBytes(maxDecompress),
	)...)
	if err != nil {
		return fault.New(fault.Invalid, "--stream-url cannot be used: %v", err)
	}
	defer client.CloseAllowingRebalance()
	ctx, end := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		end(c.watch(ctx, kadm.NewClient(client), topic, life))
	}()
	end(c.read(ctx, client, life))
	<-watched
	return context.Cause(ctx)
}

func (c *Consumer) find(ctx context.Context) (broker.Topic, error) {
	client, err := kgo.NewClient(append(c.Config.Options(), kgo.RetryTimeout(broker.Timeout))...)
	if err != nil {
		return broker.Topic{}, fault.New(fault.Invalid, "--stream-url cannot be used: %v", err)
	}
	defer client.Close()
	return c.Config.find(ctx, kadm.NewClient(client))
}

// stored is where partitions that were assigned begin.
func (c *Consumer) stored(ctx context.Context, life string, assigned map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	ctx, cancel := context.WithTimeout(ctx, broker.Timeout)
	defer cancel()
	positions, err := c.Ingest.Positions(ctx, life)
	if err != nil {
		return nil, err
	}
	for partition := range assigned[c.Config.Topic] {
		at := positions[partition]
		assigned[c.Config.Topic][partition] = kgo.NewOffset().At(at)
		c.progress.begin(partition, at)
	}
	return assigned, nil
}

func (c *Consumer) lose(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	c.progress.forget(lost[c.Config.Topic])
}

// read applies batches until something is wrong that a new session must mend. Between a poll and the end of its batch no
// partition changes hands, unless the batch stalls.
func (c *Consumer) read(ctx context.Context, client *kgo.Client, life string) error {
	for {
		fetches := client.PollRecords(ctx, maxBatch)
		err := ctx.Err()
		if err == nil {
			err = c.mishap(fetches)
		}
		if records := fetches.Records(); err == nil && len(records) > 0 {
			err = c.take(ctx, client, life, records)
		}
		client.AllowRebalance()
		if err != nil {
			return err
		}
	}
}

// mishap looks at the errors of a poll, and gives those that a new session must mend.
func (c *Consumer) mishap(fetches kgo.Fetches) (failed error) {
	fetches.EachError(func(_ string, partition int32, err error) {
		var loss *kgo.ErrDataLoss
		switch explained := broker.Explain(err); {
		case errors.As(err, &loss):
			failed = errors.Join(failed, fault.New(fault.Unavailable, "Kafka has lost messages of partition %d from offset %d to %d", partition, loss.ResetTo, loss.ConsumedTo))
		case fault.CodeOf(explained) == fault.Unavailable:
			c.progress.trouble(c.Now(), reading, explained) // the client goes on by itself, as the same member of its group
		default:
			failed = errors.Join(failed, explained)
		}
	})
	return failed
}

// take applies one poll. Where another node has gone on, or the database takes too long, the partitions are set back to what is
// stored, and read from there.
func (c *Consumer) take(ctx context.Context, client *kgo.Client, life string, records []*kgo.Record) error {
	b, err := c.batch(life, records)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stall)
	defer cancel()
	pause := firstPause
	for {
		err := c.apply(ctx, b)
		switch {
		case err == nil:
			c.progress.advance(b.positions, records)
			c.progress.trouble(c.Now(), applying, nil)
			client.MarkCommitRecords(records...)
			return nil
		case fault.CodeOf(err) == fault.Conflict:
			c.Log.Info("another node has gone on with a partition of the stream", "error", err)
			return c.setBack(ctx, client, life, b)
		}
		c.progress.trouble(c.Now(), applying, err)
		if wait(ctx, pause); ctx.Err() != nil {
			return fault.Wrap(fault.Unavailable, err, "a batch of the stream is not applied")
		}
		pause = min(2*pause, lastPause)
	}
}

// batch is what one poll becomes.
type batch struct {
	events    []*event.Event
	positions []Position
	foreign   []source.Quarantined
}

// batch reads records. Those of one partition follow each other in the order of their offsets; where a partition's first one
// is not what comes next, because Kafka has removed messages, the position begins at what is stored all the same.
func (c *Consumer) batch(life string, records []*kgo.Record) (batch, error) {
	b := batch{events: make([]*event.Event, 0, len(records))}
	places := map[int32]int{}
	for _, r := range records {
		at, known := places[r.Partition]
		if !known {
			at = len(b.positions)
			places[r.Partition] = at
			from := c.progress.next(r.Partition)
			b.positions = append(b.positions, Position{Topic: life, Partition: r.Partition, From: from, Next: from})
		}
		if r.Offset < b.positions[at].From {
			continue // it is done with
		}
		b.positions[at].Next = r.Offset + 1
		e, err := Read(r.Value)
		switch fault.CodeOf(err) {
		case "":
			b.events = append(b.events, e)
		case fault.Invalid:
			b.foreign = append(b.foreign, source.Quarantined{
				Source: QuarantineName, Size: len(r.Value), Reason: err.Error(), At: c.Now().UTC(), Attempts: 1,
				Message: source.Message{
					Topic: r.Topic, TopicID: life, Partition: r.Partition, Offset: r.Offset, Key: r.Key,
					Value: r.Value[:min(len(r.Value), source.MaxKeptValue)], Timestamp: r.Timestamp.UTC(),
				},
			})
		default:
			return batch{}, err
		}
	}
	return b, nil
}

func (c *Consumer) apply(ctx context.Context, b batch) error {
	if len(b.foreign) > 0 {
		if err := c.Quarantine.Quarantine(ctx, b.foreign); err != nil {
			return err
		}
	}
	return c.Ingest.IngestAt(ctx, b.events, b.positions)
}

// setBack has the partitions of a batch read from what is stored.
func (c *Consumer) setBack(ctx context.Context, client *kgo.Client, life string, b batch) error {
	stored, err := c.Ingest.Positions(ctx, life)
	if err != nil {
		return err
	}
	offsets := map[int32]kgo.EpochOffset{}
	for _, p := range b.positions {
		offsets[p.Partition] = kgo.EpochOffset{Epoch: -1, Offset: stored[p.Partition]}
		c.progress.begin(p.Partition, stored[p.Partition])
	}
	client.SetOffsets(map[string]map[int32]kgo.EpochOffset{c.Config.Topic: offsets})
	return nil
}
