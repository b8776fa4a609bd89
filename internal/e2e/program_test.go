package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
)

const (
	apiKey   = "api-key-of-the-end-to-end-tests"
	writeKey = "write-key-of-the-end-to-end-tests"
	patience = 60 * time.Second // for any one condition; a test that waits longer has failed
)

var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Fprintln(os.Stderr, "end-to-end tests are left out: -short")
		return
	}
	binary = os.Getenv("TAILORBIRD_BIN")
	if binary == "" {
		dir, err := os.MkdirTemp("", "tailorbird-e2e-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "tailorbird")
		build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "github.com/tailorbird/tailorbird/cmd/tailorbird")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
	}
	m.Run() // which sets the exit status
}

// environment is that of every process here: nothing of the machine's settings but what programs need to run.
func environment(extra ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(),
		"TAILORBIRD_API_KEY=" + apiKey, "TAILORBIRD_WRITE_KEY=" + writeKey, "TAILORBIRD_LOG_LEVEL=warn",
	}, extra...)
}

// outcome is how a command ended.
type outcome struct {
	status         int
	stdout, stderr string
	seconds        float64 // by the wall clock
	processor      float64 // seconds of processor time
	memory         int64   // bytes, at most
}

// tailorbird runs a command to its end.
func tailorbird(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = environment(env...)
	cmd.Dir = t.TempDir()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	o := outcome{stdout: stdout.String(), stderr: stderr.String(), seconds: time.Since(began).Seconds()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	o.status = cmd.ProcessState.ExitCode()
	o.processor = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if usage, is := cmd.ProcessState.SysUsage().(*syscall.Rusage); is {
		o.memory = usage.Maxrss << 10
	}
	return o
}

// must runs a command that has to succeed, and gives what it printed.
func must(t *testing.T, env []string, args ...string) string {
	t.Helper()
	o := tailorbird(t, env, args...)
	if o.status != 0 {
		t.Fatalf("tailorbird %s: exit status %d\n%s%s", strings.Join(args, " "), o.status, o.stdout, o.stderr)
	}
	return o.stdout
}

// server is a running `tailorbird serve`.
type server struct {
	*client.Client
	cmd    *exec.Cmd
	done   chan struct{} // closed when the process has ended
	stderr lockedBuffer
}

// lockedBuffer may be read while a process writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve starts a server on a data directory and waits for the line that says it is ready. It is killed when the test ends,
// unless it has ended before.
func serve(t *testing.T, data string, env []string, args ...string) *server {
	t.Helper()
	s := &server{done: make(chan struct{})}
	// Not CommandContext: the tests end the process by signals of their own choice.
	s.cmd = exec.Command(binary, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0"}, args...)...)
	s.cmd.Env = environment(env...)
	s.cmd.Dir = t.TempDir()
	s.cmd.Stderr = &s.stderr
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(syscall.SIGKILL) })
	ready := make(chan string, 1)
	go func() {
		defer close(s.done)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if url, is := strings.CutPrefix(lines.Text(), "listening on "); is {
				ready <- url
			}
		}
		_ = s.cmd.Wait() // the tests look at ProcessState
	}()
	select {
	case url := <-ready:
		s.Client = s.client(t, url)
	case <-s.done:
		t.Fatalf("the server ended before it was ready:\n%s", s.stderr.String())
	case <-time.After(patience):
		t.Fatalf("the server is not ready:\n%s", s.stderr.String())
	}
	return s
}

func (s *server) client(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: url, APIKey: apiKey, WriteKey: writeKey})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// end sends a signal, waits until the process has ended, and gives its exit status (-1 for one that was killed).
func (s *server) end(signal syscall.Signal) int {
	select {
	case <-s.done:
	default:
		_ = s.cmd.Process.Signal(signal) // it may just have ended
		<-s.done
	}
	return s.cmd.ProcessState.ExitCode()
}

// eventually waits until check gives true, asking again and again.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !check() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after %s: still not %s", patience, what)
		}
	}
}

// realData is the path of a file of real data; the test is left out where there is none.
func realData(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("TAILORBIRD_TEST_DATA")
	if root == "" {
		root = filepath.Join(repository(t), "..", "shared", "data")
	}
	path := filepath.Join(root, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no real data: %v; set TAILORBIRD_TEST_DATA to the folder that holds it", err)
	}
	return path
}

// repository is the root of the checkout.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}
