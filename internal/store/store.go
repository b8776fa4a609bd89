// Package store keeps everything durable. It holds one SQL text, in PostgreSQL's $1 style, over an embedded SQLite
// database; the tables are documented for analysts in docs/tables.md.
//
// All writing goes through one writer that commits in groups: the functions given to Update while a commit is running
// share the next one. When Update returns nil, the change has been synced to the disk.
package store

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

const (
	readers      = 4
	reservedFor  = 2   // readers of the engine
	maxGroup     = 128 // functions in one commit
	writerQueue  = 256 // functions waiting for a commit
	databaseFile = "tailorbird.db"
)

// Store is an open database. All methods may be called from any goroutine.
type Store struct {
	dir      string
	settings settings
	lock     *os.File
	updates  chan *update
	pool     chan *Conn
	reserved chan *Conn // for the engine
	stop     sync.Once
	writing  bool          // the writer has begun
	done     chan struct{} // the writer has ended
	mu       sync.RWMutex  // guards closed against sends on updates
	closed   bool
	settler  atomic.Pointer[settler]
	commits  atomic.Int64
	latency  atomic.Int64 // of the last commits, an exponentially weighted mean, in ns

	sealer cipher.AEAD
	ids    publicIDs
	log    *eventLog
	words  words
}

// settler brings the tables up to what has been acknowledged: of some profiles, or of all when none is named.
type settler = func(ctx context.Context, profiles ...int64) error

// SetSettler names whoever holds back what follows from events, while there is somebody; nil: nobody any more.
func (s *Store) SetSettler(settle func(ctx context.Context, profiles ...int64) error) {
	if settle == nil {
		s.settler.Store(nil)
		return
	}
	s.settler.Store(&settle)
}

// Settle returns once what follows from the events acknowledged before is in the tables: of some profiles, or of all when
// none is named.
func (s *Store) Settle(ctx context.Context, profiles ...int64) error {
	if settle := s.settler.Load(); settle != nil {
		return (*settle)(ctx, profiles...)
	}
	return nil
}

type update struct {
	run  func(*Conn) error
	err  error
	done chan struct{}
}

// Open opens the database in dir, making both where they are missing, and brings the tables up to date. It fails with
// Conflict when another process has it open, and with Invalid when it was written by a newer release.
func Open(ctx context.Context, dir string, options ...Option) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the data directory %s cannot be made", dir)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir: dir, settings: defaults, lock: lock, updates: make(chan *update, writerQueue),
		pool: make(chan *Conn, readers), reserved: make(chan *Conn, reservedFor), done: make(chan struct{}),
	}
	for _, set := range options {
		set(&s.settings)
	}
	if err := s.open(ctx); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	path := filepath.Join(s.dir, databaseFile)
	var err error
	if s.sealer, err = openSeal(s.dir); err != nil {
		return err
	}
	if err := migrate(ctx, path, s.settings); err != nil {
		return err
	}
	writer, err := openConn(path, s.settings, false)
	if err != nil {
		return err
	}
	s.writing = true
	go s.write(writer)
	for _, pool := range []chan *Conn{s.pool, s.reserved} {
		for range cap(pool) {
			reader, err := openConn(path, s.settings, true)
			if err != nil {
				return err
			}
			pool <- reader
		}
	}
	if err := s.loadPublicIDs(ctx); err != nil {
		return err
	}
	if err := s.loadWords(ctx); err != nil {
		return err
	}
	return s.openLog(ctx)
}

// lockDir makes sure that one process at a time uses a data directory.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the data directory %s is not writable", dir)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fault.New(fault.Conflict,
			"another Tailorbird process uses %s; talk to it with --server URL, or stop it first", dir)
	}
	return f, nil
}

// Dir is the data directory.
func (s *Store) Dir() string { return s.dir }

// Close commits what is queued and releases the data directory. It may be called twice.
func (s *Store) Close() error {
	s.stop.Do(func() {
		s.stopCompactor()
		s.endWriting()
		for _, pool := range []chan *Conn{s.pool, s.reserved} {
			for range cap(pool) {
				(<-pool).close()
			}
		}
		_ = s.lock.Close() // closing releases the lock
	})
	return nil
}

func (s *Store) endWriting() {
	s.mu.Lock()
	s.closed = true
	close(s.updates)
	s.mu.Unlock()
	<-s.done
}

