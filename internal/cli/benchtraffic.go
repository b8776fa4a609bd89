package cli

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailorbird/tailorbird/internal/client"
)

// traffic is a load that is sent over some connections.
type traffic struct {
	seed          uint64
	run           string // begins the message ids
	events        int
	active, known int // customers
	batch         int // events of one request
	connections   int
	rate          int // events a second at most; 0: as many as it takes
}

// durations are what requests took, in order of length.
type durations []time.Duration

// milliseconds is a quantile, 0 where there is none.
func (d durations) milliseconds(q float64) float64 {
	if len(d) == 0 {
		return 0
	}
	return d[int(q*float64(len(d)-1))].Seconds() * 1000
}

// send sends everything, each connection to one of the servers, and tells how long requests took: with a rate, from when each should have begun, since customers
// do not wait for each other. each hears of every request that was answered: how many events had been before, and after.
func (t traffic) send(ctx context.Context, servers []*client.Client, each func(before, after int)) (durations, error) {
	var sent, done atomic.Int64
	var mu sync.Mutex
	var took durations
	group, running := errgroup.WithContext(ctx)
	began := time.Now()
	for worker := range t.connections {
		group.Go(func() error {
			load := newLoad(t.seed, t.run, worker, t.active, t.known)
			var mine durations
			defer func() {
				mu.Lock()
				took = append(took, mine...)
				mu.Unlock()
			}()
			for {
				upTo := int(sent.Add(int64(t.batch)))
				size := min(t.batch, t.events-upTo+t.batch)
				if size <= 0 {
					return nil
				}
				batch := load.batch(size)
				start := time.Now()
				if t.rate > 0 {
					start = began.Add(time.Duration(float64(upTo) / float64(t.rate) * float64(time.Second)))
					if !pause(running, time.Until(start)) {
						return running.Err()
					}
				}
				if err := servers[worker%len(servers)].Track(running, batch); err != nil {
					return err
				}
				mine = append(mine, time.Since(start))
				after := int(done.Add(int64(size)))
				each(after-size, after)
			}
		})
	}
	err := group.Wait()
	slices.Sort(took)
	return took, err
}

// pause waits; false when ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// makeKnown makes profiles: customer-0, customer-1, …. run begins the message ids.
func makeKnown(ctx context.Context, streams Streams, server *client.Client, seed uint64, run string, profiles int) error {
	const batch, connections = 500, 8
	bar := newProgress(streams.Err, "profiles", int64(profiles))
	defer bar.end()
	var next atomic.Int64
	group, running := errgroup.WithContext(ctx)
	for worker := range connections {
		group.Go(func() error {
			load := newLoad(seed, run, worker, 1, 1)
			for {
				from := int(next.Add(batch)) - batch
				if from >= profiles {
					return nil
				}
				load.buffer = make([]byte, 0, 512*batch)
				var events []json.RawMessage
				for customer := from; customer < min(from+batch, profiles); customer++ {
					at := len(load.buffer)
					load.identify(customer)
					events = append(events, load.buffer[at:len(load.buffer):len(load.buffer)])
				}
				if err := server.Track(running, events); err != nil {
					return err
				}
				bar.set(int64(from), int64(profiles))
			}
		})
	}
	return group.Wait()
}
