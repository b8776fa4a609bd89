package cli

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// pacemaker wakes its user at even intervals. It waits by the system's timers, since those of the runtime are exact to a
// millisecond only, which would be half of what is measured.
type pacemaker struct{ timer *os.File }

func newPacemaker(every time.Duration) (*pacemaker, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the system gives no timer")
	}
	p := &pacemaker{os.NewFile(uintptr(fd), "timer")}
	interval := unix.NsecToTimespec(every.Nanoseconds())
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: interval, Value: interval}, nil); err != nil {
		p.stop()
		return nil, fault.Wrap(fault.Unavailable, err, "the system sets no timer")
	}
	return p, nil
}

// wait returns at the end of an interval, or at once where one has ended since it was last called.
func (p *pacemaker) wait() error {
	var ended [8]byte
	_, err := p.timer.Read(ended[:])
	return fault.Wrap(fault.Unavailable, err, "the system's timer cannot be read")
}

func (p *pacemaker) stop() { _ = p.timer.Close() }
