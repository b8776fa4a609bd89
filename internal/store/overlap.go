package store

import (
	"context"
	"encoding/json"

	"github.com/tailorbird/tailorbird/internal/segment"
)

// overlapSample is about how many members of a segment are looked up in others.
const overlapSample = 5000

// Overlap counts the members that a segment shares with others. Of a large one it looks at every so-manieth id.
func (s *Store) Overlap(ctx context.Context, name string, others []string) (segment.Overlap, error) {
	out := segment.Overlap{Shared: map[string]int{}}
	names, err := json.Marshal(append([]string{}, others...)) // [] for none, not null
	if err != nil {
		return out, err
	}
	err = s.View(ctx, func(c *Conn) error {
		members, err := membersOf(c, name)
		if err != nil {
			return err
		}
		out.Members = int(members)
		step := max(1, members/overlapSample)
		looked, err := c.Int(`SELECT count(*) FROM memberships WHERE segment = $1 AND profile_id % $2 = 0`, name, step)
		if err != nil {
			return err
		}
		out.Looked = int(looked)
		shared := `WITH looked AS MATERIALIZED (SELECT profile_id FROM memberships WHERE segment = $1 AND profile_id % $2 = 0)
			SELECT o.value, (SELECT count(*) FROM looked CROSS JOIN memberships m WHERE m.segment = o.value AND m.profile_id = looked.profile_id)
			FROM ` + c.dialect.textsOf("$3") + ` AS o`
		return c.Query(shared, []any{name, step, string(names)}, func(r Row) error {
			out.Shared[r.Text(0)] = int(r.Int(1))
			return nil
		})
	})
	return out, err
}
