package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/event"
)

// feedback tells the engine what became of messages, some at a time: a mail is one more thing that happens to a
// customer. What a message's own record says does not depend on it.
type feedback struct {
	ingest   func(context.Context, []*event.Event) error
	log      *slog.Logger
	outcomes chan *event.Event
}

const (
	feedbackQueue = 10_000
	feedbackGroup = 500
)

func newFeedback(ingest func(context.Context, []*event.Event) error, log *slog.Logger) *feedback {
	return &feedback{ingest: ingest, log: log, outcomes: make(chan *event.Event, feedbackQueue)}
}

// settled takes an outcome of the sender.
func (f *feedback) settled(ctx context.Context, job deliver.Job, outcome deliver.Outcome) {
	name := ""
	switch outcome.Status {
	case deliver.StatusSent:
		name = event.NameEmailDelivered
	case deliver.StatusBounced:
		name = event.NameEmailBounced
	}
	if name == "" || job.ProfileID == 0 {
		return
	}
	properties, err := json.Marshal(map[string]any{"message_id": job.PublicID, "campaign": job.Campaign, "reason": outcome.Detail})
	if err != nil {
		f.log.Error("an outcome cannot be told", "message", job.PublicID, "error", err)
		return
	}
	at := outcome.At.UTC().Truncate(time.Microsecond)
	e := &event.Event{
		MessageID: name + " " + job.PublicID, Type: event.Track, Name: name, ProfileID: job.ProfileID,
		Timestamp: at, ReceivedAt: at, Payload: properties,
	}
	select {
	case f.outcomes <- e:
	case <-ctx.Done():
	}
}

// run passes outcomes on until the channel is closed. ctx should outlive the sender: what was sent is told also when the
// program stops.
func (f *feedback) run(ctx context.Context) {
	for first := range f.outcomes {
		group := []*event.Event{first}
		for len(group) < feedbackGroup {
			select {
			case e, ok := <-f.outcomes:
				if ok {
					group = append(group, e)
					continue
				}
			default:
			}
			break
		}
		if err := f.ingest(ctx, group); err != nil {
			f.log.Error("outcomes of messages were not told to their customers", "messages", len(group), "error", err)
		}
	}
}
