package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
)

// BenchmarkEstimate counts a condition about behaviour over a hundred thousand profiles with three events each: from a
// sample, as the editor asks first, and over all.
func BenchmarkEstimate(b *testing.B) {
	f := start(b, b.TempDir(), epoch, compile(b, nil, nil))
	defer f.close()
	const people, each, group = 100_000, 3, 2000
	var events []*event.Event
	for i := range people * each {
		e, err := event.Decode([]byte(fmt.Sprintf(`{"type":"track","event":%q,"userId":"u%d","messageId":"m%d","timestamp":%q,"properties":{"total":%d}}`,
			[]string{"Product Viewed", "Product Added", "Order Completed"}[i*7919%3], i/each, i, epoch.Add(-time.Duration(i%10_000)*time.Minute).Format(time.RFC3339), i%90)), event.Door{ReceivedAt: epoch})
		if err != nil {
			b.Fatal(err)
		}
		if events = append(events, e); len(events) == group {
			if err := f.Ingest(context.Background(), events); err != nil {
				b.Fatal(err)
			}
			events = nil
		}
	}
	const condition = `events("Order Completed").within("5d").count() >= 1`
	ctx := context.Background()
	exact, _, _, err := f.Preview(ctx, condition, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("sample", func(b *testing.B) {
		for b.Loop() {
			e, err := f.Estimate(ctx, condition, 10, 500*time.Millisecond)
			if err != nil || exact < e.Low-e.Low/20 || exact > e.High+e.High/20 {
				b.Fatalf("%+v for %d: %v", e, exact, err)
			}
			b.ReportMetric(float64(e.Looked), "profiles")
			b.ReportMetric(100*float64(e.High-e.Low)/float64(2*exact), "±%")
		}
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			if n, _, _, err := f.Preview(ctx, condition, 10); err != nil || n != exact {
				b.Fatal(n, err)
			}
		}
	})
}
