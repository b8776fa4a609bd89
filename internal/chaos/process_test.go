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
	"syscall"
	"time"
)

// process is a program that runs beside the test. What it writes is appended to a file.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

// start begins a command whose output goes to NAME.log in a directory.
func start(cmd *exec.Cmd, dir, name string) (*process, error) {
	p := &process{cmd: cmd, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // whoever wants to know looks at ProcessState
	}()
	return p, nil
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// signal sends one; a process that has just ended is no error.
func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s to %s: %w", s, p.cmd.Path, err)
	}
	return nil
}

// kill ends it at once, also when it is stopped.
func (p *process) kill() {
	_ = p.signal(syscall.SIGKILL)
	<-p.done
}

// tail is the end of what it wrote.
func (p *process) tail(lines int) string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// stat is what the system knows of a process.
type stat struct {
	parent int
	spent  time.Duration // processor time, with that of children that have ended
}

// statOf reads what proc(5) says.
func statOf(pid int) (s stat, err error) {
	const ticks = 100 // a second, on every Linux that Go runs on
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, err
	}
	_, rest, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(rest) // from the third on
	if len(fields) < 15 {
		return s, fmt.Errorf("/proc/%d/stat is %q", pid, content)
	}
	var numbers [5]int
	for i, field := range []int{1, 11, 12, 13, 14} {
		if numbers[i], err = strconv.Atoi(fields[field]); err != nil {
			return s, err
		}
	}
	return stat{numbers[0], time.Duration(numbers[1]+numbers[2]+numbers[3]+numbers[4]) * time.Second / ticks}, nil
}

// childrenOf lists the processes that one has started and that still run.
func childrenOf(pid int) (children []int, err error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	for _, path := range all {
		child, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			return nil, err
		}
		if s, err := statOf(child); err == nil && s.parent == pid {
			children = append(children, child)
		}
	}
	return children, err
}

// freeze stops processes and lets them go on after a while.
func freeze(ctx context.Context, pids []int, d time.Duration) error {
	err := toAll(pids, syscall.SIGSTOP)
	nap(ctx, d)
	return errors.Join(err, toAll(pids, syscall.SIGCONT))
}

// toAll sends a signal to processes, of which some may have ended.
func toAll(pids []int, s syscall.Signal) (err error) {
	for _, pid := range pids {
		if e := syscall.Kill(pid, s); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, fmt.Errorf("%s to %d: %w", s, pid, e))
		}
	}
	return err
}
