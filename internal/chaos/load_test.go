package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// load sends what the crowd does, through all nodes at random, and sends again what was not acknowledged until it is.
type load struct {
	books  *books
	nodes  []*node
	rate   int // events a second at most
	seed   uint64
	fail   func(format string, args ...any)
	began  time.Time
	again  atomic.Int64 // requests that had to be made again
	twice  atomic.Int64 // events that were sent although they had been acknowledged
	enough atomic.Bool  // the rest of the crowd does nothing
	longer atomic.Int64 // the longest that a batch took to be acknowledged, nanoseconds

	mu      sync.Mutex
	answers map[string]int // by what came of a request
}

const (
	senders           = 16
	largestBatch      = 20
	patienceOfClients = 5 * time.Second // with one request
)

// run sends all events of the crowd, and then which users are one. It returns when all is acknowledged or ctx ended.
func (l *load) run(ctx context.Context) {
	l.began = time.Now()
	l.all(func(r *rand.Rand, _ int) { l.events(ctx, r) })
	l.all(func(r *rand.Rand, worker int) {
		for number := worker; number < l.books.crowd.people && ctx.Err() == nil; number += senders {
			if h, needed := l.books.crowd.union(number); needed {
				l.introduce(ctx, r, h)
				l.send(ctx, r, []happening{h})
			}
		}
	})
}

// all lets every sender do its part.
func (l *load) all(do func(r *rand.Rand, worker int)) {
	var working sync.WaitGroup
	for worker := range senders {
		working.Go(func() { do(rand.New(rand.NewPCG(l.seed, 1<<62|uint64(worker))), worker) })
	}
	working.Wait()
}

func (l *load) events(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		from, to := l.take(1 + r.IntN(largestBatch))
		if from == to {
			return
		}
		if due := time.Until(l.began.Add(time.Duration(from) * time.Second / time.Duration(l.rate))); due > 0 && !nap(ctx, due) {
			return
		}
		var batch []happening
		for n := from; n < to; n++ {
			h := l.books.crowd.event(n)
			l.introduce(ctx, r, h)
			batch = append(batch, h)
		}
		l.send(ctx, r, batch)
	}
}

// take reserves the next events.
func (l *load) take(size int) (from, to int) {
	for {
		before := l.books.sent.Load()
		if l.enough.Load() {
			return int(before), int(before)
		}
		after := min(before+int64(size), int64(l.books.crowd.events))
		if l.books.sent.CompareAndSwap(before, after) {
			return int(before), int(after)
		}
	}
}

// introduce makes known what an alias speaks of.
func (l *load) introduce(ctx context.Context, r *rand.Rand, h happening) {
	if h.was != "" {
		l.send(ctx, r, []happening{l.books.crowd.introduction(h.was)})
		l.known(ctx, r, identifier{"user_id", h.was})
	}
}

// known waits until some node shows a profile with the identifier.
func (l *load) known(ctx context.Context, r *rand.Rand, id identifier) {
	for ctx.Err() == nil {
		var found struct{ Items []struct{ ID string } }
		err := pick(r, l.nodes).get(ctx, "/api/v1/profiles?identifier="+url.QueryEscape(id.String()), &found)
		if err == nil && len(found.Items) == 1 || !nap(ctx, 100*time.Millisecond) {
			return
		}
	}
}

// send sends a batch until it is acknowledged, each time through a node at random, and now and then once more.
func (l *load) send(ctx context.Context, r *rand.Rand, batch []happening) {
	body := encode(batch)
	for _, h := range batch {
		l.books.send(h)
	}
	began := time.Now()
	for attempt := 0; ctx.Err() == nil; attempt++ {
		if l.once(ctx, pick(r, l.nodes), body) {
			for _, h := range batch {
				l.books.acknowledge(h)
			}
			took := int64(time.Since(began))
			for longest := l.longer.Load(); took > longest && !l.longer.CompareAndSwap(longest, took); longest = l.longer.Load() {
			}
			if r.IntN(50) == 0 {
				l.twice.Add(int64(len(batch)))
				l.once(ctx, pick(r, l.nodes), body)
			}
			return
		}
		l.again.Add(1)
		nap(ctx, time.Duration(min(attempt+1, 10))*50*time.Millisecond)
	}
}

// once makes one request, and reports whether the events were acknowledged.
func (l *load) once(ctx context.Context, n *node, body []byte) bool {
	status, answer, err := n.ask(ctx, http.MethodPost, "/v1/batch", body)
	l.count(status, err)
	switch {
	case err != nil:
		return false
	case status == http.StatusOK:
		return true
	case status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests:
		l.fail("%s answered %d, where 200 or 503 is right: %.500s", n.name, status, answer)
	}
	return false
}

// noAnswer is what came of a request that its sender did not wait for any longer.
const noAnswer = "no answer in time"

// outcomes is how often something came of requests.
func (l *load) outcomes(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers[what]
}

func (l *load) count(status int, err error) {
	what := fmt.Sprint(status)
	var network net.Error
	switch {
	case errors.As(err, &network) && network.Timeout():
		what = noAnswer
	case err != nil:
		what = "no connection"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.answers == nil {
		l.answers = map[string]int{}
	}
	l.answers[what]++
}

func encode(batch []happening) []byte {
	var body bytes.Buffer
	body.WriteString(`{"batch":[`)
	for i, h := range batch {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(h.body())
	}
	body.WriteString(`]}`)
	return body.Bytes()
}

// manage makes a call of the management API until some node answers it; what a node refuses for good is an error.
func manage(ctx context.Context, r *rand.Rand, nodes []*node, method, path string, body []byte) error {
	last := errors.New("nobody was asked")
	for ctx.Err() == nil {
		status, answer, err := pick(r, nodes).ask(ctx, method, path, body)
		switch {
		case err != nil:
			last = err
		case status < 300:
			return nil
		default:
			last = fmt.Errorf("%s %s: status %d: %.500s", method, path, status, answer)
			if status < 500 && status != http.StatusTooManyRequests && status != http.StatusConflict {
				return last
			}
		}
		nap(ctx, 200*time.Millisecond)
	}
	return errors.Join(ctx.Err(), last)
}
