package store

import (
	"context"
	"strconv"

	"github.com/tailorbird/tailorbird/internal/expr"
)

// Matching counts the living profiles for whose row a condition holds, of all, and gives the ids of up to sample of them.
// False where the condition has no SQL.
func (s *Store) Matching(ctx context.Context, p *expr.Program, sample int) (count, total int, ids []int64, ok bool, err error) {
	where, args, ok := p.SQL(s.db.dialect().expr)
	if !ok {
		return 0, 0, nil, false, nil
	}
	const living = ` FROM profiles WHERE merged_into IS NULL`
	err = s.View(ctx, func(c *Conn) error {
		err := c.Query(`SELECT count(*)`+living, nil, func(r Row) error { total = int(r.Int(0)); return nil })
		if err != nil {
			return err
		}
		err = c.Query(`SELECT count(*)`+living+` AND `+where, args, func(r Row) error { count = int(r.Int(0)); return nil })
		if err != nil || count == 0 || sample == 0 {
			return err
		}
		return c.Query(`SELECT id`+living+` AND `+where+` ORDER BY id LIMIT `+strconv.Itoa(sample), args, func(r Row) error {
			ids = append(ids, r.Int(0))
			return nil
		})
	})
	return count, total, ids, true, err
}
