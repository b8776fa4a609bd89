package store

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
)

const namedPurpose = "named secret "

// NamedSecrets lists the secrets that definitions may name, without their values.
func (s *Store) NamedSecrets(ctx context.Context) (list []definition.Secret, err error) {
	err = s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT name, set_at, set_by FROM named_secrets ORDER BY name`, nil, func(r Row) error {
			list = append(list, definition.Secret{Name: r.Text(0), SetAt: timeOf(r.Int(1)), SetBy: r.Text(2)})
			return nil
		})
	})
	return list, err
}

// NamedSecret gives the value of a secret; NotFound where it is not set.
func (s *Store) NamedSecret(ctx context.Context, name string) (value string, err error) {
	found := false
	err = s.read(ctx, func(c *Conn) error {
		found, err = c.One(`SELECT value FROM named_secrets WHERE name = $1`, []any{name}, func(r Row) error {
			opened, err := s.unseal(r.Bytes(0), namedPurpose+name)
			value = string(opened)
			return err
		})
		return err
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "there is no secret %q", name)
	}
	return value, err
}

// SetNamedSecret keeps a secret, in the place of an earlier one of that name.
func (s *Store) SetNamedSecret(ctx context.Context, name, value, by string, at time.Time) error {
	sealed := s.seal([]byte(value), namedPurpose+name)
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`INSERT INTO named_secrets (name, value, set_at, set_by) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value, set_at = excluded.set_at, set_by = excluded.set_by`,
			name, sealed, at.UnixMicro(), by)
		return err
	})
}

// DeleteNamedSecret forgets a secret; NotFound where it is not set.
func (s *Store) DeleteNamedSecret(ctx context.Context, name string) error {
	return s.Update(ctx, func(c *Conn) error {
		n, err := c.Exec(`DELETE FROM named_secrets WHERE name = $1`, name)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "there is no secret %q", name)
		}
		return err
	})
}
