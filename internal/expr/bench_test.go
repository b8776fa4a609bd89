package expr

import (
	"fmt"
	"testing"
)

// benchHistory is n events of one name, a minute apart, the last one just before noon.
func benchHistory(n int) []*Event {
	events := make([]*Event, n)
	for i := range events {
		events[i] = &Event{
			MessageID: fmt.Sprint("m", i), Type: "track", Name: "X", At: noon.UnixMicro() - int64(n-i)*60_000_000, Tie: uint64(i) * 7919,
			Properties: map[string]any{"category": []string{"outdoor", "indoor", "garden"}[i%3], "total": float64(i%977) / 100, "quantity": 2.0},
		}
	}
	return events
}

func benchProgram(b *testing.B, text string) *Program {
	b.Helper()
	p, err := Value(text)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// BenchmarkResult evaluates a program over aggregates that are kept.
func BenchmarkResult(b *testing.B) {
	for _, text := range []string{
		`events("X").within("7d").count() >= 3 && profile.country == "DE"`,
		`events("X").sum(e, e.properties.total) > 500.0 && "vip" in segments`,
		`profile.country in ["DE", "AT", "CH"] && age(profile.last_order_at) < duration("30d")`,
		`profile.age + 1 > 20 && !(profile.country.startsWith("F")) && has(profile.vip)`,
		`profile.tags.exists(x, x == "b") && events("X").count() > 1`,
	} {
		b.Run(text, func(b *testing.B) {
			p := benchProgram(b, text)
			s := scope(noon.UnixMicro(), nil)
			aggregates := map[*Term]*Aggregate{}
			for _, t := range p.Terms {
				aggregates[t] = &Aggregate{}
				for _, e := range benchHistory(10) {
					if entry, ok := t.Observe(e); ok {
						aggregates[t].Add(t, entry, s.Now)
					}
				}
			}
			s.Aggregate = func(t *Term) *Aggregate { return aggregates[t] }
			b.ReportAllocs()
			for b.Loop() {
				p.Result(s)
			}
		})
	}
}

// BenchmarkObserve asks a term what an event is to it.
func BenchmarkObserve(b *testing.B) {
	for _, text := range []string{
		`events("X").count()`,
		`events("X").where(e, e.properties.category == "outdoor").count()`,
		`events("X").where(e, e.properties.category in ["outdoor", "garden"] && e.properties.total > 3).sum(e, e.properties.total)`,
		`events("X").sum(e, e.properties.total * e.properties.quantity)`,
		`events("X").most_common(e, e.properties.category)`,
	} {
		b.Run(text, func(b *testing.B) {
			t := benchProgram(b, text).Terms[0]
			e := benchHistory(1)[0]
			b.ReportAllocs()
			for b.Loop() {
				t.Observe(e)
			}
		})
	}
}

// BenchmarkWindow adds an event to a full window, lets the oldest leave, and reads.
func BenchmarkWindow(b *testing.B) {
	for _, end := range []string{
		`count()`, `sum(e, e.properties.total)`, `max(e, e.properties.total)`, `distinct(e, e.properties.total)`,
		`most_common(e, e.properties.total)`, `last(e, e.properties.category)`,
	} {
		for _, n := range []int{10, 1000, 40_000} {
			b.Run(fmt.Sprintf("%s/%d", end, n), func(b *testing.B) {
				p := benchProgram(b, fmt.Sprintf(`events("X").within("%dm").%s`, n, end))
				t, a := p.Terms[0], &Aggregate{}
				s := scope(0, nil)
				s.Aggregate = func(*Term) *Aggregate { return a }
				var entries []Entry
				for _, e := range benchHistory(n) {
					entry, _ := t.Observe(e)
					entries = append(entries, entry)
					a.Add(t, entry, entry.At)
				}
				s.Now = noon.UnixMicro()
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					e := entries[i%n]
					e.At = s.Now
					a.Advance(t, s.Now)
					a.Add(t, e, s.Now)
					p.Result(s)
					s.Now += 60_000_000
					i++
				}
			})
		}
	}
}

// BenchmarkStored writes and reads the aggregates of windows.
func BenchmarkStored(b *testing.B) {
	for _, end := range []string{`count()`, `sum(e, e.properties.total)`, `distinct(e, e.properties.category)`} {
		for _, n := range []int{5, 50_000} {
			t, a := benchProgram(b, `events("X").within("90d").`+end).Terms[0], &Aggregate{}
			for _, e := range benchHistory(n) {
				entry, _ := t.Observe(e)
				a.Add(t, entry, noon.UnixMicro())
			}
			stored := a.Append(nil)
			b.Run(fmt.Sprintf("write/%s/%d", end, n), func(b *testing.B) {
				b.ReportAllocs()
				buf := make([]byte, 0, len(stored))
				for b.Loop() {
					buf = a.Append(buf[:0])
				}
				b.ReportMetric(float64(len(stored))/float64(n), "B/entry")
			})
			b.Run(fmt.Sprintf("read/%s/%d", end, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := DecodeAggregate(stored); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
