package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
)

// backward reads a part of the log from its newest record on.
type backward struct {
	records []record // those at hand, newest first
	fetch   func(context.Context) ([]record, error)
	ended   bool // there is nothing to fetch any more
}

// peek gives the next record, nil at the end.
func (b *backward) peek(ctx context.Context) (*record, error) {
	for len(b.records) == 0 {
		if b.ended {
			return nil, nil
		}
		var err error
		if b.records, err = b.fetch(ctx); err != nil {
			return nil, err
		}
	}
	return &b.records[0], nil
}

// placeOf is where a record stands in a timeline: its key, the profile last.
func placeOf(r record) []byte { return append(slices.Clone(r.key[8:]), r.key[:8]...) }

// later compares records by their places.
func later(a, b *record) int {
	return cmp.Or(bytes.Compare(b.key[8:], a.key[8:]), bytes.Compare(b.key[:8], a.key[:8]))
}

// newest calls each with the records of some profiles that count, newest first, until it returns errEnough: all of them, or
// those whose place begins with from, and those before.
func (h *History) newest(ctx context.Context, profiles []int64, from []byte, each func(record) error) error {
	var parts []*backward
	for _, id := range profiles {
		through := recordKey(id, math.MaxInt64, math.MaxUint64)
		if from != nil {
			copy(through[8:], from[:eventKeySize-8])
		}
		parts = append(parts, h.backward(profileKey(id), through)...)
	}
	for {
		var next *backward
		var newest *record
		for _, p := range parts {
			r, err := p.peek(ctx)
			if err != nil {
				return err
			}
			if r != nil && (newest == nil || later(r, newest) < 0) {
				next, newest = p, r
			}
		}
		if next == nil {
			return nil
		}
		if err := each(*newest); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
		next.records = next.records[1:]
	}
}

// backward implements snapshot.
func (h *blockSnapshot) backward(from, through []byte) []*backward {
	parts := []*backward{{records: h.between(h.tail, from, through), ended: true}}
	for _, r := range h.runs {
		if r.kind == eventRuns {
			parts = append(parts, h.backwardIn(r, from, through))
		}
	}
	return parts
}

// backwardIn reads a run, a page at a time.
func (h *blockSnapshot) backwardIn(r *run, from, through []byte) *backward {
	b := &backward{}
	query, key := `SELECT first_key, data FROM run_pages WHERE run_id = $1 AND first_key <= $2 ORDER BY first_key DESC LIMIT 1`, through
	b.fetch = func(ctx context.Context) (records []record, err error) {
		b.ended = true
		err = h.log.db.view(ctx, anyone, func(c *Conn) error {
			_, err := c.One(query, []any{r.id, key}, func(row Row) error {
				page, _, err := appendPage(nil, nil, row.Bytes(1), eventKeySize)
				records = h.between(page, from, through)
				key, b.ended = row.Bytes(0), bytes.Compare(row.Raw(0), from) <= 0
				return err
			})
			return err
		})
		query = `SELECT first_key, data FROM run_pages WHERE run_id = $1 AND first_key < $2 ORDER BY first_key DESC LIMIT 1`
		return records, err
	}
	return b
}

// between are those of sorted records that count, from a key through another, backward.
func (h *blockSnapshot) between(sorted []record, from, through []byte) (found []record) {
	begin, _ := slices.BinarySearchFunc(sorted, from, func(r record, key []byte) int { return bytes.Compare(r.key, key) })
	for _, r := range sorted[begin:] {
		if bytes.Compare(r.key, through) > 0 {
			break
		}
		if !h.isBuried(r) {
			found = append(found, r)
		}
	}
	slices.Reverse(found)
	return found
}

// newestAtOnce is how many rows are read backward in one transaction.
const newestAtOnce = 200

// backward implements snapshot.
func (s *rowSnapshot) backward(from, through []byte) []*backward {
	before := append(rowKey(through), int64(math.MaxInt64))
	b := &backward{}
	b.fetch = func(ctx context.Context) (records []record, err error) {
		if s.err != nil {
			return nil, s.err
		}
		err = s.log.db.view(ctx, anyone, func(c *Conn) error {
			records = nil
			return c.Query(`SELECT profile_id, at, tie, data, id FROM events
				WHERE profile_id = $1 AND (at, tie, id) < ($2, $3, $4) AND id <= $5 AND buried IS NULL
				ORDER BY at DESC, tie DESC, id DESC LIMIT $6`, append(slices.Clip(before), s.until, newestAtOnce), func(row Row) error {
				r := rowRecord(row)
				records = append(records, record{r.key, slices.Clone(r.value)})
				before = append(rowKey(r.key), row.Int(4))
				return nil
			})
		})
		b.ended = len(records) < newestAtOnce
		return records, err
	}
	return []*backward{b}
}
