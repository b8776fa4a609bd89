package match

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// BenchmarkFind finds the pairs among profiles of which a tenth are second registrations: a hundred thousand, or as many
// as TAILORBIRD_MATCH_PROFILES says. It reports seconds, the compared pairs, the peak of the heap, and how right it was.
func BenchmarkFind(b *testing.B) {
	for b.Loop() {
		r, d := newTown(11, 0.1).fill(b, size())
		runtime.GC()
		begin := time.Now()
		var peak runtime.MemStats
		var most uint64
		var last Stage
		at := begin
		result, err := Find(b.Context(), r, Options{Progress: func(s Stage, done float64) {
			if s != last {
				b.Logf("%s done in %.1f s, heap %d MB", last, time.Since(at).Seconds(), peak.HeapAlloc>>20)
				last, at = s, time.Now()
			}
			runtime.ReadMemStats(&peak)
			most = max(most, peak.HeapAlloc)
		}})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "s")
		b.ReportMetric(float64(result.Report.Candidates), "pairs")
		b.ReportMetric(float64(most>>20), "MB")
		q := d.quality(grouped(result))
		b.ReportMetric(q.precision, "precision")
		b.ReportMetric(q.recall, "recall")
		b.Logf("%+v matches %.0f households %.0f truth %.0f", q, result.Model.Matches(), result.Model.Households(), d.truth())
		b.Logf("over .99 %+v", d.quality(over(result, 0.99)))
		for _, rule := range result.Report.Rules {
			b.Logf("%-60s blocks %6d pairs %8d largest %d cut %d (%d)", rule.Name, rule.Blocks, rule.Pairs, rule.Largest, rule.Cut, rule.CutRecords)
		}
	}
}

func size() int {
	if n, err := strconv.Atoi(os.Getenv("TAILORBIRD_MATCH_PROFILES")); err == nil {
		return n
	}
	return 100_000
}
