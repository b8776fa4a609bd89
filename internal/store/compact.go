package store

import (
	"context"
	"slices"
	"time"
)

// compactor sorts the tail into runs whenever it has grown enough. A failure, which Stats tells, leaves everything as it
// was, and is tried again after a pause.
func (s *Store) compactor(ctx context.Context) {
	defer close(s.log.done)
	for {
		select {
		case <-s.log.stop:
			return
		case <-s.log.wake:
			err := s.compact(ctx)
			s.log.setProblem(err)
			if err == nil {
				continue
			}
			pause := time.NewTimer(compactionPause)
			select {
			case <-s.log.stop:
			case <-pause.C:
			}
			pause.Stop()
		}
	}
}

const compactionPause = 5 * time.Second

func (l *eventLog) setProblem(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.problem = ""; err != nil {
		l.problem = err.Error()
	}
}

func (s *Store) stopCompactor() {
	close(s.log.stop)
	<-s.log.done
}

// compact turns the tail into a run of events and a run of ids, then merges levels that have grown full.
func (s *Store) compact(ctx context.Context) error {
	s.log.mu.Lock()
	tail := s.log.tail
	until := s.log.applied // the engine still needs the order of what is not applied
	if len(tail) > 0 && tail[0].id <= s.log.boundary {
		until = min(until, s.log.boundary)
	}
	for len(tail) > 0 && tail[len(tail)-1].id > until {
		tail = tail[:len(tail)-1]
	}
	s.log.mu.Unlock()
	if len(tail) == 0 {
		return nil
	}
	var events, ids []record
	for _, b := range tail {
		events = append(events, b.records...)
		for i := range b.hashes {
			ids = append(ids, record{key: b.hashes[i][:]})
		}
	}
	sortRecords(events)
	sortRecords(ids)
	last := tail[len(tail)-1].id
	var writers []*runWriter
	for _, part := range []struct {
		kind    runKind
		records []record
	}{{eventRuns, events}, {idRuns, ids}} {
		w := s.newRun(s.runID(), part.kind, 0, last, len(part.records))
		for _, r := range part.records {
			if err := w.add(ctx, r); err != nil {
				return err
			}
		}
		writers = append(writers, w)
	}
	err := s.Update(ctx, func(c *Conn) error {
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
	s.log.mu.Lock()
	s.log.runs = append(slices.Clip(s.log.runs), writers[0].run, writers[1].run)
	s.log.tail = slices.Clone(s.log.tail[len(tail):])
	s.log.events -= len(events)
	for _, r := range events {
		s.log.bytes -= len(r.value)
	}
	for _, r := range ids {
		delete(s.log.ids, [idSize]byte(r.key))
	}
	s.log.mu.Unlock()
	return s.mergeLevels(ctx)
}

func (s *Store) runID() int64 {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.nextRun++
	return s.log.nextRun
}

// mergeLevels merges each full level into one run of the next. Runs of both sides of the boundary of a filling stay apart.
func (s *Store) mergeLevels(ctx context.Context) error {
	for _, kind := range []runKind{eventRuns, idRuns} {
		for level := 0; ; level++ {
			s.log.mu.Lock()
			var sides [2][]*run
			deeper := false
			for _, r := range s.log.runs {
				if r.kind == kind && r.level == level {
					side := 0
					if r.until > s.log.boundary {
						side = 1
					}
					sides[side] = append(sides[side], r)
				}
				deeper = deeper || r.kind == kind && r.level > level
			}
			s.log.mu.Unlock()
			merged := false
			for _, full := range sides {
				if len(full) < runFanOut {
					continue
				}
				if err := s.mergeRuns(ctx, full, level+1); err != nil {
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

func (s *Store) mergeRuns(ctx context.Context, full []*run, level int) error {
	var cursors []*cursor
	var n, until int64
	for _, r := range full {
		cursors = append(cursors, s.cursorAt(r, nil))
		n, until = n+r.records, max(until, r.until)
	}
	w := s.newRun(s.runID(), full[0].kind, level, until, int(n))
	if err := merge(ctx, cursors, nil, func(r record) error { return w.add(ctx, r) }); err != nil {
		return err
	}
	err := s.Update(ctx, func(c *Conn) error {
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
	s.log.mu.Lock()
	s.log.runs = append(slices.DeleteFunc(slices.Clone(s.log.runs), func(r *run) bool { return slices.Contains(full, r) }), w.run)
	for _, r := range full {
		s.log.doomed = append(s.log.doomed, r.id)
	}
	s.log.snapshots++
	s.log.mu.Unlock()
	s.endSnapshot(ctx)
	return nil
}
