package store

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
)

// AddSession keeps a session and drops those that have expired by from.
func (s *Store) AddSession(ctx context.Context, hash access.Hash, keyID int64, from, expires time.Time) error {
	return s.Update(ctx, func(c *Conn) error {
		if _, err := c.Exec(`DELETE FROM sessions WHERE expires_at <= $1`, from.UnixMicro()); err != nil {
			return err
		}
		_, err := c.Exec(`INSERT INTO sessions (hash, key_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`,
			hash[:], keyID, from.UnixMicro(), expires.UnixMicro())
		return err
	})
}

// Session gives the key of a session that has not expired by now.
func (s *Store) Session(ctx context.Context, hash access.Hash, now time.Time) (keyID int64, ok bool, err error) {
	err = s.read(ctx, func(c *Conn) error {
		ok, err = c.One(`SELECT key_id FROM sessions WHERE hash = $1 AND expires_at > $2`, []any{hash[:], now.UnixMicro()},
			func(r Row) error { keyID = r.Int(0); return nil })
		return err
	})
	return keyID, ok, err
}

// DeleteSession ends a session.
func (s *Store) DeleteSession(ctx context.Context, hash access.Hash) error {
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`DELETE FROM sessions WHERE hash = $1`, hash[:])
		return err
	})
}
