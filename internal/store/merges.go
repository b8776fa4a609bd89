package store

import (
	"encoding/json"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/identity"
)

// writeMerges keeps merges: new ones, and those that undoing another has changed.
func writeMerges(c *Conn, merges []engine.Merge) error {
	for _, m := range merges {
		if m.Cause.Identifiers == nil {
			m.Cause.Identifiers = []identity.Identifier{}
		}
		columns := []any{m.Winner, m.Loser, m.At, m.Cause.Kind, m.Cause.MessageID, nil, m.Cause.Actor, m.Cause.Note, nil, nil}
		for i, value := range map[int]any{5: m.Cause.Identifiers, 8: m.WinnerSide, 9: m.LoserSide} {
			text, err := json.Marshal(value)
			if err != nil {
				return err
			}
			columns[i] = string(text)
		}
		query := `INSERT INTO merges (winner_id, loser_id, merged_at, cause, message_id, identifiers, actor, note, winner_side, loser_side)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
		if m.ID != 0 {
			query = `UPDATE merges SET winner_id = $1, loser_id = $2, merged_at = $3, cause = $4, message_id = $5, identifiers = $6,
				actor = $7, note = $8, winner_side = $9, loser_side = $10 WHERE id = $11`
			columns = append(columns, m.ID)
		}
		if _, err := c.Exec(query, columns...); err != nil {
			return err
		}
	}
	return nil
}
