package store

import (
	"context"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
)

// Keys lists every API key by its hash.
func (s *Store) Keys(ctx context.Context) (map[access.Hash]access.Key, error) {
	keys := map[access.Hash]access.Key{}
	err := s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT id, name, hash, scopes, created_at, last_used_at FROM api_keys`, nil, func(r Row) error {
			key := access.Key{ID: r.Int(0), Name: r.Text(1), CreatedAt: timeOf(r.Int(4))}
			for scope := range strings.FieldsSeq(r.Text(3)) {
				key.Scopes = append(key.Scopes, access.Scope(scope))
			}
			if !r.Null(5) {
				key.LastUsedAt = timeOf(r.Int(5))
			}
			var hash access.Hash
			copy(hash[:], r.Bytes(2))
			keys[hash] = key
			return nil
		})
	})
	return keys, err
}

// AddKey keeps a key and gives its id; Conflict where the hash exists.
func (s *Store) AddKey(ctx context.Context, key access.Key, hash access.Hash) (id int64, err error) {
	scopes := make([]string, len(key.Scopes))
	for i, scope := range key.Scopes {
		scopes[i] = string(scope)
	}
	err = s.Update(ctx, func(c *Conn) error {
		id, err = c.Insert(`INSERT INTO api_keys (name, hash, scopes, created_at) VALUES ($1, $2, $3, $4)`,
			key.Name, hash[:], strings.Join(scopes, " "), key.CreatedAt.UnixMicro())
		return err
	})
	return id, err
}

// DeleteKey removes a key and its sessions, and reports whether it was there.
func (s *Store) DeleteKey(ctx context.Context, id int64) (found bool, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		if _, err := c.Exec(`DELETE FROM sessions WHERE key_id = $1`, id); err != nil {
			return err
		}
		n, err := c.Exec(`DELETE FROM api_keys WHERE id = $1`, id)
		found = n > 0
		return err
	})
	return found, err
}

// TouchKey notes when a key was last used.
func (s *Store) TouchKey(ctx context.Context, id int64, at time.Time) error {
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`UPDATE api_keys SET last_used_at = $2 WHERE id = $1`, id, at.UnixMicro())
		return err
	})
}
