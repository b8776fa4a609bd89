package store

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

// tailBytes is when the events of the tail are sorted into a run, however few they are (settings.tailEvents).
const tailBytes = 8 << 20

// eventLog is the log of all events. New ones lie in blocks, one a commit, whose records are also in memory (the tail);
// a background task sorts the tail into runs and small runs into larger ones.
type eventLog struct {
	mu      sync.Mutex
	runs    []*run   // by id; replaced, never changed in place
	tail    []*block // by id; likewise
	ids     map[[idSize]byte]struct{}
	events  int
	bytes   int
	total   int64
	nextRun int64
	last    int64 // id of the newest block
	applied int64 // what follows from blocks up to this id is in the tables

	// boundary is the last block before the filling that is on its way; 0 for none. Runs do not grow across it.
	boundary int64

	full int // events of the tail at which it is sorted into a run

	// buried are the copies of events that count no more, by key; replaced, never changed in place.
	buried map[[eventKeySize]byte]struct{}

	problem string // of the last compaction

	snapshots int
	doomed    []int64 // runs whose pages go once no snapshot is open

	wake chan struct{}
	stop chan struct{}
	done chan struct{}
}

// block is the records of one commit: its events, in the order in which they were applied, and transitions.
type block struct {
	id             int64
	at             int64 // when they were applied, µs
	records        []record
	hashes         [][idSize]byte // of the events' message ids
	buried, raised [][]byte       // keys of copies of events that count no more, or again
}

// appliedSetting names the block up to which what follows from events is in the tables.
const appliedSetting = "applied"

