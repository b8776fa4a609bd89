package query

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Giver applies how a result differs from the one before; see engine.Give.
type Giver interface {
	Give(ctx context.Context, segment string, rows []engine.Row) (unknown int, err error)
}

// Runner runs queries in the background, one at a time.
type Runner struct {
	Config
	poked chan struct{} // something may be due
	loops sync.WaitGroup
	turn  sync.Mutex // held by whoever runs queries

	mu      sync.Mutex
	stop    context.CancelFunc // of the loop; nil before it begins
	closed  bool
	current Run // that goes on
	cancel  context.CancelCauseFunc
}

// Config is what a runner is made of.
type Config struct {
	Source Source
	Ledger Ledger
	Giver  Giver
	Now    func() time.Time
	Log    *slog.Logger
}

// New makes a runner, which begins when it is asked for a run, or to Run.
func New(cfg Config) *Runner { return &Runner{Config: cfg, poked: make(chan struct{}, 1)} }

// Why a run ended before its time.
var (
	errStopped = errors.New("the program was stopped")
	errChanged = errors.New("the segment was changed")
)

// Follow makes these the plans: those of whoever has just changed the definitions, or starts.
func (r *Runner) Follow(ctx context.Context, plans []Plan) error {
	if err := r.Ledger.FollowQueries(ctx, plans, r.Now()); err != nil {
		return err
	}
	r.Notice(plans)
	return nil
}

// Notice takes note of plans that another process follows: the run of a query that is not among them any more is
// interrupted, and what is due now is begun. The ledger stays as it is: meanwhile the definitions may have changed again.
func (r *Runner) Notice(plans []Plan) {
	r.mu.Lock()
	same := func(p Plan) bool { return p.Segment == r.current.Segment && p.SQL == r.current.SQL }
	if r.cancel != nil && !slices.ContainsFunc(plans, same) {
		r.cancel(errChanged)
	}
	r.mu.Unlock()
	r.poke()
}

// Ask runs the query of a segment as soon as the one that runs now has ended. It returns at once. NotFound where the
// segment has none.
func (r *Runner) Ask(ctx context.Context, segment, by string) error {
	if err := r.Ledger.AskQuery(ctx, segment, by, r.Now()); err != nil {
		return err
	}
	r.start(ctx)
	r.poke()
	return nil
}

// Run runs queries when they are due, until ctx ends. Close must follow.
func (r *Runner) Run(ctx context.Context) error {
	r.start(ctx)
	<-ctx.Done()
	return nil
}

// Close ends what runs, which is due again at the next start, and waits for that.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	if r.stop != nil {
		r.stop()
	}
	r.mu.Unlock()
	r.loops.Wait()
}

func (r *Runner) poke() {
	select {
	case r.poked <- struct{}{}:
	default:
	}
}

// start begins the loop, once.
func (r *Runner) start(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop != nil || r.closed {
		return
	}
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.loops.Go(func() { r.loop(ctx) })
}

// patience is how long the loop waits at most: another process may have left something.
const patience = 30 * time.Second

func (r *Runner) loop(ctx context.Context) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		next, err := r.RunDue(ctx)
		wait := patience
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.Log.Error("queries of segments could not be run; trying again", "error", err)
		case !next.IsZero():
			wait = min(wait, max(0, next.Sub(r.Now())))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-r.poked:
		}
	}
}

// RunDue runs what is due, one after the other, and tells when more will be; zero: never.
func (r *Runner) RunDue(ctx context.Context) (next time.Time, err error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	for ctx.Err() == nil {
		run, found, next, err := r.Ledger.ClaimQuery(ctx, r.Now())
		if err != nil || !found {
			return next, err
		}
		if err := r.carryOut(ctx, run); err != nil {
			return next, err
		}
	}
	return next, nil
}

// carryOut runs a query and writes down how that ended.
func (r *Runner) carryOut(ctx context.Context, run Run) error {
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.mu.Lock()
	r.current, r.cancel = run, cancel
	r.mu.Unlock()
	columns, err := r.apply(own, &run)
	r.mu.Lock()
	r.current, r.cancel = Run{}, nil
	r.mu.Unlock()
	run.Status, run.FinishedAt = Done, r.Now()
	switch cause := context.Cause(own); {
	case err == nil:
	case cause != nil:
		run.Status, run.Error = Interrupted, errStopped.Error()
		if errors.Is(cause, errChanged) {
			run.Error = errChanged.Error()
		}
	case fault.CodeOf(err) == fault.Invalid:
		run.Status, run.Error = Failed, err.Error()
	default:
		run.Status, run.Error = Failed, "it could not be carried out; the log says why"
		r.Log.Error("the query of a segment failed", "segment", run.Segment, "error", err)
	}
	return r.Ledger.FinishQuery(context.WithoutCancel(ctx), run, columns)
}

// apply reads what the query says, and tells the engine what of it is new.
func (r *Runner) apply(ctx context.Context, run *Run) (columns []string, err error) {
	found, err := read(ctx, r.Source, run.SQL, run.StartedAt, runTime, func(int64, string) error { return nil })
	if err != nil {
		return nil, err
	}
	listed := len(found.rows)
	rows, err := r.differences(ctx, run, found)
	if err != nil {
		return nil, err
	}
	unknown, err := r.Giver.Give(ctx, run.Segment, rows)
	run.Added -= unknown
	run.Listed, run.Unknown, run.Twice = listed-unknown, found.unnamed+unknown, found.twice
	return found.columns, err
}

// differences lists how a result differs from the one that holds, in the order of profiles. It uses the result up.
func (r *Runner) differences(ctx context.Context, run *Run, found *result) (rows []engine.Row, err error) {
	err = r.Ledger.ResultRows(ctx, run.Segment, func(id int64, before string) error {
		now, listed := found.rows[id]
		delete(found.rows, id)
		switch {
		case !listed:
			run.Removed++
			rows = append(rows, engine.Row{ProfileID: id, Gone: true})
		case now != before:
			run.Changed++
			return appendRow(&rows, id, now)
		}
		return ctx.Err()
	})
	for id, columns := range found.rows { // what is left is new
		run.Added++
		err = errors.Join(err, appendRow(&rows, id, columns))
	}
	slices.SortFunc(rows, func(a, b engine.Row) int { return cmp.Compare(a.ProfileID, b.ProfileID) })
	return rows, err
}

func appendRow(rows *[]engine.Row, id int64, columns string) error {
	row := engine.Row{ProfileID: id}
	if columns != NoColumns {
		if err := json.Unmarshal([]byte(columns), &row.Columns); err != nil {
			return fault.Wrap(fault.Internal, err, "a row cannot be read")
		}
	}
	*rows = append(*rows, row)
	return nil
}
