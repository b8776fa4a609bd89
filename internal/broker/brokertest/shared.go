package brokertest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Main runs the tests of a package and stops the servers that they shared. It is called by TestMain.
func Main(m *testing.M) {
	m.Run() // the process ends with its status once TestMain returns
	if b := sharedBroker.server; b != nil {
		_ = kafka.stop(context.Background(), b.Dir)
	}
	if r := sharedRegistry.server; r != nil {
		_ = registry.stop(context.Background(), r.Dir)
	}
}

var (
	sharedBroker   = shared[Broker]{start: func() (*Broker, error) { return startBroker() }}
	sharedRegistry = shared[Registry]{start: startRegistry}
)

// shared is a server that all tests of a package share. It is started for the first that asks.
type shared[S any] struct {
	start  func() (*S, error)
	once   sync.Once
	server *S
	err    error
}

func (s *shared[S]) get(t testing.TB) *S {
	t.Helper()
	s.once.Do(func() { s.server, s.err = s.start() })
	orSkip(t, s.err)
	return s.server
}

func orSkip(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("a server that it needs could not be started: %v", err)
	default:
		t.Skipf("SKIPPED %s: a server that it needs could not be started here: %v", t.Name(), err)
	}
}

// script is one of those that start and stop a server.
type script string

const (
	kafka    script = "kafka.sh"
	registry script = "registry.sh"
)

// start gives what the script says of the server, by name.
func (s script) start(args ...string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	command := s.command(ctx, "start", args)
	var failed bytes.Buffer
	command.Stderr = &failed
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("scripts/%s: %w\n%s", s, err, failed.String())
	}
	said := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		said[name] = value
	}
	return said, nil
}

func (s script) stop(ctx context.Context, args ...string) error {
	if said, err := s.command(ctx, "stop", args).CombinedOutput(); err != nil {
		return fmt.Errorf("scripts/%s: %w\n%s", s, err, said)
	}
	return nil
}

func (s script) command(ctx context.Context, verb string, args []string) *exec.Cmd {
	_, file, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(file), "..", "..", "..", "scripts", string(s))
	return exec.CommandContext(ctx, path, append([]string{verb}, args...)...)
}
