package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// The columns of events that copying names.
const (
	eventProfileColumn = iota
	eventTimeColumn
	_
	eventIDColumn
	eventNameColumn
)

// eventRows are the records of a SQLite log that count, as rows of PostgreSQL's. A row's id, which gives the order of
// arrival, is the moment of it, in µs: the sequence goes on behind the last.
type eventRows struct{ log *blockLog }

func (l eventRows) rows(ctx context.Context, after []any, each func(row []any) error) error {
	from := int64(math.MinInt64)
	if after != nil {
		from = after[0].(int64)
	}
	from = max(from, 0)
	snapshot := l.log.snapshot(math.MaxInt64, nil)
	defer snapshot.close()
	var before []any
	return snapshot.records(ctx, from, math.MaxInt64, func(r record) error {
		row := rowKey(r.key)
		id, name := keyTime(r.key), any(nil)
		if isEvent(r) {
			received, n := binary.Varint(r.value[min(2, len(r.value)):])
			if n <= 0 {
				return errPage
			}
			id, name = received, string(eventName(r))
		}
		if before != nil && slices.Equal(before[:3], row) {
			id = max(id, before[3].(int64)+1)
		}
		row = append(row, max(id, 1))
		before = slices.Clip(row)
		if after != nil && slices.CompareFunc(row, after, func(a, b any) int { return cmp.Compare(a.(int64), b.(int64)) }) <= 0 {
			return nil
		}
		return each(append(before, name, any(nil), bytes.Clone(r.value)))
	})
}

// countRecords counts the records of the log without reading runs: those of events, and the others.
func (l *blockLog) countRecords() (events, transitions int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.runs {
		if r.kind == eventRuns {
			transitions += r.records - r.events
		}
	}
	for _, b := range l.tail {
		transitions += int64(b.records.len() - len(b.hashes))
	}
	return l.total, transitions
}

// idRows are the hashes of all message ids of a SQLite log.
type idRows struct{ log *blockLog }

func (l idRows) rows(ctx context.Context, after []any, each func(row []any) error) error {
	var last []byte
	if after != nil {
		last = after[0].([]byte)
	}
	snapshot := l.log.snapshot(math.MaxInt64, []int64{}) // so that no run goes away
	defer snapshot.close()
	l.log.mu.Lock()
	runs, tail := l.log.runs, l.log.tail
	l.log.mu.Unlock()
	var recent []record
	for _, hash := range idsInOrder(tail) {
		if bytes.Compare(hash[:], last) >= 0 {
			recent = append(recent, record{key: hash[:]})
		}
	}
	cursors := []*cursor{{records: recent, started: true, ended: true}}
	for _, r := range runs {
		if r.kind == idRuns {
			cursors = append(cursors, l.log.cursorAt(r, last))
		}
	}
	return merge(ctx, cursors, nil, func(r record) error {
		if last != nil && bytes.Equal(r.key, last) {
			return nil
		}
		last = bytes.Clone(r.key)
		return each([]any{last})
	})
}

var errNotTheLog = errors.New("store: the tables of the log are not as they should be")

// logParts adapts what the catalogue knows of the log's tables to the log of the source.
func logParts(parts map[string]*part, log *blockLog) ([]*part, error) {
	events, ids := parts["events"], parts["message_ids"]
	var names []string
	for _, column := range events.columns {
		names = append(names, column.name)
	}
	if !slices.Equal(names, []string{"profile_id", "at", "tie", "id", "name", "buried", "data"}) || len(ids.columns) != 1 {
		return nil, errNotTheLog
	}
	events.from, events.where, events.columns[eventIDColumn].loose = eventRows{log}, "buried IS NULL", true
	events.labels = []string{"events", "transitions"}
	events.label = func(row []any) int {
		if row[eventNameColumn] == nil {
			return 1
		}
		return 0
	}
	events.count = func(_ *Conn, label int) (int64, error) {
		events, transitions := log.countRecords()
		return []int64{events, transitions}[label], nil
	}
	ids.from = idRows{log}
	return []*part{events, ids}, nil
}
