package store

import (
	"context"
	"strings"
)

// Answers reports whether the database does; Unavailable where it does not.
func (s *Store) Answers(ctx context.Context) error {
	return s.read(ctx, func(c *Conn) error {
		_, err := c.Int(`SELECT 1`)
		return err
	})
}

// probeBytes are what a probe writes: about a commit of many events.
const probeBytes = 256 << 10

// Probe reports whether the store can commit: it writes something durably, and takes it away again.
func (s *Store) Probe(ctx context.Context) error {
	const name = "probe"
	err := s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			name, strings.Repeat("x", probeBytes))
		return err
	})
	if err != nil {
		return err
	}
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`DELETE FROM settings WHERE name = $1`, name)
		return err
	})
}
