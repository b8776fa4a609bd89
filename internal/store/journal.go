package store

import (
	"context"
	"path/filepath"
	"sync/atomic"

	"github.com/tailorbird/tailorbird/internal/fault"
)

const (
	journalFile  = "journal.db" // beside the database
	journalTable = "blocks"
)

// journal keeps groups of events durable that were acknowledged before what follows from them is in the tables. It is a
// small SQLite database of its own, so that the commit of a group never waits for that of the tables, which is long under
// load. What the tables hold is forgotten here.
type journal struct {
	session chan *sqliteSession // whoever has it uses it
	through atomic.Int64        // blocks up to this id are in the tables
}

// openJournal opens the journal beside the database in dir, making it where it is missing. It fails with Conflict where the
// journal is another database's, whose events must not come into this.
func openJournal(ctx context.Context, db database, dir string, set settings) (*journal, error) {
	name := ""
	err := db.view(ctx, anyone, func(c *Conn) (err error) {
		name, err = installation(c)
		return err
	})
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, fault.New(fault.Conflict, "no server has worked with %s yet", dir)
	}
	session, err := openSQLite(filepath.Join(dir, journalFile), set, false,
		"PRAGMA cache_size=-4000", // pages are written once and not read
		writeAnew)
	if err != nil {
		return nil, err
	}
	j := &journal{session: make(chan *sqliteSession, 1)}
	j.session <- session
	if err := j.in(ctx, func(c *Conn) error { return j.begin(c, name) }); err != nil {
		session.close()
		return nil, err
	}
	return j, nil
}

// begin makes the tables, and sees to it that the journal is the installation's.
func (j *journal) begin(c *Conn, installation string) error {
	for _, table := range []string{
		`CREATE TABLE IF NOT EXISTS installation (name TEXT NOT NULL) STRICT`,
		`CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, records INTEGER NOT NULL, applied_at INTEGER NOT NULL, data BLOB NOT NULL) STRICT`,
	} {
		if _, err := c.Exec(table); err != nil {
			return err
		}
	}
	whose := ""
	if _, err := c.One(`SELECT name FROM installation`, nil, func(r Row) error { whose = r.Text(0); return nil }); err != nil {
		return err
	}
	switch whose {
	case installation:
		return nil
	case "":
		_, err := c.Exec(`INSERT INTO installation (name) VALUES ($1)`, installation)
		return err
	}
	return fault.New(fault.Conflict, "the %[1]s beside %[2]s holds events of another installation: put back the %[2]s that it belongs to, or move it away",
		journalFile, databaseFile)
}

func (j *journal) close() { (<-j.session).close() }

// in runs fn in a transaction.
func (j *journal) in(ctx context.Context, fn func(c *Conn) error) error {
	session := <-j.session
	defer func() { j.session <- session }()
	return session.in(ctx, fn)
}

// append makes a block durable.
func (j *journal) append(ctx context.Context, b *storedBlock) error {
	return j.in(ctx, func(c *Conn) error {
		if err := j.drop(c); err != nil {
			return err
		}
		return b.insert(c, journalTable)
	})
}

// forget says that the blocks up to an id are in the tables. They go with the next commit.
func (j *journal) forget(through int64) { j.through.Store(through) }

func (j *journal) drop(c *Conn) error {
	_, err := c.Exec(`DELETE FROM blocks WHERE id <= $1`, j.through.Load())
	return err
}

// blocks reads those after an id.
func (j *journal) blocks(ctx context.Context, after int64) (blocks []*storedBlock, err error) {
	err = j.in(ctx, func(c *Conn) error {
		blocks, err = readBlocks(c, journalTable, after)
		return err
	})
	return blocks, err
}
