package store

import (
	"errors"

	"github.com/tailorbird/tailorbird/internal/engine"
)

// writeMailFacts keeps what came back from messages: each response and each conversion as a row.
func writeMailFacts(c *Conn, facts []engine.Fact, conversions []engine.ConversionFact) error {
	responses, orders := make([][]any, len(facts)), make([][]any, len(conversions))
	for i, f := range facts {
		responses[i] = []any{f.MessageID, f.ProfileID, f.Name, f.Link, f.Machine, f.At}
	}
	for i, v := range conversions {
		orders[i] = []any{v.Event, v.MessageID, v.ProfileID, v.At, v.Revenue}
	}
	return errors.Join(
		c.ExecEach(`INSERT INTO responses (message_id, profile_id, name, link, machine, at) VALUES ($1, $2, $3, $4, $5, $6)`, responses),
		c.ExecEach(`INSERT INTO conversions (event, message_id, profile_id, at, revenue) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (event, profile_id) DO NOTHING`, orders))
}
