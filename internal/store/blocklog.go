package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

// tailBytes is when the events of the tail are sorted into a run, however few they are (settings.tailEvents).
const tailBytes = 8 << 20

// blockLog is the log in SQLite. New events lie in blocks, one a commit, whose records are also in memory (the tail); a
// background task sorts the tail into runs and small runs into larger ones. A block that is committed before what follows
// from it lies in the journal, and moves into the tables with that.
type blockLog struct {
	db      database
	journal *journal
	mu      sync.Mutex
	runs    []*run   // by id; replaced, never changed in place
	tail    []*block // by id; likewise
	ids     map[[idSize]byte]struct{}
	events  int
	bytes   int
	total   int64
	nextRun int64
	last    int64 // id of the newest block, committed or not; none is given twice
	applied int64 // what follows from blocks up to this id is in the tables

	journaled []*storedBlock // blocks after applied, by id: they are in the journal and not in the tables

	// filling is the last block before the filling that is on its way; 0 for none. Runs do not grow across it.
	filling int64

	full   int             // events of the tail at which it is sorted into a run
	fanOut map[runKind]int // runs of one level that become one of the next

	// buried are the copies of events that count no more, by key; replaced, never changed in place.
	buried map[[eventKeySize]byte]struct{}

	trouble string // of the last compaction

	snapshots int
	doomed    []int64 // runs whose pages go once no snapshot is open

	pause time.Duration // before the tail is sorted
	wake  chan struct{}
	spent chan struct{} // pages of runs may go
	stop  chan struct{}
	done  chan struct{}
}

// openBlockLog reads what the log of the database in dir keeps in memory. It fails with Conflict where no server has worked
// with it yet.
func openBlockLog(ctx context.Context, db database, dir string, set settings) (*blockLog, error) {
	journal, err := openJournal(ctx, db, dir, set)
	if err != nil {
		return nil, err
	}
	l := &blockLog{
		db: db, journal: journal, ids: map[[idSize]byte]struct{}{}, full: set.tailEvents, pause: set.pause,
		fanOut: map[runKind]int{eventRuns: set.eventFanOut, idRuns: idFanOut},
		wake:   make(chan struct{}, 1), spent: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	if err := l.load(ctx); err != nil {
		journal.close()
		return nil, err
	}
	go l.compactor(context.WithoutCancel(ctx))
	return l, nil
}

func (l *blockLog) load(ctx context.Context) (err error) {
	if l.runs, err = l.loadRuns(ctx); err != nil {
		return err
	}
	for _, r := range l.runs {
		l.nextRun, l.last = max(l.nextRun, r.id), max(l.last, r.until)
		if r.kind == eventRuns {
			l.total += r.events
		}
	}
	var blocks []*storedBlock
	err = l.db.view(ctx, anyone, func(c *Conn) error {
		if l.applied, err = appliedBlock(c); err != nil {
			return err
		}
		if l.filling, err = c.Int(`SELECT coalesce(max(boundary), 0) FROM fillings`); err != nil {
			return err
		}
		blocks, err = readBlocks(c, blockTable, 0)
		return err
	})
	if err != nil {
		return err
	}
	l.last = max(l.last, l.applied)
	l.journal.forget(l.applied)
	if l.journaled, err = l.journal.blocks(ctx, l.applied); err != nil {
		return err
	}
	for _, stored := range append(blocks, l.journaled...) {
		b, _, err := stored.open()
		if err != nil {
			return err
		}
		l.append(b)
	}
	return l.loadBuried(ctx)
}

func (l *blockLog) close() {
	close(l.stop)
	<-l.done
	l.journal.close()
}

// append adds a committed block to the tail, unless it is empty.
func (l *blockLog) append(b *block) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = max(l.last, b.id)
	if b.records.len() > 0 {
		for _, hash := range b.hashes {
			l.ids[hash] = struct{}{}
		}
		l.bytes += len(b.records.data)
		at, _ := l.inTail(b.id) // what follows from some blocks is committed beside later ones
		l.tail = slices.Insert(slices.Clone(l.tail), at, b)
		l.events += b.records.len()
		l.total += int64(len(b.hashes))
	}
	l.bury(b)
	l.wakeIfFull()
}

// upTo are the blocks up to an id.
func upTo(tail []*block, until int64) []*block {
	for len(tail) > 0 && tail[len(tail)-1].id > until {
		tail = tail[:len(tail)-1]
	}
	return tail
}

// inTail is the place of a block in the tail.
func (l *blockLog) inTail(id int64) (at int, found bool) {
	return slices.BinarySearchFunc(l.tail, id, func(b *block, id int64) int { return cmp.Compare(b.id, id) })
}

