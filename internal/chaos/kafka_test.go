package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// kafka is a broker, run by the script that every test of Kafka uses.
type kafka struct {
	host   *host
	script string
	dir    string
	url    string

	mu sync.Mutex
}

func startKafka(ctx context.Context, h *host, script, dir string) (*kafka, error) {
	k := &kafka{host: h, script: script, dir: dir}
	return k, k.start(ctx)
}

func (k *kafka) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := k.host.command(ctx, k.script, "start", k.dir)
	cmd.Env = append(os.Environ(), "TAILORBIRD_TEST_KAFKA_HOST="+k.host.address)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		return fmt.Errorf("kafka.sh start: %w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if address, is := strings.CutPrefix(strings.TrimSpace(line), "TAILORBIRD_TEST_KAFKA="); is {
			k.url = "kafka://" + address
			return nil
		}
	}
	return fmt.Errorf("kafka.sh does not say where the broker is: %s", out)
}

// restart kills the broker and starts it again after a pause.
func (k *kafka) restart(ctx context.Context, pause time.Duration) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.kill(); err != nil {
		return err
	}
	nap(ctx, pause)
	return k.start(ctx)
}

func (k *kafka) pid() (int, error) {
	text, err := os.ReadFile(filepath.Join(k.dir, "broker.pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

func (k *kafka) kill() error {
	pid, err := k.pid()
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	for range 200 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return nil
		}
		<-time.After(20 * time.Millisecond)
	}
	return fmt.Errorf("the broker %d does not die", pid)
}
