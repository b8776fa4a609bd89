package review

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity/match"
)

// Matcher looks for probable matches in the background and carries out what is decided about them. One run goes on at a
// time. Its fields are set before it is used.
type Matcher struct {
	Profiles Profiles
	Ledger   Ledger
	Claims   Claims
	Merger   Merger
	Now      func() time.Time
	Log      *slog.Logger
	Workers  int // processors that a run may use; 0: all but one

	once    sync.Once
	mu      sync.Mutex
	current *Run // while one goes on
	cancel  context.CancelFunc
	closed  bool
	running sync.WaitGroup
	changed chan struct{} // settings or the last run did
}

// runClaim names the run: one process at a time carries one out.
const runClaim = "search for probable matches"

// mostPairs bounds the candidates of one run.
const mostPairs = 200_000

func (m *Matcher) prepare() { m.once.Do(func() { m.changed = make(chan struct{}, 1) }) }

// lastRun gives the newest run. One that a process left unfinished which is gone is ended in words.
func (m *Matcher) lastRun(ctx context.Context) (Run, bool, error) {
	last, found, err := m.Ledger.LastMatchRun(ctx)
	if err != nil || !found || last.Status != Running {
		return last, found, err
	}
	mine, err := m.Claims.Claim(ctx, runClaim)
	if err != nil || !mine {
		return last, found, err
	}
	last.Status, last.FinishedAt, last.Error = Interrupted, m.Now(), "the program was stopped"
	_, err = m.Ledger.SaveMatchRun(ctx, last)
	return last, found, errors.Join(err, m.Claims.Release(ctx, runClaim))
}

// Close ends a run that goes on, and waits for that.
func (m *Matcher) Close() {
	m.mu.Lock()
	m.closed = true
	if m.cancel != nil {
		m.cancel()
	}
	m.mu.Unlock()
	m.running.Wait()
}

// Wait returns when no run goes on.
func (m *Matcher) Wait() { m.running.Wait() }