func (l *blockLog) wakeIfFull() {
	if l.events >= l.full || l.bytes >= tailBytes {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// follow notes that what follows from the blocks up to an id is in the tables, and so are they.
func (l *blockLog) follow(applied int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied = max(l.applied, applied)
	at, _ := slices.BinarySearchFunc(l.journaled, l.applied+1, func(b *storedBlock, id int64) int { return cmp.Compare(b.id, id) })
	l.journaled = slices.Clone(l.journaled[at:])
	l.journal.forget(l.applied)
	l.wakeIfFull()
}

// blockEntry is a block that a batch appends.
type blockEntry struct {
	log    *blockLog
	id     int64
	batch  *engine.Batch // of events alone, which nobody changes: they are put into their stored form beside the loop
	block  *block
	stored *storedBlock
}

func (l *blockLog) prepare(b *engine.Batch) entry {
	l.mu.Lock()
	l.last++
	e := &blockEntry{log: l, id: l.last, batch: b}
	l.mu.Unlock()
	if b.Changes != nil {
		e.make()
	}
	return e
}

// make puts the block into its stored form.
func (e *blockEntry) make() {
	e.block, e.batch = e.log.blockOf(e.batch), nil
	e.block.id = e.id
	e.stored = &storedBlock{e.id, e.block.records.len(), e.block.at, e.block.records.page()}
}

func (e *blockEntry) ready(context.Context) error { return nil }

func (e *blockEntry) alone(ctx context.Context) error {
	l := e.log
	e.make()
	if err := l.journal.append(ctx, e.stored); err != nil {
		return err
	}
	l.append(e.block)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.journaled = append(slices.Clip(l.journaled), e.stored)
	return nil
}

func (e *blockEntry) write(c *Conn) error {
	if err := writeMoves(c, e.block); err != nil {
		return err
	}
	e.log.mu.Lock()
	journaled := e.log.journaled
	e.log.mu.Unlock()
	for _, b := range journaled {
		if b.id > e.block.id {
			break
		}
		if err := b.insert(c, blockTable); err != nil {
			return err
		}
	}
	if e.block.records.len() > 0 {
		if err := e.stored.insert(c, blockTable); err != nil {
			return err
		}
	}
	return setSetting(c, appliedSetting, strconv.FormatInt(e.block.id, 10))
}

func (e *blockEntry) written() {
	e.log.append(e.block)
	e.log.follow(e.block.id)
}

func (l *blockLog) boundary(c *Conn) (int64, error) { return appliedBlock(c) }

// began makes runs keep the records of both sides of the boundary apart.
func (l *blockLog) began(boundary int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.filling = boundary
}

// unapplied also takes note of blocks whose commit seemed to fail and did not.
func (l *blockLog) unapplied(ctx context.Context, each func(now int64, events []*event.Event) error) error {
	l.mu.Lock()
	sure := l.applied
	l.mu.Unlock()
	var applied int64
	var blocks []*storedBlock
	err := l.db.view(ctx, theEngine, func(c *Conn) (err error) {
		// What the tables say, not what memory does: a commit that seemed to fail may have held.
		if applied, err = appliedBlock(c); err != nil {
			return err
		}
		blocks, err = readBlocks(c, blockTable, sure)
		return err
	})
	if err != nil {
		return err
	}
	if len(blocks) > 0 {
		if err := l.loadBuried(ctx); err != nil {
			return err
		}
	}
	journaled, err := l.journal.blocks(ctx, applied)
	if err != nil {
		return err
	}
	for _, stored := range append(blocks, journaled...) {
		b, events, err := stored.open()
		if err != nil {
			return err
		}
		l.find(b)
		if b.id <= applied {
			continue
		}
		if err := each(b.at, events); err != nil {
			return err
		}
	}
	l.mu.Lock()
	l.journaled = journaled
	l.mu.Unlock()
	l.follow(applied)
	return nil
}

// find appends a block that was found, unless it is known.
func (l *blockLog) find(b *block) {
	l.mu.Lock()
	_, known := l.inTail(b.id)
	l.mu.Unlock()
	if !known {
		l.append(b)
	}
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
	defer l.endSnapshot()
	order := make([]int, len(hashes)) // by hash, so that pages are read in their order
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareIDs(hashes[a], hashes[b]) })
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
	tail := upTo(l.tail, until)
	l.snapshots++
	l.mu.Unlock()
	h.tail = slices.Collect(byKey(tail, profiles))
	return h
}

func (h *blockSnapshot) close() { h.log.endSnapshot() }

func (l *blockLog) endSnapshot() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snapshots--
	if l.snapshots == 0 && len(l.doomed) > 0 {
		select {
		case l.spent <- struct{}{}:
		default:
		}
	}
}

// dropDoomed deletes the pages of runs that nobody reads any more. What a failure leaves is deleted at the next start.
func (l *blockLog) dropDoomed(ctx context.Context) {
	l.mu.Lock()
	var doomed []int64
	if l.snapshots == 0 {
		doomed, l.doomed = l.doomed, nil
	}
	l.mu.Unlock()
	for _, id := range doomed {
		_ = l.db.update(ctx, anyone, func(c *Conn) error {
			_, err := c.Exec(`DELETE FROM run_pages WHERE run_id = $1`, id)
			return err
		})
	}
}

// records calls each with every record of the profiles from ≤ id < to that counts, in order of their keys. One is valid during
// the call.
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
		for j := tail[i].records.len() - 1; j >= 0 && len(recent) < limit; j-- {
			r := tail[i].records.at(j)
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
