package query

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// trialTime is how long a query may take that is tried.
const trialTime = 10 * time.Second

// Trial is what a query would give.
type Trial struct {
	Columns []string // beside profile_id
	Listed  int      // customers
	Unnamed int      // rows without a customer
	Twice   int      // rows that name a customer again; the first one counts
	Sample  []TrialRow
}

// TrialRow is a row of a result.
type TrialRow struct {
	ProfileID int64
	Columns   map[string]any
}

// Try runs a query and changes nothing. It gives up to sample rows. Errors are those of Source, and Invalid with Field
// "sql" where the result is none of a segment.
func Try(ctx context.Context, source Source, sql string, now time.Time, sample int) (Trial, error) {
	var t Trial
	r, err := read(ctx, source, sql, now, trialTime, func(id int64, columns string) error {
		if len(t.Sample) == sample {
			return nil
		}
		t.Sample = append(t.Sample, TrialRow{ProfileID: id})
		err := json.Unmarshal([]byte(columns), &t.Sample[len(t.Sample)-1].Columns)
		return fault.Wrap(fault.Internal, err, "a row cannot be read")
	})
	t.Columns, t.Listed, t.Unnamed, t.Twice = r.columns, len(r.rows), r.unnamed, r.twice
	return t, err
}
