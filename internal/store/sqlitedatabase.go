package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

const (
	readers      = 4
	reservedFor  = 3   // readers of the engine: its loop, its scout, and who makes ready what it fills
	maxGroup     = 128 // functions in one commit
	writerQueue  = 256 // functions waiting for a commit
	databaseFile = "tailorbird.db"
)

// sqliteDatabase is a database in a directory. One writer commits in groups: the functions given to update while a commit
// is running share the next one.
type sqliteDatabase struct {
	pace
	path     string
	settings settings
	lock     *os.File
	updates  chan *update
	pools    [2]chan *sqliteSession // by reader
	opened   [2]int                 // of them
	writing  bool                   // the writer has begun
	done     chan struct{}          // the writer has ended
	mu       sync.RWMutex           // guards closed against sends on updates
	closed   bool
	queries  turns // those of others that run
}

type update struct {
	run  func(*Conn) error
	err  error
	done chan struct{}
}

// openSQLiteDatabase opens the database in dir and brings its tables up to date.
func openSQLiteDatabase(ctx context.Context, dir string, set settings) (*sqliteDatabase, error) {
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	d := &sqliteDatabase{
		path: databasePath(dir), settings: set, lock: lock, updates: make(chan *update, writerQueue), done: make(chan struct{}),
		queries: make(turns, queriesAtOnce),
		pools:   [2]chan *sqliteSession{anyone: make(chan *sqliteSession, readers), theEngine: make(chan *sqliteSession, reservedFor)},
	}
	if err := d.open(ctx); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *sqliteDatabase) open(ctx context.Context) error {
	path, set := d.path, d.settings
	if err := onSQLite(path, set, func(m *migrator) error { return m.up(ctx) }); err != nil {
		return err
	}
	writer, err := openSQLite(path, set, false, writeAnew)
	if err != nil {
		return err
	}
	d.writing = true
	go d.write(writer)
	for who, pool := range d.pools {
		for range cap(pool) {
			reader, err := openSQLite(path, set, true)
			if err != nil {
				return err
			}
			pool <- reader
			d.opened[who]++
		}
	}
	return nil
}

func databasePath(dir string) string { return filepath.Join(dir, databaseFile) }

// lockDir makes sure that one process at a time uses a data directory.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unusable(dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fault.New(fault.Conflict,
			"another Tailorbird process uses %s; stop it first, or talk to it, where the command has --server URL", dir)
	}
	return f, nil
}

// unusable says of a data directory that it cannot be worked in.
func unusable(dir string, err error) error {
	message := "the directory %s cannot be written to; give one that this user may write to"
	if errors.Is(err, fs.ErrNotExist) {
		message = "there is no directory %s; give the one that holds the data, or --database-url where PostgreSQL does"
	}
	return &fault.Error{Code: fault.Forbidden, Setting: "data", Message: fmt.Sprintf(message, dir), Cause: err}
}

func (d *sqliteDatabase) dialect() *dialect { return &sqliteDialect }

func (d *sqliteDatabase) figures() (commits int64, latency time.Duration, queued int) {
	return d.commits.Load(), time.Duration(d.latency.Load()), len(d.updates)
}

// close commits what is queued and releases the directory.
func (d *sqliteDatabase) close() {
	d.mu.Lock()
	d.closed = true
	close(d.updates)
	d.mu.Unlock()
	if d.writing {
		<-d.done
	}
	for who, pool := range d.pools {
		for range d.opened[who] {
			(<-pool).close()
		}
	}
	_ = d.lock.Close() // closing releases the lock
}

func (d *sqliteDatabase) update(ctx context.Context, _ reader, fn func(*Conn) error) error {
	u := &update{run: fn, done: make(chan struct{})}
	d.mu.RLock()
	if d.closed {
		d.mu.RUnlock()
		return errClosed()
	}
	select {
	case d.updates <- u:
		d.mu.RUnlock()
	case <-ctx.Done():
		d.mu.RUnlock()
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the store is busy")
	}
	<-u.done
	return u.err
}

func (d *sqliteDatabase) view(ctx context.Context, who reader, fn func(*Conn) error) error {
	pool := d.pools[who]
	var session *sqliteSession
	select {
	case session = <-pool:
	case <-ctx.Done():
		return fault.Wrap(fault.Unavailable, ctx.Err(), "the store is busy")
	}
	defer func() { pool <- session }()
	if err := session.control("BEGIN"); err != nil {
		return err
	}
	defer session.rollback()
	return fn(&Conn{session: session, dialect: &sqliteDialect, ctx: ctx})
}

// write is the writer's goroutine.
func (d *sqliteDatabase) write(session *sqliteSession) {
	defer close(d.done)
	defer session.close()
	group := make([]*update, 0, maxGroup)
	for first := range d.updates {
		group = append(group[:0], first)
		for len(group) < maxGroup {
			select {
			case next, ok := <-d.updates:
				if ok {
					group = append(group, next)
					continue
				}
			default:
			}
			break
		}
		start := time.Now()
		d.commit(session, group)
		d.note(start)
		for _, u := range group {
			close(u.done)
		}
	}
}

// commit runs a group in one transaction, each function under a savepoint of its own: one that fails undoes nothing of the
// others. A function alone needs none, which would keep a copy of every page that it changes.
func (d *sqliteDatabase) commit(session *sqliteSession, group []*update) {
	conn := &Conn{session: session, dialect: &sqliteDialect, ctx: context.Background()}
	fail := func(err error) {
		session.rollback()
		for _, u := range group {
			u.err = errors.Join(u.err, err)
		}
	}
	if err := session.begin(); err != nil {
		fail(err)
		return
	}
	if len(group) == 1 {
		if err := guarded(group[0].run, conn); err != nil {
			fail(err)
			return
		}
	} else if err := d.runEach(session, conn, group); err != nil {
		fail(err)
		return
	}
	if err := session.commit(); err != nil {
		fail(err)
	}
}

// runEach runs the functions of a group that have to get along with one another.
func (d *sqliteDatabase) runEach(session *sqliteSession, conn *Conn, group []*update) error {
	for _, u := range group {
		if err := session.control("SAVEPOINT one"); err != nil {
			return err
		}
		if u.err = guarded(u.run, conn); u.err != nil {
			if err := session.control("ROLLBACK TO one"); err != nil {
				return err
			}
		}
		if err := session.control("RELEASE one"); err != nil {
			return err
		}
	}
	return nil
}