// Start begins a run and returns at once; Conflict while another goes on.
func (m *Matcher) Start(ctx context.Context) (Run, error) {
	settings, err := m.Settings(ctx)
	if err != nil {
		return Run{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return Run{}, fault.New(fault.Unavailable, "the program is stopping")
	case m.current != nil:
		return Run{}, errGoesOn
	}
	mine, err := m.Claims.Claim(ctx, runClaim)
	if err != nil {
		return Run{}, err
	}
	if !mine {
		return Run{}, errGoesOn
	}
	run := Run{Status: Running, StartedAt: m.Now(), Stage: "reading"}
	if run.ID, err = m.Ledger.SaveMatchRun(ctx, run); err != nil {
		return Run{}, errors.Join(err, m.Claims.Release(ctx, runClaim))
	}
	m.current = &run
	begun := run
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m.cancel = cancel
	m.running.Go(func() {
		defer cancel()
		m.finish(own, m.carryOut(own, settings))
	})
	return begun, nil
}

var errGoesOn = fault.New(fault.Conflict, "a run goes on already")

// Last gives the run that goes on, else the newest one; false where there was none.
func (m *Matcher) Last(ctx context.Context) (Run, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current != nil {
		return *m.current, true, nil
	}
	return m.lastRun(ctx)
}

// tell records how far the run is.
func (m *Matcher) tell(stage string, done float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.current.Stage, m.current.Progress = stage, done
}

// finish writes down how the run ended.
func (m *Matcher) finish(ctx context.Context, err error) {
	m.mu.Lock()
	run := *m.current
	m.mu.Unlock()
	run.FinishedAt, run.Status, run.Progress = m.Now(), Done, 1
	switch {
	case errors.Is(err, context.Canceled):
		run.Status, run.Error = Interrupted, "the program was stopped"
	case err != nil:
		run.Status, run.Error = Failed, "it could not be carried out; the log says why"
		m.Log.Error("the search for probable matches failed", "error", err)
	}
	ctx = context.WithoutCancel(ctx)
	_, err = m.Ledger.SaveMatchRun(ctx, run)
	if err = errors.Join(err, m.Claims.Release(ctx, runClaim)); err != nil {
		m.Log.Error("the end of a search for probable matches could not be kept", "error", err)
	}
	m.mu.Lock()
	m.current, m.cancel = nil, nil
	m.mu.Unlock()
}

// carryOut reads, compares, merges what is sure, and queues the rest.
func (m *Matcher) carryOut(ctx context.Context, settings Settings) error {
	g, err := m.gather(ctx, settings.Fields, func(done float64) { m.tell("reading", done) })
	if err != nil {
		return err
	}
	if g.records == nil {
		return m.Ledger.ReplaceCandidates(ctx, nil)
	}
	result, err := match.Find(ctx, g.records, match.Options{
		Threshold: settings.Review, MaxPairs: mostPairs, Workers: cmp.Or(m.Workers, max(1, runtime.GOMAXPROCS(0)-1)),
		Progress: func(stage match.Stage, done float64) { m.tell(string(stage), done) },
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.current.Result = summaryOf(result)
	m.mu.Unlock()
	return m.keep(ctx, settings, g, result)
}

func summaryOf(r *match.Result) Summary {
	s := Summary{
		Profiles: r.Report.Records, Compared: r.Report.Candidates, Dropped: r.Report.Dropped,
		Estimated: match.Round(r.Model.Matches()), Households: match.Round(r.Model.Households()), Fields: r.Model.Learnt(),
	}
	for _, rule := range r.Report.Rules {
		s.Cut += rule.Cut
	}
	return s
}

// keep merges the sure pairs, where that is allowed, and makes the others the queue.
func (m *Matcher) keep(ctx context.Context, settings Settings, g gathered, result *match.Result) error {
	apart, err := m.apart(ctx, g.apart)
	if err != nil {
		return err
	}
	var merged, queue []Candidate
	for i, p := range result.Pairs {
		m.tell("keeping", float64(i)/float64(len(result.Pairs)))
		c := Candidate{A: min(p.A, p.B), B: max(p.A, p.B), Probability: p.Probability, Bits: p.Bits, Status: Pending, FoundAt: m.Now()}
		if apart[[2]int64{c.A, c.B}] {
			continue
		}
		c.Evidence = result.Model.Evidence(p)
		if settings.Automatic && p.Together && p.Probability >= settings.Merge {
			done, err := m.mergeSure(ctx, c)
			if err != nil {
				return err
			}
			if done {
				c.Status, c.DecidedAt = Merged, m.Now()
				merged = append(merged, c)
				continue
			}
		}
		queue = append(queue, c)
	}
	if queue, err = m.living(ctx, queue); err != nil {
		return err
	}
	m.mu.Lock()
	m.current.Result.Merged, m.current.Result.Queued = len(merged), len(queue)
	m.mu.Unlock()
	return m.Ledger.ReplaceCandidates(ctx, append(merged, queue...))
}

// apart is the set of pairs that somebody said are two customers: those taken apart and those rejected, by the profiles
// that live now.
func (m *Matcher) apart(ctx context.Context, taken [][2]int64) (map[[2]int64]bool, error) {
	rejected, err := m.Ledger.RejectedPairs(ctx)
	if err != nil {
		return nil, err
	}
	all := append(taken, rejected...)
	alive, err := m.Profiles.Survivors(ctx, members(all))
	if err != nil {
		return nil, err
	}
	set := make(map[[2]int64]bool, len(all))
	for _, p := range all {
		a, b := alive[p[0]], alive[p[1]]
		set[[2]int64{min(a, b), max(a, b)}] = true
	}
	return set, nil
}

// living gives candidates the profiles that live after what was merged, each pair once, the most probable.
func (m *Matcher) living(ctx context.Context, queue []Candidate) ([]Candidate, error) {
	pairs := make([][2]int64, len(queue))
	for i, c := range queue {
		pairs[i] = [2]int64{c.A, c.B}
	}
	alive, err := m.Profiles.Survivors(ctx, members(pairs))
	if err != nil {
		return nil, err
	}
	seen := map[[2]int64]bool{}
	kept := queue[:0]
	for _, c := range queue {
		a, b := alive[c.A], alive[c.B]
		c.A, c.B = min(a, b), max(a, b)
		if pair := [2]int64{c.A, c.B}; a != b && c.A != 0 && !seen[pair] {
			seen[pair] = true
			kept = append(kept, c)
		}
	}
	return kept, nil
}

func members(pairs [][2]int64) []int64 {
	ids := make([]int64, 0, 2*len(pairs))
	for _, p := range pairs {
		ids = append(ids, p[0], p[1])
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// mergeSure merges a pair; false where that is done already, or one is no more.
func (m *Matcher) mergeSure(ctx context.Context, c Candidate) (bool, error) {
	_, err := m.Merger.Merge(ctx, c.A, c.B, engine.MergeCause{Kind: engine.MergedByMatch, Note: match.Sentence(c.Evidence)})
	switch fault.CodeOf(err) {
	case "":
		return true, nil
	case fault.Conflict, fault.NotFound:
		return false, nil
	}
	return false, err
}
