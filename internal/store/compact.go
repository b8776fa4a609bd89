package store

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// compactor sorts the tail into runs whenever it has grown enough. A failure, which Stats tells, leaves everything as it
// was, and is tried again after a pause.
func (l *blockLog) compactor(ctx context.Context) {
	defer close(l.done)
	for {
		select {
		case <-l.stop:
			return
		case <-l.spent:
			l.dropDoomed(ctx)
		case <-l.wake:
			l.wait(l.pause)
			err := l.compact(ctx)
			l.setProblem(err)
			if err != nil {
				l.wait(compactionPause)
			}
		}
	}
}

// wait lets time pass, unless the store is closed.
func (l *blockLog) wait(d time.Duration) {
	if d == 0 {
		return
	}
	pause := time.NewTimer(d)
	defer pause.Stop()
	select {
	case <-l.stop:
	case <-pause.C:
	}
}

const compactionPause = 5 * time.Second

func (l *blockLog) problem() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trouble
}

func (l *blockLog) setProblem(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trouble = ""; err != nil {
		l.trouble = err.Error()
	}
}

// compact turns the tail into runs, then merges levels that have grown full.
func (l *blockLog) compact(ctx context.Context) error {
	if err := l.sortTail(ctx); err != nil {
		return err
	}
	return l.mergeLevels(ctx)
}

// sortTail turns the tail, as far as it may go, into a run of events and a run of ids.
func (l *blockLog) sortTail(ctx context.Context) error {
	l.mu.Lock()
	tail := l.tail
	until := l.applied // the engine still needs the order of what is not applied
	if len(tail) > 0 && tail[0].id <= l.filling {
		until = min(until, l.filling)
	}
	tail = upTo(tail, until)
	l.mu.Unlock()
	if len(tail) == 0 {
		return nil
	}
	last, ids := tail[len(tail)-1].id, idsInOrder(tail)
	writers := []*runWriter{l.newRun(l.runID(), eventRuns, 0, last, 0), l.newRun(l.runID(), idRuns, 0, last, len(ids))}
	for r := range byKey(tail, nil) {
		if err := writers[0].add(ctx, r); err != nil {
			return err
		}
	}
	for i := range ids {
		if err := writers[1].add(ctx, record{key: ids[i][:]}); err != nil {
			return err
		}
	}
	err := l.db.update(ctx, anyone, func(c *Conn) error {
		for _, w := range writers {
			if err := w.finish(c); err != nil {
				return err
			}
		}
		_, err := c.Exec(`DELETE FROM event_blocks WHERE id <= $1`, last)
		return err
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.runs = append(slices.Clip(l.runs), writers[0].run, writers[1].run)
	l.tail = slices.Clone(l.tail[len(tail):])
	for _, b := range tail {
		l.events -= b.records.len()
		l.bytes -= len(b.records.data)
	}
	for _, hash := range ids {
		delete(l.ids, hash)
	}
	l.mu.Unlock()
	return nil
}

func (l *blockLog) runID() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nextRun++
	return l.nextRun
}

// mergeLevels merges each full level into one run of the next. Runs of both sides of the boundary of a filling stay apart.
func (l *blockLog) mergeLevels(ctx context.Context) error {
	for _, kind := range []runKind{eventRuns, idRuns} {
		for level := 0; ; level++ {
			l.mu.Lock()
			var sides [2][]*run
			deeper := false
			for _, r := range l.runs {
				if r.kind == kind && r.level == level {
					side := 0
					if r.until > l.filling {
						side = 1
					}
					sides[side] = append(sides[side], r)
				}
				deeper = deeper || r.kind == kind && r.level > level
			}
			l.mu.Unlock()
			merged := false
			for _, full := range sides {
				if len(full) < l.fanOut[kind] {
					continue
				}
				if err := l.mergeRuns(ctx, full, level+1); err != nil {
					return err
				}
				merged = true
			}
			if !merged && !deeper {
				break
			}
		}
	}
	return nil
}

func (l *blockLog) mergeRuns(ctx context.Context, full []*run, level int) error {
	var cursors []*cursor
	var n, until int64
	for _, r := range full {
		cursors = append(cursors, l.cursorAt(r, nil))
		n, until = n+r.records, max(until, r.until)
	}
	w := l.newRun(l.runID(), full[0].kind, level, until, int(n))
	err := merge(ctx, cursors, nil, func(r record) error {
		select {
		case <-l.wake: // large runs take long, and the tail is in memory
			if err := l.sortTail(ctx); err != nil {
				l.setProblem(err) // that is tried again; what has been merged so far is not lost for it
			}
		default:
		}
		return w.add(ctx, r)
	})
	if err != nil {
		return err
	}
	err = l.db.update(ctx, anyone, func(c *Conn) error {
		for _, r := range full {
			if _, err := c.Exec(`DELETE FROM runs WHERE id = $1`, r.id); err != nil {
				return err
			}
		}
		return w.finish(c)
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.runs = append(slices.DeleteFunc(slices.Clone(l.runs), func(r *run) bool { return slices.Contains(full, r) }), w.run)
	slices.SortFunc(l.runs, func(a, b *run) int { return cmp.Compare(a.id, b.id) }) // others may have been made meanwhile
	for _, r := range full {
		l.doomed = append(l.doomed, r.id)
	}
	l.snapshots++
	l.mu.Unlock()
	l.endSnapshot()
	l.dropDoomed(ctx)
	return nil
}
