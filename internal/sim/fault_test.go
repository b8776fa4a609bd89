package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing/synctest"
	"time"

	"github.com/tailorbird/tailorbird/internal/store/faultfs"
)

// breakDisk plans what goes wrong next.
func (w *world) breakDisk(r *rand.Rand) {
	var p faultfs.Plan
	soon := pick(r, []int{6, 40, 40, 200})
	what := []string{}
	if r.IntN(2) == 0 {
		p.CrashAt = 1 + r.IntN(soon)
		what = append(what, fmt.Sprint("crash at change ", p.CrashAt))
	}
	if r.IntN(4) == 0 {
		p.Capacity = w.disk.Size() + r.Int64N(60_000)
		what = append(what, fmt.Sprint("full at ", p.Capacity))
	}
	if r.IntN(4) == 0 {
		p.FailAt, p.FailFor, p.Choose = 1+r.IntN(soon), 1+r.IntN(20), w.rand(uint64(w.step)+1<<33)
		what = append(what, fmt.Sprintf("changes %d to %d fail", p.FailAt, p.FailAt+p.FailFor-1))
	}
	if r.IntN(6) == 0 {
		p.ReadFailAt, p.ReadsFail = 1+r.IntN(20), 1+r.IntN(10)
		what = append(what, fmt.Sprintf("reads %d to %d fail", p.ReadFailAt, p.ReadFailAt+p.ReadsFail-1))
	}
	if r.IntN(3) == 0 {
		p.Delay = w.slowness(r)
		what = append(what, "slow")
	}
	w.say("disk: %s", strings.Join(what, ", "))
	w.disk.Plan(p)
}

// slowness makes changes take up to some milliseconds, and a few of them seconds.
func (w *world) slowness(r *rand.Rand) func(int) time.Duration {
	a, b := r.Uint64(), r.Uint64()
	return func(change int) time.Duration {
		d := rand.New(rand.NewPCG(a, b+uint64(change)))
		if d.IntN(40) == 0 {
			return time.Duration(d.Int64N(int64(4 * time.Second)))
		}
		return time.Duration(d.Int64N(int64(15 * time.Millisecond)))
	}
}

// boot starts the program, again and again where the disk fails meanwhile.
func (w *world) boot(r *rand.Rand) {
	for attempt := 0; ; attempt++ {
		if w.disk.Down() {
			w.recover(r)
			w.tally.recrashed++
		}
		err := w.m.boot(w.defined)
		synctest.Wait()
		switch {
		case err == nil && !w.disk.Down():
			if w.m.begun.Done > 0 {
				w.say("filled up to %d of %d before", w.m.begun.Done, w.m.begun.Through)
				w.tally.resumed++
			}
			return
		case err == nil: // in what it began
			w.m.stop()
		}
		w.say("start failed: %v", err)
		if attempt == 3 {
			w.disk.Plan(faultfs.Plan{})
		}
		if attempt > 4 {
			w.fail("the program does not start: %v", err)
		}
	}
}

// recover turns the power on again.
func (w *world) recover(r *rand.Rand) {
	loss := pick(r, []faultfs.Loss{faultfs.Kept, faultfs.Lost, faultfs.Torn, faultfs.Torn})
	w.say("restart after a crash; unsynced changes are %s", [...]string{"kept", "lost", "torn"}[loss])
	w.disk.Restart(loss, w.rand(uint64(w.step)+1<<34))
	w.tally.crashes++
}

// restart is everything between a crash and the next request.
func (w *world) restart(r *rand.Rand) {
	w.m.stop()
	w.recover(r)
	if r.IntN(5) == 0 {
		w.breakDisk(r)
	}
	if r.IntN(4) == 0 {
		w.setClock(r)
	}
	w.boot(r)
	w.settleUnsure()
	if r.IntN(3) > 0 {
		w.check()
	}
}
