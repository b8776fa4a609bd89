package chaos

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	seed      = flag.Uint64("seed", 1, "what is drawn: events, faults, routes")
	events    = flag.Int("events", 30_000, "how many events are sent while things break")
	rate      = flag.Int("rate", 500, "events a second at most")
	nodeCount = flag.Int("nodes", 3, "how many nodes")
	database  = flag.String("database", "postgres", "postgres, or sqlite for one node")
	stream    = flag.Bool("stream", true, "whether Kafka takes the events")
	readers   = flag.Int("readers", 500, "how many get each campaign")
	calmOnly  = flag.Bool("calm", false, "only lose nodes one at a time")
	limit     = flag.Duration("limit", 15*time.Minute, "how long the test may take")
	keep      = flag.Bool("keep", false, "keep the directory with the logs")
)

// TestNodes lets several nodes work through everything that can happen to them, and looks at what there is in the end.
func TestNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("the fault test of several nodes takes minutes: -short")
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, *limit)
	defer cancel()
	began := time.Now()
	say := func(format string, args ...any) {
		t.Logf("%8.3f "+format, append([]any{time.Since(began).Seconds()}, args...)...)
	}
	say("-seed %d -events %d -rate %d -nodes %d -database %s -stream=%v", *seed, *events, *rate, *nodeCount, *database, *stream)
	r := &run{t: t, say: say, dir: directory(t)}
	p := plan{binary: build(t, r.dir), root: checkout(t), nodes: *nodeCount, postgres: *database == "postgres", kafka: *stream && *database == "postgres"}
	if !p.postgres {
		p.nodes = 1
	}
	r.begin(ctx, p)
	defer r.end()
	if err := r.through(ctx); err != nil {
		t.Errorf("-seed %d: %v", *seed, err)
	}
	if t.Failed() {
		t.Logf("the logs are in %s", r.dir)
	}
}

// run is one pass of the test.
type run struct {
	t     *testing.T
	say   func(format string, args ...any)
	dir   string
	world *world
	load  *load
	shop  *shop
}

// begin makes a world for the run, end takes it down.
func (r *run) begin(ctx context.Context, p plan) {
	need(r.t, p)
	var err error
	if r.world, err = openWorld(ctx, p, r.dir, r.say); err != nil {
		r.t.Fatal(err)
	}
}

func (r *run) end() {
	if err := r.world.close(); err != nil {
		r.t.Error(err)
	}
}

func (r *run) fail(format string, args ...any) {
	r.t.Errorf("-seed %d: "+format, append([]any{*seed}, args...)...)
}

// through goes from an empty database to the comparison with the books.
func (r *run) through(ctx context.Context) error {
	w := r.world
	campaigns := map[string]string{}
	for i := range len(w.losses(nil)) {
		if len(w.nodes) > 1 {
			campaigns[calm(i)] = "readers"
		}
	}
	for i := range broadcasts {
		campaigns[news(i)] = []string{"readers", "addressed"}[i%2]
	}
	if err := r.open(ctx, *events, *rate, campaigns); err != nil {
		return err
	}
	if err := r.invite(ctx); err != nil {
		return err
	}
	if len(w.nodes) > 1 {
		if err := r.losses(ctx); err != nil {
			return err
		}
	}
	if *calmOnly {
		return nil
	}
	if err := r.storm(ctx); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	return r.compare(ctx, campaigns)
}

// open starts the nodes and defines everything.
func (r *run) open(ctx context.Context, events, rate int, campaigns map[string]string) error {
	w := r.world
	if err := w.start(ctx, func(what string) { r.fail("%s", what) }); err != nil {
		return err
	}
	r.say("%d nodes are ready", len(w.nodes))
	books := newBooks(newCrowd(*seed, events, time.Now().Add(-window)))
	r.load = &load{books: books, nodes: w.nodes, rate: rate, seed: *seed, fail: r.fail}
	r.shop = &shop{random: rand.New(rand.NewPCG(*seed, 1<<60)), nodes: w.nodes}
	return r.shop.open(ctx, campaigns)
}

// losses loses a node in each way, alone.
func (r *run) losses(ctx context.Context) error {
	w := r.world
	for i := range w.losses(nil) {
		lost := w.nodes[i%len(w.nodes)]
		told, err := takeover(ctx, w, r.load, r.shop, lost, w.losses(lost)[i], i, calm(i))
		if told != "" {
			r.say("%s", told)
		}
		if err != nil {
			r.fail("%v", err)
		}
		if err := w.ready(ctx, w.nodes...); err != nil {
			return err
		}
	}
	return nil
}

const broadcasts = 4 // campaigns while things break

func calm(i int) string { return fmt.Sprintf("calm-%d", i) }

func news(i int) string { return fmt.Sprintf("news-%d", i) }

// invite makes the readers known.
func (r *run) invite(ctx context.Context) error {
	random := rand.New(rand.NewPCG(*seed, 1<<59))
	var batch []happening
	for i := range *readers {
		if batch = append(batch, r.load.books.crowd.reader(i)); len(batch) == 100 || i == *readers-1 {
			r.load.send(ctx, random, batch)
			batch = nil
		}
	}
	return r.shop.filled(ctx, "readers", *readers)
}

