package sim

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

// world is one history: the machine, the people who use it, and the model of what should be there.
type world struct {
	t         *testing.T
	seed      uint64
	disk      *faultfs.Disk
	clock     *clock
	m         *machine
	model     *model
	chronicle *chronicle
	crowd     *crowd
	defined   []definition
	retry     []*request        // without an answer, or refused
	steady    bool              // the clock never goes back
	ranked    bool              // there are quintiles
	queried   bool              // there are SQL segments
	refused   bool              // definitions were, whose rules the store may have followed for a while
	listed    result            // what a query said last
	lists     map[string]result // what each said last that is known to hold

	justLearned bool     // where they begin
	last        bool     // check
	past        []moment // of the checks

	undecided []*deed // without an answer, or refused
	owns      []own
	step      int
	mu        sync.Mutex // of told and unfired
	told      []string
	unfired   time.Time // when timers last could not be fired
	trace     trace
	tally     tally
}

// tally counts what happened, so that a run can show that it tested something.
type tally struct {
	crashes, refused, fillings, resumed, checks, bursts, recrashed, events, deeds, undone, queries, past, glances int
}

func (w *world) rand(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, stream)) }

func (w *world) say(format string, args ...any) {
	line := fmt.Sprintf("%3d %s ", w.trace.step.Load(), w.clock.now().Format("01-02 15:04:05")) + fmt.Sprintf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, strings.ReplaceAll(line, w.m.dir, "data"))
}

// logged stands before what the program says.
const logged = "\t"

// Write has the program's log stand in the story.
func (w *world) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("timers could not be fired")) {
		w.mu.Lock()
		w.unfired = time.Now()
		w.mu.Unlock()
	}
	w.say(logged+"%s", bytes.TrimSpace(line))
	return len(line), nil
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	told := w.told
	if !testing.Verbose() && len(told) > 40 {
		told = told[len(told)-40:]
	}
	if *one != 0 {
		for _, msg := range w.model.log {
			told = append(told, fmt.Sprintf("%s, received %v: %s", msg.id, w.model.events[msg.id].ReceivedAt.Format("01-02 15:04:05.000000"), msg.raw))
		}
	}
	w.t.Fatalf("seed %d, step %d: %s\n  go test ./internal/sim -run Seed -seed %d -v\n%s",
		w.seed, w.step, fmt.Sprintf(format, args...), w.seed, strings.Join(told, "\n"))
}

// live lives through the history of a seed in a bubble of its own.
func live(t *testing.T, seed uint64, first firstDisk) (w *world) {
	t.Helper()
	dir := t.TempDir()
	disk := faultfs.Mount(dir)
	defer disk.Unmount()
	synctest.Test(t, func(t *testing.T) {
		w = &world{t: t, seed: seed, disk: disk, clock: newClock()}
		w.trace.watch(w)
		r := w.rand(1 << 32)
		if r.IntN(16) > 0 {
			first.lay(t, disk, dir) // the others begin with nothing
		}
		policy := smallPolicy()
		w.crowd, w.model = newCrowd(r), newModel(policy)
		w.m = &machine{
			dir: dir, disk: disk, clock: w.clock, policy: policy, upkeep: store.Upkeep(10+r.IntN(60), 10+r.IntN(150), sortingPause),
			fill: 1 + r.IntN(6), saveAt: 1 + r.IntN(20), save: 1 + r.IntN(3), pack: 1 + r.IntN(20), cached: -r.IntN(2),
			log: slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: untimed})),
		}
		defer func() {
			if w.m.running { // the test failed
				disk.Crash()
				w.m.stop()
			}
		}()
		w.steady, w.ranked, w.queried = r.IntN(2) == 0, r.IntN(4) == 0, r.IntN(3) == 0
		w.m.source, w.m.giver = source{w}, giver{w}
		w.defined = draw(r, nil, w.ranked, w.queried)
		w.model.define(w.defined)
		w.chronicle, w.lists = newChronicle(w.model), map[string]result{}
		if r.IntN(4) == 0 {
			w.breakDisk(r)
		}
		w.boot(r)
		for range 20 + r.IntN(40) {
			w.step++
			w.trace.step.Store(int64(w.step))
			if !skipped(w.step) {
				w.act(w.rand(uint64(w.step)))
			}
		}
		w.check()
		w.m.stop()
		w.clock.jump(time.Duration(r.IntN(80)) * time.Hour)
		w.boot(r)
		w.settleUnsure()
		w.last = true
		w.check()
		w.m.stop()
	})
	return w
}

