package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// silence is longer than a node may be silent without being taken for gone.
	silence = 15 * time.Second
	// longStart is how long a node may try to start: one that ends by itself later has failed.
	longStart = 60 * time.Second
	// endPatience is how long a node may take to end when asked to.
	endPatience = 60 * time.Second
	atOnce      = 3 // faults at a time
)

// fault is one thing that breaks, and is mended again.
type fault struct {
	kind  string
	what  string        // it happens to, and for how long
	holds []string      // what it takes for itself meanwhile: a stopped node is not killed too
	rest  time.Duration // for which it keeps that afterwards: where everything stands still all the time, nothing can go wrong
	act   func(ctx context.Context) error
}

// trouble makes faults, drawn from a seed.
type trouble struct {
	random *rand.Rand
	world  *world
	say    func(format string, args ...any)
	fail   func(format string, args ...any)

	mu    sync.Mutex
	held  map[string]bool
	made  map[string]int
	total int
}

// run makes one fault of each kind in random order, then any, until ctx ends. When it returns, everything is mended.
func (tr *trouble) run(ctx context.Context) {
	kinds := tr.kinds()
	tr.random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	places := make(chan struct{}, atOnce)
	var working sync.WaitGroup
	defer working.Wait()
	for round := 0; ; round++ {
		if !nap(ctx, between(tr.random, 200*time.Millisecond, 4*time.Second)) {
			return
		}
		kind := pick(tr.random, kinds)
		if round < len(kinds) {
			kind = kinds[round]
		}
		f := kind()
		for !tr.take(f) {
			if !nap(ctx, 200*time.Millisecond) {
				return
			}
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		working.Go(func() {
			defer func() {
				<-places
				nap(ctx, f.rest)
				tr.give(f)
			}()
			began := time.Now()
			tr.say("%s %s", f.kind, f.what)
			// Mending goes on when the test is over: a fault that is half made would stay.
			if err := f.act(context.WithoutCancel(ctx)); err != nil {
				tr.fail("fault %s %s: %v", f.kind, f.what, err)
			}
			tr.say("%s %s: over after %s", f.kind, f.what, time.Since(began).Round(time.Millisecond))
		})
	}
}

func (tr *trouble) take(f fault) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if slices.ContainsFunc(f.holds, func(what string) bool { return tr.held[what] }) {
		return false
	}
	for _, what := range f.holds {
		tr.held[what] = true
	}
	tr.made[f.kind]++
	tr.total++
	return true
}

func (tr *trouble) give(f fault) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, what := range f.holds {
		delete(tr.held, what)
	}
}

// kinds are the faults that this world can have; each call draws one.
func (tr *trouble) kinds() (kinds []func() fault) {
	w, r := tr.world, tr.random
	of := func(draw func(n *node) fault) { kinds = append(kinds, func() fault { return draw(pick(r, w.nodes)) }) }
	of(func(n *node) fault {
		return fault{"kill", n.name, []string{n.name}, 0, func(context.Context) error { return n.end(syscall.SIGKILL, endPatience) }}
	})
	of(func(n *node) fault {
		return fault{"terminate", n.name, []string{n.name}, 0, func(context.Context) error { return n.end(syscall.SIGTERM, endPatience) }}
	})
	of(func(n *node) fault {
		return pausing("stop", n, between(r, silence, 2*silence))
	})
	of(func(n *node) fault {
		return pausing("hesitate", n, between(r, 100*time.Millisecond, 4*time.Second))
	})
	rest := func() time.Duration { return between(r, silence, 2*silence) }
	if p := w.postgres; p != nil {
		kinds = append(kinds, func() fault {
			pause := between(r, 0, 3*time.Second)
			return fault{"restart postgres", "", []string{"postgres"}, rest(), func(ctx context.Context) error { return p.restart(ctx, pause) }}
		})
		kinds = append(kinds, func() fault {
			d := between(r, 100*time.Millisecond, silence/2)
			return fault{"freeze postgres", lasting(d), []string{"postgres"}, rest(), func(ctx context.Context) error {
				pids, err := p.pids()
				return errors.Join(err, freeze(ctx, pids, d))
			}}
		})
	}
	if k := w.kafka; k != nil {
		kinds = append(kinds, func() fault {
			d := between(r, 100*time.Millisecond, silence/2)
			return fault{"freeze kafka", lasting(d), []string{"kafka"}, rest(), func(ctx context.Context) error {
				pid, err := k.pid()
				return errors.Join(err, freeze(ctx, []int{pid}, d))
			}}
		})
		kinds = append(kinds, func() fault {
			pause := between(r, 0, 5*time.Second)
			return fault{"restart kafka", "", []string{"kafka"}, rest(), func(ctx context.Context) error { return k.restart(ctx, pause) }}
		})
	}
	if !w.network.real() {
		return kinds
	}
	for _, peer := range w.peers() {
		of(func(n *node) fault { return tr.cutting(n.host, peer) })
	}
	of(func(n *node) fault { return tr.isolating(n, between(r, time.Second, 2*silence)) })
	return kinds
}

// pausing stops a process and lets it go on, as a machine does that swaps, or is moved.
func pausing(kind string, n *node, d time.Duration) fault {
	return fault{kind, n.name + " " + lasting(d), []string{n.name}, 0, func(ctx context.Context) error {
		if err := n.signal(syscall.SIGSTOP); err != nil {
			return err
		}
		nap(ctx, d)
		return n.signal(syscall.SIGCONT)
	}}
}

// cutting cuts the link between two hosts, in both directions or in one.
func (tr *trouble) cutting(a, b *host) fault {
	d := between(tr.random, 200*time.Millisecond, 12*time.Second)
	directions := [][2]*host{{a, b}, {b, a}}
	words := a.name + " and " + b.name
	if way := tr.random.IntN(4); way < 2 {
		directions = directions[way : way+1]
		words = directions[0][0].name + " to " + directions[0][1].name
	}
	return fault{"cut", words + " " + lasting(d), []string{a.name + "-" + b.name}, 0, func(ctx context.Context) error {
		for _, way := range directions {
			heal, err := tr.world.network.cut(ctx, way[0], way[1])
			if err != nil {
				return err
			}
			defer func() {
				if err := heal(ctx); err != nil {
					tr.fail("a link stays cut: %v", err)
				}
			}()
		}
		nap(ctx, d)
		return nil
	}}
}

// isolating cuts all links of a node, as when its machine is gone.
func (tr *trouble) isolating(n *node, d time.Duration) fault {
	return fault{"isolate", n.name + " " + lasting(d), []string{n.name}, 0, func(ctx context.Context) error {
		heal, err := tr.world.network.isolate(ctx, n.host, tr.world.peers())
		if err != nil {
			return err
		}
		nap(ctx, d)
		return heal(ctx)
	}}
}

func lasting(d time.Duration) string { return fmt.Sprintf("for %s", d.Round(time.Millisecond)) }

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}