func (s *Store) openLog(ctx context.Context) error {
	l := &eventLog{
		ids: map[[idSize]byte]struct{}{}, full: s.settings.tailEvents,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	runs, err := s.loadRuns(ctx)
	if err != nil {
		return err
	}
	l.runs = runs
	for _, r := range runs {
		l.nextRun = max(l.nextRun, r.id)
		if r.kind == eventRuns {
			l.total += r.events
		}
	}
	err = s.read(ctx, func(c *Conn) error {
		if l.applied, err = appliedBlock(c); err != nil {
			return err
		}
		l.last = l.applied
		if l.boundary, err = c.Int(`SELECT coalesce(max(boundary), 0) FROM fillings`); err != nil {
			return err
		}
		return c.Query(`SELECT id, applied_at, data FROM event_blocks ORDER BY id`, nil, func(r Row) error {
			b := &block{id: r.Int(0), at: r.Int(1)}
			if b.records, err = decodePage(r.Bytes(2), eventKeySize); err != nil {
				return err
			}
			_, err := b.events()
			l.append(b, false)
			return err
		})
	})
	if err != nil {
		return err
	}
	if err := s.loadBuried(ctx, l); err != nil {
		return err
	}
	s.log = l
	go s.compactor(context.WithoutCancel(ctx))
	return nil
}

// append adds a committed block to the tail, unless it is empty. applied says that what follows from it, and from all
// before it, is in the tables.
func (l *eventLog) append(b *block, applied bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(b.records) > 0 {
		for _, hash := range b.hashes {
			l.ids[hash] = struct{}{}
		}
		for _, r := range b.records {
			l.bytes += len(r.value)
		}
		l.tail = append(slices.Clip(l.tail), b)
		l.events += len(b.records)
		l.total += int64(len(b.hashes))
		l.last = b.id
	}
	l.bury(b)
	if applied {
		l.applied = l.last
	}
	if l.events >= l.full || l.bytes >= tailBytes {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// write appends a block to the log in the transaction of c, and gives it its id.
func (b *block) write(c *Conn, data []byte) (err error) {
	if err := writeMoves(c, b); err != nil || len(b.records) == 0 {
		return err
	}
	b.id, err = c.Insert(`INSERT INTO event_blocks (records, applied_at, data) VALUES ($1, $2, $3)`, len(b.records), b.at, data)
	return err
}

// events reads a block's events, and notes their hashes.
func (b *block) events() (events []*event.Event, err error) {
	for _, r := range b.records {
		if !isEvent(r) {
			continue
		}
		e, err := decodeEvent(r)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
		b.hashes = append(b.hashes, idHash(e.MessageID))
	}
	return events, nil
}

// appliedBlock is the block up to which what follows from events is in the tables; 0 for none.
func appliedBlock(c *Conn) (int64, error) {
	return c.Int(`SELECT CAST(value AS INTEGER) FROM settings WHERE name = $1`, appliedSetting)
}

// keepApart makes runs keep the records of both sides of a block apart; 0: of none.
func (l *eventLog) keepApart(boundary int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.boundary = boundary
}

// markApplied records that what follows from all blocks is in the tables.
func markApplied(c *Conn) error {
	_, err := c.Exec(`INSERT INTO settings (name, value) SELECT $1, max(id) FROM event_blocks HAVING count(*) > 0
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, appliedSetting)
	return err
}

// Unapplied implements engine.Store. It also takes note of blocks whose commit seemed to fail and did not.
func (s *Store) Unapplied(ctx context.Context, each func(now int64, events []*event.Event) error) error {
	type stored struct {
		block *block
		data  []byte
	}
	s.log.mu.Lock()
	last := s.log.last
	s.log.mu.Unlock()
	var applied int64
	var blocks []stored
	err := s.engineView(ctx, func(c *Conn) (err error) {
		// What the tables say, not what memory does: a commit that seemed to fail may have held.
		if applied, err = appliedBlock(c); err != nil {
			return err
		}
		return c.Query(`SELECT id, applied_at, data FROM event_blocks WHERE id > $1 ORDER BY id`, []any{min(applied, last)}, func(r Row) error {
			blocks = append(blocks, stored{&block{id: r.Int(0), at: r.Int(1)}, r.Bytes(2)})
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, one := range blocks {
		b := one.block
		if b.records, err = decodePage(one.data, eventKeySize); err != nil {
			return err
		}
		events, err := b.events()
		if err != nil {
			return err
		}
		if b.id > last {
			s.log.append(b, b.id <= applied)
		}
		if b.id <= applied {
			continue
		}
		if err := each(b.at, events); err != nil {
			return err
		}
	}
	return nil
}

// Known tells which message ids are in the log, for all time.
func (s *Store) Known(ctx context.Context, messageIDs []string) (known []bool, err error) {
	known = make([]bool, len(messageIDs))
	hashes := make([][idSize]byte, len(messageIDs))
	for i, id := range messageIDs {
		hashes[i] = idHash(id)
	}
	s.log.mu.Lock()
	for i := range hashes {
		_, known[i] = s.log.ids[hashes[i]]
	}
	runs := s.log.runs
	s.log.snapshots++
	s.log.mu.Unlock()
	defer s.endSnapshot(ctx)
	order := make([]int, len(hashes)) // by hash, so that pages are read in their order
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(hashes[a][:], hashes[b][:]) })
	for i := len(runs) - 1; i >= 0; i-- {
		if runs[i].kind != idRuns {
			continue
		}
		err := s.engineView(ctx, func(c *Conn) error {
			for _, j := range order {
				if hash := hashes[j][:]; !known[j] && runs[i].filter.mayHave(hash) {
					if known[j], err = inRun(c, runs[i], hash); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// inRun looks a hash up in a run of ids.
func inRun(c *Conn, r *run, hash []byte) (found bool, err error) {
	_, err = c.One(`SELECT data FROM run_pages WHERE run_id = $1 AND first_key <= $2 ORDER BY first_key DESC LIMIT 1`, []any{r.id, hash},
		func(row Row) error {
			found, err = pageHas(row.Raw(0), hash)
			return err
		})
	return found, err
}

// EventCount is the number of events ever stored.
func (s *Store) EventCount() int64 {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.total
}

// History is all events up to one moment, by profile. It must be closed.
type History struct {
	s      *Store
	runs   []*run
	tail   []record // sorted
	buried map[[eventKeySize]byte]struct{}
}

// History takes all events that have been committed so far.
func (s *Store) History() engine.History {
	return s.HistoryUntil(math.MaxInt64)
}

// HistoryUntil implements engine.Store.
func (s *Store) HistoryUntil(boundary int64) engine.History {
	return s.snapshot(boundary, func(record) bool { return true })
}

// HistoryOf implements engine.MergeStore.
func (s *Store) HistoryOf(profiles []int64) engine.History {
	return s.snapshotOf(profiles)
}

func (s *Store) snapshotOf(profiles []int64) *History {
	return s.snapshot(math.MaxInt64, func(r record) bool { return slices.Contains(profiles, keyProfile(r.key)) })
}

// snapshot takes the log as it stands, up to a block; of the tail, which it must sort, only what is wanted. The block is
// the last one, or the boundary of the filling that is on its way.
func (s *Store) snapshot(until int64, wanted func(record) bool) *History {
	h := &History{s: s}
	s.log.mu.Lock()
	h.buried = s.log.buried
	for _, r := range s.log.runs {
		if r.until <= until {
			h.runs = append(h.runs, r)
		}
	}
	tail := s.log.tail
	s.log.snapshots++
	s.log.mu.Unlock()
	for _, b := range tail {
		if b.id > until {
			break
		}
		for _, r := range b.records {
			if wanted(r) {
				h.tail = append(h.tail, r)
			}
		}
	}
	sortRecords(h.tail)
	return h
}

func sortRecords(records []record) {
	slices.SortFunc(records, func(a, b record) int { return bytes.Compare(a.key, b.key) })
}

// Close ends the use of the history.
func (h *History) Close() { h.s.endSnapshot(context.Background()) }

func (s *Store) endSnapshot(ctx context.Context) {
	s.log.mu.Lock()
	s.log.snapshots--
	var doomed []int64
	if s.log.snapshots == 0 {
		doomed, s.log.doomed = s.log.doomed, nil
	}
	s.log.mu.Unlock()
	s.dropPages(ctx, doomed)
}

// dropPages deletes the pages of runs that nobody reads any more. What a failure leaves is deleted at the next start.
func (s *Store) dropPages(ctx context.Context, runs []int64) {
	for _, id := range runs {
		_ = s.Update(context.WithoutCancel(ctx), func(c *Conn) error {
			_, err := c.Exec(`DELETE FROM run_pages WHERE run_id = $1`, id)
			return err
		})
	}
}

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

// records calls each with every record of the profiles from ≤ id < to that counts, in order of their keys.
func (h *History) records(ctx context.Context, from, to int64, each func(record) error) error {
	low, high := profileKey(from), profileKey(to)
	var cursors []*cursor
	for _, r := range h.runs {
		if r.kind == eventRuns {
			cursors = append(cursors, h.s.cursorAt(r, low))
		}
	}
	i, _ := slices.BinarySearchFunc(h.tail, low, func(r record, key []byte) int { return bytes.Compare(r.key, key) })
	cursors = append(cursors, &cursor{records: h.tail[i:], started: true, ended: true})
	return merge(ctx, cursors, high, func(r record) error {
		if h.isBuried(r) {
			return nil
		}
		return each(r)
	})
}

// isBuried reports whether a record counts no more.
func (h *History) isBuried(r record) bool {
	if len(h.buried) == 0 {
		return false
	}
	_, is := h.buried[[eventKeySize]byte(r.key)]
	return is
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
		slices.SortStableFunc(events, compareEvents)
	}
	return events, nil
}

func compareEvents(a, b *event.Event) int {
	if c := a.Timestamp.Compare(b.Timestamp); c != 0 {
		return c
	}
	return cmp.Compare(event.Tie(a.MessageID), event.Tie(b.MessageID))
}

// profileEvents is History.Of for one page of the interface: it does not sort the whole tail.
func (s *Store) profileEvents(ctx context.Context, profileIDs []int64) ([]*event.Event, error) {
	h := s.snapshotOf(profileIDs)
	defer s.endSnapshot(ctx)
	return h.Of(ctx, profileIDs)
}

// Recent lists the newest events of the tail by arrival, newest first.
func (s *Store) Recent(limit int) ([]engine.Applied, error) {
	s.log.mu.Lock()
	tail, buried := s.log.tail, s.log.buried
	s.log.mu.Unlock()
	var recent []engine.Applied
	for i := len(tail) - 1; i >= 0 && len(recent) < limit; i-- {
		for j := len(tail[i].records) - 1; j >= 0 && len(recent) < limit; j-- {
			r := tail[i].records[j]
			if _, is := buried[[eventKeySize]byte(r.key)]; is || !isEvent(r) {
				continue
			}
			e, err := decodeEvent(r)
			if err != nil {
				return nil, err
			}
			recent = append(recent, engine.Applied{ProfileID: keyProfile(r.key), Event: e})
		}
	}
	return recent, nil
}
