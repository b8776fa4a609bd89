package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
)

// pagesStreamed is how many pages a stream reads in one transaction.
const pagesStreamed = 16

// stream reads run after run and merges nothing.
func (h *blockSnapshot) stream(ctx context.Context, from, to int64, each func(record) error) error {
	st := &stream{h: h, low: profileKey(from), high: profileKey(to), each: each}
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

// stream is a snapshot's stream on its way.
type stream struct {
	h         *blockSnapshot
	low, high []byte
	each      func(record) error
	page      []byte // decompressed, used again for the next
}

// run streams what a run holds.
func (st *stream) run(ctx context.Context, r *run) error {
	query := `SELECT first_key, data FROM run_pages WHERE run_id = $1 AND first_key >= coalesce(
		(SELECT max(first_key) FROM run_pages WHERE run_id = $1 AND first_key <= $2), x'') AND first_key < $3 ORDER BY first_key LIMIT $4`
	for after, more := st.low, true; more; {
		pages := 0
		err := st.h.log.db.view(ctx, anyone, func(c *Conn) error {
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

// take gives a record on, if it counts.
func (st *stream) take(r record) error {
	if st.h.isBuried(r) {
		return nil
	}
	return st.each(r)
}
