package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// rowLog is the log in PostgreSQL: a row for each event and transition, in partitions by month. Its places are the ids of
// rows, in the order of their arrival.
type rowLog struct {
	db     database
	months *months
}

// openRowLog makes the partitions of this month and the next ones, and keeps doing so.
func openRowLog(ctx context.Context, db database) (*rowLog, error) {
	months, err := openMonths(ctx, db)
	return &rowLog{db, months}, err
}

func (l *rowLog) close() { l.months.close() }

func (l *rowLog) problem() string { return l.months.problem() }

// rowEntry is the rows that a batch appends.
type rowEntry struct {
	log    *rowLog
	rows   [][]any
	hashes [][]any
	buried [][]any // keys of the rows that count no more
	months []month
}

func (l *rowLog) prepare(b *engine.Batch) entry {
	e := &rowEntry{log: l, rows: make([][]any, 0, len(b.Events)), hashes: make([][]any, 0, len(b.Events))}
	for _, a := range b.Events {
		e.add(record{eventKey(a.ProfileID, a.Event), encodeEvent(a.Event)}, a.Event.Name)
		e.hashes = append(e.hashes, []any{idHash(a.Event.MessageID)})
	}
	if b.Changes != nil {
		var transitions packed
		addTransitions(&transitions, b.Changes.Transitions)
		for r := range transitions.all() {
			e.add(r, nil)
		}
	}
	if b.Split != nil {
		for _, m := range b.Split.Moved {
			e.buried = append(e.buried, rowKey(eventKey(m.From, m.Event)))
			value := encodeEvent(m.Event)
			value[1] |= movedFlag
			e.add(record{eventKey(m.To, m.Event), value}, m.Event.Name)
		}
	}
	// Nodes that are told the same write it in the same order, so that one waits for the other, and not each for the other.
	slices.SortFunc(e.hashes, func(a, b []any) int {
		one, other := a[0].([idSize]byte), b[0].([idSize]byte)
		return bytes.Compare(one[:], other[:])
	})
	return e
}

// add appends a record; name is nil for transitions.
func (e *rowEntry) add(r record, name any) {
	key := rowKey(r.key)
	e.rows = append(e.rows, []any{key[0], key[1], key[2], name, r.value})
	if m := monthOf(keyTime(r.key)); !slices.Contains(e.months, m) {
		e.months = append(e.months, m)
	}
}

// rowKey are the columns of a record's key. Ties are unsigned, and stored so that signed numbers have their order.
func rowKey(key []byte) []any {
	return []any{keyProfile(key), keyTime(key), int64(binary.BigEndian.Uint64(key[16:]) ^ 1<<63)}
}

func (e *rowEntry) ready(ctx context.Context) error { return e.log.months.make(ctx, e.months) }

func (e *rowEntry) alone(context.Context) error {
	return fault.New(fault.Internal, "events are written to PostgreSQL with what follows from them, never alone")
}

func (e *rowEntry) write(c *Conn) error {
	if err := c.ExecEach(`INSERT INTO message_ids (hash) VALUES ($1)`, e.hashes); err != nil {
		return err
	}
	err := c.ExecEach(`UPDATE events SET buried = nextval('event_ids') WHERE profile_id = $1 AND at = $2 AND tie = $3 AND buried IS NULL`, e.buried)
	if err != nil {
		return err
	}
	return c.ExecEach(`INSERT INTO events (profile_id, at, tie, name, data) VALUES ($1, $2, $3, $4, $5)`, e.rows)
}

func (e *rowEntry) written() {}

func (l *rowLog) known(ctx context.Context, messageIDs []string) ([]bool, error) {
	hashes := make([][idSize]byte, len(messageIDs))
	for i, id := range messageIDs {
		hashes[i] = idHash(id)
	}
	var known []bool
	err := l.db.view(ctx, theEngine, func(c *Conn) error {
		known = make([]bool, len(messageIDs))
		return c.Query(`SELECT v.n FROM unnest($1::uuid[]) WITH ORDINALITY AS v (hash, n) JOIN message_ids m ON m.hash = v.hash`, []any{hashes},
			func(r Row) error { known[r.Int(0)-1] = true; return nil })
	})
	return known, err
}

