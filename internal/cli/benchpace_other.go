//go:build !linux

package cli

import "time"

// pacemaker wakes its user at even intervals.
type pacemaker struct{ ticker *time.Ticker }

func newPacemaker(every time.Duration) (*pacemaker, error) {
	return &pacemaker{time.NewTicker(every)}, nil
}

// wait returns at the end of an interval, or at once where one has ended since it was last called.
func (p *pacemaker) wait() error { <-p.ticker.C; return nil }

func (p *pacemaker) stop() { p.ticker.Stop() }
