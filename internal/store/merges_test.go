package store

import (
	"maps"
	"testing"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Undoing a merge takes the revenue of orders away from the days they were counted on, however many rows an order has: the key of
// conversions allows it one for each customer.
func TestUndoingAMergeTakesRevenueFromItsDays(t *testing.T) {
	s := open(t)
	at := func(days int64) int64 { return days*day.Microseconds() + 1 }
	b := batchOf(nil, profile.New(1, 1), "u")
	b.Changes.Conversions = []engine.ConversionFact{
		{Event: "twice", ProfileID: 1, At: at(10), Revenue: 1},
		{Event: "twice", ProfileID: 2, At: at(10), Revenue: 2},
		{Event: "twice", ProfileID: 3, At: at(11), Revenue: 4},
		{Event: "once", ProfileID: 1, At: at(11), Revenue: 8},
		{Event: "another", ProfileID: 1, At: at(11), Revenue: 16},
		{Event: "another", ProfileID: 1, At: at(12), Revenue: 32},
	}
	if err := commitBatch(t.Context(), s, b); err != nil {
		t.Fatal(err)
	}
	revenue := func() map[int64]float64 {
		days := map[int64]float64{}
		err := s.View(t.Context(), func(c *Conn) error {
			return c.Query(`SELECT day, value FROM daily_counts WHERE name = 'revenue'`, nil, func(r Row) error {
				days[r.Int(0)] = r.Float(1)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return days
	}
	if got := revenue(); !maps.Equal(got, map[int64]float64{10: 3, 11: 28, 12: 32}) {
		t.Errorf("at first %v", got)
	}
	err := s.Update(t.Context(), func(c *Conn) error {
		return writeSplit(c, &engine.Batch{Split: &engine.Split{Orders: []string{"twice", "once", "of nobody"}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := revenue(); !maps.Equal(got, map[int64]float64{10: 0, 11: 16, 12: 32}) {
		t.Errorf("in the end %v", got)
	}
}
