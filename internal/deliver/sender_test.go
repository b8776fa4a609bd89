package deliver

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// memoryOutbox is an Outbox whose contract is plain to see. It announces every Finish.
type memoryOutbox struct {
	mu         sync.Mutex
	messages   map[int64]*memoryMessage
	claimed    map[int64]bool
	suppressed map[string]Reason
	finished   chan Outcome
}

type memoryMessage struct {
	job    Job
	status Status
	next   time.Time
}

func newMemoryOutbox(to ...string) *memoryOutbox {
	o := &memoryOutbox{messages: map[int64]*memoryMessage{}, claimed: map[int64]bool{}, suppressed: map[string]Reason{}, finished: make(chan Outcome, 1000)}
	for i, address := range to {
		id := int64(i + 1)
		o.messages[id] = &memoryMessage{job: Job{ID: id, PublicID: fmt.Sprint("m", id), To: address, Campaign: "spring"}, status: StatusQueued, next: start}
	}
	return o
}

func (o *memoryOutbox) Recover(context.Context) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, m := range o.messages {
		if m.status == StatusSending {
			m.status = StatusInDoubt
			n++
		}
	}
	return n, nil
}

func (o *memoryOutbox) Claim(_ context.Context, now time.Time, limit int) (jobs []Job, next time.Time, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, m := range o.messages {
		switch {
		case m.status != StatusQueued || o.claimed[id]:
		case m.next.After(now):
			if next.IsZero() || m.next.Before(next) {
				next = m.next
			}
		case len(jobs) < limit:
			o.claimed[id] = true
			jobs = append(jobs, m.job)
		}
	}
	return jobs, next, nil
}

func (o *memoryOutbox) MarkSending(_ context.Context, id int64, _ string) (Reason, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.suppressed[o.messages[id].job.To]; r != "" {
		return Suppressed, nil
	}
	o.messages[id].status = StatusSending
	return "", nil
}

func (o *memoryOutbox) Finish(_ context.Context, outcome Outcome) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.messages[outcome.ID]
	m.status, m.next = outcome.Status, outcome.Next
	m.job.Attempts++
	if m.job.FirstAttemptAt.IsZero() {
		m.job.FirstAttemptAt = outcome.At
	}
	delete(o.claimed, outcome.ID)
	if outcome.Suppress {
		o.suppressed[m.job.To] = Bounced
	}
	o.finished <- outcome
	return nil
}

var start = time.Date(2011, 12, 10, 9, 0, 0, 0, time.UTC)

type plainComposer struct{}

func (plainComposer) Compose(_ context.Context, job Job) (Letter, error) {
	if strings.HasPrefix(job.To, "unrenderable") {
		return Letter{}, fault.Field("body", "no such thing")
	}
	return Letter{Envelope: Envelope{From: "news@shop.example", To: job.To}, Subject: "x", Raw: []byte("To: <" + job.To + ">\r\nSubject: x\r\n\r\n" + job.To + "\r\n")}, nil
}

