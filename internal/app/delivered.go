package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// feedback tells the engine what became of messages, some at a time: a mail is one more thing that happens to a
// customer. What is yet to be told is kept with the messages, so that neither a full engine nor a crash loses it. Told
// twice, it counts once: the events' ids are those of the messages.
type feedback struct {
	ingest   func(context.Context, []*event.Event) error
	news     deliver.News
	log      *slog.Logger
	outcomes chan struct{} // has an element when there may be news; closed when there is no more to come
	first    time.Duration // to wait before another try; doubles up to most
	most     time.Duration
}

const feedbackGroup = 500

func newFeedback(ingest func(context.Context, []*event.Event) error, news deliver.News, log *slog.Logger) *feedback {
	return &feedback{ingest: ingest, news: news, log: log, outcomes: make(chan struct{}, 1), first: time.Second, most: time.Minute}
}

// settled says that there may be news. It never blocks.
func (f *feedback) settled() {
	select {
	case f.outcomes <- struct{}{}:
	default:
	}
}

// run tells what an earlier process left untold, and then the news as they come, until the channel is closed. ctx should
// outlive the sender: what was sent is told also when the program stops, and what cannot be told then at the next start.
func (f *feedback) run(ctx context.Context) {
	wait := f.first
	for {
		err := f.tell(ctx)
		var again <-chan time.Time
		if err != nil {
			f.log.WarnContext(ctx, "outcomes of messages cannot be told to their customers now", "again_in", wait, "error", err)
			again = time.After(wait)
			wait = min(2*wait, f.most)
		} else {
			wait = f.first
		}
		if !f.more(again) {
			if err := f.tell(ctx); err != nil {
				f.log.WarnContext(ctx, "outcomes of messages are told to their customers at the next start", "error", err)
			}
			return
		}
	}
}

// more waits for news, or where the last ones could not be told, for the time of another try; false when there is
// nothing more to come.
func (f *feedback) more(again <-chan time.Time) bool {
	if again == nil {
		_, open := <-f.outcomes
		return open
	}
	for {
		select {
		case <-again:
			return true
		case _, open := <-f.outcomes:
			if !open {
				return false
			}
		}
	}
}

// tell passes on all that is untold.
func (f *feedback) tell(ctx context.Context) error {
	for {
		untold, err := f.news.Untold(ctx, feedbackGroup)
		if err != nil || len(untold) == 0 {
			return err
		}
		var events []*event.Event
		var ids []int64
		for _, s := range untold {
			ids = append(ids, s.Job.ID)
			e, err := eventOf(s)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		err = f.ingest(ctx, events)
		if fault.CodeOf(err) == fault.Invalid { // and always will be
			f.log.ErrorContext(ctx, "outcomes of messages are no events and were not told", "messages", len(events), "error", err)
		} else if err != nil {
			return err
		}
		if err := f.news.Told(ctx, ids); err != nil {
			return err
		}
	}
}

// eventOf is what a customer's timeline says of a message; the same for the same message, always.
func eventOf(s deliver.Settled) (*event.Event, error) {
	name := event.NameEmailDelivered
	if s.Outcome.Status == deliver.StatusBounced {
		name = event.NameEmailBounced
	}
	properties, err := json.Marshal(map[string]any{"message_id": s.Job.PublicID, "campaign": s.Job.Campaign, "reason": s.Outcome.Detail})
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the event cannot be written")
	}
	at := s.Outcome.At.UTC().Truncate(time.Microsecond)
	return &event.Event{
		MessageID: name + " " + s.Job.PublicID, Type: event.Track, Name: name, ProfileID: s.Job.ProfileID,
		Timestamp: at, ReceivedAt: at, Payload: properties,
	}, nil
}