// untimed leaves the time out of the log: the story has it.
func untimed(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// act does the next thing, and restarts the machine where it crashed.
func (w *world) act(r *rand.Rand) {
	switch n := r.IntN(128); {
	case n >= 120:
		w.glance(r)
	case n >= 112:
		w.ask(r)
	case n >= 100:
		w.byHand(r)
	case n < 45:
		w.send(r)
	case n < 55:
		w.sendAgain(r)
	case n < 63:
		w.burst(r)
	case n < 75:
		w.passTime(r)
	case n < 80:
		w.redefine(r)
	case n < 84:
		w.fillOn(r)
	case n < 92:
		w.breakDisk(r)
	case n < 94:
		w.say("the disk works again")
		w.disk.Plan(faultfs.Plan{})
	case n < 96:
		w.say("restart in order")
		w.m.stop()
		if !w.disk.Down() {
			w.boot(r)
			w.settleUnsure()
		}
	case n < 97:
		w.say("power fails")
		w.disk.Crash()
	default:
		w.check()
	}
	synctest.Wait()
	if w.disk.Down() {
		w.restart(r)
	}
}

// fillOn lets a filling read on, which may crash the machine.
func (w *world) fillOn(r *rand.Rand) {
	if r.IntN(2) == 0 {
		w.breakDisk(r)
	}
	passed := 0
	for range 1 + r.IntN(6) {
		if w.m.gate.one() {
			passed++
		}
		synctest.Wait()
	}
	w.say("the filling reads on %d times", passed)
}

// send ingests a request.
func (w *world) send(r *rand.Rand) {
	w.deliver(r, w.crowd.request(r, w.clock.now(), w.model.log, w.owns))
}

// sendAgain repeats a request that had no answer, as its client would; some clients give up.
func (w *world) sendAgain(r *rand.Rand) {
	if len(w.retry) == 0 {
		w.send(r)
		return
	}
	i := r.IntN(len(w.retry))
	req := w.retry[i]
	w.retry = append(w.retry[:i:i], w.retry[i+1:]...)
	w.deliver(r, req)
}

// deliver sends one request and notes the answer.
func (w *world) deliver(r *rand.Rand, req *request) {
	timeout := patience
	if r.IntN(6) == 0 {
		timeout = time.Duration(r.IntN(200)) * time.Millisecond
	}
	err := w.m.ingest(req.events(w.clock.now()), timeout)
	w.say("send %v: %v", req.ids(), err)
	synctest.Wait()
	if err != nil && timeout < patience && !w.disk.Down() && r.IntN(2) == 0 {
		again := w.m.ingest(req.events(w.clock.now()), patience) // at once, while the first may still be on its way
		w.say("send %v again: %v", req.ids(), again)
		if again == nil {
			err = nil
		}
	}
	w.settle([]*request{req}, []error{err})
}

// burst sends several requests, each while those before it wait for a slow disk: at once, so that they are taken together, or
// many in a row, so that each finds a save further on.
func (w *world) burst(r *rand.Rand) {
	w.tally.bursts++
	if r.IntN(2) == 0 {
		w.disk.Plan(faultfs.Plan{Delay: w.slowness(r)})
	}
	if r.IntN(4) == 0 {
		w.disk.Plan(faultfs.Plan{Delay: w.slowness(r), CrashAt: 1 + r.IntN(80)})
	}
	n, pause := 2+r.IntN(4), time.Duration(0)
	if r.IntN(3) == 0 {
		n, pause = 8+r.IntN(20), time.Duration(1+r.IntN(30))*time.Millisecond
	}
	requests, errs := make([]*request, n), make([]error, n)
	done := make(chan struct{}, n)
	for i := range n {
		if len(w.retry) > 0 && r.IntN(2) == 0 {
			requests[i], w.retry = w.retry[0], w.retry[1:]
		} else {
			requests[i] = w.crowd.request(r, w.clock.now(), w.model.log, w.owns)
		}
		events := requests[i].events(w.clock.now())
		go func() {
			errs[i] = w.m.ingest(events, patience/5)
			done <- struct{}{}
		}()
		synctest.Wait()
		pass(pause)
	}
	for range n {
		<-done
	}
	for i, req := range requests {
		w.say("send together %v: %v", req.ids(), errs[i])
	}
	w.settle(requests, errs)
}

// settle takes the answers to requests, in the order in which they were sent. What was acknowledged is in the model; of
// the rest the disk decides, now or after the restart.
func (w *world) settle(requests []*request, errs []error) {
	if slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
		w.quiesce()
	}
	for i, req := range requests {
		switch {
		case errs[i] == nil:
			w.accept(req)
		case w.disk.Down():
			w.retry = append(w.retry, req)
		default:
			w.tally.refused++
			if !ofTheDisk(errs[i]) {
				w.fail("refused for no reason of the disk: %v", errs[i])
			}
			if !w.applied(req) {
				w.retry = append(w.retry, req)
			}
		}
	}
}

