package chaos

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// books know what was sent, and what was acknowledged.
type books struct {
	crowd        *crowd
	sent         atomic.Int64 // events 0 to sent-1 of the crowd have been begun
	acknowledged atomic.Int64 // how many of all were
	answered     []atomic.Bool

	mu    sync.Mutex
	extra map[string]*entry // what does not have a number
}

type entry struct {
	happening
	answered bool
}

func newBooks(c *crowd) *books {
	return &books{crowd: c, answered: make([]atomic.Bool, c.events), extra: map[string]*entry{}}
}

// send notes what is about to be sent; of a numbered event its number says it all.
func (b *books) send(h happening) {
	if _, numbered := number(h.id); numbered {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.extra[h.id] == nil {
		b.extra[h.id] = &entry{happening: h}
	}
}

// acknowledge notes that an answer said that it is there.
func (b *books) acknowledge(h happening) {
	if n, numbered := number(h.id); numbered {
		if !b.answered[n].Swap(true) {
			b.acknowledged.Add(1)
		}
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.extra[h.id]; !e.answered {
		e.answered = true
		b.acknowledged.Add(1)
	}
}

// each gives everything that was sent, and whether it was acknowledged.
func (b *books) each(do func(h happening, acknowledged bool)) {
	for n := range int(b.sent.Load()) {
		do(b.crowd.event(n), b.answered[n].Load())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.extra {
		do(e.happening, e.answered)
	}
}

// number is that of an event of the crowd.
func number(id string) (n int, is bool) {
	digits, is := strings.CutPrefix(id, "m-")
	if !is {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(fmt.Sprintf("no event of ours is called %q", id))
	}
	return n, true
}
