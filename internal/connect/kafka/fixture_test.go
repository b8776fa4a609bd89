package kafka

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/broker/brokertest"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/reach"
	"github.com/tailorbird/tailorbird/internal/source"
)

func TestMain(m *testing.M) { brokertest.Main(m) }

// log stands for the engine: it keeps one event of each message id, as the engine does, and counts what came twice.
type log struct {
	mu     sync.Mutex
	events map[string]*event.Event
	twice  int
	refuse func(n int) error // asked before each batch; nil error: it is taken
	after  func()            // called after each batch
	calls  int
}

func (l *log) Ingest(_ context.Context, events []*event.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if l.refuse != nil {
		if err := l.refuse(l.calls); err != nil {
			return err
		}
	}
	for _, e := range events {
		if _, have := l.events[e.MessageID]; have {
			l.twice++
			continue
		}
		l.events[e.MessageID] = e
	}
	if l.after != nil {
		l.after()
	}
	return nil
}

func (l *log) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events)
}

func (l *log) users() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	users := map[string]int{}
	for _, e := range l.events {
		users[e.UserID]++
	}
	return users
}

// quarantine keeps messages in memory.
type quarantine struct {
	mu   sync.Mutex
	next int64
	kept map[int64]source.Quarantined
}

func (q *quarantine) Quarantine(_ context.Context, messages []source.Quarantined) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range messages {
		known := false
		for _, have := range q.kept {
			known = known || messageID(have.Source, have.Message) == messageID(m.Source, m.Message)
		}
		if !known {
			q.next++
			m.ID = q.next
			q.kept[m.ID] = m
		}
	}
	return nil
}

func (q *quarantine) QuarantineSize(context.Context, string) (int, error) { return len(q.all()), nil }

func (q *quarantine) DropQuarantined(_ context.Context, id int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.kept, id)
	return nil
}

func (q *quarantine) NoteAttempt(_ context.Context, id int64, reason string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.kept[id]
	m.Reason, m.Attempts = reason, m.Attempts+1
	q.kept[id] = m
	return nil
}

func (q *quarantine) all() (all []source.Quarantined) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.kept {
		all = append(all, m)
	}
	return all
}

// fixture is Sources with what they need.
type fixture struct {
	*Sources
	log        *log
	quarantine *quarantine
	stop       func()
}

// local allows the loopback network, where the tests' brokers are.
func local(t testing.TB) reach.Policy {
	t.Helper()
	p, err := reach.Parse([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// begin runs sources over what earlier ones kept, or over nothing.
func begin(t *testing.T, before *fixture, sources ...source.Source) *fixture {
	t.Helper()
	f := &fixture{log: &log{events: map[string]*event.Event{}}, quarantine: &quarantine{kept: map[int64]source.Quarantined{}}}
	if before != nil {
		f.log, f.quarantine = before.log, before.quarantine
	}
	f.Sources = New(Config{
		Ingest: f.log, Quarantine: f.quarantine, Reach: local(t), Now: time.Now, Log: slog.New(slog.DiscardHandler), Every: 50 * time.Millisecond,
		Secret: func(_ context.Context, name string) (string, error) {
			if name == "kafka-password" {
				return brokertest.Password, nil
			}
			if name == "wrong-password" {
				return "wrong", nil
			}
			return "", fault.New(fault.NotFound, "there is no secret %q", name)
		},
	})
	for i := range sources {
		sources[i].Definition = sources[i].WithDefaults(sources[i].Name)
		if err := Check(sources[i].Definition); err != nil {
			t.Fatal(err)
		}
	}
	f.Follow(sources)
	f.run(t)
	return f
}

func (f *fixture) run(t *testing.T) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	var once sync.Once
	f.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(f.stop)
}

// until waits for something, and says what it is where it does not come.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	brokertest.Until(t, 60*time.Second, what, holds)
}

func (f *fixture) untilState(t *testing.T, name string, state source.State, problem string) {
	t.Helper()
	last := source.Status{}
	defer func() {
		if t.Failed() {
			t.Logf("the last status was %+v", last)
		}
	}()
	until(t, fmt.Sprintf("%s %q", state, problem), func() bool {
		last = f.Status(name)
		return last.State == state && strings.Contains(last.Problem, problem)
	})
}

func orders(b *brokertest.Broker, topic string) source.Source {
	return source.Source{Name: "orders", CreatedAt: time.Now().Add(-time.Minute), Definition: source.Definition{
		Brokers: []string{b.Address}, Topic: topic, Group: "g-" + topic,
		Mapping: json.RawMessage(`{"event":"\"Order Completed\"","user_id":"row.user","properties":{"total":"double(row.total)"}}`),
	}}
}

// inFront is the address of a proxy in front of a registry, which answers 503 while the registry is away.
func inFront(t *testing.T, registry *brokertest.Registry, away *atomic.Bool) string {
	t.Helper()
	behind, err := url.Parse(registry.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			http.Error(w, "no server is available to handle this request", http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// framed is a value as a registry's serialisers write it.
func framed(id int, value []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), value...)
}
