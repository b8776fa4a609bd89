package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	apiKey   = "api-key-of-the-fault-tests"
	writeKey = "write-key-of-the-fault-tests"
)

// node is one `tailorbird serve`, which is started again whenever it ends, as a service manager does.
type node struct {
	name  string
	host  *host
	flags []string
	dir   string
	url   string
	http  *http.Client
	mute  atomic.Int64 // answers 503 that did not say when to try again

	mu      sync.Mutex
	process *process
	wanted  bool // whether the process should run
	held    bool // whether the next is not to be started yet
	retired bool // whether none is
	starts  int
}

func newNode(h *host, dir, binary string, flags ...string) (*node, error) {
	port, err := h.port(8080)
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("%s:%d", h.address, port)
	n := &node{name: h.name, host: h, dir: dir, url: "http://" + address, http: &http.Client{
		Timeout:   patienceOfClients,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true, IdleConnTimeout: 5 * time.Second},
	}}
	n.flags = append([]string{binary, "serve", "--listen", address, "--data", filepath.Join(dir, n.name)}, flags...)
	return n, nil
}

// environment is that of every process here: nothing of the machine's settings but what programs need to run.
func environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(),
		"TAILORBIRD_API_KEY=" + apiKey, "TAILORBIRD_WRITE_KEY=" + writeKey, "TAILORBIRD_LOG_LEVEL=info",
	}
}

// run keeps the node running until it retires, or ctx ends, and it is killed. unexpected is told of a crash, after
// which there is no other, and of an end that nobody asked for after more time than starting takes.
func (n *node) run(ctx context.Context, unexpected func(string)) {
	for ctx.Err() == nil {
		if held, retired := n.isHeld(); retired {
			return
		} else if held {
			nap(ctx, 20*time.Millisecond)
			continue
		}
		cmd := n.host.command(context.WithoutCancel(ctx), n.flags[0], n.flags[1:]...)
		cmd.Env, cmd.Dir = environment(), n.dir
		p, err := start(cmd, n.dir, n.name)
		if err != nil {
			unexpected(fmt.Sprintf("%s cannot be started: %v", n.name, err))
			return
		}
		n.mu.Lock()
		n.process, n.wanted = p, true
		n.starts++
		n.mu.Unlock()
		began := time.Now()
		select {
		case <-p.done:
		case <-ctx.Done():
			p.kill()
			return
		}
		n.mu.Lock()
		asked := !n.wanted
		n.mu.Unlock()
		if n.crashed() {
			unexpected(fmt.Sprintf("%s crashed:\n%s", n.name, p.tail(60)))
			return
		}
		if !asked && time.Since(began) > longStart {
			unexpected(fmt.Sprintf("%s ended by itself after %s: %s\n%s", n.name, time.Since(began), p.cmd.ProcessState, p.tail(5)))
		}
		nap(ctx, 500*time.Millisecond)
	}
}

// end makes the process end, by a signal, and waits until it has; run starts another.
func (n *node) end(s syscall.Signal, patience time.Duration) error {
	n.mu.Lock()
	p := n.process
	n.wanted = false
	n.mu.Unlock()
	if err := p.signal(s); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		trace := p.signal(syscall.SIGQUIT) // says where it hangs
		select {
		case <-p.done:
		case <-time.After(5 * time.Second):
			p.kill()
		}
		return errors.Join(trace, fmt.Errorf("%s did not end within %s of %s:\n%s", n.name, patience, s, p.tail(60)))
	}
}

// retire ends the node for good, as an operator does, and gives its exit status.
func (n *node) retire() (status int, err error) {
	n.mu.Lock()
	p := n.process
	n.retired = true
	n.mu.Unlock()
	err = n.end(syscall.SIGTERM, endPatience)
	return p.cmd.ProcessState.ExitCode(), err
}

func (n *node) isHeld() (held, retired bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.held, n.retired
}

// hold keeps the node from being started, or lets it be.
func (n *node) hold(held bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held = held
}

// tail is the end of what the node wrote.
func (n *node) tail(lines int) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return ""
	}
	return n.process.tail(lines)
}

// crashed says whether the program has failed by itself, now or before.
func (n *node) crashed() bool {
	text := n.tail(math.MaxInt32)
	return strings.Contains(text, "panic: ") || strings.Contains(text, "fatal error: ") || strings.Contains(text, "DATA RACE")
}

// signal reaches the process that runs now.
func (n *node) signal(s syscall.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process.signal(s)
}

// ready asks the node itself.
func (n *node) ready(ctx context.Context) bool {
	status, _, err := n.ask(ctx, http.MethodGet, "/readyz", nil)
	return err == nil && status == http.StatusOK
}

// ask makes one request, once, and gives the answer's status and body.
func (n *node) ask(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	return n.request(ctx, n.http, method, path, body)
}

func (n *node) request(ctx context.Context, client *http.Client, method, path string, body []byte) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, n.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if strings.HasPrefix(path, "/v1/") {
		r.SetBasicAuth(writeKey, "")
	} else {
		r.Header.Set("Authorization", "Bearer "+apiKey)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
		n.mute.Add(1)
	}
	answer, err = io.ReadAll(io.LimitReader(response.Body, 64<<20))
	return response.StatusCode, answer, err
}

// get reads one object of the management API, once; where it asks for too much at a time, a moment later.
func (n *node) get(ctx context.Context, path string, into any) error {
	status, answer, err := n.ask(ctx, http.MethodGet, path, nil)
	for err == nil && status == http.StatusTooManyRequests && nap(ctx, time.Second) {
		status, answer, err = n.ask(ctx, http.MethodGet, path, nil)
	}
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s%s: status %d: %.300s", n.name, path, status, answer)
	}
	return json.Unmarshal(answer, into)
}

// nap waits; false where ctx ended first.
func nap(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
