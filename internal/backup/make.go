package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Maker makes backups of one installation. Passphrase, Progress and Effort may be zero.
type Maker struct {
	Source     Source
	Passphrase string
	Now        func() time.Time
	Version    string
	Progress   func(done, total int64) // while the database is copied
	Effort     int                     // log2 of the work that a guess of the passphrase takes; 0: what age thinks right
}

// workPrefix begins the names of directories in which backups are made and restored. What a crash leaves of them may be
// deleted.
const workPrefix = ".tailorbird-"

// Make writes a backup to a new file at path: whole and checked, or not at all. Beside it there must be room for the
// database as it is and for the backup. It fails with Conflict where path exists, and with Unavailable on a full disk.
func (m *Maker) Make(ctx context.Context, path string) (Manifest, error) {
	var made Manifest
	if err := free(path); err != nil {
		return made, err
	}
	work, err := os.MkdirTemp(filepath.Dir(path), workPrefix+"backup-")
	if err != nil {
		return made, fault.Wrap(fault.Invalid, err, "no backup can be written into %s", filepath.Dir(path))
	}
	defer os.RemoveAll(work)
	made = Manifest{Format: Format, CreatedAt: m.Now().UTC().Truncate(time.Second), Version: m.Version}
	database, archive := filepath.Join(work, DatabaseFile), filepath.Join(work, "backup")
	if made.Facts, err = m.Source.Copy(ctx, database, m.Progress); err != nil {
		return made, err
	}
	var key []byte
	if m.Passphrase != "" {
		if key, err = m.Source.MasterKey(); err != nil {
			return made, err
		}
	}
	if made.Database, err = measure(ctx, database); err != nil {
		return made, fault.Wrap(fault.Internal, err, "the copy of the database cannot be read")
	}
	if err := m.pack(ctx, archive, made, database, key); err != nil {
		return made, err
	}
	if err := m.readBack(ctx, archive); err != nil {
		return made, err
	}
	return made, christen(archive, path)
}

// pack writes the archive, and returns when it is on the disk.
func (m *Maker) pack(ctx context.Context, path string, made Manifest, database string, key []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the backup cannot be written")
	}
	err = writeArchive(&steady{ctx: ctx, f: f, pace: NewPace()}, made, database, key, m.Passphrase, m.Effort)
	err = errors.Join(err, f.Sync(), f.Close())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.Wrap(fault.Unavailable, err, "the backup cannot be written")
}

func (m *Maker) readBack(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the backup cannot be read back")
	}
	defer f.Close()
	_, _, err = readArchive(ctx, f, m.Passphrase, io.Discard)
	return err
}

// Receive writes a backup that comes from elsewhere to a new file at path: whole, or not at all.
func Receive(path string, receive func(io.Writer) error) error {
	if err := free(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), workPrefix+"backup-*")
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "no backup can be written into %s", filepath.Dir(path))
	}
	defer os.Remove(f.Name())
	err = receive(f)
	if flushed := errors.Join(f.Sync(), f.Close()); err == nil {
		err = fault.Wrap(fault.Unavailable, flushed, "the backup cannot be written")
	}
	if err != nil {
		return err
	}
	return christen(f.Name(), path)
}

// free is Conflict where something is at path.
func free(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Conflict, "%s exists; a backup overwrites nothing: choose another name", path)
	}
	return nil
}

// christen gives a complete file its name, unless something else has taken it, and returns when that is on the disk.
func christen(made, path string) error {
	err := os.Link(made, path)
	if errors.Is(err, fs.ErrExist) {
		return free(path)
	}
	if err != nil { // a file system without links
		if err := free(path); err != nil {
			return err
		}
		err = os.Rename(made, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return fault.Wrap(fault.Unavailable, err, "the backup cannot be named %s", path)
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// measure reads a file for its size and its SHA-256.
func measure(ctx context.Context, path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, &heeding{ctx, f})
	return File{Bytes: n, SHA256: hexSum(sum)}, err
}

// steady writes a file at a Pace.
type steady struct {
	ctx  context.Context
	f    *os.File
	pace *Pace
	n    int
}

func (s *steady) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	if s.n += n; err != nil || s.n < piece {
		return n, err
	}
	s.n = 0
	if err := s.f.Sync(); err != nil {
		return n, err
	}
	return n, s.pace.Rest(s.ctx)
}
