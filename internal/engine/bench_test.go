package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
)

// BenchmarkIngest applies durable batches of 100 events with ten segments and five computed traits, from eight callers.
func BenchmarkIngest(b *testing.B) {
	segments := map[string]string{
		"german": `profile.country == "DE"`, "big": `profile.spent > 500`, "busy": `events("Order Completed").within("90d").count() > 5`,
		"viewer": `events("Product Viewed").within("7d").where(e, e.properties.category == "outdoor").count() >= 3`,
		"cart":   `events("Product Added").within("24h").exists() && !events("Order Completed").within("24h").exists()`,
		"recent": `age(profile.last_order_at) < duration("30d")`, "vip": `"big" in segments && "busy" in segments`,
		"lapsed": `age(profile.last_order_at) > duration("180d")`, "new": `profile.orders == 0`, "mail": `has(profile.email)`,
	}
	traits := map[string]string{
		"orders": `events("Order Completed").count()`, "spent": `events("Order Completed").sum(e, e.properties.total)`,
		"last_order_at": `events("Order Completed").last()`, "last_seen": `events().last()`,
		"favourite": `events("Product Viewed").most_common(e, e.properties.category)`,
	}
	f := start(b, b.TempDir(), epoch, compile(b, segments, traits))
	defer f.close()
	names := []string{"Product Viewed", "Product Viewed", "Product Viewed", "Product Added", "Order Completed"}
	n := 0
	batch := func() []*event.Event {
		events := make([]*event.Event, 100)
		for i := range events {
			n++
			raw := fmt.Sprintf(`{"type":"track","event":%q,"userId":"u%d","messageId":"m%d","timestamp":%q,"properties":{"category":%q,"total":%d.5,"product_id":"p%d","name":"Some product with a name","url":"https://shop.example/p/%d"},"context":{"library":{"name":"x","version":"1"},"ip":"10.0.0.1"}}`,
				names[n%len(names)], n*7919%20000, n, epoch.Add(-time.Duration(n%1000)*time.Minute).Format(time.RFC3339), []string{"outdoor", "home", "toys"}[n%3], n%90, n%500, n%500)
			e, err := event.Decode([]byte(raw), event.Door{ReceivedAt: epoch})
			if err != nil {
				b.Fatal(err)
			}
			events[i] = e
		}
		return events
	}
	work := make(chan []*event.Event, 64)
	done := make(chan error, 8)
	b.ResetTimer()
	for range 8 {
		go func() {
			for events := range work {
				if err := f.Ingest(context.Background(), events); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range b.N {
		work <- batch()
	}
	close(work)
	for range 8 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "events/s")
}
