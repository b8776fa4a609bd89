package liquid_test

import (
	"syscall"
	"time"
)

// threadTime returns the processor time of the calling thread, which a busy machine does not stretch.
func threadTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var usage syscall.Rusage
	if err := syscall.Getrusage(thread, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
