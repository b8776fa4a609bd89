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
	var queues [lanes]chan []byte
	for i := range queues {
		queue := make(chan []byte, 1)
		queues[i] = queue
		group.Go(func() error {
			for body := range queue {
				if err := d.door.track(ctx, "/v1/import", body); err != nil {
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

// fillLanes writes the history as batches, each at most maxBatchBytes.
func (d *driver) fillLanes(ctx context.Context, queues []chan []byte) (count int, err error) {
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
		full, err := batches[lane].add(&e, maxBatchBytes)
		if err != nil {
			return count, err
		}
		if full {
			if err := send(lane); err != nil {
				return count, err
			}
			if _, err := batches[lane].add(&e, maxBatchBytes); err != nil {
				return count, err
			}
		}
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

// batch is the body of a request under construction.
type batch struct{ body []byte }

// add appends an event; full where it would grow beyond limit bytes, and the event is not in it.
func (b *batch) add(e *shop.Event, limit int) (full bool, err error) {
	event, err := json.Marshal(e)
	if err != nil {
		return false, fault.Wrap(fault.Internal, err, "an event of the shop cannot be written")
	}
	if !b.empty() && len(b.body)+len(event)+3 > limit {
		return true, nil
	}
	if b.empty() {
		b.body = append(b.body, `{"batch":[`...)
	} else {
		b.body = append(b.body, ',')
	}
	b.body = append(b.body, event...)
	return false, nil
}

func (b *batch) empty() bool { return len(b.body) == 0 }

// take closes the batch and begins another.
func (b *batch) take() []byte {
	body := append(b.body, `]}`...)
	b.body = make([]byte, 0, cap(body))
	return body
}
