package engine

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/profile"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// Quantiles set a customer beside all others, which no step can do. So where the parts begin is learned by passes over all
// profiles, and stands still in between: it belongs to the rules, and rules with other cut points are other rules, which
// the filling gives to everybody.

const (
	correctedAt = 3 * time.Hour    // when cut points are learned anew each night, after midnight UTC
	importPause = 10 * time.Second // without an event of an import, after which it is taken to have ended
	importShare = 100              // an import with an event for every so many customers changes the whole enough to matter
)

// asks is one quantile that the rules ask for, and a program that does.
type asks struct {
	program  *expr.Program
	quantile *expr.Quantile
}

// quantilesOf lists what nodes ask for, by key.
func quantilesOf(nodes []*segment.Node) map[string]asks {
	all := map[string]asks{}
	for _, n := range nodes {
		for _, q := range n.Program.Quantiles {
			all[q.Key] = asks{n.Program, q}
		}
	}
	return all
}

// cutsOf are the cut points of a quantile.
func (r *Rules) cutsOf(key string) []float64 { return r.cuts[key].At }

// withCuts gives rules the cut points that they ask for.
func (r *Rules) withCuts(known map[string]segment.Cuts) *Rules {
	copied := *r
	copied.cuts = map[string]segment.Cuts{}
	for key := range r.quantiles {
		if cuts, ok := known[key]; ok {
			copied.cuts[key] = cuts
		}
	}
	return &copied
}

// cutsPrint tells the cut points of a node apart; empty for a node without.
func (r *Rules) cutsPrint(n *segment.Node) string {
	if len(n.Program.Quantiles) == 0 {
		return ""
	}
	at := map[string][]float64{}
	for _, q := range n.Program.Quantiles {
		at[q.Key] = r.cutsOf(q.Key)
	}
	text, _ := json.Marshal(at) // finite numbers, keys in order
	return string(text)
}

// unlearned reports whether cut points are missing or out of date: those of new definitions, all when there are twice as
// many customers as when they were learned, all when an import has ended, and all once a night.
func (e *Engine) unlearned(now int64) bool {
	if len(e.rules.quantiles) > 0 && e.imported() && now-e.learning.importedAt >= importPause.Microseconds() {
		return true
	}
	for key := range e.rules.quantiles {
		cuts, known := e.rules.cuts[key]
		if !known || e.customers() >= 2*cuts.Of && e.customers() > cuts.Of || cuts.LearnedAt < lastNight(now) {
			return true
		}
	}
	return false
}

// customers is the highest id of a profile. What a node would give next says nothing of what others have given.
func (e *Engine) customers() int64 {
	if e.Nodes != nil {
		return e.population
	}
	return e.nextID - 1
}

// lastNight is the last moment at which cut points were to be corrected.
func lastNight(now int64) int64 {
	const day = int64(24 * time.Hour / time.Microsecond)
	shifted := now - correctedAt.Microseconds()
	return shifted - shifted%day + correctedAt.Microseconds()
}

// imported reports whether enough was imported since the cut points were learned.
func (e *Engine) imported() bool {
	return e.learning.imported > 0 && e.learning.imported*importShare > e.customers()
}

// leaveUnlearned makes sure that an import is learned from at the next start.
func (e *Engine) leaveUnlearned(ctx context.Context) {
	if !e.imported() || len(e.rules.cuts) == 0 {
		return
	}
	old := map[string]segment.Cuts{}
	for key, cuts := range e.rules.cuts {
		cuts.LearnedAt = 0
		old[key] = cuts
	}
	if err := e.Rules.SetCuts(ctx, old); err != nil {
		e.Log.Error("that quantiles must be learned anew could not be noted; it happens at night", "error", err)
	}
}

// learning is a pass over all profiles that is under way, when the next may begin after one that failed, and what was
// imported since the last one began.
type learning struct {
	cancel     context.CancelFunc // nil: none is under way
	again      time.Time
	asked      bool  // whoever waits for what is being filled waits for a pass
	imported   int64 // events
	measured   int64 // of the imported ones before, those that the last pass looks at
	importedAt int64 // when the last of them came, µs
}

