package store

import (
	"context"
	"math"
	"slices"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

// eventLog keeps all events, and who entered and left segments: SQLite's blocks and runs, or PostgreSQL's rows.
type eventLog interface {
	// prepare takes what a batch appends.
	prepare(b *engine.Batch) entry
	// known tells which message ids are in the log, for all time.
	known(ctx context.Context, messageIDs []string) ([]bool, error)
	// unapplied gives the events that are in the log while what follows from them is not in the tables, in the order and the
	// groups in which they came.
	unapplied(ctx context.Context, each func(now int64, events []*event.Event) error) error
	// boundary is the last place in the log up to which what follows is in the tables, for the filling that begins in the
	// transaction of c. began notes its boundary; 0: it has ended.
	boundary(c *Conn) (int64, error)
	began(boundary int64)
	// snapshot is the log as it stands, up to a place in it; where some profiles are named, perhaps theirs alone.
	snapshot(until int64, profiles []int64) snapshot
	// recent lists the newest events by arrival, newest first.
	recent(ctx context.Context, limit int) ([]engine.Applied, error)
	// count is the number of events.
	count(ctx context.Context) (int64, error)
	// problem says what is wrong with the upkeep of the log, "" for nothing.
	problem() string
	close()
}

// entry is what a batch appends to the log.
type entry interface {
	// ready makes room for it, before the transaction.
	ready(ctx context.Context) error
	// write appends it in the transaction of c, in which what follows from it, and from all before, is written too. written
	// notes that the transaction held.
	write(c *Conn) error
	written()
	// alone makes it durable before what follows from it.
	alone(ctx context.Context) error
}

// snapshot is the log at one moment.
type snapshot interface {
	// records calls each with every record of the profiles from ≤ id < to that counts, in order of their keys.
	records(ctx context.Context, from, to int64, each func(record) error) error
	// stream is records in an order of its own, in which a profile's records need not be together; what is newer comes earlier
	// where that costs nothing. each may not keep them.
	stream(ctx context.Context, from, to int64, each func(record) error) error
	// backward reads the records that count of one profile, from a key, its least, through another, backward.
	backward(from, through []byte) []*backward
	close()
}

// openLog opens the log of the database.
func (s *Store) openLog(ctx context.Context) (err error) {
	if s.settings.postgres != "" {
		s.log, err = openRowLog(ctx, s.db)
	} else {
		s.log, err = openBlockLog(ctx, s.db, s.dir, s.settings)
	}
	return err
}

// Unapplied implements engine.Store.
func (s *Store) Unapplied(ctx context.Context, each func(now int64, events []*event.Event) error) error {
	return s.log.unapplied(ctx, each)
}

// Known tells which message ids are in the log, for all time.
func (s *Store) Known(ctx context.Context, messageIDs []string) ([]bool, error) {
	return s.log.known(ctx, messageIDs)
}

// EventCount is the number of events in the log.
func (s *Store) EventCount(ctx context.Context) (int64, error) { return s.log.count(ctx) }

// Recent lists the newest events by arrival, newest first: as many of them as are at hand.
func (s *Store) Recent(ctx context.Context, limit int) ([]engine.Applied, error) {
	return s.log.recent(ctx, limit)
}

// History is all events up to one moment, by profile. It must be closed.
type History struct{ snapshot }

// History takes all events that have been committed so far.
func (s *Store) History() engine.History { return s.HistoryUntil(math.MaxInt64) }

// HistoryUntil implements engine.Store.
func (s *Store) HistoryUntil(boundary int64) engine.History {
	return &History{s.log.snapshot(boundary, nil)}
}

// HistoryOf implements engine.MergeStore.
func (s *Store) HistoryOf(profiles []int64) engine.History { return s.historyOf(profiles) }

func (s *Store) historyOf(profiles []int64) *History {
	return &History{s.log.snapshot(math.MaxInt64, profiles)}
}

// Close ends the use of the history.
func (h *History) Close() { h.close() }

// Range implements engine.History. A profile's events stand under the id that it had when they arrived; merging profiles
// does not move them, and undoing a merge does.
func (h *History) Range(
	ctx context.Context, from, to int64, wanted func(name []byte) bool, each func(profileID int64, e *event.Event) error,
) error {
	return h.records(ctx, from, to, func(r record) error {
		if !isEvent(r) || wanted != nil && !wanted(eventName(r)) {
			return nil
		}
		e, err := decodeEvent(r)
		if err != nil {
			return err
		}
		return each(keyProfile(r.key), e)
	})
}

// Stream implements engine.History.
func (h *History) Stream(
	ctx context.Context, from, to int64, wanted func(profileID, at int64, name []byte) bool, each func(profileID int64, e *event.Event) error,
) error {
	var e event.Event
	return h.stream(ctx, from, to, func(r record) error {
		id := keyProfile(r.key)
		if !isEvent(r) || !wanted(id, keyTime(r.key), eventName(r)) {
			return nil
		}
		if err := readBehaviour(r, &e); err != nil {
			return err
		}
		return each(id, &e)
	})
}

// Of lists the events of some profiles together, oldest first.
func (h *History) Of(ctx context.Context, profileIDs []int64) ([]*event.Event, error) {
	var events []*event.Event
	for _, id := range profileIDs {
		err := h.Range(ctx, id, id+1, nil, func(_ int64, e *event.Event) error { events = append(events, e); return nil })
		if err != nil {
			return nil, err
		}
	}
	if len(profileIDs) > 1 {
		slices.SortStableFunc(events, event.Compare)
	}
	return events, nil
}
