package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"os"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/tailorbird/tailorbird/internal/fault"
)

const (
	maxManifest = 1 << 20 // bytes
	maxKey      = 1 << 10
	ageMagic    = "age-encryption.org/v1\n"
	zstdMagic   = "\x28\xb5\x2f\xfd"
)

// writeArchive writes a backup of the database file. key is nil where it is not to be in it.
func writeArchive(w io.Writer, m Manifest, database string, key []byte, passphrase string, effort int) error {
	var closers []io.Closer
	if passphrase != "" {
		recipient, err := age.NewScryptRecipient(passphrase)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "the passphrase cannot be used")
		}
		if effort > 0 {
			recipient.SetWorkFactor(effort)
		}
		sealed, err := age.Encrypt(w, recipient)
		if err != nil {
			return err
		}
		w, closers = sealed, append(closers, sealed)
	}
	packed, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return err
	}
	archive := tar.NewWriter(packed)
	closers = append(closers, packed, archive)
	err = writeFiles(archive, m, database, key)
	for i := len(closers) - 1; i >= 0; i-- {
		err = errors.Join(err, closers[i].Close())
	}
	return err
}

func writeFiles(archive *tar.Writer, m Manifest, database string, key []byte) error {
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(archive, manifestFile, int64(len(manifest)), m.CreatedAt, bytes.NewReader(manifest)); err != nil {
		return err
	}
	if key != nil {
		if err := writeFile(archive, MasterKeyFile, int64(len(key)), m.CreatedAt, bytes.NewReader(key)); err != nil {
			return err
		}
	}
	f, err := os.Open(database)
	if err != nil {
		return err
	}
	defer f.Close()
	return writeFile(archive, DatabaseFile, m.Database.Bytes, m.CreatedAt, f)
}

func writeFile(archive *tar.Writer, name string, size int64, at time.Time, content io.Reader) error {
	if err := archive.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: at, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := io.Copy(archive, content)
	return err
}

// damaged is the answer to a backup that is not what was written.
func damaged(cause error, format string, args ...any) error {
	f := fault.New(fault.Invalid, "the backup is damaged: "+format, args...)
	f.Cause = cause
	return f
}

// readArchive reads a backup to its end, gives its database to w, and checks all of it against the manifest. key is nil
// where the backup holds none.
func readArchive(ctx context.Context, r io.Reader, passphrase string, w io.Writer) (m Manifest, key []byte, err error) {
	packed, err := unsealed(r, passphrase)
	if err != nil {
		return m, nil, err
	}
	unpacked, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return m, nil, damaged(err, "it is not compressed as backups are")
	}
	defer unpacked.Close()
	archive := tar.NewReader(unpacked)
	manifest, err := readSmall(archive, manifestFile, maxManifest)
	if err != nil {
		return m, nil, err
	}
	if err := json.Unmarshal(manifest, &m); err != nil {
		return m, nil, damaged(err, "%s cannot be read", manifestFile)
	}
	if m.Format != Format {
		return m, nil, fault.New(fault.Invalid, "the backup has the format %d, and this program knows %d; restore it with the release that made it (%.40s) or a newer one",
			m.Format, Format, m.Version)
	}
	if passphrase != "" {
		if key, err = readSmall(archive, MasterKeyFile, maxKey); err != nil {
			return m, nil, err
		}
	}
	return m, key, readDatabase(ctx, archive, unpacked, m.Database, w)
}

// unsealed reads what is encrypted where the backup is.
func unsealed(r io.Reader, passphrase string) (io.Reader, error) {
	head := make([]byte, len(ageMagic))
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, damaged(err, "it is empty")
	}
	whole := io.MultiReader(bytes.NewReader(head[:n]), r)
	switch {
	case string(head[:n]) != ageMagic && !bytes.HasPrefix(head[:n], []byte(zstdMagic)):
		return nil, fault.New(fault.Invalid, "the file is not a backup of Tailorbird")
	case string(head[:n]) != ageMagic && passphrase != "":
		return nil, fault.New(fault.Invalid, "the backup is not encrypted; leave TAILORBIRD_BACKUP_PASSPHRASE out")
	case string(head[:n]) != ageMagic:
		return whole, nil
	case passphrase == "":
		return nil, fault.New(fault.Invalid, "the backup is encrypted; give its passphrase in TAILORBIRD_BACKUP_PASSPHRASE")
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the passphrase cannot be used")
	}
	open, err := age.Decrypt(whole, identity)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, fault.New(fault.Invalid, "the passphrase is not the one that the backup was encrypted with")
	}
	if err != nil {
		return nil, damaged(err, "it cannot be decrypted")
	}
	return open, nil
}

func next(archive *tar.Reader, name string) (*tar.Header, error) {
	header, err := archive.Next()
	if err != nil {
		return nil, damaged(err, "%s is missing", name)
	}
	if header.Name != name || header.Typeflag != tar.TypeReg {
		return nil, damaged(nil, "there is %.80q where %s should be", header.Name, name)
	}
	return header, nil
}

func readSmall(archive *tar.Reader, name string, limit int64) ([]byte, error) {
	header, err := next(archive, name)
	if err != nil {
		return nil, err
	}
	if header.Size > limit {
		return nil, damaged(nil, "%s is larger than %d bytes", name, limit)
	}
	content, err := io.ReadAll(archive)
	if err != nil {
		return nil, damaged(err, "%s breaks off", name)
	}
	return content, nil
}

func readDatabase(ctx context.Context, archive *tar.Reader, rest io.Reader, want File, w io.Writer) error {
	header, err := next(archive, DatabaseFile)
	if err != nil {
		return err
	}
	if header.Size != want.Bytes {
		return damaged(nil, "%s has %d bytes, and should have %d", DatabaseFile, header.Size, want.Bytes)
	}
	sum := sha256.New()
	out := &noted{w: w}
	if _, err := io.Copy(io.MultiWriter(sum, out), &heeding{ctx, archive}); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if out.err != nil {
			return fault.Wrap(fault.Unavailable, out.err, "the database cannot be written")
		}
		return damaged(err, "%s breaks off", DatabaseFile)
	}
	if got := hexSum(sum); got != want.SHA256 {
		return damaged(nil, "%s has the SHA-256 %s, and should have %.64s", DatabaseFile, got, want.SHA256)
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return damaged(err, "something follows %s", DatabaseFile)
	}
	// What follows the archive is empty, and carries the checksums of what has been read.
	if n, err := io.Copy(io.Discard, io.LimitReader(rest, piece)); err != nil || n == piece {
		return damaged(err, "its end is not as it was written")
	}
	return nil
}

func hexSum(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }

// noted remembers that writing failed, which reading may do as well.
type noted struct {
	w   io.Writer
	err error
}

func (n *noted) Write(p []byte) (int, error) {
	written, err := n.w.Write(p)
	n.err = err
	return written, err
}

// heeding reads until its context ends.
type heeding struct {
	ctx context.Context
	r   io.Reader
}

func (h *heeding) Read(p []byte) (int, error) {
	if err := h.ctx.Err(); err != nil {
		return 0, err
	}
	return h.r.Read(p)
}
