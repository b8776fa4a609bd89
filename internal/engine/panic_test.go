package engine_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/store"
)

// heldUp is a store in which the event a waits to be looked up, and the first commit to be made.
type heldUp struct {
	*store.Store
	lookUp, commit chan struct{}
	first          sync.Once
}

func (h *heldUp) Known(ctx context.Context, ids []string) ([]bool, error) {
	if ids[0] == "a" {
		<-h.lookUp
	}
	return h.Store.Known(ctx, ids)
}

func (h *heldUp) Prepare(b *engine.Batch) (commit engine.Commit, err error) {
	commit, err = h.Store.Prepare(b)
	if len(b.Events) > 0 {
		h.first.Do(func() { commit = lateCommit{commit, h.commit} })
	}
	return commit, err
}

type lateCommit struct {
	engine.Commit
	when chan struct{}
}

func (l lateCommit) Run(ctx context.Context) error {
	<-l.when
	return l.Commit.Run(ctx)
}

// An event that our defect makes panic is refused alone, also where it comes while the group before is being committed: nothing of
// it may become durable, and its neighbours count once.
func TestAnEventThatPanicsIsRefusedAlone(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	held := &heldUp{Store: s, lookUp: make(chan struct{}), commit: make(chan struct{})}
	panicked := sync.OnceFunc(func() { close(held.commit) })
	e := engine.New(engine.Config{
		Store: held, Rules: s, Policy: identity.DefaultPolicy(), Clock: time.Now, SaveAt: 1 << 30,
		MessageID: func(string) (int64, bool) { panicked(); panic("a defect") },
	})
	if err := e.Start(t.Context(), compile(t, nil, map[string]string{"n": `events("B").count()`})); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.WaitFilled(t.Context()); err != nil { // what fills waits for commits, too
		t.Fatal(err)
	}
	tracked := func(id, name string) *event.Event {
		return decoded(t, time.Now(), map[string]any{"type": "track", "event": name, "messageId": id, "userId": "u"})
	}
	poison := tracked("c", event.NameEmailOpened)
	poison.ProfileID = 1
	answers := make([]error, 3)
	var senders sync.WaitGroup
	for i, ev := range []*event.Event{tracked("a", "A"), tracked("b", "B"), poison} {
		senders.Go(func() { answers[i] = e.Ingest(t.Context(), []*event.Event{ev}) })
		for e.Status().Waiting != i+1 { // b and c wait together while a is looked up
			runtime.Gosched()
		}
	}
	close(held.lookUp)
	senders.Wait()
	if answers[0] != nil || answers[1] != nil || fault.CodeOf(answers[2]) != fault.Internal {
		t.Errorf("answered %v", answers)
	}
	if err := e.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.EventCount(t.Context()); err != nil || n != 2 {
		t.Errorf("%d events: %v", n, err)
	}
	if p, err := s.Profile(t.Context(), 1); err != nil || p.Computed.Get("n") != 1.0 {
		t.Errorf("B is counted %v times: %v", p.Computed.Get("n"), err)
	}
}
