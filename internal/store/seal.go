package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
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

// openSeal reads the master key, and makes it where there is neither key nor database.
func openSeal(dir string) (cipher.AEAD, error) {
	path := filepath.Join(dir, masterKeyFile)
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, old := os.Stat(filepath.Join(dir, databaseFile)); old == nil {
			return nil, fault.New(fault.Invalid, "%s is missing, and the secrets in the database cannot be read without it; restore it from where you keep it", path)
		}
		key = make([]byte, masterKeySize)
		if _, err := rand.Read(key); err != nil {
			return nil, err
		}
		if err := writeSynced(path, key); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the key file %s cannot be written", path)
		}
	} else if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the key file %s cannot be read", path)
	}
	return sealerOf(key)
}

// sealerOf is what a master key locks and unlocks with.
func sealerOf(key []byte) (cipher.AEAD, error) {
	if len(key) != masterKeySize {
		return nil, fault.New(fault.Invalid, "%s has %d bytes instead of %d", masterKeyFile, len(key), masterKeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
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
		return nil, fault.Wrap(fault.Invalid, err, "a secret (%s) cannot be read with %s; it belongs to another database", purpose, masterKeyFile)
	}
	return secret, nil
}
