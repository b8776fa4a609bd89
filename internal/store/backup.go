package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mattn/go-sqlite3"

	"github.com/tailorbird/tailorbird/internal/backup"
	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Directory is a data directory as backups see it, whether a process works on it or not. It implements backup.Source and
// backup.Target.
type Directory struct {
	dir      string
	settings settings
	step     int // pages copied between two rests
}

// OpenDirectory looks at a data directory; NotFound where there is no database in it.
func OpenDirectory(dir string) (*Directory, error) {
	if _, err := os.Stat(filepath.Join(dir, databaseFile)); err != nil {
		return nil, fault.New(fault.NotFound, "there is no %s in %s", databaseFile, dir)
	}
	return &Directory{dir, defaults, copyStep}, nil
}

// Directory is the data directory of the store.
func (s *Store) Directory() *Directory { return &Directory{s.dir, s.settings, copyStep} }

// copyStep is 16 MB.
const copyStep = 4096

// Copy implements backup.Source. The connection that reads holds a snapshot, which commits of others pass by; the
// write-ahead log cannot shrink meanwhile.
func (d *Directory) Copy(ctx context.Context, path string, progress func(done, total int64)) (backup.Facts, error) {
	if d.settings.postgres != "" {
		return backup.Facts{}, fault.New(fault.Conflict, "everything is in PostgreSQL, which is backed up with its own tools: see docs/operations.md")
	}
	// Read first: what the journal has forgotten by then is in the snapshot.
	journaled, err := d.journaled(ctx)
	if err != nil {
		return backup.Facts{}, err
	}
	source, err := openSQLite(databasePath(d.dir), d.settings, true)
	if err != nil {
		return backup.Facts{}, err
	}
	defer source.close()
	defer source.rollback()
	// The snapshot is taken with the first row that is read.
	if err := errors.Join(source.do("BEGIN"), source.do(`SELECT count(*) FROM sqlite_schema`)); err != nil {
		return backup.Facts{}, err
	}
	if err := d.copyPages(ctx, source, path, progress); err != nil {
		return backup.Facts{}, err
	}
	if err := addBlocks(ctx, path, journaled); err != nil {
		return backup.Facts{}, err
	}
	return inspect(ctx, path, "quick_check")
}

// journaled are the blocks that the journal has, whether what follows from them is in the tables or not.
func (d *Directory) journaled(ctx context.Context) ([]*storedBlock, error) {
	path := filepath.Join(d.dir, journalFile)
	if _, err := os.Stat(path); d.settings.vfs == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	session, err := openSQLite(path, d.settings, true)
	if err != nil {
		return nil, err
	}
	defer session.close()
	return readBlocks(&Conn{session, &sqliteDialect, ctx}, journalTable, 0)
}

