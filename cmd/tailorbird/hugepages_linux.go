package main

import (
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// mostHuge is how many bytes of the heap may lie in huge pages, however many GOMEMLIMIT allows.
const mostHuge = 4 << 30

// hugePages has the system back the heap by huge pages, where it gives them to those who ask: an event touches a few places
// anywhere in the memory, and with small pages finding each takes longer than reading it. The addresses that are asked for are
// taken by something that is given up again, and so are those that the heap grows into; no memory is taken before it is used.
func hugePages() {
	addresses := make([]byte, promised(min(debug.SetMemoryLimit(-1), mostHuge)))
	_ = unix.Madvise(addresses, unix.MADV_HUGEPAGE) // refused where there are none
	debug.FreeOSMemory()
}

// promised is as much of a size as the system lets a process have twice: more is refused where nothing is promised beyond what
// there is, or the process is limited.
func promised(size int64) int64 {
	for ; size > 0; size /= 2 {
		if probe, err := unix.Mmap(-1, 0, int(2*size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE); err == nil {
			_ = unix.Munmap(probe)
			return size
		}
	}
	return 0
}
