package faultfs

import (
	"path/filepath"
	"time"
)

// SQLite's result codes and flags, https://sqlite.org/rescode.html and https://sqlite.org/c3ref/c_open_autoproxy.html.
const (
	ok              = 0
	busy            = 5
	ioError         = 10
	full            = 13
	cannotOpen      = 14
	readError       = ioError | 1<<8
	shortRead       = ioError | 2<<8
	writeError      = ioError | 3<<8
	syncError       = ioError | 4<<8
	truncateError   = ioError | 6<<8
	deleteError     = ioError | 10<<8
	lockError       = ioError | 15<<8
	missingOnDelete = ioError | 23<<8

	openCreate        = 0x4
	openDeleteOnClose = 0x8
)

// handle is an open file of one boot.
type handle struct {
	disk      *Disk
	boot      int
	path      string
	file      *file
	temporary bool

	level     int // of the lock on the file
	shm       *shm
	shared    uint // locks on slots of the shared memory, as bits
	exclusive uint
}

// dead reports whether the power is off, or went off since the file was opened. The disk is locked.
func (h *handle) dead() bool { return h.disk.down || h.boot != h.disk.boot }

// begin counts a change and says what becomes of it: ok, or the error that it ends in. The disk is locked.
func (d *Disk) begin(op Operation, failure int) (code int, delay time.Duration) {
	if d.down {
		return failure, 0
	}
	if d.calm {
		return ok, 0
	}
	d.count++
	if d.log != nil {
		d.log(op)
	}
	if d.count == d.plan.CrashAt {
		d.down = true
	}
	if d.plan.Delay != nil {
		delay = d.plan.Delay(d.count)
	}
	if d.down || d.plan.FailAt > 0 && d.count >= d.plan.FailAt && d.count < d.plan.FailAt+d.plan.FailFor {
		return failure, delay
	}
	return ok, delay
}

func open(path string, flags int) (*handle, int) {
	d := diskOf(path)
	if d == nil {
		return nil, cannotOpen
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down {
		return nil, cannotOpen
	}
	f := d.files[path]
	if f == nil {
		if flags&openCreate == 0 {
			return nil, cannotOpen
		}
		f = &file{}
		d.files[path] = f
	}
	return &handle{disk: d, boot: d.boot, path: path, file: f, temporary: flags&openDeleteOnClose != 0}, ok
}

func (h *handle) close() {
	h.unlock(0)
	h.shmUnmap()
	if h.temporary {
		h.disk.mu.Lock()
		defer h.disk.mu.Unlock()
		if !h.dead() {
			delete(h.disk.files, h.path)
		}
	}
}

func (h *handle) read(buf []byte, offset int64) int {
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.dead() {
		return readError
	}
	if !d.calm {
		d.reads++
	}
	if p := d.plan; !d.calm && p.ReadFailAt > 0 && d.reads >= p.ReadFailAt && d.reads < p.ReadFailAt+p.ReadsFail {
		return readError
	}
	n := 0
	if offset < int64(len(h.file.data)) {
		n = copy(buf, h.file.data[offset:])
	}
	if n < len(buf) {
		clear(buf[n:])
		return shortRead
	}
	return ok
}

func (h *handle) write(buf []byte, offset int64) int {
	return h.alter(Operation{Kind: "write", Offset: offset, Bytes: len(buf)}, writeError, func(failed bool) int {
		d := h.disk
		c := change{offset, append([]byte(nil), buf...)}
		if failed && !d.down {
			return ok // an error of the device: nothing was written
		}
		growth := offset + int64(len(buf)) - int64(len(h.file.data))
		if !failed && !d.calm && d.plan.Capacity > 0 && growth > 0 && d.size()+growth > d.plan.Capacity {
			return full
		}
		// The write in the middle of which the power fails may be torn like any other.
		h.file.pending = append(h.file.pending, c)
		h.file.data = c.apply(h.file.data)
		return ok
	})
}

func (h *handle) truncate(size int64) int {
	return h.alter(Operation{Kind: "truncate", Offset: size}, truncateError, func(failed bool) int {
		if !failed {
			c := change{offset: size}
			h.file.pending = append(h.file.pending, c)
			h.file.data = c.apply(h.file.data)
		}
		return ok
	})
}

// sync makes the file's changes durable. After a sync that failed the system believes that they are clean, and a later
// sync does not write them again: what the disk has of them is decided there and then.
func (h *handle) sync() int {
	return h.alter(Operation{Kind: "sync"}, syncError, func(failed bool) int {
		f, d := h.file, h.disk
		switch {
		case d.down:
			return ok
		case failed && d.plan.Choose == nil:
		case failed:
			f.durable = tear(f.durable, f.pending, d.plan.Choose)
		default:
			for _, c := range f.pending {
				f.durable = c.apply(f.durable)
			}
			clear(d.ghosts) // SQLite syncs the directory with a new file
		}
		f.pending = nil
		return ok
	})
}

// alter carries out one change unless it is to fail; do learns whether it is, and may end it in an error of its own.
func (h *handle) alter(op Operation, failure int, do func(failed bool) int) int {
	op.File = filepath.Base(h.path)
	h.disk.mu.Lock()
	if h.dead() {
		h.disk.mu.Unlock()
		return failure
	}
	code, delay := h.disk.begin(op, failure)
	if own := do(code != ok); code == ok {
		code = own
	}
	h.disk.mu.Unlock()
	h.disk.take(delay)
	return code
}

func (h *handle) size() (int64, int) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if h.dead() {
		return 0, ioError
	}
	return int64(len(h.file.data)), ok
}

func remove(path string, syncDir bool) int {
	d := diskOf(path)
	if d == nil {
		return deleteError
	}
	code, delay := d.remove(path, syncDir)
	d.take(delay)
	return code
}

func (d *Disk) remove(path string, syncDir bool) (code int, delay time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[path]
	if f == nil {
		return missingOnDelete, 0
	}
	code, delay = d.begin(Operation{Kind: "delete", File: filepath.Base(path)}, deleteError)
	if code == ok {
		delete(d.files, path)
		if d.ghosts[path] = f; syncDir {
			clear(d.ghosts)
		}
	}
	return code, delay
}

func exists(path string) bool {
	d := diskOf(path)
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files[path] != nil
}
