package store

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

// tailBytes is when the events of the tail are sorted into a run, however few they are (settings.tailEvents).
const tailBytes = 8 << 20

// blockLog is the log in SQLite. New events lie in blocks, one a commit, whose records are also in memory (the tail); a
// background task sorts the tail into runs and small runs into larger ones.
type blockLog struct {
	db      database
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

	// filling is the last block before the filling that is on its way; 0 for none. Runs do not grow across it.
	filling int64

	full int // events of the tail at which it is sorted into a run

	// buried are the copies of events that count no more, by key; replaced, never changed in place.
	buried map[[eventKeySize]byte]struct{}

	trouble string // of the last compaction

	snapshots int
	doomed    []int64 // runs whose pages go once no snapshot is open

	pause time.Duration // before the tail is sorted
	wake  chan struct{}
	stop  chan struct{}
	done  chan struct{}
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

// openBlockLog reads what the log keeps in memory. tailEvents is when the tail is sorted into a run, after a pause.
func openBlockLog(ctx context.Context, db database, tailEvents int, pause time.Duration) (*blockLog, error) {
	l := &blockLog{
		db: db, ids: map[[idSize]byte]struct{}{}, full: tailEvents, pause: pause,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	runs, err := l.loadRuns(ctx)
	if err != nil {
		return nil, err
	}
	l.runs = runs
	for _, r := range runs {
		l.nextRun = max(l.nextRun, r.id)
		if r.kind == eventRuns {
			l.total += r.events
		}
	}
	err = l.db.view(ctx, anyone, func(c *Conn) error {
		if l.applied, err = appliedBlock(c); err != nil {
			return err
		}
		l.last = l.applied
		if l.filling, err = c.Int(`SELECT coalesce(max(boundary), 0) FROM fillings`); err != nil {
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
		return nil, err
	}
	if err := l.loadBuried(ctx); err != nil {
		return nil, err
	}
	go l.compactor(context.WithoutCancel(ctx))
	return l, nil
}

func (l *blockLog) close() {
	close(l.stop)
	<-l.done
}

// append adds a committed block to the tail, unless it is empty. applied says that what follows from it, and from all
// before it, is in the tables.
func (l *blockLog) append(b *block, applied bool) {
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

// blockEntry is a block that a batch appends.
type blockEntry struct {
	log   *blockLog
	block *block
	data  []byte
}

func (l *blockLog) prepare(b *engine.Batch) entry {
	block := l.blockOf(b)
	return &blockEntry{l, block, encodePage(block.records)}
}

func (e *blockEntry) ready(context.Context) error { return nil }

func (e *blockEntry) write(c *Conn, whole bool) (err error) {
	b := e.block
	if err := writeMoves(c, b); err != nil {
		return err
	}
	if len(b.records) > 0 {
		b.id, err = c.Insert(`INSERT INTO event_blocks (records, applied_at, data) VALUES ($1, $2, $3)`, len(b.records), b.at, e.data)
		if err != nil {
			return err
		}
	}
	if whole {
		return markApplied(c)
	}
	return nil
}

func (e *blockEntry) written(whole bool) { e.log.append(e.block, whole) }

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

func (l *blockLog) boundary(c *Conn) (int64, error) { return appliedBlock(c) }

// began makes runs keep the records of both sides of the boundary apart.
func (l *blockLog) began(boundary int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.filling = boundary
}

// markApplied records that what follows from all blocks is in the tables.
func markApplied(c *Conn) error {
	_, err := c.Exec(`INSERT INTO settings (name, value) SELECT $1, max(id) FROM event_blocks HAVING count(*) > 0
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, appliedSetting)
	return err
}

// unapplied also takes note of blocks whose commit seemed to fail and did not.
func (l *blockLog) unapplied(ctx context.Context, each func(now int64, events []*event.Event) error) error {
	type stored struct {
		block *block
		data  []byte
	}
	l.mu.Lock()
	last := l.last
	l.mu.Unlock()
	var applied int64
	var blocks []stored
	err := l.db.view(ctx, theEngine, func(c *Conn) (err error) {
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
			l.append(b, b.id <= applied)
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

func (l *blockLog) known(ctx context.Context, messageIDs []string) (known []bool, err error) {
	known = make([]bool, len(messageIDs))
	hashes := make([][idSize]byte, len(messageIDs))
	for i, id := range messageIDs {
		hashes[i] = idHash(id)
	}
	l.mu.Lock()
	for i := range hashes {
		_, known[i] = l.ids[hashes[i]]
	}
	runs := l.runs
	l.snapshots++
	l.mu.Unlock()
	defer l.endSnapshot(ctx)
	order := make([]int, len(hashes)) // by hash, so that pages are read in their order
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(hashes[a][:], hashes[b][:]) })
	for i := len(runs) - 1; i >= 0; i-- {
		if runs[i].kind != idRuns {
			continue
		}
		err := l.db.view(ctx, theEngine, func(c *Conn) error {
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

func (l *blockLog) count(context.Context) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total, nil
}

// blockSnapshot is the log at one moment.
type blockSnapshot struct {
	log    *blockLog
	runs   []*run
	tail   []record // sorted
	buried map[[eventKeySize]byte]struct{}
}

// snapshot takes the log as it stands, up to a block; of the tail, which it must sort, only the profiles named. The block is
// the last one, or the boundary of the filling that is on its way.
func (l *blockLog) snapshot(until int64, profiles []int64) snapshot {
	h := &blockSnapshot{log: l}
	l.mu.Lock()
	h.buried = l.buried
	for _, r := range l.runs {
		if r.until <= until {
			h.runs = append(h.runs, r)
		}
	}
	tail := l.tail
	l.snapshots++
	l.mu.Unlock()
	for _, b := range tail {
		if b.id > until {
			break
		}
		for _, r := range b.records {
			if profiles == nil || slices.Contains(profiles, keyProfile(r.key)) {
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

func (h *blockSnapshot) close() { h.log.endSnapshot(context.Background()) }

func (l *blockLog) endSnapshot(ctx context.Context) {
	l.mu.Lock()
	l.snapshots--
	var doomed []int64
	if l.snapshots == 0 {
		doomed, l.doomed = l.doomed, nil
	}
	l.mu.Unlock()
	l.dropPages(ctx, doomed)
}

// dropPages deletes the pages of runs that nobody reads any more. What a failure leaves is deleted at the next start.
func (l *blockLog) dropPages(ctx context.Context, runs []int64) {
	for _, id := range runs {
		_ = l.db.update(context.WithoutCancel(ctx), anyone, func(c *Conn) error {
			_, err := c.Exec(`DELETE FROM run_pages WHERE run_id = $1`, id)
			return err
		})
	}
}

// records calls each with every record of the profiles from ≤ id < to that counts, in order of their keys.
func (h *blockSnapshot) records(ctx context.Context, from, to int64, each func(record) error) error {
	low, high := profileKey(from), profileKey(to)
	var cursors []*cursor
	for _, r := range h.runs {
		if r.kind == eventRuns {
			cursors = append(cursors, h.log.cursorAt(r, low))
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
func (h *blockSnapshot) isBuried(r record) bool {
	if len(h.buried) == 0 {
		return false
	}
	_, is := h.buried[[eventKeySize]byte(r.key)]
	return is
}

// recent looks no further than the tail.
func (l *blockLog) recent(_ context.Context, limit int) ([]engine.Applied, error) {
	l.mu.Lock()
	tail, buried := l.tail, l.buried
	l.mu.Unlock()
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
