package kafka

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/broker"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// Limits of what a feed holds at a time.
const (
	maxPoll       = 500      // messages
	maxFetch      = 8 << 20  // bytes of one answer of a broker
	maxDecompress = 32 << 20 // bytes of one batch, decompressed
	firstPause    = time.Second
	lastPause     = 30 * time.Second
)

// sessionTimeout is after how long without a word from a process others read its partitions.
const sessionTimeout = 15 * time.Second

// feed is one source being read.
type feed struct {
	config Config
	source source.Source
	cancel context.CancelFunc
	again  chan struct{} // do not wait any longer
	board  board
}

func newFeed(config Config, one source.Source, cancel context.CancelFunc) *feed {
	f := &feed{config: config, source: one, cancel: cancel, again: make(chan struct{}, 1)}
	f.board.init(config.Now)
	return f
}

func (f *feed) status() source.Status { return f.board.status() }

func (f *feed) poke() {
	select {
	case f.again <- struct{}{}:
	default:
	}
}

// run reads until ctx ends. What ends a session is told, and another one is tried.
func (f *feed) run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		begun := f.config.Now()
		err := f.session(ctx)
		if ctx.Err() != nil {
			return
		}
		f.board.trouble(connection, err)
		f.config.Log.Warn("a source is not read", "source", f.source.Name, "error", err)
		if f.config.Now().Sub(begun) > lastPause {
			pause = firstPause
		}
		f.wait(ctx, pause)
		pause = min(2*pause, lastPause)
	}
}

// wait returns after a pause, when poked, or when ctx ends.
func (f *feed) wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.again:
	case <-ctx.Done():
	}
}

// session is one client's life. It ends with what makes another one necessary.
func (f *feed) session(ctx context.Context) error {
	read, err := openReading(ctx, f.config, f.source)
	if err != nil {
		return err
	}
	cluster, err := clusterOf(ctx, f.config, f.source.Definition)
	if err != nil {
		return err
	}
	if err := f.room(ctx); err != nil {
		return err
	}
	topic, err := f.find(ctx, cluster)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(cluster.Options(), f.options()...)...)
	if err != nil {
		return fault.New(fault.Invalid, "the settings cannot be used: %v", err)
	}
	defer client.CloseAllowingRebalance()
	ctx, end := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		end(f.watch(ctx, kadm.NewClient(client), topic))
	}()
	err = f.read(ctx, client, read, topic.ID)
	end(err)
	<-watched
	return context.Cause(ctx)
}

// find asks after the topic with a client of its own, so that a group is joined only for a topic that is there.
func (f *feed) find(ctx context.Context, cluster broker.Cluster) (broker.Topic, error) {
	client, err := kgo.NewClient(append(cluster.Options(), kgo.RetryTimeout(broker.Timeout))...)
	if err != nil {
		return broker.Topic{}, fault.New(fault.Invalid, "the settings cannot be used: %v", err)
	}
	defer client.Close()
	return broker.FindTopic(ctx, kadm.NewClient(client), f.source.Topic)
}

func (f *feed) options() []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumerGroup(f.source.Group), kgo.ConsumeTopics(f.source.Topic), kgo.DisableAutoCommit(),
		kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.SessionTimeout(sessionTimeout),
		kgo.ConsumeStartOffset(f.begin()), kgo.ConsumeResetOffset(f.begin()),
		kgo.FetchMaxBytes(maxFetch), kgo.FetchMaxPartitionBytes(maxFetch / 4), kgo.MaxDecompressBatchBytes(maxDecompress),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.MaxConcurrentFetches(1),
		kgo.OnPartitionsRevoked(f.lose), kgo.OnPartitionsLost(f.lose),
	}
}

// begin is where a partition begins for which the group has no offset, or one that is gone: at its oldest message, or with
// the first one since the source was defined. So nothing is passed over when offsets are lost, and what comes twice has the same id.
func (f *feed) begin() kgo.Offset {
	if since := f.since(); !since.IsZero() {
		return kgo.NewOffset().AfterMilli(since.UnixMilli())
	}
	return kgo.NewOffset().AtStart()
}

func (f *feed) since() time.Time {
	if f.source.Start == source.Latest {
		return f.source.CreatedAt
	}
	return time.Time{}
}

func (f *feed) lose(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	f.board.forget(lost[f.source.Topic])
}

// read hands messages on until something is wrong that a new session must mend.
func (f *feed) read(ctx context.Context, client *kgo.Client, read *reading, topicID string) error {
	for {
		fetches := client.PollRecords(ctx, maxPoll)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.mishap(ctx, client, fetches, topicID); err != nil {
			return err
		}
		records := fetches.Records()
		if len(records) == 0 {
			continue
		}
		if err := f.take(ctx, read, topicID, records); err != nil {
			return err
		}
		// A commit that fails is mended by the next one; until then the same messages would be read again after a crash.
		committing, cancel := context.WithTimeout(ctx, broker.Timeout)
		err := client.CommitRecords(committing, records...)
		cancel()
		f.board.trouble(commits, broker.Explain(err))
	}
}

