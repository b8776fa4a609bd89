package app

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/tailorbird/tailorbird/internal/backup"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/server"
	"github.com/tailorbird/tailorbird/internal/store"
)

// Backups is how a server keeps its backups.
type Backups struct {
	Dir        string        // default: backups in the data directory
	Every      time.Duration // default: only when asked
	Keep       int           // default 7
	Passphrase string        // encrypts them, and takes the master key in; default: open ones, without it
}

const defaultKeep = 7

func (a *App) keeper() *backup.Keeper {
	b := a.config.Backups
	if a.config.DatabaseURL != "" {
		b.Every = 0
	}
	return &backup.Keeper{
		Maker: backup.Maker{Source: a.store.Directory(), Passphrase: b.Passphrase, Now: a.now, Version: a.config.Version},
		Dir:   cmp.Or(b.Dir, filepath.Join(a.config.DataDir, "backups")), Every: b.Every, Keep: cmp.Or(b.Keep, defaultKeep), Log: a.log,
	}
}

// shownBackups are the backups as the server shows them.
func (a *App) shownBackups() server.Backups {
	if a.config.DatabaseURL != "" {
		return elsewhere{a.backups}
	}
	return a.backups
}

// elsewhere is an installation whose data are in PostgreSQL: none are made here.
type elsewhere struct{ *backup.Keeper }

func (elsewhere) Begin(context.Context) (backup.Backup, error) { return backup.Backup{}, ErrElsewhere }

func (elsewhere) List() ([]backup.Backup, error) { return nil, ErrElsewhere }

// ErrElsewhere says how PostgreSQL is backed up.
var ErrElsewhere = fault.New(fault.Conflict,
	"the data are in PostgreSQL, whose own tools back them up: pg_dump, or pg_basebackup with an archive of its write-ahead log; the page on operations says how")

// Backup writes a backup of a data directory to a new file at path, whether a server works on it or not; see backup.Maker.
func Backup(ctx context.Context, dir, path, passphrase, version string, progress func(done, total int64)) (backup.Manifest, error) {
	source, err := store.OpenDirectory(dir)
	if err != nil {
		return backup.Manifest{}, err
	}
	maker := backup.Maker{Source: source, Passphrase: passphrase, Now: time.Now, Version: version, Progress: progress}
	return maker.Make(ctx, path)
}

// Restore makes a data directory of the backup at path. keyFile is where master.key is, for a backup without one; it may be
// empty. held are the campaigns that were being sent, and are paused now. See backup.Restorer.
func Restore(ctx context.Context, path, dir, passphrase, keyFile string) (m backup.Manifest, held []string, err error) {
	restorer, err := newRestorer(passphrase, keyFile)
	if err != nil {
		return m, nil, err
	}
	return restorer.Restore(ctx, path, dir)
}

// CheckBackup makes sure that the backup at path is good.
func CheckBackup(ctx context.Context, path, passphrase, keyFile string) (backup.Manifest, error) {
	restorer, err := newRestorer(passphrase, keyFile)
	if err != nil {
		return backup.Manifest{}, err
	}
	return restorer.Check(ctx, path)
}

func newRestorer(passphrase, keyFile string) (*backup.Restorer, error) {
	r := &backup.Restorer{Target: store.Restoring{}, Passphrase: passphrase}
	if keyFile == "" {
		return r, nil
	}
	var err error
	r.Key, err = os.ReadFile(keyFile)
	return r, fault.Wrap(fault.Invalid, err, "the key file cannot be read")
}