// testClock is a clock that a test sets.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *testClock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// startSender runs a sender until the test ends; stop waits for it.
func startSender(t *testing.T, s *Sender) (stop func()) {
	t.Helper()
	s.Composer, s.Log = plainComposer{}, slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func wait(t *testing.T, o *memoryOutbox, n int) map[int64]Outcome {
	t.Helper()
	outcomes := map[int64]Outcome{}
	for range n {
		select {
		case outcome := <-o.finished:
			outcomes[outcome.ID] = outcome
		case <-t.Context().Done():
			t.Fatal("no outcome")
		case <-time.After(20 * time.Second):
			t.Fatalf("%d outcomes of %d", len(outcomes), n)
		}
	}
	return outcomes
}

func TestSenderSettlesEveryMessage(t *testing.T) {
	server := startServer(t, &scriptedServer{
		rcpt: func(to string) error {
			switch {
			case strings.HasPrefix(to, "gone"):
				return reply(550, 5, 1, 1)
			case strings.HasPrefix(to, "later"):
				return reply(451, 4, 7, 1)
			}
			return nil
		},
		data: func(c *smtp.Conn, to, raw string) error {
			if !strings.Contains(raw, "\r\n"+to+"\r\n") {
				t.Errorf("%s got another's message: %s", to, raw)
			}
			if strings.HasPrefix(to, "lost") {
				return c.Close()
			}
			return nil
		},
	})
	outbox := newMemoryOutbox("gone@x.example", "later@x.example", "lost@x.example", "unrenderable@x.example", "barred@x.example", "pending@x.example")
	for i := range 100 {
		id := int64(1000 + i)
		outbox.messages[id] = &memoryMessage{job: Job{ID: id, To: fmt.Sprintf("p%d@x.example", i)}, status: StatusQueued, next: start}
	}
	outbox.messages[6].status = StatusSending // as a crash leaves it
	outbox.suppressed["barred@x.example"] = Complained
	clock := &testClock{now: start}
	sender := &Sender{Outbox: outbox, Transport: newRelay(t, server.url), Now: clock.Now}
	stop := startSender(t, sender)
	got := wait(t, outbox, 105)
	for id, want := range map[int64]Outcome{
		1: {Status: StatusBounced, Reason: Bounced, Suppress: true}, 2: {Status: StatusQueued, Next: start.Add(time.Minute)}, 3: {Status: StatusInDoubt},
		4: {Status: StatusSkipped, Reason: RenderFailed}, 5: {Status: StatusSkipped, Reason: Suppressed},
		1000: {Status: StatusSent}, 1099: {Status: StatusSent},
	} {
		o := got[id]
		if o.Status != want.Status || o.Reason != want.Reason || o.Suppress != want.Suppress || !o.Next.Equal(want.Next) || !o.At.Equal(start) {
			t.Errorf("message %d: %+v, want %+v", id, o, want)
		}
	}
	// The deferred one is tried again when its time has come, at doubling distances, and given up after a day.
	for wait1, attempt := time.Minute, 2; ; attempt++ {
		clock.Add(wait1)
		sender.Wake()
		o := wait(t, outbox, 1)[2]
		if o.Status == StatusFailed {
			if o.Reason != Expired || clock.Now().Sub(start) < 22*time.Hour {
				t.Errorf("given up after %s: %+v", clock.Now().Sub(start), o)
			}
			break
		}
		wait1 = o.Next.Sub(clock.Now())
		if want := min(time.Minute<<(attempt-1), 2*time.Hour); wait1 != want {
			t.Fatalf("attempt %d: next after %s, want %s", attempt, wait1, want)
		}
	}
	stop()
	if outbox.messages[6].status != StatusInDoubt {
		t.Errorf("the message that a crash left in sending is %s", outbox.messages[6].status)
	}
	slices.Sort(server.accepted)
	// The one in doubt did arrive, and only once: it was not sent again.
	if n := len(server.accepted); n != 101 || n != len(slices.Compact(server.accepted)) {
		t.Errorf("%d messages arrived", n)
	}
}

type memoryMailbox struct {
	mu   sync.Mutex
	fail error
	raw  map[string][]byte
}

func (m *memoryMailbox) Put(_ context.Context, _, to string, raw []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.raw[to] = append([]byte(nil), raw...)
	return nil
}

func TestSinkKeepsWhatItAccepts(t *testing.T) {
	mailbox := &memoryMailbox{raw: map[string][]byte{}}
	sink, err := OpenSink(t.Context(), mailbox, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	relay := newRelay(t, sink.URL())
	raw, err := Compose(testMessage())
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = testKey().Sign(raw); err != nil {
		t.Fatal(err)
	}
	proceed := func() error { return nil }
	if r := relay.Send(t.Context(), envelope, raw, proceed); r.Verdict != Accepted {
		t.Fatalf("%+v", r)
	}
	m, err := ReadMail(mailbox.raw[envelope.To], lookup(testKey()))
	if err != nil || m.DKIM != DKIMPass || m.Subject != testMessage().Subject {
		t.Errorf("stored: %v, dkim %s, subject %s", err, m.DKIM, m.Subject)
	}
	mailbox.fail = fault.New(fault.Unavailable, "the disk is full")
	if r := relay.Send(t.Context(), envelope, raw, proceed); r.Verdict != Deferred || r.Code != 451 {
		t.Errorf("with a full disk: %+v", r)
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
}

// TestSinkClosesAtAnyMoment closes before, while and after the server begins to serve; a hang ends by the test's limit.
func TestSinkClosesAtAnyMoment(t *testing.T) {
	for range 100 {
		sink, err := OpenSink(t.Context(), &memoryMailbox{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := sink.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestWaitingIsNoAttempt finds a message that was made days ago, as in a paused campaign: a first refusal for now does
// not end it.
func TestWaitingIsNoAttempt(t *testing.T) {
	now := start.Add(72 * time.Hour)
	busy := Result{Verdict: Deferred, Text: "451 later"}
	if o := DefaultRetry.outcome(Job{}, busy, now); o.Status != StatusQueued || !o.Next.Equal(now.Add(time.Minute)) {
		t.Errorf("first attempt: %+v", o)
	}
	if o := DefaultRetry.outcome(Job{Attempts: 20, FirstAttemptAt: now.Add(-23 * time.Hour)}, busy, now); o.Status != StatusFailed || o.Reason != Expired {
		t.Errorf("after a day: %+v", o)
	}
}

// unreachableOutbox cannot be reached for a while when outcomes are to be recorded.
type unreachableOutbox struct {
	*memoryOutbox
	failures int
}

func (o *unreachableOutbox) Finish(ctx context.Context, outcome Outcome) error {
	if o.failures--; o.failures >= 0 {
		return fault.New(fault.Unavailable, "the database cannot be reached")
	}
	return o.memoryOutbox.Finish(ctx, outcome)
}

// While the process lives nobody else settles what it sent: it must not give up, however long the outage is.
func TestAnOutcomeIsKeptThroughALongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := &unreachableOutbox{newMemoryOutbox("ann@x.example"), 20 * finishAttempts}
		server := &crashingTransport{arrived: map[string]int{}, verdict: func() Verdict { return Accepted }, die: func(string) {}}
		s := &Sender{Outbox: outbox, Composer: plainComposer{}, Transport: server, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		s.prepare()
		jobs, _, err := outbox.Claim(t.Context(), start, 1)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		s.deliver(t.Context(), jobs[0])
		if status := outbox.messages[jobs[0].ID].status; status != StatusSent || server.arrived["ann@x.example"] != 1 {
			t.Errorf("%s, arrived %v", status, server.arrived)
		}
	})
}
