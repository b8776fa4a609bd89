package app

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/tailorbird/tailorbird/internal/backup"
	"github.com/tailorbird/tailorbird/internal/fault"
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
	source := backup.Source(a.store.Directory())
	if a.config.DatabaseURL != "" {
		source, b.Every = elsewhere{}, 0
	}
	return &backup.Keeper{
		Maker: backup.Maker{Source: source, Passphrase: b.Passphrase, Now: a.now, Version: a.config.Version},
		Dir:   cmp.Or(b.Dir, filepath.Join(a.config.DataDir, "backups")), Every: b.Every, Keep: cmp.Or(b.Keep, defaultKeep), Log: a.log,
	}
}

// elsewhere is an installation whose data are in PostgreSQL.
type elsewhere struct{}

func (elsewhere) Copy(context.Context, string, func(done, total int64)) (backup.Facts, error) {
	return backup.Facts{}, fault.New(fault.Invalid, "the data are in PostgreSQL; back them up with its own tools, such as pg_dump or pgBackRest")
}

// MasterKey is never asked for: there is no copy for it to go with.
func (elsewhere) MasterKey() ([]byte, error) { return nil, nil }

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
