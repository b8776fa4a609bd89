package expr

import (
	"iter"
	"slices"
	"sort"
)

// chunkSize is how many entries a chunk of a timeline is split at; half of it is what a late entry moves at most.
const chunkSize = 512

// timeline is a list of entries by time. Adding at the end and removing at either end take constant time, adding in the
// middle moves a part of one chunk. The zero value is empty and ready.
type timeline struct {
	chunks []chunk
	n      int
}

// chunk is a stretch of a timeline: times, and what else the entries have, which is nothing where only times matter.
type chunk struct {
	at   []int64
	rest []detail
}

// detail is what an entry has besides its time.
type detail struct {
	tie   uint64
	value kept
}

func (c *chunk) entry(i int) Entry {
	e := Entry{At: c.at[i]}
	if c.rest != nil {
		e.Tie, e.Value = c.rest[i].tie, c.rest[i].value
	}
	return e
}

// slice is the stretch from i up to j, without room to grow into what follows.
func (c *chunk) slice(i, j int) chunk {
	part := chunk{at: c.at[i:j:j]}
	if c.rest != nil {
		part.rest = c.rest[i:j:j]
	}
	return part
}

func (t *timeline) len() int { return t.n }

func (t *timeline) first() Entry { return t.chunks[0].entry(0) }

func (t *timeline) last() Entry {
	c := &t.chunks[len(t.chunks)-1]
	return c.entry(len(c.at) - 1)
}

// add puts an entry in its place, after those of the same time and tie. A bare timeline keeps nothing but times.
func (t *timeline) add(e Entry, bare bool) {
	t.n++
	i, j := t.place(e)
	if len(t.chunks) == 0 {
		t.chunks = append(t.chunks, chunk{})
	}
	c := &t.chunks[i]
	if len(c.at) >= chunkSize {
		i, j = t.split(i, j)
		c = &t.chunks[i]
	}
	if j == len(c.at) {
		c.at = append(c.at, e.At)
		if !bare {
			c.rest = append(c.rest, detail{e.Tie, e.Value})
		}
		return
	}
	c.at = slices.Insert(c.at, j, e.At)
	if !bare {
		c.rest = slices.Insert(c.rest, j, detail{e.Tie, e.Value})
	}
}

// split makes room for an entry at position j of the full chunk i: in a new chunk at the end of the timeline, else by
// halving the chunk.
func (t *timeline) split(i, j int) (chunkIndex, position int) {
	c := t.chunks[i]
	if i == len(t.chunks)-1 && j == len(c.at) {
		t.chunks = append(t.chunks, chunk{})
		return i + 1, 0
	}
	half := len(c.at) / 2
	front, back := c.slice(0, half), c.slice(half, len(c.at))
	t.chunks[i] = front
	t.chunks = slices.Insert(t.chunks, i+1, back)
	if j < half {
		return i, j
	}
	return i + 1, j - half
}

// place finds where an entry belongs: the chunk, and the position in it of the first entry that is after e.
func (t *timeline) place(e Entry) (chunkIndex, position int) {
	i := len(t.chunks) - 1
	if i < 0 {
		return 0, 0
	}
	if i > 0 && e.before(t.chunks[i].entry(0)) {
		// The last chunk that does not begin after e.
		i = max(sort.Search(len(t.chunks), func(i int) bool { return e.before(t.chunks[i].entry(0)) })-1, 0)
	}
	c := &t.chunks[i]
	if n := len(c.at); n == 0 || !e.before(c.entry(n-1)) {
		return i, n
	}
	return i, sort.Search(len(c.at), func(j int) bool { return e.before(c.entry(j)) })
}

// next is where the entry at or after a place is, if there is one.
func (t *timeline) next(i, j int) (chunkIndex, position int, ok bool) {
	if i < len(t.chunks) && j == len(t.chunks[i].at) {
		i, j = i+1, 0
	}
	return i, j, i < len(t.chunks)
}

// previous is where the entry before a place is, if there is one.
func (t *timeline) previous(i, j int) (chunkIndex, position int, ok bool) {
	if j > 0 {
		return i, j - 1, true
	}
	if i == 0 {
		return 0, 0, false
	}
	return i - 1, len(t.chunks[i-1].at) - 1, true
}

func (t *timeline) dropFirst() {
	c := &t.chunks[0]
	c.at = c.at[1:]
	if c.rest != nil {
		c.rest[0] = detail{} // let go of its text
		c.rest = c.rest[1:]
	}
	t.dropped(0)
}

func (t *timeline) remove(i, j int) {
	c := &t.chunks[i]
	c.at = slices.Delete(c.at, j, j+1)
	if c.rest != nil {
		c.rest = slices.Delete(c.rest, j, j+1)
	}
	t.dropped(i)
}

// dropped counts an entry of chunk i as gone, and forgets the chunk with its last entry.
func (t *timeline) dropped(i int) {
	t.n--
	switch {
	case len(t.chunks[i].at) > 0:
	case t.n == 0:
		*t = timeline{}
	case i == 0:
		t.chunks[0] = chunk{}
		t.chunks = t.chunks[1:]
	default:
		t.chunks = slices.Delete(t.chunks, i, i+1)
	}
}

// at gives the i-th entry, oldest first.
func (t *timeline) at(i int) Entry {
	if fromEnd := t.n - i; fromEnd < i {
		for k := len(t.chunks) - 1; ; k-- {
			c := &t.chunks[k]
			if fromEnd <= len(c.at) {
				return c.entry(len(c.at) - fromEnd)
			}
			fromEnd -= len(c.at)
		}
	}
	for k := 0; ; k++ {
		c := &t.chunks[k]
		if i < len(c.at) {
			return c.entry(i)
		}
		i -= len(c.at)
	}
}

// all goes through the entries, oldest first.
func (t *timeline) all() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := range t.chunks {
			c := &t.chunks[i]
			for j := range c.at {
				if !yield(c.entry(j)) {
					return
				}
			}
		}
	}
}
