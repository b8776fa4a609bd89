package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Letter is a message ready for the wire.
type Letter struct {
	Envelope Envelope
	Subject  string
	Raw      []byte
}

// Composer writes the letter of a job. An Invalid error means that this message can never be written; any other, that
// it may be later.
type Composer interface {
	Compose(ctx context.Context, job Job) (Letter, error)
}

// Sender works through an outbox with a few workers.
type Sender struct {
	Outbox    Outbox
	Composer  Composer
	Transport Transport
	// Settled, where set, is called after outcomes were recorded: the outbox may have something to tell.
	Settled func()
	Workers int   // 0: 4
	Retry   Retry // zero: DefaultRetry
	Now     func() time.Time
	Log     *slog.Logger

	once sync.Once
	wake chan struct{}
}

const (
	defaultWorkers = 4
	longestNap     = 2 * time.Second // after it, what other processes queued or left behind is noticed
	outboxPatience = time.Second     // between attempts when the outbox fails
	finishAttempts = 5
)

func (s *Sender) prepare() {
	s.once.Do(func() {
		s.wake = make(chan struct{}, 1)
		if s.Workers <= 0 {
			s.Workers = defaultWorkers
		}
		if s.Retry == (Retry{}) {
			s.Retry = DefaultRetry
		}
	})
}

// Wake says that the outbox has new messages. It never blocks.
func (s *Sender) Wake() {
	s.prepare()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends, and returns after the messages under way are finished. It settles what crashes left behind,
// first of all and from time to time. It is called once.
func (s *Sender) Run(ctx context.Context) error {
	s.prepare()
	if err := s.recover(ctx); err != nil {
		return err
	}
	jobs := make(chan Job)
	var workers sync.WaitGroup
	for range s.Workers {
		workers.Go(func() {
			for job := range jobs {
				s.deliver(context.WithoutCancel(ctx), job)
			}
		})
	}
	recovered := time.Now()
	for ctx.Err() == nil {
		if time.Since(recovered) > longestNap {
			if err := s.recover(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("what a process that ended left in the outbox cannot be settled now", "error", err)
			}
			recovered = time.Now()
		}
		s.round(ctx, jobs)
	}
	close(jobs)
	workers.Wait()
	return nil
}

// recover settles what processes left behind that ended in the middle of sending.
func (s *Sender) recover(ctx context.Context) error {
	doubtful, err := s.Outbox.Recover(ctx)
	if err != nil {
		return err
	}
	if doubtful > 0 {
		s.Log.Warn("messages were being handed to the mail server when a process ended; they are not sent again", "count", doubtful)
	}
	if s.Settled != nil {
		s.Settled()
	}
	return nil
}

// round hands out what is due, or sleeps until something is.
func (s *Sender) round(ctx context.Context, jobs chan<- Job) {
	due, next, err := s.Outbox.Claim(ctx, s.Now(), 2*s.Workers)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("the outbox cannot be read", "error", err)
			s.nap(ctx, outboxPatience)
		}
		return
	}
	for _, job := range due {
		select {
		case jobs <- job:
		case <-ctx.Done():
			return
		}
	}
	if len(due) > 0 {
		return
	}
	pause := longestNap
	if !next.IsZero() {
		pause = min(pause, next.Sub(s.Now()))
	}
	s.nap(ctx, pause)
}

func (s *Sender) nap(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(max(pause, time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.wake:
	case <-timer.C:
	}
}

// deliver takes one job to its outcome.
func (s *Sender) deliver(ctx context.Context, job Job) {
	outcome := s.attempt(ctx, job)
	for try := 1; ; try++ {
		err := s.Outbox.Finish(ctx, outcome)
		if err == nil {
			if s.Settled != nil {
				s.Settled()
			}
			break
		}
		s.Log.Error("what became of a message cannot be recorded", "message", job.PublicID, "status", outcome.Status, "error", err)
		// The outcome is known and must be kept: nobody else would settle it while this process lives.
		if try >= finishAttempts && (ctx.Err() != nil || fault.CodeOf(err) != fault.Unavailable) {
			break
		}
		<-time.After(outboxPatience) // not cut short by the end of ctx
	}
	if outcome.Status == StatusQueued {
		s.Wake()
	}
}

func (s *Sender) attempt(ctx context.Context, job Job) Outcome {
	letter, err := s.Composer.Compose(ctx, job)
	switch {
	case fault.CodeOf(err) == fault.Invalid:
		return s.skip(job, RenderFailed, err.Error())
	case err != nil:
		return s.later(job, err)
	}
	var forbidden Reason
	result := s.Transport.Send(ctx, letter.Envelope, letter.Raw, func() error {
		reason, err := s.Outbox.MarkSending(ctx, job.ID, letter.Subject)
		if err == nil && reason != "" {
			forbidden = reason
			err = fault.New(fault.Forbidden, "the address is suppressed: %s", reason)
		}
		return err
	})
	if forbidden != "" {
		return s.skip(job, forbidden, "")
	}
	return s.Retry.outcome(job, result, s.Now())
}

func (s *Sender) skip(job Job, reason Reason, detail string) Outcome {
	return Outcome{ID: job.ID, Status: StatusSkipped, Reason: reason, Detail: detail, At: s.Now()}
}

func (s *Sender) later(job Job, err error) Outcome {
	s.Log.Warn("a message cannot be written now", "message", job.PublicID, "error", err)
	return s.Retry.outcome(job, Result{Verdict: Deferred, Text: err.Error()}, s.Now())
}