// mishap looks at the errors of a poll, and gives those that a new session must mend. A batch that would decompress to more than we hold is skipped, by name.
func (f *feed) mishap(ctx context.Context, client *kgo.Client, fetches kgo.Fetches, topicID string) (err error) {
	fetches.EachError(func(topic string, partition int32, found error) {
		var loss *kgo.ErrDataLoss
		var large *kgo.ErrDecompressTooLarge
		switch {
		case errors.As(found, &loss):
			f.board.lost(max(loss.ConsumedTo-loss.ResetTo, 0))
		case errors.As(found, &large):
			stub := source.Message{Topic: topic, TopicID: topicID, Partition: partition, Offset: large.Offset, Timestamp: f.config.Now()}
			q := f.quarantined(stub, fault.New(fault.TooLarge, "the messages from offset %d to %d are one batch of more than %d bytes", large.Offset, large.NextOffset-1, maxDecompress))
			q.Size = maxDecompress
			if err = f.patiently(ctx, storing, func() error { return f.config.Quarantine.Quarantine(ctx, []source.Quarantined{q}) }); err == nil {
				f.board.count(1, 0, 0, 1)
				client.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: {partition: {Epoch: large.Epoch, Offset: large.NextOffset}}})
			}
		default:
			if found = broker.Explain(found); fault.CodeOf(found) == fault.Unavailable {
				f.board.trouble(connection, found) // the client goes on by itself, as the same member of its group
				return
			}
			err = errors.Join(err, found)
		}
	})
	return err
}

// take has the events of messages made durable, and those messages that are at fault. Afterwards all of them are done with.
func (f *feed) take(ctx context.Context, read *reading, topicID string, records []*kgo.Record) error {
	events := make([]*event.Event, 0, len(records))
	var bad []source.Quarantined
	for _, record := range records {
		message := messageOf(record, topicID)
		var made *event.Event
		var wrong error
		err := f.patiently(ctx, schemas, func() error {
			_, made, wrong = read.make(ctx, message, f.config.Now())
			if fault.CodeOf(wrong) == fault.Unavailable || fault.CodeOf(wrong) == fault.Forbidden {
				return wrong
			}
			return nil
		})
		switch {
		case err != nil:
			return err
		case wrong != nil:
			bad = append(bad, f.quarantined(message, wrong))
		case made != nil:
			events = append(events, made)
		}
	}
	if len(bad) > 0 {
		if err := f.patiently(ctx, storing, func() error { return f.config.Quarantine.Quarantine(ctx, bad) }); err != nil {
			return err
		}
	}
	if len(events) > 0 {
		if err := f.patiently(ctx, storing, func() error { return f.config.Ingest.Ingest(ctx, events) }); err != nil {
			return err
		}
	}
	f.board.count(len(records), len(events), len(records)-len(events)-len(bad), len(bad))
	f.board.saw(records)
	if len(bad) > 0 {
		return f.room(ctx)
	}
	return nil
}

// errFull says that a source has stopped because of its quarantine.
var errFull = fault.New(fault.Conflict, "%d messages are in quarantine, which is full; mend or discard them, and it goes on", source.MaxQuarantined)

// room is errFull where the quarantine takes no more.
func (f *feed) room(ctx context.Context) error {
	size, err := f.config.Quarantine.QuarantineSize(ctx, f.source.Name)
	if err == nil && size >= source.MaxQuarantined {
		err = errFull
	}
	return err
}

// patiently tries until it succeeds or ctx ends, and tells meanwhile what is in the way.
func (f *feed) patiently(ctx context.Context, what obstacle, try func() error) error {
	pause := firstPause / 4
	for {
		err := try()
		f.board.trouble(what, err)
		if err == nil {
			return nil
		}
		f.wait(ctx, pause)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause = min(2*pause, lastPause/3)
	}
}

func messageOf(record *kgo.Record, topicID string) source.Message {
	m := source.Message{
		Topic: record.Topic, TopicID: topicID, Partition: record.Partition, Offset: record.Offset,
		Key: record.Key, Value: record.Value, Timestamp: record.Timestamp.UTC(),
	}
	if len(record.Headers) > 0 {
		m.Headers = make(map[string]string, len(record.Headers))
		for _, h := range record.Headers {
			m.Headers[strings.ToValidUTF8(h.Key, "\uFFFD")] = strings.ToValidUTF8(string(h.Value), "\uFFFD")
		}
	}
	return m
}

func (f *feed) quarantined(m source.Message, reason error) source.Quarantined {
	q := source.Quarantined{Source: f.source.Name, Message: m, Size: len(m.Value), Reason: reason.Error(), At: f.config.Now().UTC(), Attempts: 1}
	if len(m.Value) > source.MaxKeptValue {
		q.Message.Value = m.Value[:source.MaxKeptValue]
	}
	return q
}
