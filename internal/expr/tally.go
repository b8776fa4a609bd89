package expr

import (
	"container/heap"
	"maps"
	"slices"
)

// tally counts values by their key (see countable) and knows the most frequent one.
type tally struct {
	counts map[string]int64
	top    ranking // nil until the most frequent is asked for; holds each key with its count, and stale ones
}

func (t *tally) add(key string, n int64) {
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	count := t.counts[key] + n
	if count == 0 {
		delete(t.counts, key)
		return
	}
	t.counts[key] = count
	switch {
	case t.top == nil:
	case len(t.top) > 2*len(t.counts)+64:
		t.top = nil // mostly stale: made anew when it is asked for
	default:
		heap.Push(&t.top, ranked{count, key})
	}
}

// most is the key with the highest count, the smallest of several; "" where there is none.
func (t *tally) most() string {
	if len(t.counts) == 0 {
		return ""
	}
	if t.top == nil {
		t.top = make(ranking, 0, len(t.counts)+1)
		for key, n := range t.counts {
			t.top = append(t.top, ranked{n, key})
		}
		heap.Init(&t.top)
	}
	for t.counts[t.top[0].key] != t.top[0].n {
		heap.Pop(&t.top)
	}
	return t.top[0].key
}

func (t *tally) keys() []string { return slices.Sorted(maps.Keys(t.counts)) }

// ranked is a key with a count that it had.
type ranked struct {
	n   int64
	key string
}

// ranking is a heap with the highest count first, and the smallest key among equal counts.
type ranking []ranked

func (r ranking) Len() int { return len(r) }
func (r ranking) Less(i, j int) bool {
	return r[i].n > r[j].n || r[i].n == r[j].n && r[i].key < r[j].key
}
func (r ranking) Swap(i, j int) { r[i], r[j] = r[j], r[i] }
func (r *ranking) Push(x any)   { *r = append(*r, x.(ranked)) }
func (r *ranking) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	(*r)[last] = ranked{}
	*r = (*r)[:last]
	return x
}