// quiesce lets a slow disk finish what it is at, but not what the engine tries again and again.
func (w *world) quiesce() {
	synctest.Wait()
	for tries := 0; w.disk.Busy() && tries < 500; tries++ {
		pass(time.Second)
		synctest.Wait()
	}
}

func (w *world) accept(req *request) {
	w.tally.events += len(w.model.fresh(req))
	w.model.apply(req)
}

// applied asks the disk whether a request without an answer was applied: it was as a whole, or not at all.
func (w *world) applied(req *request) bool {
	fresh := w.model.fresh(req)
	if len(fresh) == 0 {
		return true
	}
	known := 0
	w.disk.Calm(func() {
		answers, err := w.m.known((&request{messages: fresh}).ids())
		if err != nil {
			w.fail("known: %v", err)
		}
		for _, k := range answers {
			if k {
				known++
			}
		}
	})
	if known == len(fresh) {
		w.accept(req)
		w.say("%v was applied", req.ids())
		return true
	}
	if known > 0 {
		w.fail("of the request %v only %d of %d new events were applied", req.ids(), known, len(fresh))
	}
	return false
}

// settleUnsure looks after a restart for requests without an answer, or refused.
// A request that failed because a sync did may yet be there: SQLite finds it in the log.
func (w *world) settleUnsure() {
	for _, d := range w.undecided {
		w.wasDone(d)
	}
	w.undecided = nil
	if !w.steady || w.refused {
		w.disk.Calm(w.lookForVoid)
	}
	unsure := w.retry
	w.retry = nil
	for _, req := range unsure {
		if !w.applied(req) {
			w.retry = append(w.retry, req)
		}
	}
}

// redefine changes the definitions.
func (w *world) redefine(r *rand.Rand) {
	next := draw(r, w.defined, w.ranked, w.queried)
	err := w.m.define(next)
	w.say("%d definitions: %v", len(next), err)
	w.tally.fillings++
	defer func() {
		if err == nil && r.IntN(2) == 0 {
			w.fillOn(r)
		}
	}()
	w.model.define(next) // also where the engine followed them for a while only
	switch {
	case err == nil:
		w.voidGone(next)
		w.defined = next
		return
	case w.disk.Down() && r.IntN(2) == 0:
		w.voidGone(next)
		w.defined = next // they had been saved before the engine was told
	case !w.disk.Down() && !ofTheDisk(err):
		w.fail("definitions were refused: %v", err)
	}
	w.refused = true
	w.model.define(w.defined)
	w.disk.Calm(func() {
		if err := w.m.runner.Follow(context.Background(), plans(w.defined)); err != nil && !w.disk.Down() {
			w.fail("the queries of before are refused: %v", err)
		}
	})
}

// ofTheDisk reports whether an error is what a failing disk, or waiting for a slow one, comes to.
func ofTheDisk(err error) bool {
	return fault.CodeOf(err) == fault.Unavailable || strings.Contains(err.Error(), "disk I/O")
}

// passTime lets the machine run for a while, or sets its clock.
func (w *world) passTime(r *rand.Rand) {
	if r.IntN(2) == 0 {
		d := time.Duration(r.Int64N(int64(20 * time.Minute)))
		pass(d)
		w.say("%v have passed", d)
		return
	}
	w.setClock(r)
}

func (w *world) setClock(r *rand.Rand) {
	d := time.Duration(r.Int64N(int64(pick(r, []time.Duration{time.Second, time.Hour, 10 * time.Hour, 10 * 24 * time.Hour, 60 * 24 * time.Hour}))))
	if r.IntN(5) == 0 && !w.steady {
		d = -d / 8
	}
	w.clock.jump(d)
	w.say("the clock is set by %v", d)
}