// see counts what is imported.
func (l *learning) see(ev *event.Event, now int64) {
	if ev.Historical {
		l.imported, l.importedAt = l.imported+1, now
	}
}

// begin takes what was imported as learned.
func (l *learning) begin() { l.measured, l.imported = l.imported, 0 }

// knows takes as learned what was imported here before some node learned.
func (l *learning) knows(cuts map[string]segment.Cuts) {
	for _, c := range cuts {
		if c.LearnedAt > l.importedAt {
			l.imported = 0
		}
	}
}

// forget takes begin back: the pass came to nothing.
func (l *learning) forget() { l.measured, l.imported = 0, l.imported+l.measured }

func (l *learning) stop() {
	if l.cancel != nil {
		l.cancel()
		l.cancel = nil
	}
}

// learnIfDue begins to learn cut points in the background. It runs in the loop.
func (e *Engine) learnIfDue(ctx context.Context) {
	if len(e.rules.quantiles) == 0 || e.filling != nil || e.learning.cancel != nil {
		return
	}
	if !e.unlearned(e.now()) {
		if e.learning.asked { // a pass failed, and what it was wanted for could not be committed either
			e.filled()
		}
		return
	}
	if time.Now().Before(e.learning.again) {
		return
	}
	if !e.claimLearning(ctx) {
		e.learning.again = time.Now().Add(lookUp)
		return
	}
	ctx, e.learning.cancel = context.WithCancel(ctx)
	e.learning.asked = true
	rules := e.rules
	e.status.building(e.buildingNames(), 0)
	go func() {
		learned, err := e.measure(ctx, rules)
		_ = e.persist(ctx, func() error {
			return e.do(context.WithoutCancel(ctx), func() {
				defer e.leaveLearning(context.WithoutCancel(ctx))
				if ctx.Err() != nil {
					return // overtaken
				}
				e.learning.stop()
				if err == nil && e.rules == rules && e.filling == nil {
					err = e.setCuts(context.WithoutCancel(ctx), learned)
				} else {
					e.learning.forget()
				}
				if err != nil {
					e.Log.Error("where quantiles begin could not be learned; trying again in a minute", "error", err)
					e.learning.again = time.Now().Add(time.Minute)
				}
			})
		})
	}()
}

// learningClaim is the name under which one node at a time learns.
const learningClaim = "quantiles"

// claimLearning reports whether this node is the one that learns now, and there is something to be learned still: perhaps another
// one has just done it.
func (e *Engine) claimLearning(ctx context.Context) bool {
	mine, err := e.claim(ctx, learningClaim)
	if err != nil || !mine || e.Nodes == nil {
		return mine && err == nil
	}
	err = e.followNodes(ctx)
	if err == nil && e.filling == nil && e.unlearned(e.now()) {
		return true
	}
	e.leaveLearning(ctx)
	return false
}

// leaveLearning lets other nodes learn, unless this one has begun again. Where that fails, they can when this one is gone.
func (e *Engine) leaveLearning(ctx context.Context) {
	if e.Nodes == nil || e.learning.cancel != nil {
		return
	}
	if err := e.Nodes.Release(ctx, learningClaim); err != nil {
		e.Log.Warn("other nodes cannot be told that quantiles are not being learned any more", "error", err)
	}
}

// filled notes that nothing is being filled any more. What lacks cut points still does not hold.
func (e *Engine) filled() {
	e.filling, e.learning.asked = nil, false
	if e.unlearned(e.now()) {
		e.status.building(e.buildingNames(), 1)
		return
	}
	e.status.built()
}

// measure looks at all profiles.
func (e *Engine) measure(ctx context.Context, rules *Rules) (map[string]segment.Cuts, error) {
	sketches := map[string]*segment.Sketch{}
	for key := range rules.quantiles {
		sketches[key] = &segment.Sketch{}
	}
	var of, at int64
	if err := e.do(ctx, func() { of, at = e.customers(), e.now(); e.learning.begin() }); err != nil {
		return nil, err
	}
	s := &State{Rules: rules}
	err := e.scan(ctx, look{}, func(p *profile.Profile, _ []*event.Event, now int64) error {
		scope := s.scope(p, now)
		for key, a := range rules.quantiles {
			if x, ok := a.program.Number(a.quantile, scope); ok {
				sketches[key].Add(x)
			}
		}
		return ctx.Err()
	})
	learned := map[string]segment.Cuts{}
	for key, sketch := range sketches {
		learned[key] = segment.Cuts{At: sketch.Cuts(rules.quantiles[key].quantile.Parts), Customers: sketch.N, Of: of, LearnedAt: at}
	}
	return learned, err
}

