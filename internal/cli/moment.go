package cli

import (
	"fmt"
	"time"
)

// moment is a time as a flag or a variable gives it.
type moment struct{ time.Time }

// UnmarshalText reads RFC 3339.
func (m *moment) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a time such as 2026-03-01T08:00:00Z (RFC 3339)", text)
	}
	m.Time = t
	return nil
}
