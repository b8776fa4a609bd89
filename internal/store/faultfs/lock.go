package faultfs

// The levels of a lock on a file, https://sqlite.org/c3ref/c_lock_exclusive.html.
const (
	noLock = iota
	sharedLock
	reservedLock
	pendingLock
	exclusiveLock
)

// locks are who holds what of a file.
type locks struct {
	shared   int
	reserved *handle
	pending  *handle
	sole     *handle // holds the exclusive lock
}

func free(holder, h *handle) bool { return holder == nil || holder == h }

func (h *handle) lock(level int) int {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.dead() {
		return lockError
	}
	l := &h.file.locks
	if h.level >= level {
		return ok
	}
	switch level {
	case sharedLock:
		if !free(l.pending, h) || !free(l.sole, h) {
			return busy
		}
		l.shared++
	case reservedLock:
		if !free(l.reserved, h) {
			return busy
		}
		l.reserved = h
	case exclusiveLock:
		if !free(l.reserved, h) || !free(l.pending, h) {
			return busy
		}
		l.reserved, l.pending = h, h
		if l.shared > 1 {
			h.level = pendingLock
			return busy
		}
		l.sole = h
	}
	h.level = level
	return ok
}

func (h *handle) unlock(level int) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	l := &h.file.locks
	if h.level <= level {
		return
	}
	for _, holder := range []**handle{&l.reserved, &l.pending, &l.sole} {
		if *holder == h {
			*holder = nil
		}
	}
	if level == noLock {
		l.shared--
	}
	h.level = level
}

func (h *handle) reserved() bool {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	return h.file.locks.reserved != nil
}

// The slots of the shared memory that can be locked, and the flags of a lock on them.
const (
	slots        = 8
	shmUnlock    = 1
	shmExclusive = 8
)

func (h *handle) shmLock(offset, n, flags int) int {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.dead() && flags&shmUnlock == 0 {
		return lockError
	}
	s := h.shm
	mask := uint(1<<n-1) << offset
	if flags&shmUnlock != 0 {
		for i := range slots {
			if h.shared&mask&(1<<i) != 0 {
				s.shared[i]--
			}
		}
		s.exclusive &^= h.exclusive & mask
		h.shared &^= mask
		h.exclusive &^= mask
		return ok
	}
	for i := offset; i < offset+n; i++ {
		bit := uint(1) << i
		others := s.shared[i]
		if h.shared&bit != 0 {
			others--
		}
		if s.exclusive&^h.exclusive&bit != 0 || flags&shmExclusive != 0 && others > 0 {
			return busy
		}
	}
	for i := offset; i < offset+n; i++ {
		bit := uint(1) << i
		switch {
		case flags&shmExclusive != 0:
			s.exclusive |= bit
			h.exclusive |= bit
		case h.shared&bit == 0:
			s.shared[i]++
			h.shared |= bit
		}
	}
	return ok
}
