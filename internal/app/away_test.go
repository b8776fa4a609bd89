package app

import (
	"bytes"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// TestTheDatabaseGoesAwayAndComesBack cuts the line to PostgreSQL under a program that serves, and then has it carry nothing:
// the log says once that the database is gone and once that it is back, and the metrics are there all the time.
func TestTheDatabaseGoesAwayAndComesBack(t *testing.T) {
	database, err := url.Parse(storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	l := lineTo(t, database.Host)
	database.Host = l.address
	var log records
	serves := make(chan struct{})
	a, err := Open(t.Context(), Config{
		DataDir: t.TempDir(), DatabaseURL: database.String(), APIKey: "a-management-key-for-tests", Listen: "127.0.0.1:0",
		Log: slog.New(slog.NewTextHandler(&log, nil)), Ready: func(string) { close(serves) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	served := make(chan error)
	go func() { served <- a.Serve(t.Context()) }()
	t.Cleanup(func() {
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	<-serves
	ask := asking(t, a)
	count := func() (gone, back, lines int) {
		said := log.String()
		return strings.Count(said, "the database does not answer;"), strings.Count(said, "the database answers again"), strings.Count(said, "\n")
	}
	until := func(what string, done func() bool) {
		t.Helper()
		deadline := time.NewTimer(time.Minute)
		defer deadline.Stop()
		for !done() {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-deadline.C:
				t.Fatalf("%s: never\n%s", what, log.String())
			}
		}
	}
	for round, how := range []func(){l.cut, l.freeze} {
		until("ready", func() bool { return strings.Contains(ask("GET", "/metrics", "", 200), "\ntailorbird_ready 1\n") })
		has(t, ask("GET", "/metrics", "", 200), "tailorbird_database_up 1", "tailorbird_profiles 0")
		how()
		until("gone", func() bool { gone, _, _ := count(); return gone == round+1 })
		_, _, before := count()
		for range 3 {
			begun := time.Now()
			page := ask("GET", "/metrics", "", 200)
			if took := time.Since(begun); took > 4*time.Second {
				t.Errorf("the metrics took %s", took)
			}
			has(t, page, "tailorbird_database_up 0", "tailorbird_ready 0", "tailorbird_queue_events 0")
			if strings.Contains(page, "tailorbird_profiles") {
				t.Error("there are profiles without a database")
			}
			<-time.After(time.Second) // in which everything tries again
		}
		if _, _, after := count(); after > before+1 { // one may have noticed just before
			t.Errorf("%d lines while the database was away:\n%s", after-before, log.String())
		}
		l.mend()
		until("back", func() bool { _, back, _ := count(); return back == round+1 })
	}
	if gone, back, _ := count(); gone != 2 || back != 2 || strings.Contains(log.String(), database.Redacted()) {
		t.Errorf("gone %d times, back %d:\n%s", gone, back, log.String())
	}
}

func has(t *testing.T, page string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}

// records are what was logged.
type records struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *records) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(line)
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// line carries connections to a server, and may be cut, or frozen, and mended.
type line struct {
	address, to string
	mu          sync.Mutex
	listener    net.Listener
	open        []net.Conn
	flows       chan struct{} // closed while the line carries something
}

func lineTo(t *testing.T, server string) *line {
	t.Helper()
	l := &line{address: "127.0.0.1:0", to: server, flows: make(chan struct{})}
	l.listen(t.Error)
	l.address = l.listener.Addr().String()
	close(l.flows)
	t.Cleanup(l.cut)
	return l
}

func (l *line) listen(fail func(...any)) {
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		fail(err)
		return
	}
	l.listener = listener
	go func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", l.to)
			if err != nil {
				_ = here.Close()
				continue
			}
			l.mu.Lock()
			l.open = append(l.open, here, there)
			l.mu.Unlock()
			go l.carry(here, there)
			go l.carry(there, here)
		}
	}()
}

func (l *line) carry(from, to net.Conn) {
	defer to.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		l.mu.Lock()
		flows := l.flows
		l.mu.Unlock()
		<-flows
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut ends all connections and takes no more.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.listener.Close()
	for _, c := range l.open {
		_ = c.Close()
	}
	l.open = nil
}

// freeze carries nothing, and says nothing of it.
func (l *line) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flows = make(chan struct{})
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.flows:
		l.listen(func(...any) {})
	default:
		close(l.flows)
	}
}
