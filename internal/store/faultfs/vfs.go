package faultfs

// #cgo linux LDFLAGS: -Wl,--unresolved-symbols=ignore-in-object-files
// #cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup
// #include <stdlib.h>
// #include "vfs.h"
import "C"

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	_ "github.com/mattn/go-sqlite3" // the library that the file layer is registered with
)

// Name is what SQLite calls the file layer.
const Name = "faultfs"

var register = sync.OnceFunc(func() {
	if code := C.faultfs_register(C.CString(Name)); code != ok { // SQLite keeps the name
		panic(fmt.Sprintf("faultfs: SQLite refuses the file layer: %d", code))
	}
})

// shm is the memory that the connections to a write-ahead log share. A crash leaves it to the dead.
type shm struct {
	regions   []unsafe.Pointer // C memory
	users     int
	shared    [slots]int
	exclusive uint
}

var (
	handles    sync.Map // id → *handle
	lastHandle atomic.Uint64
)

func handleOf(id C.uint64_t) *handle {
	h, _ := handles.Load(uint64(id))
	return h.(*handle)
}

//export faultfsOpen
func faultfsOpen(name *C.char, flags C.int, id *C.uint64_t) C.int {
	if name == nil {
		return cannotOpen // temporary files are kept in memory by the store's settings
	}
	h, code := open(C.GoString(name), int(flags))
	if code == ok {
		n := lastHandle.Add(1)
		handles.Store(n, h)
		*id = C.uint64_t(n)
	}
	return C.int(code)
}

//export faultfsClose
func faultfsClose(id C.uint64_t) C.int {
	handleOf(id).close()
	handles.Delete(uint64(id))
	return ok
}

func view(buf unsafe.Pointer, n C.int) []byte { return unsafe.Slice((*byte)(buf), int(n)) }

//export faultfsRead
func faultfsRead(id C.uint64_t, buf unsafe.Pointer, n C.int, at C.int64_t) C.int {
	return C.int(handleOf(id).read(view(buf, n), int64(at)))
}

//export faultfsWrite
func faultfsWrite(id C.uint64_t, buf unsafe.Pointer, n C.int, at C.int64_t) C.int {
	return C.int(handleOf(id).write(view(buf, n), int64(at)))
}

//export faultfsTruncate
func faultfsTruncate(id C.uint64_t, size C.int64_t) C.int {
	return C.int(handleOf(id).truncate(int64(size)))
}

//export faultfsSync
func faultfsSync(id C.uint64_t) C.int { return C.int(handleOf(id).sync()) }

//export faultfsSize
func faultfsSize(id C.uint64_t, size *C.int64_t) C.int {
	n, code := handleOf(id).size()
	*size = C.int64_t(n)
	return C.int(code)
}

//export faultfsLock
func faultfsLock(id C.uint64_t, level C.int) C.int { return C.int(handleOf(id).lock(int(level))) }

//export faultfsUnlock
func faultfsUnlock(id C.uint64_t, level C.int) C.int {
	handleOf(id).unlock(int(level))
	return ok
}

//export faultfsReserved
func faultfsReserved(id C.uint64_t, out *C.int) C.int {
	*out = flag(handleOf(id).reserved())
	return ok
}

//export faultfsShmMap
func faultfsShmMap(id C.uint64_t, page, size, extend C.int, out *unsafe.Pointer) C.int {
	h := handleOf(id)
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	if *out = nil; h.dead() {
		return ioError
	}
	if h.shm == nil {
		if h.file.shm == nil {
			h.file.shm = &shm{}
		}
		h.shm = h.file.shm
		h.shm.users++
	}
	for extend != 0 && len(h.shm.regions) <= int(page) {
		h.shm.regions = append(h.shm.regions, C.calloc(1, C.size_t(size)))
	}
	if int(page) < len(h.shm.regions) {
		*out = h.shm.regions[page]
	}
	return ok
}

//export faultfsShmLock
func faultfsShmLock(id C.uint64_t, offset, n, flags C.int) C.int {
	return C.int(handleOf(id).shmLock(int(offset), int(n), int(flags)))
}

//export faultfsShmUnmap
func faultfsShmUnmap(id C.uint64_t) C.int {
	handleOf(id).shmUnmap()
	return ok
}

func (h *handle) shmUnmap() {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	s := h.shm
	if s == nil {
		return
	}
	h.shm = nil
	if s.users--; s.users > 0 {
		return
	}
	for _, region := range s.regions {
		C.free(region)
	}
	if h.file.shm == s {
		h.file.shm = nil
	}
}

//export faultfsDelete
func faultfsDelete(name *C.char, syncDir C.int) C.int {
	return C.int(remove(C.GoString(name), syncDir != 0))
}

//export faultfsAccess
func faultfsAccess(name *C.char, _ C.int, out *C.int) C.int {
	*out = flag(exists(C.GoString(name)))
	return ok
}

//export faultfsSleep
func faultfsSleep(us C.int) { time.Sleep(time.Duration(us) * time.Microsecond) } //nolint:forbidigo // SQLite asks for it

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
