package store

import (
	"bytes"
	"context"
	"slices"
)

// pagesStreamed is how many pages a stream reads in one transaction.
const pagesStreamed = 32

// stream reads run after run and merges nothing: the newest run first, and each from its end.
func (h *blockSnapshot) stream(ctx context.Context, from, to int64, each func(record) error) error {
	st := &stream{h: h, low: profileKey(from), high: profileKey(to), each: each}
	if err := st.backward(h.tail); err != nil {
		return err
	}
	for _, r := range slices.Backward(h.runs) {
		if r.kind != eventRuns {
			continue
		}
		if err := st.run(ctx, r); err != nil {
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
	page      []byte   // decompressed, used again for the next
	records   []record // of the page; likewise
}

// run streams what a run holds.
func (st *stream) run(ctx context.Context, r *run) error {
	for before, more := st.high, true; more; {
		pages := 0
		err := st.h.log.db.view(ctx, anyone, func(c *Conn) error {
			return c.Query(`SELECT first_key, data FROM run_pages WHERE run_id = $1 AND first_key < $2 AND first_key >= coalesce(
				(SELECT max(first_key) FROM run_pages WHERE run_id = $1 AND first_key <= $3), x'') ORDER BY first_key DESC LIMIT $4`,
				[]any{r.id, before, st.low, pagesStreamed}, func(row Row) error {
					pages++
					before = row.Bytes(0)
					return st.onPage(row.Raw(1))
				})
		})
		if err != nil {
			return err
		}
		more = pages == pagesStreamed
	}
	return nil
}

// onPage streams the records of a page.
func (st *stream) onPage(data []byte) (err error) {
	if st.records, st.page, err = appendPage(st.records[:0], st.page[:0], data, eventKeySize); err != nil {
		return err
	}
	return st.backward(st.records)
}

// backward streams those of sorted records that are asked for and count, from their end.
func (st *stream) backward(records []record) error {
	end, _ := slices.BinarySearchFunc(records, st.high, func(r record, key []byte) int { return bytes.Compare(r.key, key) })
	for _, r := range slices.Backward(records[:end]) {
		if bytes.Compare(r.key, st.low) < 0 {
			return nil
		}
		if st.h.isBuried(r) {
			continue
		}
		if err := st.each(r); err != nil {
			return err
		}
	}
	return nil
}
