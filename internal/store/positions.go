package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/tailorbird/tailorbird/internal/engine"
)

// Positions gives how far the events of a topic have been applied: the offset of the next message, by partition.
func (s *Store) Positions(ctx context.Context, topic string) (next map[int32]int64, err error) {
	err = s.read(ctx, func(c *Conn) error {
		next = map[int32]int64{}
		return c.Query(`SELECT partition, next_offset FROM stream_positions WHERE topic = $1`, []any{topic}, func(r Row) error {
			next[int32(r.Int(0))] = r.Int(1)
			return nil
		})
	})
	return next, err
}

// writePositions moves positions on, each from where it must be, and those of a partition in the order in which they were read.
func writePositions(c *Conn, positions []engine.Position) error {
	byPartition := func(a, b engine.Position) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	}
	for _, p := range slices.SortedStableFunc(slices.Values(positions), byPartition) {
		moved, err := c.Exec(`UPDATE stream_positions SET next_offset = $4 WHERE topic = $1 AND partition = $2 AND next_offset = $3`,
			p.Topic, int64(p.Partition), p.From, p.Next)
		if err == nil && moved == 0 && p.From == 0 {
			moved, err = c.Exec(`INSERT INTO stream_positions (topic, partition, next_offset) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
				p.Topic, int64(p.Partition), p.Next)
		}
		if err != nil {
			return err
		}
		if moved == 0 {
			return &engine.Fenced{Position: p}
		}
	}
	return nil
}
