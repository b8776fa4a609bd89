package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// postgres is a server of its own. What it has committed outlives its process; it is not told to outlive the machine.
type postgres struct {
	host *host
	dir  string
	data string // the directory of the tables
	port int
	url  string

	connections int // at most

	disk *disk // a small one, on which its tables or its log are; nil for none

	mu      sync.Mutex
	process *process
}

// postgresProgram finds a program of PostgreSQL, which Debian keeps out of the path.
func postgresProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", fmt.Errorf("%s is not installed (Debian: postgresql)", name)
	}
	sort.Strings(found)
	return found[len(found)-1], nil
}

func startPostgres(ctx context.Context, h *host, dir string, where place, connections int) (p *postgres, err error) {
	p = &postgres{host: h, dir: dir, connections: connections, data: filepath.Join(dir, "data")}
	defer func() {
		if err != nil && p.disk != nil {
			p.disk.close()
		}
	}()
	if p.port, err = h.port(5432); err != nil {
		return nil, err
	}
	p.url = fmt.Sprintf("postgres://tailorbird:secret@%s:%d/postgres?sslmode=disable", h.address, p.port)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.access(), []byte("host all all all scram-sha-256\n"), 0o600); err != nil {
		return nil, err
	}
	if err := own(dir, password, p.access()); err != nil {
		return nil, err
	}
	options := []string{"-U", "tailorbird", "--pwfile=" + password, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"}
	if size := where.data + where.log; size > 0 {
		if p.disk, err = openDisk(ctx, filepath.Join(dir, "small"), size); err != nil {
			return nil, err
		}
		if err := own(p.disk.inside("")); err != nil {
			return nil, err
		}
		log := filepath.Join(dir, "log")
		if where.data > 0 {
			p.data = filepath.Join(p.disk.dir, "data")
		} else {
			log = filepath.Join(p.disk.dir, "log")
		}
		options = append(options, "--waldir="+log, "--wal-segsize=1")
	}
	if out, err := p.command(ctx, "initdb", append(options, "-D", p.data)...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return p, p.start(ctx)
}

// access is the file that says who may connect.
func (p *postgres) access() string { return filepath.Join(p.dir, "pg_hba.conf") }

// command runs a program as a user who is not root, which PostgreSQL insists on.
func (p *postgres) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	program, err := postgresProgram(name)
	if err != nil {
		program = name // which then cannot be started
	}
	if os.Geteuid() == 0 {
		u := unprivileged()
		args = append([]string{"--reuid=" + u.Uid, "--regid=" + u.Gid, "--clear-groups", "--", program}, args...)
		program = "setpriv"
	}
	line := append([]string{program}, args...)
	if p.disk != nil {
		line = append(p.disk.enter(), line...)
	}
	cmd := p.host.command(ctx, line[0], line[1:]...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	return cmd
}

// unprivileged is a user who may own the data.
func unprivileged() *user.User {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return u
		}
	}
	return &user.User{Uid: "65534", Gid: "65534"}
}

// own gives files to that user, where the test is root.
func own(files ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, f := range files {
		u := unprivileged()
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return err
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			return err
		}
		if err := os.Chown(f, uid, gid); err != nil {
			return err
		}
	}
	return nil
}

func (p *postgres) start(ctx context.Context) error {
	// Commits are waited for, for a killed server loses what it has not written; they need not reach the disk.
	cmd := p.command(context.WithoutCancel(ctx), "postgres", "-D", p.data, "-p", strconv.Itoa(p.port),
		"-c", "listen_addresses="+p.host.address, "-c", "unix_socket_directories=", "-c", "hba_file="+p.access(), "-c", "max_connections="+strconv.Itoa(p.connections),
		"-c", "synchronous_commit=on", "-c", "fsync=off", "-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB")
	process, err := start(cmd, filepath.Dir(p.dir), "postgres")
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.process = process
	p.mu.Unlock()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline) && process.running(); {
		ask, err := postgresProgram("pg_isready")
		if err != nil {
			return err
		}
		if p.host.command(ctx, ask, "-q", "-h", p.host.address, "-p", strconv.Itoa(p.port)).Run() == nil {
			return nil
		}
		if !nap(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("PostgreSQL does not start:\n%s", process.tail(20))
}

// restart ends the server as a crash does (immediate mode), and starts it again after a pause.
func (p *postgres) restart(ctx context.Context, pause time.Duration) error {
	if err := p.end(syscall.SIGQUIT); err != nil {
		return err
	}
	nap(ctx, pause)
	return p.start(ctx)
}

func (p *postgres) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.process.running()
}

// pids are the processes of the server.
func (p *postgres) pids() ([]int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pid := p.process.cmd.Process.Pid
	children, err := childrenOf(pid)
	return append([]int{pid}, children...), err
}

func (p *postgres) end(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.process.signal(s); err != nil {
		return err
	}
	select {
	case <-p.process.done:
		return nil
	case <-time.After(30 * time.Second):
		return errors.New("PostgreSQL does not end")
	}
}

// close ends the server and its disk.
func (p *postgres) close() error {
	err := p.end(syscall.SIGQUIT)
	if p.disk != nil {
		p.disk.close()
	}
	return err
}

// activity is what the server is doing, and for whom it waits: for the reader of a failure.
func (p *postgres) activity(ctx context.Context) string {
	program, err := postgresProgram("psql")
	if err != nil {
		return err.Error()
	}
	out, err := p.host.command(ctx, program, p.url, "-X", "-c", `SELECT pid, client_addr, state, wait_event_type || '/' || wait_event AS waits,
		round(extract(epoch FROM now() - xact_start)::numeric, 1) AS xact, round(extract(epoch FROM now() - state_change)::numeric, 1) AS since,
		pg_blocking_pids(pid) AS blocked_by, left(regexp_replace(query, '\s+', ' ', 'g'), 90) AS query
		FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND (state <> 'idle' OR wait_event_type = 'Lock') ORDER BY xact_start`,
		"-c", "SELECT id, name, round(extract(epoch FROM now()) - seen_at / 1e6, 1) AS silent FROM nodes ORDER BY id",
		"-c", "SELECT * FROM claims ORDER BY name").CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	return string(out)
}
