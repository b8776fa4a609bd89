package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
)

const (
	benchEvents = 2_000 // of a commit
	benchBlocks = 50
)

// benchBatches are commits of customers who are active by a power law, with a transition for every eighth event.
func benchBatches(random *rand.Rand, n int) (batches []*engine.Batch) {
	zipf := rand.NewZipf(random, 1.05, 50, 200_000)
	for range n {
		b := &engine.Batch{Now: 1, Changes: engine.NewChanges()}
		for i := range benchEvents {
			id, product := random.Uint64(), random.IntN(500)
			at := time.UnixMicro(1.7e15 + int64(id%1e12)).UTC()
			a := engine.Applied{ProfileID: 1 + int64(zipf.Uint64()), Event: &event.Event{
				MessageID: fmt.Sprintf("%x-%d", id, i), Type: event.Track, Name: "Product Viewed", UserID: "customer-1", Timestamp: at, ReceivedAt: at,
				Payload: fmt.Appendf(nil, `{"product_id":"p-%[1]d","name":"Product %[1]d","category":"outdoor","price":%.2[2]f,"currency":"EUR"}`,
					product, 100*random.Float64()),
				Context: []byte(`{"library":{"name":"bench","version":"1"},"locale":"de-DE","page":{"path":"/p","url":"https://shop.example/p"}}`),
			}}
			b.Events = append(b.Events, a)
			if i%8 == 0 {
				b.Changes.Transitions = append(b.Changes.Transitions, engine.Transition{
					ProfileID: a.ProfileID, At: at.UnixMicro(), Segment: fmt.Sprint("segment-", product%100), Entered: true,
					Cause: engine.Cause{Kind: engine.ByEvent, MessageID: a.Event.MessageID},
				})
			}
		}
		batches = append(batches, b)
	}
	return batches
}

// benchLog opens a log that sorts and merges only when it is told to.
func benchLog(b *testing.B) *blockLog {
	l := openFiles(b).log.(*blockLog)
	close(l.stop)
	<-l.done
	l.stop = make(chan struct{}) // to be closed with the store
	return l
}

// fill puts the blocks of batches into the tail.
func fill(l *blockLog, batches []*engine.Batch) {
	for _, batch := range batches {
		e := l.prepare(batch).(*blockEntry)
		e.written()
	}
}

// processor counts the processor time of the process.
type processor struct{ began, used time.Duration }

func (p *processor) now() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (p *processor) start(b *testing.B) { b.StartTimer(); p.began = p.now() }
func (p *processor) stop(b *testing.B)  { p.used += p.now() - p.began; b.StopTimer() }
func (p *processor) report(b *testing.B, events int) {
	b.ReportMetric(float64(p.used.Nanoseconds())/float64(b.N)/float64(events), "cpu-ns/event")
}

// BenchmarkMakeBlock measures the stored form of commits.
func BenchmarkMakeBlock(b *testing.B) {
	l := benchLog(b)
	batches := benchBatches(rand.New(rand.NewPCG(1, 2)), 8)
	b.ReportAllocs()
	var p processor
	p.start(b)
	for i := range b.N {
		l.prepare(batches[i%len(batches)])
	}
	p.stop(b)
	p.report(b, benchEvents)
}

// BenchmarkSortTail measures the sorting of a hundred thousand events into a run.
func BenchmarkSortTail(b *testing.B) {
	l := benchLog(b)
	batches := benchBatches(rand.New(rand.NewPCG(1, 2)), benchBlocks)
	b.ReportAllocs()
	var p processor
	b.StopTimer()
	for range b.N {
		fill(l, batches)
		p.start(b)
		if err := l.sortTail(context.Background()); err != nil {
			b.Fatal(err)
		}
		p.stop(b)
	}
	p.report(b, benchBlocks*benchEvents)
}

// BenchmarkMergeRuns measures the merging of a full level into a run of the next.
func BenchmarkMergeRuns(b *testing.B) {
	l := benchLog(b)
	batches := benchBatches(rand.New(rand.NewPCG(1, 2)), 10*eventFanOut)
	b.ReportAllocs()
	var p processor
	b.StopTimer()
	for range b.N {
		l.runs = nil
		for i := range eventFanOut {
			fill(l, batches[10*i:10*(i+1)])
			if err := l.sortTail(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
		p.start(b)
		if err := l.mergeLevels(context.Background()); err != nil {
			b.Fatal(err)
		}
		p.stop(b)
	}
	p.report(b, 10*eventFanOut*benchEvents)
}

// BenchmarkCollectTail measures a cycle of the garbage collector while the tail holds a hundred thousand events.
func BenchmarkCollectTail(b *testing.B) {
	l := benchLog(b)
	random := rand.New(rand.NewPCG(1, 2))
	for range benchBlocks {
		fill(l, benchBatches(random, 1))
	}
	l.journaled = nil
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapAlloc)/(benchBlocks*benchEvents), "live-B/event")
	var p processor
	p.start(b)
	for range b.N {
		runtime.GC()
	}
	p.stop(b)
	p.report(b, benchBlocks*benchEvents)
}
