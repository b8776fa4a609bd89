package demo

import (
	"context"
	"encoding/json"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/demo/shop"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// lanes is how many requests are under way at once. The events of a household travel in one lane, in order.
const (
	lanes         = 4
	maxBatchBytes = 400 << 10
)

// loadHistory sends the history to the import door, and counts its events.
func (d *driver) loadHistory(ctx context.Context) (count int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	var queues [lanes]chan []json.RawMessage
	for i := range queues {
		queue := make(chan []json.RawMessage, 1)
		queues[i] = queue
		group.Go(func() error {
			for events := range queue {
				if err := d.importBatch(ctx, events); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer func() {
			for _, queue := range queues {
				close(queue)
			}
		}()
		var err error
		count, err = d.fillLanes(ctx, queues[:])
		return err
	})
	if err := group.Wait(); err != nil {
		return count, err
	}
	days := d.shop.Config().Days
	d.Progress(days, days)
	return count, nil
}

// importBatch sends history. The shop's events are valid: a refusal is a defect, and fails the load.
func (d *driver) importBatch(ctx context.Context, events []json.RawMessage) error {
	refused, err := d.api.Import(ctx, events)
	if err == nil && len(refused) > 0 {
		err = fault.New(fault.Internal, "the server refuses %d events of the shop, the first because %s", len(refused), refused[0].Reason)
	}
	return err
}

// fillLanes writes the history as batches, each at most maxBatchBytes.
func (d *driver) fillLanes(ctx context.Context, queues []chan []json.RawMessage) (count int, err error) {
	var batches [lanes]batch
	send := func(lane int) error {
		select {
		case queues[lane] <- batches[lane].take():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	days, last := d.shop.Config().Days, -1
	for e := range d.shop.History() {
		lane := e.Customer.Number / 2 % lanes
		event, err := encode(&e)
		if err != nil {
			return count, err
		}
		if !batches[lane].fits(event, maxBatchBytes) {
			if err := send(lane); err != nil {
				return count, err
			}
		}
		batches[lane].add(event)
		count++
		if today := int(e.Timestamp.Sub(d.shop.Start()) / (24 * time.Hour)); today > last {
			last = today
			d.Progress(today, days)
		}
	}
	for lane := range batches {
		if batches[lane].empty() {
			continue
		}
		if err := send(lane); err != nil {
			return count, err
		}
	}
	return count, nil
}

func encode(e *shop.Event) (json.RawMessage, error) {
	event, err := json.Marshal(e)
	return event, fault.Wrap(fault.Internal, err, "an event of the shop cannot be written")
}

// batch is a request under construction. The zero value is empty.
type batch struct {
	events []json.RawMessage
	size   int // of the body, in bytes
}

const batchFrame = len(`{"batch":[]}`)

// fits reports whether the body with one more event stays within limit bytes. An empty batch takes any event.
func (b *batch) fits(event json.RawMessage, limit int) bool {
	return b.empty() || batchFrame+b.size+len(event) <= limit
}

func (b *batch) add(event json.RawMessage) {
	b.events = append(b.events, event)
	b.size += len(event) + len(",")
}

func (b *batch) empty() bool { return len(b.events) == 0 }

// take gives the events and empties the batch.
func (b *batch) take() []json.RawMessage {
	events := b.events
	*b = batch{}
	return events
}
