package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// masterKeyFile holds the key under which secrets are sealed in the database: a copy of the database alone gives none
// of them away. Whoever backs up one must back up the other, somewhere else.
const masterKeyFile = "master.key"

const masterKeySize = 32

// sealCheck is a secret that tells whether a master key is the one of this database.
const sealCheck = "master_key_check"

// openSeal takes the master key that was given, or that of the data directory, which it makes where the database has
// never had one. It fails with Invalid for a key that is missing, damaged or another database's.
func (s *Store) openSeal(ctx context.Context) (cipher.AEAD, error) {
	sealed, err := s.storedCheck(ctx)
	if err != nil {
		return nil, err
	}
	key, name := s.settings.masterKey, "the master key"
	if key == nil {
		name = filepath.Join(s.dir, masterKeyFile)
		if key, err = keyFile(name, sealed == nil); err != nil {
			return nil, err
		}
	}
	sealer, err := sealerOf(key, name)
	if err != nil {
		return nil, err
	}
	if sealed == nil { // somebody else may begin at the same time
		fresh := sealer.Seal(nil, nil, nil, []byte(sealCheck))
		err := s.Update(ctx, func(c *Conn) error {
			_, err := c.Exec(`INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, sealCheck, fresh)
			return err
		})
		if err != nil {
			return nil, err
		}
		if sealed, err = s.storedCheck(ctx); err != nil {
			return nil, err
		}
	}
	if _, err := sealer.Open(nil, nil, sealed, []byte(sealCheck)); err != nil {
		return nil, fault.New(fault.Invalid, "%s is not the key of this database, whose secrets cannot be read with it; give the one that it began with", name)
	}
	return sealer, nil
}

// sealerOf is what a master key, of that name for people, locks and unlocks with.
func sealerOf(key []byte, name string) (cipher.AEAD, error) {
	if len(key) != masterKeySize {
		return nil, fault.New(fault.Invalid, "%s has %d bytes instead of %d", name, len(key), masterKeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (s *Store) storedCheck(ctx context.Context) (sealed []byte, err error) {
	err = s.read(ctx, func(c *Conn) error {
		sealed, err = sealedCheck(c)
		return err
	})
	return sealed, err
}

func sealedCheck(c *Conn) (sealed []byte, err error) {
	_, err = c.One(`SELECT value FROM secrets WHERE name = $1`, []any{sealCheck}, func(r Row) error { sealed = r.Bytes(0); return nil })
	return sealed, err
}

// installation names what a server began, wherever it is moved or copied; "" where none has worked with the database yet.
func installation(c *Conn) (name string, err error) {
	sealed, err := sealedCheck(c)
	if err != nil || sealed == nil {
		return "", err
	}
	digest := sha256.Sum256(sealed)
	return hex.EncodeToString(digest[:8]), nil
}

// keyFile reads a key, and makes it where it may be new.
func keyFile(path string, isNew bool) ([]byte, error) {
	key, err := os.ReadFile(path)
	switch {
	case err == nil:
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fault.Wrap(fault.Invalid, err, "the key file %s cannot be read", path)
	case !isNew:
		return nil, fault.New(fault.Invalid, "%s is missing, and the secrets in the database cannot be read without it; restore it from where you keep it", path)
	}
	key = make([]byte, masterKeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	if err := writeSynced(path, key); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the key file %s cannot be written", path)
	}
	return key, nil
}

// writeSynced writes a file that only its owner can read, and returns when it is on the disk, its name too. A crash
// leaves the whole file or none.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// seal encrypts a secret for the database. purpose binds it to its place.
func (s *Store) seal(secret []byte, purpose string) []byte {
	return s.sealer.Seal(nil, nil, secret, []byte(purpose))
}

// unseal reads what seal wrote for the same purpose.
func (s *Store) unseal(sealed []byte, purpose string) ([]byte, error) {
	secret, err := s.sealer.Open(nil, nil, sealed, []byte(purpose))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "a secret (%s) cannot be read with the master key; it belongs to another database", purpose)
	}
	return secret, nil
}
