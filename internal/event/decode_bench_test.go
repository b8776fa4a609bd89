package event_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
)

// batchOf100 is a batch as SDKs of servers send it: orders with two products each.
func batchOf100() []byte {
	var body strings.Builder
	for i := range 100 {
		fmt.Fprintf(&body, `,{"type":"track","messageId":"m%d","userId":"user-%d","event":"Order Completed","timestamp":"2026-03-01T11:59:%02dZ",
			"context":{"library":{"name":"@segment/analytics-node","version":"2.1.3"}},
			"properties":{"order_id":"o%d","total":%d.50,"currency":"EUR","products":[{"product_id":"p1","sku":"s1","name":"A thing","price":12.5,"quantity":2},
			{"product_id":"p2","sku":"s2","name":"Another thing","price":3.25,"quantity":1}]}}`, i, i%40, i%60, i, i)
	}
	return []byte(`{"batch":[` + body.String()[1:] + `],"sentAt":"2026-03-01T12:00:00Z"}`)
}

func BenchmarkEventsOfABatchOf100(b *testing.B) {
	body := batchOf100()
	door := event.Door{ReceivedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if events, err := event.ReadBatch(body).Events(door); err != nil || len(events) != 100 {
			b.Fatal(len(events), err)
		}
	}
}

func BenchmarkProperty(b *testing.B) {
	events, err := event.ReadBatch(batchOf100()).Events(event.Door{ReceivedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if v, _ := events[7].Property("total"); v != 7.5 {
			b.Fatal(v)
		}
	}
}
