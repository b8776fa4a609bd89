package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Restorer makes installations of backups. Passphrase and Key may be zero.
type Restorer struct {
	Target     Target
	Passphrase string
	Key        []byte // the content of master.key, where neither the backup nor the directory holds it
}

// Restore makes a data directory of the backup at path. The directory may be there if it is empty, or holds master.key
// alone, which is then used. Everything is checked before the database gets its name, so that a restore that fails or is
// interrupted leaves a directory in which it can be tried again. It fails with Conflict where there is something in the
// directory, and with Invalid for a damaged backup, one of a newer release, and a wrong passphrase or key.
//
// Messages that were waiting when the backup was made may have left since. The campaigns that were being sent are paused
// and named in held: somebody has to decide about them.
func (r *Restorer) Restore(ctx context.Context, path, dir string) (m Manifest, held []string, err error) {
	f, err := openBackup(path)
	if err != nil {
		return m, nil, err
	}
	defer f.Close()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, nil, fault.Wrap(fault.Invalid, err, "the data directory %s cannot be made", dir)
	}
	lock, err := r.Target.Lock(dir)
	if err != nil {
		return m, nil, err
	}
	defer lock.Close()
	found, err := keyAlone(dir)
	if err != nil {
		return m, nil, err
	}
	m, work, key, err := r.unpack(ctx, f, dir, found)
	defer os.RemoveAll(work)
	if err != nil {
		return m, nil, err
	}
	switch {
	case key == nil:
		return m, nil, fault.New(fault.Invalid, "the backup holds no %[1]s, since it is not encrypted: put the one that belongs to it into %[2]s, or give --master-key-file", MasterKeyFile, dir)
	case found != nil && !bytes.Equal(found, key):
		return m, nil, fault.New(fault.Conflict, "there is another %s in %s; restore into an empty directory", MasterKeyFile, dir)
	}
	if held, err = r.Target.Hold(ctx, filepath.Join(work, DatabaseFile)); err != nil {
		return m, nil, err
	}
	return m, held, install(work, dir, key)
}

// Check does what Restore does, save that nothing remains: it makes sure that a backup is good. Without a key, it leaves
// out whether the key opens the secrets. It needs room beside the backup.
func (r *Restorer) Check(ctx context.Context, path string) (Manifest, error) {
	f, err := openBackup(path)
	if err != nil {
		return Manifest{}, err
	}
	defer f.Close()
	m, work, _, err := r.unpack(ctx, f, filepath.Dir(path), nil)
	return m, errors.Join(err, os.RemoveAll(work))
}

func openBackup(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "there is no backup %s", path)
	}
	return f, fault.Wrap(fault.Invalid, err, "the backup cannot be read")
}

// keyAlone gives the master.key in a directory, nil without one, and is Conflict where there is anything more.
func keyAlone(dir string) ([]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the data directory %s cannot be read", dir)
	}
	var key []byte
	for _, e := range entries {
		switch name := e.Name(); {
		case name == MasterKeyFile:
			if key, err = os.ReadFile(filepath.Join(dir, name)); err != nil {
				return nil, fault.Wrap(fault.Invalid, err, "the key file cannot be read")
			}
		case name == "lock", name == "lost+found", strings.HasPrefix(name, workPrefix):
		default:
			return nil, fault.New(fault.Conflict, "there is %.80q in %s; restore into an empty directory", name, dir)
		}
	}
	return key, nil
}

// unpack writes the database of a backup into a working directory beneath dir, and checks it. key is the one that opens
// its secrets, nil where there is none to be had.
func (r *Restorer) unpack(ctx context.Context, backup io.Reader, dir string, found []byte) (m Manifest, work string, key []byte, err error) {
	if work, err = os.MkdirTemp(dir, workPrefix+"restore-"); err != nil {
		return m, work, nil, fault.Wrap(fault.Invalid, err, "nothing can be written into %s", dir)
	}
	database := filepath.Join(work, DatabaseFile)
	out, err := os.OpenFile(database, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return m, work, nil, fault.Wrap(fault.Unavailable, err, "the database cannot be written")
	}
	m, key, err = readArchive(ctx, backup, r.Passphrase, out)
	if flushed := errors.Join(out.Sync(), out.Close()); err == nil {
		err = fault.Wrap(fault.Unavailable, flushed, "the database cannot be written")
	}
	if err != nil {
		return m, work, nil, err
	}
	facts, err := r.Target.Inspect(ctx, database)
	if err != nil {
		return m, work, nil, err
	}
	if facts.Schema != m.Schema || !maps.Equal(facts.Rows, m.Rows) {
		return m, work, nil, damaged(nil, "its tables do not hold what %s says", manifestFile)
	}
	if key == nil {
		if key = r.Key; key == nil {
			key = found
		}
	}
	if key != nil {
		err = r.Target.Unlocks(ctx, database, key)
	}
	return m, work, key, err
}

// install moves what has been unpacked to its place: the key first, because a database without one is of no use.
func install(work, dir string, key []byte) error {
	path := filepath.Join(work, MasterKeyFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(key)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	for _, name := range []string{MasterKeyFile, DatabaseFile} {
		if err == nil {
			err = os.Rename(filepath.Join(work, name), filepath.Join(dir, name))
		}
		if err == nil {
			err = syncDir(dir)
		}
	}
	return fault.Wrap(fault.Unavailable, err, "the data cannot be put into %s", dir)
}
