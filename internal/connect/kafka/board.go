package kafka

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/source"
)

// obstacle is what can be in the way of a source, each mended by itself.
type obstacle int

const (
	connection obstacle = iota
	schemas
	storing
	commits
	obstacles // how many there are
)

// board is what a feed shows of itself.
type board struct {
	clock    func() time.Time
	mu       sync.Mutex
	now      source.Status
	problems [obstacles]error
	checked  bool                // a look at the brokers has succeeded
	seen     map[int32]time.Time // timestamp of the last message, of the partitions that are read here
	gone     map[int32]int64     // partitions whose lost messages have been counted, by their first offset then
}

func (b *board) init(clock func() time.Time) {
	b.clock, b.seen, b.gone = clock, map[int32]time.Time{}, map[int32]int64{}
	b.now.State, b.now.Since = source.Starting, clock().UTC()
}

func (b *board) status() source.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now
	now.Partitions = slices.Clone(now.Partitions)
	return now
}

// trouble notes what is in the way, or with nil that nothing of the kind is any more.
func (b *board) trouble(what obstacle, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems[what] = err
	if what == connection && err == nil {
		b.checked = true
	}
	state := source.Starting
	if b.checked {
		state = source.Running
	}
	b.now.Problem = ""
	for _, problem := range b.problems {
		if problem == nil {
			continue
		}
		state = source.Troubled
		if errors.Is(problem, errFull) {
			state = source.Full
		}
		b.now.Problem = sentence(problem)
		break
	}
	if state != b.now.State {
		b.now.State, b.now.Since = state, b.clock().UTC()
	}
}

// sentence is what is wrong, for people.
func sentence(err error) string {
	var said *fault.Error
	if errors.As(err, &said) && said.Field == "" && said.Cause == nil {
		return said.Message
	}
	return err.Error()
}

// count adds messages that were dealt with.
func (b *board) count(read, accepted, passed, rejected int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Read += int64(read)
	b.now.Accepted += int64(accepted)
	b.now.Passed += int64(passed)
	b.now.Rejected += int64(rejected)
}

func (b *board) lost(messages int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now.Lost += messages
}

// saw notes the timestamps of messages that were dealt with.
func (b *board) saw(records []*kgo.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range records {
		at := r.Timestamp.UTC()
		b.seen[r.Partition] = at
		if at.After(b.now.LastAt) {
			b.now.LastAt = at
		}
	}
}

// forget drops what is known of partitions that are read elsewhere now.
func (b *board) forget(partitions []int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range partitions {
		delete(b.seen, p)
	}
}
