package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
)

// publicIDs turns the integers inside into opaque strings outside and back. One AES block holds the kind and the
// number, so that no index is needed, ids cannot be counted or guessed, and an id of one kind is no id of another.
type publicIDs struct{ block cipher.Block }

// The kinds of public ids.
const (
	ProfileKind = "profile"
	MessageKind = "message"
	MailKind    = "mail"
)

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func (s *Store) loadPublicIDs(ctx context.Context) error {
	key, err := s.Secret(ctx, "public_id_key", 16)
	if err != nil {
		return err
	}
	s.ids.block, err = aes.NewCipher(key)
	return err
}

// PublicID is the opaque form of id: 26 characters.
func (s *Store) PublicID(kind string, id int64) string {
	var b [16]byte
	copy(b[:8], kind)
	binary.BigEndian.PutUint64(b[8:], uint64(id))
	s.ids.block.Encrypt(b[:], b[:])
	return idEncoding.EncodeToString(b[:])
}

// InternalID reads a public id; false when it is none of that kind.
func (s *Store) InternalID(kind, public string) (int64, bool) {
	b, err := idEncoding.DecodeString(public)
	if err != nil || len(b) != 16 || idEncoding.EncodeToString(b) != public {
		return 0, false
	}
	s.ids.block.Decrypt(b, b)
	var want [8]byte
	copy(want[:], kind)
	if [8]byte(b[:8]) != want {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b[8:])), true
}

// ProfileNumber implements query.Source.
func (s *Store) ProfileNumber(public string) (int64, bool) { return s.InternalID(ProfileKind, public) }

// Secret gives the random secret of that name, n bytes, made when first asked for.
func (s *Store) Secret(ctx context.Context, name string, n int) (secret []byte, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		fresh := make([]byte, n)
		if _, err := rand.Read(fresh); err != nil {
			return err
		}
		if _, err := c.Exec(`INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, s.seal(fresh, name)); err != nil {
			return err
		}
		_, err := c.One(`SELECT value FROM secrets WHERE name = $1`, []any{name}, func(r Row) error {
			secret, err = s.unseal(r.Bytes(0), name)
			return err
		})
		return err
	})
	return secret, err
}
