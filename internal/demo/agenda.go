package demo

import (
	"container/heap"
	"context"
	"time"
)

// errand is something to be done at a time.
type errand struct {
	at time.Time
	do func(context.Context) error
}

// agenda holds the errands to come. The zero value is empty.
type agenda struct{ waiting errands }

func (a *agenda) add(at time.Time, do func(context.Context) error) {
	heap.Push(&a.waiting, errand{at, do})
}

// next removes the earliest errand that is due; false where none is.
func (a *agenda) next(now time.Time) (errand, bool) {
	if len(a.waiting) == 0 || a.waiting[0].at.After(now) {
		return errand{}, false
	}
	return heap.Pop(&a.waiting).(errand), true
}

// errands are a heap by time.
type errands []errand

func (e errands) Len() int           { return len(e) }
func (e errands) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e errands) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *errands) Push(x any)        { *e = append(*e, x.(errand)) }

func (e *errands) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
