package demo

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/demo/shop"
)

var start = time.Date(2025, 6, 2, 0, 0, 0, 0, time.UTC)

func smallShop(t *testing.T) *shop.Shop {
	t.Helper()
	s, err := shop.New(shop.Config{Customers: 40, Days: 60, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Cut into batches, the history is whole, and no batch is over the limit.
func TestBatchesHoldTheHistory(t *testing.T) {
	const limit = 9000
	var b batch
	var ids, want []string
	collect := func() {
		size := len(`{"batch":[`) + len(`]}`) - 1
		for _, event := range b.take() {
			size += len(event) + 1
			var e struct {
				MessageID string `json:"messageId"`
			}
			if err := json.Unmarshal(event, &e); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, e.MessageID)
		}
		if size > limit {
			t.Errorf("a batch of %d bytes", size)
		}
	}
	for e := range smallShop(t).History() {
		want = append(want, e.MessageID)
		event, err := encode(&e)
		if err != nil {
			t.Fatal(err)
		}
		if !b.fits(event, limit) {
			collect()
		}
		b.add(event)
	}
	collect()
	if !b.empty() || len(ids) != len(want) {
		t.Fatalf("%d events of %d", len(ids), len(want))
	}
	for i := range ids {
		if ids[i] != want[i] {
			t.Fatalf("event %d is %s, want %s", i, ids[i], want[i])
		}
	}
}

func TestAgendaGivesTheEarliestThatIsDue(t *testing.T) {
	var a agenda
	for _, minute := range []int{5, 1, 9, 3} {
		a.add(start.Add(time.Duration(minute)*time.Minute), nil)
	}
	var got []int
	for {
		e, ok := a.next(start.Add(6 * time.Minute))
		if !ok {
			break
		}
		got = append(got, int(e.at.Sub(start).Minutes()))
	}
	if len(got) != 3 || got[0] != 1 || got[1] != 3 || got[2] != 5 {
		t.Errorf("got %v", got)
	}
}
