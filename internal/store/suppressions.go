package store

import (
	"context"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Suppressions gives a page of the list by address, and the cursor of the next one.
func (s *Store) Suppressions(ctx context.Context, cursor string, limit int) (list []deliver.Suppression, next string, err error) {
	err = s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT email, reason, created_at FROM suppressions WHERE email > $1 ORDER BY email LIMIT $2`, []any{cursor, limit + 1},
			func(r Row) error {
				list = append(list, deliver.Suppression{Email: r.Text(0), Reason: deliver.Reason(r.Text(1)), Since: timeOf(r.Int(2))})
				return nil
			})
	})
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].Email
	}
	return list, next, err
}

// Suppress adds an address, unless it is there for a stronger reason, and gives what then stands.
func (s *Store) Suppress(ctx context.Context, suppression deliver.Suppression) (stands deliver.Suppression, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		if err := suppress(c, suppression); err != nil {
			return err
		}
		stands, _, err = findSuppression(c, suppression.Email)
		return err
	})
	return stands, err
}

func suppress(c *Conn, suppression deliver.Suppression) error {
	if err := c.Serial("suppressions"); err != nil {
		return err
	}
	old, found, err := findSuppression(c, suppression.Email)
	if err != nil || (found && !suppression.Stronger(old)) {
		return err
	}
	_, err = c.Exec(`INSERT INTO suppressions (email, reason, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (email) DO UPDATE SET reason = excluded.reason, created_at = excluded.created_at`,
		suppression.Email, string(suppression.Reason), suppression.Since.UnixMicro())
	return err
}

func findSuppression(c *Conn, email string) (found deliver.Suppression, ok bool, err error) {
	ok, err = c.One(`SELECT email, reason, created_at FROM suppressions WHERE email = $1`, []any{email}, func(r Row) error {
		found = deliver.Suppression{Email: r.Text(0), Reason: deliver.Reason(r.Text(1)), Since: timeOf(r.Int(2))}
		return nil
	})
	return found, ok, err
}

// suppressedFor tells why no message may go to an address, "" when one may: who asked us to stop asked for the address,
// whichever profiles have it.
func suppressedFor(c *Conn, email string) (deliver.Reason, error) {
	found, ok, err := findSuppression(c, email)
	switch {
	case err != nil || !ok:
		return "", err
	case found.Reason == deliver.Unsubscribed:
		return deliver.Unsubscribed, nil
	default:
		return deliver.Suppressed, nil
	}
}

// Readmit removes an address that is suppressed for this very reason; there is nothing to do otherwise.
func (s *Store) Readmit(ctx context.Context, email string, reason deliver.Reason) error {
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`DELETE FROM suppressions WHERE email = $1 AND reason = $2`, email, string(reason))
		return err
	})
}

// Unsuppress removes an address; NotFound where it is not there.
func (s *Store) Unsuppress(ctx context.Context, email string) error {
	return s.Update(ctx, func(c *Conn) error {
		n, err := c.Exec(`DELETE FROM suppressions WHERE email = $1`, email)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "%s is not suppressed", email)
		}
		return err
	})
}