// setCuts makes the rules follow new cut points. It runs in the loop.
func (e *Engine) setCuts(ctx context.Context, learned map[string]segment.Cuts) (err error) {
	defer func() {
		if err != nil {
			e.learning.forget()
		}
	}()
	if err := e.saved(ctx); err != nil {
		return err // what is not written yet follows from the old ones
	}
	if after := e.rules.withCuts(learned); !e.rules.sameCuts(after) {
		// A value that nobody had may be one that the new cut points give: it is learned when they have been applied.
		maps.DeleteFunc(learned, func(_ string, c segment.Cuts) bool { return c.Customers == 0 && e.customers() > 0 })
	}
	if err := e.Rules.SetCuts(ctx, learned); err != nil {
		return err
	}
	if e.Nodes != nil {
		return e.catchUpWithNodes(ctx)
	}
	e.cuts = learned
	e.known.Store(&learned)
	err = e.setRules(ctx, e.rules)
	e.unsure = e.unsure || err != nil // the next that comes follows them
	return err
}

// loadCuts takes the cut points that were learned before.
func (e *Engine) loadCuts(ctx context.Context) (err error) {
	if e.cuts, err = e.Rules.Cuts(ctx, math.MaxInt64); err == nil {
		e.known.Store(&e.cuts)
		e.learning.knows(e.cuts)
	}
	return err
}

// Learn learns where the parts of quantiles begin, and returns once every segment and computed trait follows.
func (e *Engine) Learn(ctx context.Context) error {
	for {
		if err := e.WaitFilled(ctx); err != nil {
			return err
		}
		var rules *Rules
		if err := e.do(ctx, func() { rules = e.rules }); err != nil {
			return err
		}
		learned, err := e.measure(ctx, rules)
		if err != nil {
			_ = e.do(ctx, e.learning.forget)
			return err
		}
		overtaken := false
		failed := e.do(ctx, func() {
			if overtaken = e.rules != rules || e.filling != nil; overtaken {
				e.learning.forget()
			} else {
				e.learning.stop()
				err = e.setCuts(context.WithoutCancel(ctx), learned)
			}
		})
		switch {
		case failed != nil:
			return failed
		case err != nil:
			return err
		case !overtaken:
			return e.WaitFilled(ctx)
		}
	}
}

// trialCuts are the cut points for an expression that is not defined yet: what is known, and for the rest what the
// profiles tell that each shows.
func (e *Engine) trialCuts(program *expr.Program, each func(take func(p *profile.Profile, events []*event.Event, now int64)) error) (func(key string) []float64, error) {
	cuts := map[string][]float64{}
	var unknown []*expr.Quantile
	for _, q := range program.Quantiles {
		if known, ok := (*e.known.Load())[q.Key]; ok {
			cuts[q.Key] = known.At
		} else {
			unknown = append(unknown, q)
		}
	}
	of := func(key string) []float64 { return cuts[key] }
	if len(unknown) == 0 {
		return of, nil
	}
	sketches := make([]segment.Sketch, len(unknown))
	err := each(func(p *profile.Profile, events []*event.Event, now int64) {
		scope := trial{program, of}.scope(p, events, now)
		for i, q := range unknown {
			if x, ok := program.Number(q, scope); ok {
				sketches[i].Add(x)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for i, q := range unknown {
		cuts[q.Key] = sketches[i].Cuts(q.Parts)
	}
	return of, nil
}

// sameCuts reports whether both rules cut at the same points.
func (r *Rules) sameCuts(other *Rules) bool {
	return !slices.ContainsFunc(r.nodes, func(n *segment.Node) bool { return r.cutsPrint(n) != other.cutsPrint(n) })
}
