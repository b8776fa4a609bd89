package deliver

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// crash is what the simulated process dies of.
type crash struct{}

// crashingOutbox and crashingTransport die before or after any of their steps.
type crashingOutbox struct {
	*memoryOutbox
	die func(where string)
}

func (o crashingOutbox) MarkSending(ctx context.Context, id int64, subject string) (Reason, error) {
	o.die("before marking")
	reason, err := o.memoryOutbox.MarkSending(ctx, id, subject)
	o.die("after marking")
	return reason, err
}

func (o crashingOutbox) Finish(ctx context.Context, outcome Outcome) error {
	o.die("before finishing")
	err := o.memoryOutbox.Finish(ctx, outcome)
	<-o.finished
	o.die("after finishing")
	return err
}

type crashingTransport struct {
	arrived map[string]int
	verdict func() Verdict
	die     func(where string)
}

func (c *crashingTransport) Send(_ context.Context, envelope Envelope, _ []byte, beforeDot func() error) Result {
	c.die("before the dot")
	verdict := c.verdict()
	if verdict == Deferred {
		return Result{Verdict: Deferred}
	}
	if err := beforeDot(); err != nil {
		return Result{Verdict: Withheld, Cause: err}
	}
	c.arrived[envelope.To]++
	c.die("after the dot")
	return Result{Verdict: verdict}
}

func (c *crashingTransport) Close() error { return nil }

// TestAtMostOnceThroughAnyCrash kills the sender at random steps until all messages are settled. Nobody may get a
// message twice; who got none must be in doubt; and only a crash between mark and outcome leaves doubt.
func TestAtMostOnceThroughAnyCrash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var to []string
		for i := range rapid.IntRange(1, 8).Draw(t, "messages") {
			to = append(to, fmt.Sprintf("p%d@x.example", i))
		}
		memory := newMemoryOutbox(to...)
		clock := &testClock{now: start}
		doubt := 0
		die := func(where string) {
			if rapid.IntRange(0, 7).Draw(t, where) == 0 {
				if where == "after marking" || where == "after the dot" || where == "before finishing" {
					doubt++ // at most: before finishing a message that was deferred leaves none
				}
				panic(crash{})
			}
		}
		transport := &crashingTransport{arrived: map[string]int{}, die: die, verdict: func() Verdict {
			return rapid.SampledFrom([]Verdict{Accepted, Accepted, Deferred}).Draw(t, "verdict")
		}}
		settled := func() bool {
			for _, m := range memory.messages {
				if m.status == StatusQueued || m.status == StatusSending {
					return false
				}
			}
			return true
		}
		for !settled() {
			memory.claimed = map[int64]bool{} // a new process
			func() {
				defer func() {
					if p := recover(); p != nil && p != (crash{}) {
						panic(p)
					}
				}()
				s := &Sender{
					Outbox: crashingOutbox{memory, die}, Composer: plainComposer{}, Transport: transport, Now: clock.Now,
					Retry: Retry{First: time.Minute, Most: time.Minute, GiveUp: 1000 * time.Hour}, Log: slog.New(slog.DiscardHandler),
				}
				s.prepare()
				if _, err := memory.Recover(context.Background()); err != nil {
					t.Fatal(err)
				}
				for {
					jobs, _, _ := memory.Claim(context.Background(), clock.Now(), 3)
					if len(jobs) == 0 {
						return
					}
					for _, job := range jobs {
						s.deliver(context.Background(), job)
					}
				}
			}()
			clock.Add(time.Minute)
		}
		doubtful := 0
		for _, m := range memory.messages {
			n := transport.arrived[m.job.To]
			switch {
			case m.status == StatusInDoubt:
				doubtful++
				if n > 1 {
					t.Fatalf("%s in doubt got %d", m.job.To, n)
				}
			case m.status != StatusSent || n != 1:
				t.Fatalf("%s is %s and got %d", m.job.To, m.status, n)
			}
		}
		if doubtful > doubt {
			t.Fatalf("%d in doubt after %d crashes that can leave doubt", doubtful, doubt)
		}
	})
}
