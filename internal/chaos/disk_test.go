package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// place is how large the filesystems are on which PostgreSQL keeps its tables, or its write-ahead log; 0: the one of the test.
type place struct{ data, log int64 }

// disk is a small filesystem in memory that only the processes of a mount namespace see.
type disk struct {
	dir    string // where it is, in the namespace
	holder *process
}

// canMount says why no disk can be made here.
func canMount(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return err
}

// openDisk makes one in a directory. Only root can.
func openDisk(ctx context.Context, dir string, size int64) (*disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	cmd := (&host{}).command(context.WithoutCancel(ctx), "unshare", "--mount", "sh", "-c",
		fmt.Sprintf("mount -t tmpfs -o size=%d,mode=0755 none '%s' && touch '%s/.mounted' && exec sleep infinity", size, dir, dir))
	holder, err := start(cmd, filepath.Dir(dir), "disk")
	if err != nil {
		return nil, err
	}
	d := &disk{dir, holder}
	for ; ; nap(ctx, 5*time.Millisecond) {
		if _, err := os.Stat(d.inside(".mounted")); err == nil {
			return d, nil
		}
		if !holder.running() || ctx.Err() != nil {
			d.close()
			return nil, fmt.Errorf("no filesystem can be made here: %s", holder.tail(5))
		}
	}
}

// inside is the path by which the test reaches a file of the disk.
func (d *disk) inside(name string) string {
	return filepath.Join("/proc", strconv.Itoa(d.holder.cmd.Process.Pid), "root", d.dir, name)
}

// enter is the beginning of a command whose process sees the disk.
func (d *disk) enter() []string {
	return []string{"nsenter", "--mount=/proc/" + strconv.Itoa(d.holder.cmd.Process.Pid) + "/ns/mnt", "--"}
}

const filler = "filler"

// fill leaves not one byte free.
func (d *disk) fill() error {
	f, err := os.OpenFile(d.inside(filler), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err = io.Copy(f, endless{}); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk does not become full: %w", err)
	}
	return nil
}

// endless is zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func (d *disk) free() error { return os.Remove(d.inside(filler)) }

// close ends the namespace, and with the last process that sees it the disk.
func (d *disk) close() { d.holder.kill() }
