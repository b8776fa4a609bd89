package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/report"
	"github.com/tailorbird/tailorbird/internal/server"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

const (
	adminKey = "test-management-key"
	writeKey = "test-write-key-of-the-server"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// site is a server over a real store, whose engine only remembers what came through the door.
type site struct {
	http.Handler
	store  *store.Store
	guard  *access.Guard
	tokens *deliver.Tokens
	inbox  *inbox
	now    time.Time
}

// inbox remembers events.
type inbox struct {
	mu     sync.Mutex
	events []*event.Event
	fail   error
}

func (in *inbox) Ingest(_ context.Context, events []*event.Event) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.fail == nil {
		in.events = append(in.events, events...)
	}
	return in.fail
}

func (in *inbox) take() []*event.Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	taken := in.events
	in.events = nil
	return taken
}

// Status, Pulse and Recent make the inbox a loop in the best of health.
func (in *inbox) Status(context.Context) (server.LoopStatus, error) { return in.Pulse(), nil }

func (in *inbox) Pulse() server.LoopStatus {
	return server.LoopStatus{QueueDepth: 3, QueueCapacity: 100, CommitMS: 2, Status: "ok"}
}

func (in *inbox) Recent(context.Context, int) ([]server.Happening, error) { return nil, nil }

// people knows one recipient, of the message with the internal id 7.
type people struct{}

func (people) Recipient(_ context.Context, message int64) (report.Recipient, error) {
	if message != 7 {
		return report.Recipient{}, fault.New(fault.NotFound, "there is no such message")
	}
	return report.Recipient{MessageID: "public-7", Campaign: "spring", Email: "ada@example.com", ProfileID: 3}, nil
}

func open(t testing.TB, edit ...func(*server.Config)) *site {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, t.TempDir(), store.OnPostgres(storetest.Database(t, t.TempDir())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &site{store: db, inbox: &inbox{}, now: start}
	clock := func() time.Time { return s.now }
	log := slog.New(slog.DiscardHandler)
	if s.guard, err = access.Open(ctx, db, clock, rand.Reader, log); err != nil {
		t.Fatal(err)
	}
	if _, err := s.guard.FirstStart(ctx, adminKey, writeKey); err != nil {
		t.Fatal(err)
	}
	if s.tokens, err = deliver.NewTokens(bytes.Repeat([]byte("k"), 32)); err != nil {
		t.Fatal(err)
	}
	ids := 0
	config := server.Config{
		Version: "test", PublicURL: "https://news.shop.example", Mail: "sink", Now: clock, Log: log,
		NewID:       func() string { ids++; return fmt.Sprint("made-", ids) },
		Guard:       s.guard,
		Definitions: definition.New(definition.Config{Store: db, Now: clock}),
		Ingest:      s.inbox, Loop: s.inbox, Recipients: people{}, Tokens: s.tokens, Suppressions: db, Profiles: nil,
		UI: fstest.MapFS{},
	}
	for _, e := range edit {
		e(&config)
	}
	s.Handler = server.New(config)
	return s
}

// request is one call, as data.
type request struct {
	method, path, body string
	key                string // Bearer; "none" for no header, "" for the management key
	header             map[string]string
}

func (s *site) do(t testing.TB, r request) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(r.method, r.path, strings.NewReader(r.body))
	if r.key == "" {
		r.key = adminKey
	}
	if r.key != "none" {
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w
}

// problem is an error answer as a client reads it.
type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	Errors                    []struct {
		Message, Location string
		Line, Column      int
	}
}

func problemIn(t testing.TB, w *httptest.ResponseRecorder) problem {
	t.Helper()
	var p problem
	if w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("status %d with %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if p.Status != w.Code || p.Title != http.StatusText(w.Code) || p.Detail == "" || p.Code == "" || p.Type == "" {
		t.Errorf("incomplete problem: %s", w.Body)
	}
	return p
}

// locations are the places that an answer blames.
func (p problem) locations() []string {
	var list []string
	for _, e := range p.Errors {
		list = append(list, e.Location)
	}
	return list
}

func read[T any](t testing.TB, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if w.Code >= 300 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if err := json.NewDecoder(io.TeeReader(w.Body, io.Discard)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