// addBlocks puts those from which nothing follows yet in a copy into it: a server that begins with it goes on from there.
func addBlocks(ctx context.Context, path string, blocks []*storedBlock) error {
	if len(blocks) == 0 {
		return nil
	}
	session, err := openSQLite(path, defaults, false) // closing it leaves one file, synced
	if err != nil {
		return err
	}
	defer session.close()
	return session.in(ctx, func(c *Conn) error {
		applied, err := appliedBlock(c)
		if err != nil {
			return err
		}
		for _, b := range blocks {
			if b.id > applied {
				if err := b.insert(c, blockTable); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (d *Directory) copyPages(ctx context.Context, source *sqliteSession, path string, progress func(done, total int64)) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the copy cannot be written")
	}
	defer func() { err = errors.Join(err, file.Close()) }() // after the connection: closing it drops the locks of both
	raw, err := (&sqlite3.SQLiteDriver{}).Open("file:" + path + "?_journal_mode=OFF&_synchronous=OFF")
	if err != nil {
		return storeError(err)
	}
	target := raw.(*sqlite3.SQLiteConn)
	defer target.Close()
	running, err := target.Backup("main", source.raw, "main")
	if err != nil {
		return storeError(err)
	}
	defer func() {
		if finished := running.Finish(); err == nil && finished != nil {
			err = storeError(finished)
		}
	}()
	for pace := backup.NewPace(); ; {
		done, err := running.Step(d.step)
		if err != nil {
			return storeError(err)
		}
		if progress != nil {
			progress(int64(running.PageCount()-running.Remaining()), int64(running.PageCount()))
		}
		if err := file.Sync(); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the copy cannot be written")
		}
		if done {
			return nil
		}
		if err := pace.Rest(ctx); err != nil {
			return err
		}
	}
}

// MasterKey implements backup.Source.
func (d *Directory) MasterKey() ([]byte, error) {
	if d.settings.masterKey != nil {
		return d.settings.masterKey, nil
	}
	key, err := os.ReadFile(filepath.Join(d.dir, masterKeyFile))
	return key, fault.Wrap(fault.Invalid, err, "the key file cannot be read")
}

// Restoring implements backup.Target.
type Restoring struct{}

// Lock implements backup.Target.
func (Restoring) Lock(dir string) (io.Closer, error) { return lockDir(dir) }

// Inspect implements backup.Target.
func (Restoring) Inspect(ctx context.Context, path string) (backup.Facts, error) {
	facts, err := inspect(ctx, path, "integrity_check")
	if err != nil {
		return facts, err
	}
	latest, err := newestSchema()
	if err == nil && facts.Schema > latest {
		err = fault.New(fault.Invalid, "the backup is of a newer release (schema %d, this one knows %d); restore it with that one", facts.Schema, latest)
	}
	return facts, err
}

// Unlocks implements backup.Target.
func (Restoring) Unlocks(ctx context.Context, path string, key []byte) error {
	return onCopy(ctx, path, func(c *Conn) error {
		sealer, err := sealerOf(key, masterKeyFile)
		if err != nil {
			return err
		}
		opened := &Store{sealer: sealer}
		return c.Query(`SELECT name, value FROM secrets`, nil, func(r Row) error {
			_, err := opened.unseal(r.Bytes(1), r.Text(0))
			return err
		})
	})
}

// Hold implements backup.Target.
func (Restoring) Hold(ctx context.Context, path string) (campaigns []string, err error) {
	session, err := openSQLite(path, defaults, false)
	if err != nil {
		return nil, err
	}
	defer session.close()
	c := &Conn{session, &sqliteDialect, ctx}
	err = c.Query(`UPDATE campaign_runs SET status = $1 WHERE status = $2 RETURNING campaign`,
		[]any{string(campaign.Paused), string(campaign.Sending)}, func(r Row) error {
			campaigns = append(campaigns, r.Text(0))
			return nil
		})
	return campaigns, err
}

// onCopy opens a database that nobody else uses, without writing anything beside it.
func onCopy(ctx context.Context, path string, do func(*Conn) error) error {
	raw, err := (&sqlite3.SQLiteDriver{}).Open("file:" + path + "?mode=ro&immutable=1")
	if err != nil {
		return storeError(err)
	}
	session := &sqliteSession{raw: raw.(*sqlite3.SQLiteConn), stmts: map[string]*statement{}}
	defer session.close()
	return do(&Conn{session, &sqliteDialect, ctx})
}

// inspect has SQLite check a database (quick_check: every page and row; integrity_check: every index too), and counts.
func inspect(ctx context.Context, path, check string) (facts backup.Facts, err error) {
	facts.Rows = map[string]int64{}
	err = onCopy(ctx, path, func(c *Conn) error {
		_, err := c.One(`PRAGMA `+check+`(1)`, nil, func(r Row) error {
			if r.Text(0) != "ok" {
				return fault.New(fault.Invalid, "the database is damaged: %.200s", r.Text(0))
			}
			return nil
		})
		if err != nil {
			return err
		}
		var tables []string
		err = c.Query(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`, nil, func(r Row) error {
			tables = append(tables, r.Text(0))
			return nil
		})
		if err != nil {
			return err
		}
		for _, table := range tables {
			if facts.Rows[table], err = c.Int(`SELECT count(*) FROM "` + strings.ReplaceAll(table, `"`, `""`) + `"`); err != nil {
				return err
			}
		}
		facts.Schema, err = c.Int(`SELECT max(version_id) FROM goose_db_version WHERE is_applied = 1`)
		return err
	})
	if err != nil && ctx.Err() != nil {
		return facts, ctx.Err()
	}
	if err != nil && fault.CodeOf(err) == fault.Internal {
		err = fault.Wrap(fault.Invalid, err, "the database is damaged")
	}
	return facts, err
}
