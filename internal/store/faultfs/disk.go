// Package faultfs is a disk in memory for SQLite that fails on purpose: it loses power between any two writes, with
// what was not synced lost, kept or torn; it fills up, fails to read, write and sync, and takes its time. What survives
// can be opened again, as after a restart. It is for tests.
//
// It is a file layer of SQLite (VFS), shared memory of write-ahead logging included, registered under Name. It serves
// the directories that are mounted.
package faultfs

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// sector is the unit that a failing disk writes whole or not at all, in bytes.
const sector = 512

// Disk is one directory of files. All methods may be called from any goroutine.
type Disk struct {
	dir string

	mu     sync.Mutex
	boot   int // handles of an earlier one are dead
	down   bool
	files  map[string]*file
	ghosts map[string]*file // deleted, but the directory has not been synced
	plan   Plan
	count  int // changes since the plan
	reads  int // likewise
	calm   bool
	slow   int // changes that are taking their time
	log    func(Operation)
}

// Plan says what goes wrong, and when. Changes (write, truncate, sync, delete) are counted from 1 since the plan was
// made, and so are reads. The zero Plan is a disk that works.
type Plan struct {
	CrashAt    int                            // power is lost instead of this change; 0: never
	Capacity   int64                          // bytes that all files may have together; 0: no limit
	FailAt     int                            // the first change that fails; 0: none
	FailFor    int                            // how many fail
	ReadFailAt int                            // the first read that fails; 0: none
	ReadsFail  int                            // how many fail
	Delay      func(change int) time.Duration // how long a change takes; nil: no time
	Choose     *rand.Rand                     // decides what a failed sync has written; nil: nothing
}

// Operation is one change, as it was asked for.
type Operation struct {
	Kind   string // "write", "truncate", "sync" or "delete"
	File   string // its base name
	Offset int64
	Bytes  int
}

// file is what a file holds, and what of it would survive. Its disk's mutex guards it.
type file struct {
	data    []byte
	durable []byte
	pending []change // since durable, in order
	locks   locks
	shm     *shm
}

// change is one write or truncation that has not been synced.
type change struct {
	offset int64
	data   []byte // nil: the file is cut at offset
}

// Loss is what becomes of changes that were not synced when the machine stops.
type Loss int

// The losses.
const (
	Kept Loss = iota // the program died and the system lives: every change survives
	Lost             // no change survives
	Torn             // some sectors of some changes survive
)

var mounts struct {
	sync.RWMutex
	disks map[string]*Disk
}

// Mount gives SQLite an empty disk at dir, an absolute path.
func Mount(dir string) *Disk {
	register()
	d := &Disk{dir: filepath.Clean(dir), files: map[string]*file{}, ghosts: map[string]*file{}}
	mounts.Lock()
	defer mounts.Unlock()
	if mounts.disks == nil {
		mounts.disks = map[string]*Disk{}
	}
	mounts.disks[d.dir] = d
	return d
}

// Unmount forgets the disk. Its files must be closed.
func (d *Disk) Unmount() {
	mounts.Lock()
	defer mounts.Unlock()
	delete(mounts.disks, d.dir)
}

func diskOf(path string) *Disk {
	mounts.RLock()
	defer mounts.RUnlock()
	return mounts.disks[filepath.Dir(path)]
}

// Plan replaces the plan; counting begins anew.
func (d *Disk) Plan(p Plan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plan, d.count, d.reads = p, 0, 0
}

// Calm runs do on a disk that works; the plan and its counts wait meanwhile. A disk that is down stays down.
func (d *Disk) Calm(do func()) {
	d.setCalm(true)
	defer d.setCalm(false)
	do()
}

func (d *Disk) setCalm(calm bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calm = calm
}

// Busy reports whether changes are taking their time.
func (d *Disk) Busy() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.slow > 0
}

// take lets a change take its time.
func (d *Disk) take(delay time.Duration) {
	if delay <= 0 {
		return
	}
	d.mu.Lock()
	d.slow++
	d.mu.Unlock()
	time.Sleep(delay) //nolint:forbidigo // a slow disk is what it is for
	d.mu.Lock()
	d.slow--
	d.mu.Unlock()
}

// Changes is the number of changes since the plan was made.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// Watch calls each with every change that is asked for. each must not use the disk.
func (d *Disk) Watch(each func(Operation)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = each
}

// Size is the bytes of all files.
func (d *Disk) Size() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.size()
}

func (d *Disk) size() (n int64) {
	for _, f := range d.files {
		n += int64(len(f.data))
	}
	return n
}

// Down reports whether the power is off.
func (d *Disk) Down() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.down
}

// Crash turns the power off now: everything fails until Restart.
func (d *Disk) Crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = true
}

// Restart turns the power on with what survives, and no plan. Files that were open stay dead.
func (d *Disk) Restart(loss Loss, choose *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.boot++
	d.down, d.plan, d.count, d.reads = false, Plan{}, 0, 0
	if loss != Kept {
		for _, name := range sortedNames(d.ghosts) {
			if d.files[name] == nil && (loss == Lost || choose.IntN(2) == 0) {
				d.files[name] = d.ghosts[name]
			}
		}
	}
	for _, name := range sortedNames(d.files) {
		f := d.files[name]
		survivor := &file{data: f.data}
		switch loss {
		case Lost:
			survivor.data = f.durable
		case Torn:
			survivor.data = tear(f.durable, f.pending, choose)
		}
		survivor.durable = bytes.Clone(survivor.data)
		survivor.data = bytes.Clone(survivor.data)
		d.files[name] = survivor
	}
	d.ghosts = map[string]*file{}
}

// Image copies the files by their base names, as they are now.
func (d *Disk) Image() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	image := map[string][]byte{}
	for path, f := range d.files {
		image[filepath.Base(path)] = bytes.Clone(f.data)
	}
	return image
}

// Put lays synced files down by their base names.
func (d *Disk) Put(image map[string][]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, data := range image {
		d.files[filepath.Join(d.dir, name)] = &file{data: bytes.Clone(data), durable: bytes.Clone(data)}
	}
}

// tear applies a random part of the changes: some not at all, some whole, and of some only some of the sectors.
func tear(durable []byte, pending []change, choose *rand.Rand) []byte {
	data := bytes.Clone(durable)
	whole := choose.Float64() // how much this disk keeps
	for _, c := range pending {
		switch {
		case choose.Float64() < whole:
			data = c.apply(data)
		case c.data == nil || choose.IntN(2) == 0:
		default:
			for from := int64(0); from < int64(len(c.data)); {
				to := min(int64(len(c.data)), ((c.offset+from)/sector+1)*sector-c.offset)
				if choose.IntN(2) == 0 {
					data = change{c.offset + from, c.data[from:to]}.apply(data)
				}
				from = to
			}
		}
	}
	return data
}

// apply makes the change to a file that holds data.
func (c change) apply(data []byte) []byte {
	if c.data == nil {
		if int64(len(data)) > c.offset {
			data = data[:c.offset]
		}
		return data
	}
	end := int(c.offset) + len(c.data)
	if end > len(data) {
		if end > cap(data) {
			data = slices.Grow(data, end-len(data)+len(data)/2)
		}
		old := len(data)
		data = data[:end]
		clear(data[old:])
	}
	copy(data[c.offset:], c.data)
	return data
}

func sortedNames(files map[string]*file) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	return names
}
