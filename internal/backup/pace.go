package backup

import (
	"context"
	"time"
)

// Pace keeps work in the background from more than half of the disk and of a processor: after each piece it rests for as
// long as the piece took.
type Pace struct{ began time.Time }

// NewPace begins the first piece.
func NewPace() *Pace { return &Pace{time.Now()} }

// Rest ends a piece of work, and begins the next one when it returns. It fails only when ctx ends.
func (p *Pace) Rest(ctx context.Context) error {
	t := time.NewTimer(time.Since(p.began))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	}
	p.began = time.Now()
	return nil
}

// piece is how many bytes are written between two rests, and brought to the disk before each: what waits in the system's
// cache would be written all at once in the end, while others wait for their commits.
const piece = 16 << 20
