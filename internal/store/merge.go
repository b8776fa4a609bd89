package store

import (
	"bytes"
	"cmp"
	"context"
)

// merge gives the records of several sorted sources in order, those of one key in that of the sources, up to but without the
// key to (nil: all). One is valid during the call.
func merge(ctx context.Context, cursors []*cursor, to []byte, each func(record) error) error {
	m := merger{cursors: cursors}
	for i, c := range cursors {
		r, err := c.peek(ctx)
		if err != nil {
			return err
		}
		if r != nil {
			m.heap = append(m.heap, front{headOf(r.key), i})
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	for len(m.heap) > 0 {
		c := cursors[m.heap[0].cursor]
		if to != nil && bytes.Compare(c.records[0].key, to) >= 0 {
			return nil
		}
		if err := each(c.records[0]); err != nil {
			return err
		}
		c.pop()
		r, err := c.peek(ctx)
		if err != nil {
			return err
		}
		if r != nil {
			m.heap[0].head = headOf(r.key)
		} else {
			last := len(m.heap) - 1
			m.heap[0], m.heap = m.heap[last], m.heap[:last]
		}
		m.sink(0)
	}
	return nil
}

// merger holds the cursors that are being merged as a heap, the one with the least record first.
type merger struct {
	cursors []*cursor
	heap    []front
}

// front is the next record of a cursor, by its number.
type front struct {
	head
	cursor int
}

func (m *merger) before(a, b front) bool {
	c := a.compare(b.head)
	if c == 0 {
		c = cmp.Or(bytes.Compare(m.cursors[a.cursor].records[0].key, m.cursors[b.cursor].records[0].key), cmp.Compare(a.cursor, b.cursor))
	}
	return c < 0
}

// sink puts what stands at a place where it belongs among those below, which are a heap.
func (m *merger) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.heap); child++ {
			if m.before(m.heap[child], m.heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}
