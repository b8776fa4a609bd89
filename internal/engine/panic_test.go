package engine_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/store"
)

// heldUp is a store in which the first commit of events waits.
type heldUp struct {
	*store.Store
	until chan struct{}
	first sync.Once
}

func (h *heldUp) Prepare(b *engine.Batch) (commit engine.Commit, err error) {
	commit, err = h.Store.Prepare(b)
	if len(b.Events) > 0 {
		h.first.Do(func() { commit = lateCommit{commit, h.until} })
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
	held := &heldUp{Store: s, until: make(chan struct{})}
	panicked := sync.OnceFunc(func() { close(held.until) })
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
	answers := e.IngestTogether(t.Context(), tracked("a", "A"), tracked("b", "B"), poison)
	if len(answers) != 2 || answers[0] != nil || fault.CodeOf(answers[1]) != fault.Internal {
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

// Of a profile that cannot be packed nothing is lost: what was put off is put off still, however often it is tried, and no less is had
// of what is damaged.
func TestAProfileThatCannotBePackedStaysAsItWas(t *testing.T) {
	f := &fixture{t: t, clock: epoch}
	var err error
	if f.store, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	f.Engine = engine.New(engine.Config{
		Store: f.store, Rules: f.store, Policy: identity.DefaultPolicy(), Clock: f.now, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err := f.Start(t.Context(), compile(t, nil, map[string]string{"kinds": `events("B").distinct(e, e.properties.kind)`})); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	f.send(f.now(), map[string]any{"type": "track", "event": "B", "userId": "u", "properties": map[string]any{"kind": "k"}})
	f.settle()
	before, after, free, err := f.PackDamaged(t.Context(), 1)
	if err != nil || before != 1 || after != 1 || !free {
		t.Errorf("%d rules of %d are put off still, and she can be had: %v; %v", after, before, free, err)
	}
	if n := strings.Count(log.String(), "packing a profile panicked"); n != 2 {
		t.Errorf("told %d times:\n%s", n, log.String())
	}
}
