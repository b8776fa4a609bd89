package sim

import (
	"sync"
	"time"
)

// epoch is when the histories begin.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is the machine's: it runs with the bubble's time, and can be set forward and back.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
	latest time.Time // that the engine was told since the last boot
}

func newClock() *clock { return &clock{offset: time.Until(epoch)} }

// now is what the clock shows.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset).UTC().Truncate(time.Microsecond)
}

// tell is now for the engine.
func (c *clock) tell() time.Time {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.After(c.latest) {
		c.latest = now
	}
	return now
}

func (c *clock) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// replayed notes that a new process lived through a moment of the last one again.
func (c *clock) replayed(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.latest) {
		c.latest = at
	}
}

// reboot forgets the latest time: a new process knows only what the clock says now.
func (c *clock) reboot() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = time.Time{}
}

// lived is the time that the engine lives in, which never goes back while it runs.
func (c *clock) lived() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest
}

// pass lets the bubble's time pass, in which everything happens that is due.
func pass(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // it is nobody's but the bubble's
