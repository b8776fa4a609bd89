package engine

import (
	"context"
	"fmt"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Position is how far a batch of events takes a partition of a topic: the offsets of its first message, and after its last.
type Position struct {
	Topic     string
	Partition int32
	From      int64 // what must be stored before; 0 where nothing is
	Next      int64 // what is stored afterwards
}

// Fenced is the error of a batch whose position is not the stored one: another node has gone on from there. Its code is
// Conflict.
type Fenced struct{ Position }

func (f *Fenced) Error() string {
	return fmt.Sprintf("partition %d of %s has been read from %d by another node", f.Partition, f.Topic, f.From)
}

func (f *Fenced) Unwrap() error { return fault.New(fault.Conflict, "%s", f.Error()) }

// IngestAt is Ingest for events that were read from a topic. How far they take its partitions is stored in the transaction
// that stores what follows from them, on the condition that they begin where the stored positions are; otherwise it fails
// with Fenced and nothing is done. There may be no events.
func (e *Engine) IngestAt(ctx context.Context, events []*event.Event, positions []Position) error {
	return e.ingest(ctx, events, positions)
}

// positionsOf lists the positions of a group, in order.
func positionsOf(group []*request) (all []Position) {
	for _, r := range group {
		all = append(all, r.positions...)
	}
	return all
}
