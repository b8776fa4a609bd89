package store

import (
	"bytes"
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
)

const answerPurpose = "answer to a request"

// BeginRequest implements access.Requests.
func (s *Store) BeginRequest(ctx context.Context, r access.Request, forgotten, givenUp time.Time) (state access.RequestState, answer []byte, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		state, answer = access.Begun, nil
		if _, err := c.Exec(`DELETE FROM idempotent_requests WHERE created_at < $1 OR answer IS NULL AND created_at < $2`,
			forgotten.UnixMicro(), givenUp.UnixMicro()); err != nil {
			return err
		}
		n, err := c.Exec(`INSERT INTO idempotent_requests (key_id, name, fingerprint, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (key_id, name) DO NOTHING`, r.KeyID, r.Name, r.Fingerprint[:], r.At.UnixMicro())
		if err != nil || n == 1 {
			return err
		}
		_, err = c.One(`SELECT fingerprint, answer FROM idempotent_requests WHERE key_id = $1 AND name = $2`, []any{r.KeyID, r.Name},
			func(row Row) error {
				switch {
				case !bytes.Equal(row.Raw(0), r.Fingerprint[:]):
					state = access.Different
				case row.Null(1):
					state = access.InFlight
				default:
					state = access.Answered
					answer, err = s.unseal(row.Bytes(1), answerPurpose)
				}
				return err
			})
		return err
	})
	return state, answer, err
}

// EndRequest implements access.Requests.
func (s *Store) EndRequest(ctx context.Context, r access.Request, answer []byte) error {
	return s.Update(ctx, func(c *Conn) error {
		if answer == nil {
			_, err := c.Exec(`DELETE FROM idempotent_requests WHERE key_id = $1 AND name = $2 AND created_at = $3`, r.KeyID, r.Name, r.At.UnixMicro())
			return err
		}
		_, err := c.Exec(`UPDATE idempotent_requests SET answer = $4 WHERE key_id = $1 AND name = $2 AND created_at = $3`,
			r.KeyID, r.Name, r.At.UnixMicro(), s.seal(answer, answerPurpose))
		return err
	})
}
