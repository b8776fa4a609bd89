package store

import (
	"bytes"
	"context"
	"slices"
)

// A run is an immutable sorted file of records, kept as pages in the database. New events are sorted into small runs,
// and runs of a level into one of the next: each event is rewritten once a level, and a profile's events lie together.
type run struct {
	id      int64
	kind    runKind
	level   int
	until   int64 // the last block of the log whose records it holds
	records int64
	events  int64  // of the records; the others are transitions
	filter  filter // of ids; nil for events
}

type runKind string

const (
	eventRuns runKind = "events" // key: profile, time, tie (eventKeySize)
	idRuns    runKind = "ids"    // key: hash of a message id (idSize)
)

const (
	writtenBytes = 1 << 20 // pages written in one commit

	// So many runs of one level become one of the next. Every event that arrives asks all runs of ids; of events, who reads a
	// customer's timeline reads a page of each run (settings.eventFanOut).
	eventFanOut = 16
	idFanOut    = 8
)

func (k runKind) keySize() int {
	if k == idRuns {
		return idSize
	}
	return eventKeySize
}

// page is the kind of its pages. Runs of the tail are rewritten soon.
func (r *run) page() byte {
	switch {
	case r.kind == idRuns:
		return pageRaw
	case r.level == 0:
		return pageSoonGone
	}
	return pageCompressed
}

// pageBytes is the size of a page before it is compressed. One id is looked up at a time, events come in rows.
func (k runKind) pageBytes() int {
	if k == idRuns {
		return 8 << 10
	}
	return 64 << 10
}

// loadRuns reads the catalogue of runs and drops the pages of runs that a crash left unfinished.
func (l *blockLog) loadRuns(ctx context.Context) (runs []*run, err error) {
	err = l.db.update(ctx, anyone, func(c *Conn) error {
		if _, err := c.Exec(`DELETE FROM run_pages WHERE run_id NOT IN (SELECT id FROM runs)`); err != nil {
			return err
		}
		return c.Query(`SELECT id, kind, level, until, records, events, filter FROM runs ORDER BY id`, nil, func(r Row) error {
			one := &run{id: r.Int(0), kind: runKind(r.Text(1)), level: int(r.Int(2)), until: r.Int(3), records: r.Int(4), events: r.Int(5)}
			if !r.Null(6) {
				one.filter = filterOf(r.Bytes(6))
			}
			runs = append(runs, one)
			return nil
		})
	})
	return runs, err
}

// runWriter writes one run, page by page. The run is invisible until finish.
type runWriter struct {
	log     *blockLog
	run     *run
	page    []byte // the records of a page that is being made
	first   []byte // key of the first of them
	records int    // how many they are
	pending []pendingPage
	bytes   int
}

type pendingPage struct {
	first   []byte
	records int
	data    []byte
}

// newRun begins a run of at most n records of blocks up to until.
func (l *blockLog) newRun(id int64, kind runKind, level int, until int64, n int) *runWriter {
	w := &runWriter{log: l, run: &run{id: id, kind: kind, level: level, until: until}}
	if kind == idRuns {
		w.run.filter = newFilter(n)
	}
	return w
}

// add takes the next record, in order.
func (w *runWriter) add(ctx context.Context, r record) error {
	if w.run.filter != nil {
		w.run.filter.add(r.key)
	}
	if w.records == 0 {
		w.first = bytes.Clone(r.key)
	}
	w.page = appendRecord(w.page, r, w.run.page())
	w.records++
	w.run.records++
	if w.run.kind == eventRuns && isEvent(r) {
		w.run.events++
	}
	if len(w.page) < w.run.kind.pageBytes() {
		return nil
	}
	w.endPage()
	if w.bytes < writtenBytes {
		return nil
	}
	return w.write(ctx)
}

func (w *runWriter) endPage() {
	if w.records == 0 {
		return
	}
	data := finishPage(w.page, w.run.page())
	w.pending = append(w.pending, pendingPage{w.first, w.records, data})
	w.bytes += len(data)
	w.page, w.records = w.page[:0], 0
}

func (w *runWriter) write(ctx context.Context) error {
	pages := w.pending
	w.pending, w.bytes = nil, 0
	return w.log.db.update(ctx, anyone, func(c *Conn) error { return w.insert(c, pages) })
}

func (w *runWriter) insert(c *Conn, pages []pendingPage) error {
	for _, p := range pages {
		if _, err := c.Exec(`INSERT INTO run_pages (run_id, first_key, records, data) VALUES ($1, $2, $3, $4)`,
			w.run.id, p.first, p.records, p.data); err != nil {
			return err
		}
	}
	return nil
}

// finish writes the rest and makes the run visible, in the transaction of c.
func (w *runWriter) finish(c *Conn) error {
	w.endPage()
	if err := w.insert(c, w.pending); err != nil {
		return err
	}
	var filter any
	if w.run.filter != nil {
		filter = w.run.filter.bytes()
	}
	_, err := c.Exec(`INSERT INTO runs (id, kind, level, until, records, events, filter) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		w.run.id, string(w.run.kind), w.run.level, w.run.until, w.run.records, w.run.events, filter)
	return err
}

// cursor reads a run's records in order. One is valid until it reads further pages.
type cursor struct {
	log     *blockLog
	run     *run
	records []record
	room    []record // of records
	plain   []byte   // that they lie in
	next    []byte   // key of the first page not yet read
	started bool
	ended   bool
}

// cursorAt begins at the first record whose key is at least from.
func (l *blockLog) cursorAt(r *run, from []byte) *cursor { return &cursor{log: l, run: r, next: from} }

const pagesAtOnce = 4

// peek gives the next record, nil at the end.
func (c *cursor) peek(ctx context.Context) (*record, error) {
	for len(c.records) == 0 {
		if c.ended {
			return nil, nil
		}
		if err := c.fetch(ctx); err != nil {
			return nil, err
		}
	}
	return &c.records[0], nil
}

func (c *cursor) pop() { c.records = c.records[1:] }

// fetch reads the next pages. The first time it begins with the page that may hold the key looked for.
func (c *cursor) fetch(ctx context.Context) error {
	from := c.next
	query := `SELECT first_key, data FROM run_pages WHERE run_id = $1 AND first_key > $2 ORDER BY first_key LIMIT $3`
	if !c.started {
		query = `SELECT first_key, data FROM run_pages WHERE run_id = $1 AND first_key >= coalesce(
			(SELECT max(first_key) FROM run_pages WHERE run_id = $1 AND first_key <= $2), x'') ORDER BY first_key LIMIT $3`
	}
	pages, most := 0, pagesAtOnce
	if !c.started {
		most = 1 // often all that is wanted
	}
	records, plain := c.room[:0], c.plain[:0]
	err := c.log.db.view(ctx, anyone, func(conn *Conn) error {
		return conn.Query(query, []any{c.run.id, from, most}, func(r Row) (err error) {
			pages++
			c.next = r.Bytes(0)
			records, plain, err = appendPage(records, plain, r.Bytes(1), c.run.kind.keySize())
			return err
		})
	})
	if err != nil {
		return err
	}
	c.room, c.plain = records, plain
	c.ended = pages < most
	if !c.started {
		i, _ := slices.BinarySearchFunc(records, from, func(r record, key []byte) int { return bytes.Compare(r.key, key) })
		records = records[i:]
		c.started = true
	}
	c.records = records
	return nil
}
