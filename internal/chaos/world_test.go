package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// world is everything that runs.
type world struct {
	dir      string
	binary   string
	network  *network
	here     *host // the test: clients, and the mail server
	nodes    []*node
	postgres *postgres // nil where the node keeps its data in files
	kafka    *kafka    // nil where nodes take events themselves
	office   *postOffice

	dataFlags []string // how a command finds the data that the nodes work on

	stop    context.CancelFunc
	running sync.WaitGroup
}

// plan says what a world consists of.
type plan struct {
	binary   string
	root     string // of the checkout
	nodes    int
	postgres bool
	kafka    bool
	where    place // of PostgreSQL
}

// openWorld starts everything but the nodes. What could not be had of it, but can be done without, is told.
func openWorld(ctx context.Context, p plan, dir string, say func(string, ...any)) (w *world, err error) {
	w = &world{dir: dir, binary: p.binary, stop: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	var refused error
	w.network, w.here, refused = openNetwork(ctx)
	if refused != nil {
		say("NO FAULTS OF LINKS: there are no network namespaces here, everything is on the loopback interface: %v", refused)
	}
	if w.office, err = openPostOffice(w.here.address, filepath.Join(dir, "mail"), 20*time.Millisecond); err != nil {
		return w, err
	}
	flags := []string{"--smtp-url", w.office.url, "--public-url", "http://links.example"}
	if p.postgres {
		h, err := w.network.host(ctx, "postgres")
		if err != nil {
			return w, err
		}
		if w.postgres, err = startPostgres(ctx, h, filepath.Join(dir, "postgres"), p.where, 30+60*p.nodes); err != nil {
			return w, err
		}
		key := filepath.Join(dir, "master.key")
		if err := os.WriteFile(key, []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
			return w, err
		}
		w.dataFlags = []string{"--database-url", w.postgres.url, "--master-key-file", key}
		flags = append(flags, w.dataFlags...)
	} else {
		w.dataFlags = []string{"--data", filepath.Join(dir, "node1")}
	}
	if p.kafka {
		h, err := w.network.host(ctx, "kafka")
		if err != nil {
			return w, err
		}
		if w.kafka, err = startKafka(ctx, h, filepath.Join(p.root, "scripts", "kafka.sh"), filepath.Join(dir, "kafka")); err != nil {
			return w, err
		}
		flags = append(flags, "--stream-url", w.kafka.url)
	}
	for i := range p.nodes {
		h, err := w.network.host(ctx, fmt.Sprintf("node%d", i+1))
		if err != nil {
			return w, err
		}
		n, err := newNode(h, dir, p.binary, flags...)
		if err != nil {
			return w, err
		}
		w.nodes = append(w.nodes, n)
	}
	return w, nil
}

// start runs the nodes until close, and waits until all are ready: the first by itself, for it makes the tables.
func (w *world) start(ctx context.Context, unexpected func(string)) error {
	running, stop := context.WithCancel(ctx)
	w.stop = stop
	for _, n := range w.nodes {
		w.running.Go(func() { n.run(running, unexpected) })
		if err := w.ready(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// ready waits until the nodes are.
func (w *world) ready(ctx context.Context, nodes ...*node) error {
	for _, n := range nodes {
		for deadline := time.Now().Add(2 * time.Minute); !n.ready(ctx); {
			if time.Now().After(deadline) {
				return fmt.Errorf("%s is not ready:\n%s", n.name, n.tail(20))
			}
			if n.crashed() {
				return fmt.Errorf("%s crashed:\n%s", n.name, n.tail(60))
			}
			if !nap(ctx, 100*time.Millisecond) {
				return ctx.Err()
			}
		}
	}
	return nil
}

// end ends all nodes in good order.
func (w *world) end() error {
	var errs []error
	for _, n := range w.nodes {
		status, err := n.retire()
		if err == nil && status != 0 {
			err = fmt.Errorf("%s: exit status %d after SIGTERM:\n%s", n.name, status, n.tail(20))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// peers are the hosts to which a node's link can be cut.
func (w *world) peers() []*host {
	peers := []*host{w.here}
	if w.postgres != nil {
		peers = append(peers, w.postgres.host)
	}
	if w.kafka != nil {
		peers = append(peers, w.kafka.host)
	}
	return peers
}

// close ends what runs, in whatever state it is, and removes the network.
func (w *world) close() error {
	w.stop()
	w.running.Wait()
	var errs []error
	if w.kafka != nil {
		errs = append(errs, w.kafka.kill())
	}
	if w.postgres != nil {
		errs = append(errs, w.postgres.close())
	}
	if w.office != nil {
		w.office.close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w.network.close(ctx)
	return errors.Join(errs...)
}
