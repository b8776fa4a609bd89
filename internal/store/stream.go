package store

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/tailorbird/tailorbird/internal/event"
)

// pagesStreamed is how many pages a stream reads in one transaction.
const pagesStreamed = 16

// Stream implements engine.History. It reads run after run and merges nothing.
func (h *History) Stream(
	ctx context.Context, from, to int64, wanted func(name []byte) bool, each func(profileID int64, e *event.Event) error,
) error {
	st := &stream{h: h, low: profileKey(from), high: profileKey(to), wanted: wanted, each: each}
	for _, r := range h.runs {
		if r.kind != eventRuns {
			continue
		}
		if err := st.run(ctx, r); err != nil {
			return err
		}
	}
	i, _ := slices.BinarySearchFunc(h.tail, st.low, func(r record, key []byte) int { return bytes.Compare(r.key, key) })
	for ; i < len(h.tail) && bytes.Compare(h.tail[i].key, st.high) < 0; i++ {
		if err := st.take(h.tail[i]); err != nil {
			return err
		}
	}
	return nil
}

// stream is a History.Stream on its way.
type stream struct {
	h         *History
	low, high []byte
	wanted    func(name []byte) bool
	each      func(profileID int64, e *event.Event) error
	page      []byte // decompressed, used again for the next
	event     event.Event
}

// run streams what a run holds.
func (st *stream) run(ctx context.Context, r *run) error {
	query := `SELECT first_key, data FROM run_pages WHERE run_id = $1 AND first_key >= coalesce(
		(SELECT max(first_key) FROM run_pages WHERE run_id = $1 AND first_key <= $2), x'') AND first_key < $3 ORDER BY first_key LIMIT $4`
	for after, more := st.low, true; more; {
		pages := 0
		err := st.h.s.read(ctx, func(c *Conn) error {
			return c.Query(query, []any{r.id, after, st.high, pagesStreamed}, func(row Row) error {
				pages++
				after = row.Bytes(0)
				return st.records(row.Raw(1))
			})
		})
		if err != nil {
			return err
		}
		more = pages == pagesStreamed
		query = `SELECT first_key, data FROM run_pages WHERE run_id = $1 AND first_key > $2 AND first_key < $3 ORDER BY first_key LIMIT $4`
	}
	return nil
}

// records streams those of a page.
func (st *stream) records(data []byte) (err error) {
	if len(data) == 0 || data[0] != pageCompressed {
		return errPage
	}
	if st.page, err = decompressor.DecodeAll(data[1:], st.page[:0]); err != nil {
		return errors.Join(errPage, err)
	}
	for rest := st.page; len(rest) > 0; {
		var r record
		if r, rest, err = nextRecord(rest, eventKeySize); err != nil {
			return err
		}
		switch {
		case bytes.Compare(r.key, st.low) < 0:
			continue
		case bytes.Compare(r.key, st.high) >= 0:
			return nil
		}
		if err := st.take(r); err != nil {
			return err
		}
	}
	return nil
}

// take gives a record on, if it is an event that counts and is wanted.
func (st *stream) take(r record) error {
	if !isEvent(r) || st.wanted != nil && !st.wanted(eventName(r)) || st.h.isBuried(r) {
		return nil
	}
	if err := readBehaviour(r, &st.event); err != nil {
		return err
	}
	return st.each(keyProfile(r.key), &st.event)
}
