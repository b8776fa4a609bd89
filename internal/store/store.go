// Package store keeps everything durable. It holds one SQL text, in PostgreSQL's $1 style, over an embedded SQLite
// database; the tables are documented for analysts in docs/tables.md.
//
// All writing goes through one writer that commits in groups: the functions given to Update while a commit is running
// share the next one. When Update returns nil, the change has been synced to the disk.
package store

import (
	"context"
	"crypto/cipher"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// Store is an open database. All methods may be called from any goroutine.
type Store struct {
	dir      string
	settings settings
	db       database
	stop     sync.Once
	settler  atomic.Pointer[Settler]
	lives    atomic.Pointer[[]int64] // who this process has been among those that use the database, each time until it was taken for gone
	serves   atomic.Bool             // it takes requests
	older    atomic.Bool             // the tables are of a newer release than this program
	beating  sync.WaitGroup
	closing  chan struct{}
	presence *presence // nil: nothing that could go away

	sealer cipher.AEAD
	ids    publicIDs
	log    eventLog
	words  words

	additions additions
}

// Settler holds back what follows from events.
type Settler interface {
	// Settle brings the tables up to what has been acknowledged: of some profiles, or of all when none is named.
	Settle(ctx context.Context, profiles ...int64) error
	// Unsaved gives what is known of a profile that the tables may not have yet, in its stored form; nil where they have it.
	Unsaved(ctx context.Context, id int64) ([]byte, error)
	// UnsavedOwner gives the profile that holds an identifier that the tables may not have yet; 0 where there is none.
	UnsavedOwner(ctx context.Context, identifier identity.Identifier) (int64, error)
}

// SetSettler names whoever holds back what follows from events, while there is somebody; nil: nobody any more.
func (s *Store) SetSettler(settler Settler) {
	if settler == nil {
		s.settler.Store(nil)
		return
	}
	s.settler.Store(&settler)
}

// Settle returns once what follows from the events acknowledged before is in the tables: of some profiles, or of all when
// none is named.
func (s *Store) Settle(ctx context.Context, profiles ...int64) error {
	if settler := s.settler.Load(); settler != nil {
		return (*settler).Settle(ctx, profiles...)
	}
	return nil
}

// Open opens the database in dir, making both where they are missing, or the one of OnPostgres, and brings the tables up to
// date. It fails with Conflict when another process has the one in dir open or a copy into it is unfinished, with Invalid when
// it was written by a newer release or the master key is another's, and with Unavailable when PostgreSQL cannot be reached.
func Open(ctx context.Context, dir string, options ...Option) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unusable(dir, err)
	}
	s := &Store{dir: dir, settings: defaults, closing: make(chan struct{})}
	s.lives.Store(&[]int64{0}) // nobody
	for _, set := range options {
		set(&s.settings)
	}
	var err error
	if s.settings.postgres != "" {
		s.db, s.presence, err = openShared(ctx, s.settings)
	} else {
		s.db, err = openSQLiteDatabase(ctx, dir, s.settings)
	}
	if err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		s.db.close()
		return nil, err
	}
	if s.settings.postgres != "" {
		s.beating.Go(func() { s.beats(s.closing) })
	}
	return s, nil
}

// openShared opens what other nodes may have open, too.
func openShared(ctx context.Context, set settings) (database, *presence, error) {
	db, err := openPostgres(ctx, set.postgres)
	if err != nil {
		return nil, nil, err
	}
	db.presence.log = set.log
	if err := refuseUnfinished(ctx, db); err != nil {
		db.close()
		return nil, nil, err
	}
	return db, db.presence, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if s.sealer, err = s.openSeal(ctx); err != nil {
		return err
	}
	if err := s.join(ctx); err != nil {
		return err
	}
	if err := s.loadPublicIDs(ctx); err != nil {
		return err
	}
	if err := s.loadWords(ctx); err != nil {
		return err
	}
	if err := s.lookForAdditions(ctx); err != nil {
		return err
	}
	return s.openLog(ctx)
}

// Dir is the data directory.
func (s *Store) Dir() string { return s.dir }

// Close commits what is queued and releases the data directory. It may be called twice.
func (s *Store) Close() error {
	s.stop.Do(func() {
		s.log.close()
		close(s.closing)
		s.beating.Wait()
		_ = s.leave(context.Background()) // silence tells as well
		s.db.close()
	})
	return nil
}

// Update runs fn in a transaction, together with others that wait, and returns once it is durable. An error of fn undoes
// what fn did, and only that. fn must not keep the Conn, nor call Update or View.
func (s *Store) Update(ctx context.Context, fn func(*Conn) error) error {
	return s.db.update(ctx, anyone, fn)
}

func errClosed() error { return fault.New(fault.Unavailable, "the store is closed") }

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
func (s *Store) read(ctx context.Context, fn func(*Conn) error) error {
	return s.db.view(ctx, anyone, fn)
}

// engineView is View for the engine, which never waits for the readers of pages and reports.
func (s *Store) engineView(ctx context.Context, fn func(*Conn) error) error {
	return s.db.view(ctx, theEngine, fn)
}

// Stats are figures for the metrics page.
type Stats struct {
	Commits       int64
	CommitLatency time.Duration // recent mean
	Queued        int
	Problem       string // what people must see to, such as that events are not being sorted into runs; "" when all is well
}

// Stats tells how the writer is doing.
func (s *Store) Stats() Stats {
	commits, latency, queued := s.db.figures()
	problem := s.log.problem()
	if s.older.Load() {
		problem = olderThanTables
	}
	return Stats{Problem: problem, Commits: commits, CommitLatency: latency, Queued: queued}
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
