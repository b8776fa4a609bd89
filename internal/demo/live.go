package demo

import (
	"context"
	"net/http"
	"time"

	"github.com/tailorbird/tailorbird/internal/demo/shop"
)

// How the live shop goes about its work, in the time of this machine.
const (
	tick          = 500 * time.Millisecond
	mailboxEvery  = 2 * time.Second
	maxLiveBatch  = 300 << 10
	maxDueAtOnce  = 2000 // events of one tick; more wait for the next
	visitSqueeze  = 60   // a visit after a click takes a second for each minute
	reactionSpeed = 1200 // three seconds for each hour that a customer lets a mail lie
)

// street is the live shop: what happens of itself, and what mail makes happen.
type street struct {
	*driver
	shop     *shop.Live
	post     *mailbox
	begun    time.Time // on the server's clock
	from     time.Time // on the shop's
	pace     float64
	upcoming *shop.Event
	todo     agenda
	reading  *http.Client // of mail programs: without keys, and it shows redirects
}

// live keeps the shop going until the context ends.
func (d *driver) live(ctx context.Context) {
	begun := d.Now().UTC()
	from := begun
	if from.Before(d.shop.End()) {
		from = d.shop.End()
	}
	s := &street{
		driver: d, shop: d.shop.Live(from, d.runName(begun)), post: newMailbox(d.api, begun),
		begun: begun, from: from, pace: d.pace(), reading: mailProgram(d.HTTP),
	}
	d.Log.Info("the shop is open", "speed", s.pace)
	clock := time.NewTicker(tick)
	defer clock.Stop()
	looked := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-clock.C:
			s.step(ctx, "live activity", s.happen)
			if now.Sub(looked) >= mailboxEvery {
				looked = now
				s.step(ctx, "reading the mailbox", s.readMail)
			}
			s.step(ctx, "answering mail", s.act)
		}
	}
}

// step does one thing, and reports where it fails: the shop goes on.
func (s *street) step(ctx context.Context, what string, do func(context.Context) error) {
	if err := do(ctx); err != nil && ctx.Err() == nil {
		s.Log.Warn(what+" failed", "error", err)
	}
}

// happen sends what is due of the shop's own life, stamped with the server's time.
func (s *street) happen(ctx context.Context) error {
	now := s.Now().UTC()
	due := s.from.Add(time.Duration(float64(now.Sub(s.begun)) * s.pace))
	var b batch
	for range maxDueAtOnce {
		if s.upcoming == nil {
			e, ok := s.shop.Next()
			if !ok {
				break
			}
			s.upcoming = &e
		}
		if s.upcoming.Timestamp.After(due) {
			break
		}
		e := *s.upcoming
		e.Timestamp = s.begun.Add(time.Duration(float64(e.Timestamp.Sub(s.from)) / s.pace)).Truncate(time.Millisecond)
		event, err := encode(&e)
		if err != nil {
			return err
		}
		if !b.fits(event, maxLiveBatch) {
			break // the rest is due at the next tick
		}
		b.add(event)
		s.upcoming = nil
	}
	return s.sendBatch(ctx, &b)
}

func (s *street) sendBatch(ctx context.Context, b *batch) error {
	if b.empty() {
		return nil
	}
	return s.api.Track(ctx, b.take())
}