// release gives back what an Open that failed has taken.
func (s *Store) release() {
	if s.writing {
		s.endWriting()
	}
	for _, pool := range []chan *Conn{s.pool, s.reserved} {
		for len(pool) > 0 {
			(<-pool).close()
		}
	}
	_ = s.lock.Close()
}

// Update runs fn in a transaction, together with others that wait, and returns once it is durable. An error of fn undoes
// what fn did, and only that. fn must not keep the Conn, nor call Update or View.
func (s *Store) Update(ctx context.Context, fn func(*Conn) error) error {
	u := &update{run: fn, done: make(chan struct{})}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return fault.New(fault.Unavailable, "the store is closed")
	}
	select {
	case s.updates <- u:
		s.mu.RUnlock()
	case <-ctx.Done():
		s.mu.RUnlock()
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the store is busy")
	}
	<-u.done
	return u.err
}

// View runs fn against a consistent snapshot in which everything is that follows from the events acknowledged before. fn
// must not keep the Conn. The query is interrupted when ctx ends.
func (s *Store) View(ctx context.Context, fn func(*Conn) error) error {
	if err := s.Settle(ctx); err != nil {
		return err
	}
	return s.read(ctx, fn)
}

// viewOf is View for what is known of some profiles, which must be named.
func (s *Store) viewOf(ctx context.Context, profiles []int64, fn func(*Conn) error) error {
	if len(profiles) > 0 {
		if err := s.Settle(ctx, profiles...); err != nil {
			return err
		}
	}
	return s.read(ctx, fn)
}

// read runs fn against what is in the tables.
func (s *Store) read(ctx context.Context, fn func(*Conn) error) error { return view(ctx, s.pool, fn) }

// engineView is View for the engine, which never waits for the readers of pages and reports.
func (s *Store) engineView(ctx context.Context, fn func(*Conn) error) error {
	return view(ctx, s.reserved, fn)
}

func view(ctx context.Context, pool chan *Conn, fn func(*Conn) error) error {
	var conn *Conn
	select {
	case conn = <-pool:
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the store is busy")
	}
	defer func() { pool <- conn }()
	conn.ctx = ctx
	defer func() { conn.ctx = nil }()
	if err := conn.begin("BEGIN"); err != nil {
		return err
	}
	defer conn.rollback()
	return fn(conn)
}

// Stats are figures for the metrics page.
type Stats struct {
	Commits       int64
	CommitLatency time.Duration // recent mean
	Queued        int
	Problem       string // why events are not being sorted into runs; "" when they are
}

// Stats tells how the writer is doing.
func (s *Store) Stats() Stats {
	s.log.mu.Lock()
	problem := s.log.problem
	s.log.mu.Unlock()
	return Stats{Problem: problem, Commits: s.commits.Load(), CommitLatency: time.Duration(s.latency.Load()), Queued: len(s.updates)}
}

// write is the writer's goroutine.
func (s *Store) write(conn *Conn) {
	defer close(s.done)
	defer conn.close()
	group := make([]*update, 0, maxGroup)
	for first := range s.updates {
		group = append(group[:0], first)
		for len(group) < maxGroup {
			select {
			case next, ok := <-s.updates:
				if ok {
					group = append(group, next)
					continue
				}
			default:
			}
			break
		}
		start := time.Now()
		s.commit(conn, group)
		s.commits.Add(1)
		s.latency.Store((s.latency.Load()*15 + int64(time.Since(start))) / 16)
		for _, u := range group {
			close(u.done)
		}
	}
}

// commit runs a group in one transaction, each function under a savepoint of its own.
func (s *Store) commit(conn *Conn, group []*update) {
	fail := func(err error) {
		conn.rollback()
		for _, u := range group {
			u.err = errors.Join(u.err, err)
		}
	}
	if err := conn.begin("BEGIN IMMEDIATE"); err != nil {
		fail(err)
		return
	}
	for _, u := range group {
		if _, err := conn.Exec("SAVEPOINT one"); err != nil {
			fail(err)
			return
		}
		if u.err = guarded(u.run, conn); u.err != nil {
			if _, err := conn.Exec("ROLLBACK TO one"); err != nil {
				fail(err)
				return
			}
		}
		if _, err := conn.Exec("RELEASE one"); err != nil {
			fail(err)
			return
		}
	}
	if _, err := conn.Exec("COMMIT"); err != nil {
		fail(err)
	}
}

// guarded turns a panic of one function into its error, so that the rest of the group commits.
func guarded(run func(*Conn) error, conn *Conn) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("store: update panicked: %v", r)
		}
	}()
	return run(conn)
}
