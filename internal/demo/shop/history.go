package shop

import (
	"container/heap"
	"iter"
	"time"
)

// stream merges many lives into one sequence of events by time; at the same time the lower customer comes first.
type stream struct {
	limit time.Time
	lives []*life
	heads []*Event
}

func (s *Shop) newStream(limit time.Time) *stream {
	m := &stream{limit: limit}
	for n := range s.config.Customers {
		m.add(s.newLife(s.Customer(n)))
	}
	return m
}

// add takes in a life that has something to tell before the limit.
func (m *stream) add(l *life) {
	if head := l.head(m.limit); head != nil {
		heap.Push(m, entry{l, head})
	}
}

// next removes the earliest event; false at the end.
func (m *stream) next() (Event, bool) {
	if len(m.lives) == 0 {
		return Event{}, false
	}
	l := m.lives[0]
	e := l.take()
	if m.heads[0] = l.head(m.limit); m.heads[0] != nil {
		heap.Fix(m, 0)
	} else {
		heap.Pop(m)
	}
	return e, true
}

type entry struct {
	life *life
	head *Event
}

// Len, Less, Swap, Push and Pop make the heap of the lives by their next event.
func (m *stream) Len() int { return len(m.lives) }

func (m *stream) Less(i, j int) bool {
	a, b := m.heads[i], m.heads[j]
	if a.Timestamp.Equal(b.Timestamp) {
		return a.Customer.Number < b.Customer.Number
	}
	return a.Timestamp.Before(b.Timestamp)
}

func (m *stream) Swap(i, j int) {
	m.lives[i], m.lives[j] = m.lives[j], m.lives[i]
	m.heads[i], m.heads[j] = m.heads[j], m.heads[i]
}

func (m *stream) Push(x any) {
	e := x.(entry)
	m.lives, m.heads = append(m.lives, e.life), append(m.heads, e.head)
}

func (m *stream) Pop() any {
	last := len(m.lives) - 1
	e := entry{m.lives[last], m.heads[last]}
	m.lives, m.heads = m.lives[:last], m.heads[:last]
	return e
}

// History gives the events of the history in order of time. It holds a few events of each customer at a time, however
// long the history.
func (s *Shop) History() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for m := s.newStream(s.end); ; {
			e, ok := m.next()
			if !ok || !yield(e) {
				return
			}
		}
	}
}