// storm sends the events, four campaigns and a new segment while things break.
func (r *run) storm(ctx context.Context) error {
	breaking, mended := context.WithCancel(ctx)
	tr := &trouble{
		random: rand.New(rand.NewPCG(*seed, 1<<58)), world: r.world, say: r.say, fail: r.fail, held: map[string]bool{}, made: map[string]int{},
	}
	var working sync.WaitGroup
	working.Go(func() { tr.run(breaking) })
	working.Go(func() {
		for i := range broadcasts {
			for r.load.books.sent.Load() < int64(*events*(1+2*i)/(2*broadcasts)) {
				if !nap(ctx, 50*time.Millisecond) {
					return
				}
			}
			if err := r.shop.launch(ctx, news(i)); err != nil {
				r.fail("campaign %s cannot be sent: %v", news(i), err)
			}
			r.say("campaign %s goes to %s", news(i), []string{"the readers", "everybody with an address"}[i%2])
			if i != 1 {
				continue
			}
			if err := r.shop.put(ctx, "/api/v1/segments/late", map[string]string{"condition": lateCondition}); err != nil {
				r.fail("a segment cannot be defined meanwhile: %v", err)
			}
			r.say("segment late is defined")
		}
	})
	r.load.run(ctx)
	b := r.load.books
	r.say("%d of %d events are acknowledged; %d requests were made again, %d events were sent again although they had been acknowledged, the longest took %s",
		b.acknowledged.Load(), b.sent.Load(), r.load.again.Load(), r.load.twice.Load(), time.Duration(r.load.longer.Load()).Round(time.Millisecond))
	r.say("what came of requests: %v", r.load.answers)
	mended()
	working.Wait()
	r.say("%d faults: %v", tr.total, tr.made)
	if b.sent.Load() == 0 || tr.total == 0 {
		return fmt.Errorf("%d events and %d faults prove nothing", b.sent.Load(), tr.total)
	}
	return ctx.Err()
}

// settle waits until everything works again and nothing is left to do.
func (r *run) settle(ctx context.Context) error {
	began := time.Now()
	if err := r.world.ready(ctx, r.world.nodes...); err != nil {
		return err
	}
	if err := r.applied(ctx); err != nil {
		return err
	}
	r.say("every event has been applied %s after the last fault", time.Since(began).Round(time.Millisecond))
	for i := range broadcasts {
		if err := r.shop.sent(ctx, news(i)); err != nil {
			return err
		}
	}
	r.say("every campaign is sent %s after", time.Since(began).Round(time.Millisecond))
	if err := r.shop.filled(ctx, "late", -1); err != nil {
		return err
	}
	closed := r.load.books.crowd.began.Add(window + time.Duration(*events)*time.Millisecond)
	nap(ctx, time.Until(closed))
	if err := r.shop.filled(ctx, "fresh", 0); err != nil {
		return err
	}
	r.say("nothing is left to do %s after", time.Since(began).Round(time.Millisecond))
	return ctx.Err()
}

// applied waits until every event has been applied that was acknowledged, and what began with the last ones is over.
func (r *run) applied(ctx context.Context) error {
	// What was sent last to every partition of a stream is behind everything else there.
	random := rand.New(rand.NewPCG(*seed, 1<<57))
	var last []happening
	for i := range 500 {
		last = append(last, probe(1000, i, time.Now()))
	}
	r.load.send(ctx, random, last)
	for _, h := range last {
		r.load.known(ctx, random, h.ids[0])
	}
	return r.shop.filled(ctx, "probed", 0)
}

// compare holds what there is against what was sent.
func (r *run) compare(ctx context.Context, campaigns map[string]string) error {
	f, err := read(ctx, r.world.nodes)
	if err != nil {
		return err
	}
	r.say("%d profiles with %d different events of ours", len(f.profiles), len(f.owners))
	for _, failure := range audit(r.load.books, f) {
		r.fail("%s", failure)
	}
	for name, segment := range campaigns {
		must := 0
		if segment == "readers" {
			must = *readers
		}
		var messages []message
		err := pages(ctx, r.world.nodes[0], "/api/v1/messages?limit=200&campaign="+name, func(m message) { messages = append(messages, m) })
		if err != nil {
			return err
		}
		failures, told := auditMail(name, messages, r.world.office.accepted(), must)
		r.say("%s", told)
		for _, failure := range failures {
			r.fail("%s", failure)
		}
	}
	if err := r.world.end(); err != nil {
		return err
	}
	n := r.world.nodes[0]
	verify := n.host.command(ctx, n.flags[0], append([]string{"segment", "verify"}, r.world.dataFlags...)...)
	verify.Env = environment()
	out, err := verify.CombinedOutput()
	if err != nil {
		r.fail("tailorbird segment verify: %v: %s", err, out)
	}
	r.say("segment verify: %s", strings.TrimSpace(string(out)))
	return nil
}

// need leaves the test out, by name, where the machine lacks what it runs. Continuous integration may lack nothing.
func need(t *testing.T, p plan) {
	t.Helper()
	refuse := t.Skipf
	if os.Getenv("CI") != "" {
		refuse = t.Fatalf
	}
	if _, err := postgresProgram("initdb"); p.postgres && err != nil {
		refuse("%v", err)
	}
	if p.where != (place{}) {
		if err := canMount(t.Context()); err != nil {
			refuse("PostgreSQL can have no disk of its own here: %v", err)
		}
	}
	if _, err := exec.LookPath("java"); p.kafka && err != nil {
		refuse("Kafka needs java, which is not installed: %v", err)
	}
}

// directory is where everything lies; it stays where the test failed.
func directory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tailorbird-chaos-") //nolint:usetesting // kept after a failure, and open to PostgreSQL's user
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // for the same reason
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() && !*keep {
			os.RemoveAll(dir)
		}
	})
	return dir
}

// build gives the program: TAILORBIRD_BIN, or one made now.
func build(t *testing.T, dir string) string {
	t.Helper()
	if path := os.Getenv("TAILORBIRD_BIN"); path != "" {
		return path
	}
	path := filepath.Join(dir, "tailorbird")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/tailorbird/tailorbird/cmd/tailorbird").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// checkout is the root of the sources.
func checkout(t *testing.T) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the place of this file is not known")
	}
	return filepath.Join(filepath.Dir(file), "..", "..")
}