// unapplied gives nothing: events come with what follows from them.
func (l *rowLog) unapplied(context.Context, func(now int64, events []*event.Event) error) error {
	return nil
}

// boundary is the last id that was given. Whoever asks holds off those who write events.
func (l *rowLog) boundary(c *Conn) (int64, error) { return c.Int(`SELECT last_value FROM event_ids`) }

func (l *rowLog) began(int64) {}

func (l *rowLog) count(ctx context.Context) (n int64, err error) {
	err = l.db.view(ctx, anyone, func(c *Conn) error {
		n, err = c.Int(`SELECT count(*) FROM message_ids`)
		return err
	})
	return n, err
}

func (l *rowLog) recent(ctx context.Context, limit int) (recent []engine.Applied, err error) {
	err = l.db.view(ctx, anyone, func(c *Conn) error {
		recent = nil
		return c.Query(`SELECT profile_id, at, tie, data FROM events WHERE name IS NOT NULL AND buried IS NULL ORDER BY id DESC LIMIT $1`,
			[]any{limit}, func(row Row) error {
				r := rowRecord(row)
				e, err := decodeEvent(r)
				recent = append(recent, engine.Applied{ProfileID: keyProfile(r.key), Event: e})
				return err
			})
	})
	return recent, err
}

// rowRecord is the record of a row: profile_id, at, tie, data. Its value is valid as long as the row.
func rowRecord(r Row) record {
	return record{recordKey(r.Int(0), r.Int(1), uint64(r.Int(2))^1<<63), r.Raw(3)}
}

// rowSnapshot is the log up to a place.
type rowSnapshot struct {
	log   *rowLog
	until int64
	err   error
}

// snapshotWithin is how long the place of the newest event may take to be found.
const snapshotWithin = 10 * time.Second

func (l *rowLog) snapshot(until int64, profiles []int64) snapshot {
	s := &rowSnapshot{log: l, until: until}
	if until < math.MaxInt64 || profiles != nil {
		return s
	}
	ctx, cancel := context.WithTimeout(context.Background(), snapshotWithin)
	defer cancel()
	s.err = l.db.view(ctx, theEngine, func(c *Conn) (err error) {
		s.until, err = l.boundary(c)
		return err
	})
	return s
}

func (s *rowSnapshot) close() {}

// rowsAtOnce is how many rows a snapshot reads in one transaction.
const rowsAtOnce = 4000

func (s *rowSnapshot) records(ctx context.Context, from, to int64, each func(record) error) error {
	if s.err != nil {
		return s.err
	}
	after := []any{from, int64(math.MinInt64), int64(math.MinInt64), int64(0)}
	page := make([]record, 0, 64)
	for {
		page = page[:0]
		err := s.log.db.view(ctx, anyone, func(c *Conn) error {
			page = page[:0]
			return c.Query(`SELECT profile_id, at, tie, data, id FROM events
				WHERE (profile_id, at, tie, id) > ($1, $2, $3, $4) AND profile_id < $5 AND id <= $6 AND buried IS NULL
				ORDER BY profile_id, at, tie, id LIMIT 4000`, append(slices.Clip(after), to, s.until), func(row Row) error {
				r := rowRecord(row)
				page = append(page, record{r.key, slices.Clone(r.value)})
				if len(page) == rowsAtOnce {
					after = append(rowKey(r.key), row.Int(4))
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := each(r); err != nil {
				return err
			}
		}
		if len(page) < rowsAtOnce {
			return nil
		}
	}
}

func (s *rowSnapshot) stream(ctx context.Context, from, to int64, each func(record) error) error {
	return s.records(ctx, from, to, each)
}
