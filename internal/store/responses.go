package store

import "github.com/tailorbird/tailorbird/internal/engine"

// writeMailFacts keeps what came back from messages: each response and each conversion as a row.
func writeMailFacts(c *Conn, facts []engine.Fact, conversions []engine.ConversionFact) error {
	for _, f := range facts {
		if _, err := c.Exec(`INSERT INTO responses (message_id, profile_id, name, link, machine, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			f.MessageID, f.ProfileID, f.Name, f.Link, f.Machine, f.At); err != nil {
			return err
		}
	}
	for _, v := range conversions {
		if _, err := c.Exec(`INSERT INTO conversions (event, message_id, profile_id, at, revenue) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (event) DO NOTHING`, v.Event, v.MessageID, v.ProfileID, v.At, v.Revenue); err != nil {
			return err
		}
	}
	return nil
}
