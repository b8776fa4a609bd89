package engine

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// trial is an expression that is evaluated without being kept.
type trial struct {
	*expr.Program
	cuts func(key string) []float64
}

// of gives its value for a profile with these events.
func (t trial) of(p *profile.Profile, events []*event.Event, now int64) any {
	return t.Result(t.scope(p, events, now))
}

// scope is what it sees of a profile with these events.
func (t trial) scope(p *profile.Profile, events []*event.Event, now int64) *expr.Scope {
	aggregates := map[*expr.Term]*expr.Aggregate{}
	for _, ev := range events {
		seen := observed(ev)
		if seen == nil {
			continue
		}
		for _, term := range t.Terms {
			if entry, ok := term.Observe(seen); ok {
				if aggregates[term] == nil {
					aggregates[term] = &expr.Aggregate{}
				}
				aggregates[term].Add(term, entry, now)
			}
		}
	}
	return &expr.Scope{
		Now: now, Trait: p.Trait, Preference: p.Preference, Consent: p.Consent, InSegment: p.InSegment, Cuts: t.cuts,
		Aggregate: func(term *expr.Term) *expr.Aggregate { return aggregates[term] },
	}
}

// looks tells which events it looks at.
func (t trial) looks() look {
	names := map[string]bool{}
	for _, term := range t.Terms {
		own := term.Names()
		if len(own) == 0 {
			return look{events: true}
		}
		for _, name := range own {
			names[name] = true
		}
	}
	return look{events: len(names) > 0, wanted: func(name []byte) bool { return names[string(name)] }}
}

// Preview evaluates a condition for every profile without keeping anything: how many match of how many, and the ids of
// the first few.
func (e *Engine) Preview(ctx context.Context, condition string, sample int) (count, total int, ids []int64, err error) {
	program, err := expr.Condition(condition)
	if err != nil {
		return 0, 0, nil, err
	}
	if count, total, ids, ok, err := e.matching(ctx, program, sample); ok || err != nil {
		return count, total, ids, err
	}
	cuts, err := e.trialCuts(program, func(take func(*profile.Profile, []*event.Event, int64)) error {
		return e.scan(ctx, trial{Program: program}.looks(), func(p *profile.Profile, events []*event.Event, now int64) error {
			take(p, events, now)
			return nil
		})
	})
	if err != nil {
		return 0, 0, nil, err
	}
	tried := trial{program, cuts}
	err = e.scan(ctx, tried.looks(), func(p *profile.Profile, events []*event.Event, now int64) error {
		total++
		if tried.of(p, events, now) == true {
			if count++; len(ids) < sample {
				ids = append(ids, p.ID)
			}
		}
		return nil
	})
	return count, total, ids, err
}

// matching lets the store count, where it can and no membership is being filled.
func (e *Engine) matching(ctx context.Context, program *expr.Program, sample int) (count, total int, ids []int64, ok bool, err error) {
	if len(e.Status().Building) > 0 {
		return 0, 0, nil, false, nil
	}
	history, _, err := e.moment(ctx) // all that time changes is brought up
	if err != nil {
		return 0, 0, nil, false, err
	}
	history.Close()
	return e.Store.Matching(ctx, program, sample)
}

// Estimate is how many profiles a condition holds for, or an expression gives a value for, as far as a sample tells.
type Estimate struct {
	Count, Total int     // of all profiles; estimated unless Exact
	Low, High    int     // Count lies between them with a confidence of 95 %
	Looked       int     // profiles that were looked at
	Exact        bool    // these were all, and everything that time changes had been brought up
	IDs          []int64 // some of the profiles for which the condition holds
}

// Estimate evaluates a condition for clusters of profiles spread over all of them, as many as there is patience for, and
// gives up to sample ids. It may look past patience by the reading of one cluster.
func (e *Engine) Estimate(ctx context.Context, condition string, sample int, patience time.Duration) (Estimate, error) {
	program, err := expr.Condition(condition)
	if err != nil {
		return Estimate{}, err
	}
	var ids []int64
	out, err := e.try(ctx, program, patience, func(id int64, value any) bool {
		holds := value == true
		if holds && len(ids) < sample {
			ids = append(ids, id)
		}
		return holds
	})
	out.IDs = ids
	return out, err
}

// Example is the value that an expression gives for one profile.
type Example struct {
	ID    int64
	Value any
}

// Examples is what an expression gives.
type Examples struct {
	Estimate // of the profiles that have a value; without ids
	Type     string
	Items    []Example // of some; those whose value says something come first, those without one last
}

// Examples evaluates an expression for as many profiles as Estimate does a condition, and gives up to sample values.
func (e *Engine) Examples(ctx context.Context, expression string, sample int, patience time.Duration) (Examples, error) {
	program, err := expr.Value(expression)
	if err != nil {
		return Examples{}, err
	}
	var telling, bare, none []Example
	have, err := e.try(ctx, program, patience, func(id int64, value any) bool {
		to := &telling
		switch {
		case value == nil:
			to = &none
		case isBare(value):
			to = &bare
		}
		if len(*to) < sample {
			*to = append(*to, Example{id, value})
		}
		return value != nil
	})
	items := slices.Concat(telling, bare, none)
	return Examples{have, program.Type, items[:min(len(items), sample)]}, err
}

// isBare tells the values that most expressions give of customers who did nothing: 0, "", an empty list or map.
func isBare(value any) bool {
	switch v := value.(type) {
	case float64:
		return v == 0
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// try evaluates a program for clusters of profiles spread over all, as many as there is patience for, and estimates of how
// many counts says yes.
func (e *Engine) try(ctx context.Context, program *expr.Program, patience time.Duration, counts func(id int64, value any) bool) (Estimate, error) {
	cuts, err := e.sampledCuts(ctx, program, patience/2)
	if err != nil {
		return Estimate{}, err
	}
	tried := trial{program, cuts}
	var seen clusters
	complete, err := e.sample(ctx, tried.looks(), patience, func(members []*profile.Profile, of eventsOf, now int64) (bool, error) {
		matches := 0
		for _, p := range members {
			if counts(p.ID, tried.of(p, of(p), now)) {
				matches++
			}
		}
		seen.add(len(members), matches)
		return true, nil
	}, &seen.coverage)
	return seen.estimate(complete && len(program.Quantiles) == 0), err // places among others are approximate
}

// sampledCuts are the cut points for an expression that is not defined yet, as far as a sample tells.
func (e *Engine) sampledCuts(ctx context.Context, program *expr.Program, patience time.Duration) (func(key string) []float64, error) {
	return e.trialCuts(program, func(take func(*profile.Profile, []*event.Event, int64)) error {
		var seen coverage
		_, err := e.sample(ctx, trial{Program: program}.looks(), patience, func(members []*profile.Profile, of eventsOf, now int64) (bool, error) {
			for _, p := range members {
				take(p, of(p), now)
			}
			return true, nil
		}, &seen)
		return err
	})
}

// clusterSize is how many neighbouring ids are read at once in a sample. Neighbours came at about the same time and are
// alike, so that many small clusters tell more than few large ones; but finding a place in the log takes as long as reading
// some hundred profiles there.
const clusterSize = 256

// catchUp is how long a sample waits for the loop to bring everything up to the moment.
const catchUp = 100 * time.Millisecond

// sample shows clusters of living profiles, spread over all, until each says no, patience ends, or all have been shown,
// which complete tells. What was looked at is counted in seen.
func (e *Engine) sample(ctx context.Context, l look, patience time.Duration,
	each func(members []*profile.Profile, events eventsOf, now int64) (bool, error), seen *coverage,
) (complete bool, err error) {
	begun := time.Now()
	soon, cancel := context.WithTimeout(ctx, catchUp)
	history, now, err := e.moment(soon)
	cancel()
	current := err == nil
	if !current {
		if ctx.Err() != nil {
			return false, err
		}
		history, now = e.Store.History(), e.Clock().UnixMicro() // the loop is busy: what is in the store does for a sample
	}
	defer history.Close()
	last, err := e.Store.LastProfileID(ctx)
	if err != nil {
		return false, err
	}
	n := (last + clusterSize - 1) / clusterSize
	seen.ids = last
	step := stride(n)
	for i, at := int64(0), int64(0); i < n; i, at = i+1, (at+step)%n {
		if i > 0 && time.Since(begun) > patience {
			return false, nil
		}
		from := at*clusterSize + 1
		profiles, _, of, err := e.read(ctx, history, l, from, from+clusterSize, clusterSize)
		if err != nil {
			return false, err
		}
		seen.looked += min(from+clusterSize, last+1) - from
		more, err := each(profiles, of, now)
		if err != nil || !more {
			return false, err
		}
	}
	return current, nil
}

// stride is a step near the golden ratio of n that comes by every number below n before it meets one again: wherever one
// stops, the numbers met are spread evenly.
func stride(n int64) int64 {
	if n < 3 {
		return 1
	}
	step := int64(float64(n) * (math.Sqrt(5) - 1) / 2)
	for gcd(step, n) != 1 {
		step++
	}
	return step
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// coverage is how many ids of profiles were looked at, of all that there are.
type coverage struct{ looked, ids int64 }

// clusters adds up what was seen of a sample of clusters.
type clusters struct {
	coverage
	n, people, match int
	mm, ym, yy       float64 // sums of members², matches·members and matches²
}

func (c *clusters) add(members, matches int) {
	c.n, c.people, c.match = c.n+1, c.people+members, c.match+matches
	m, y := float64(members), float64(matches)
	c.mm, c.ym, c.yy = c.mm+m*m, c.ym+y*m, c.yy+y*y
}

// z is the quantile of the normal distribution for 95 % on both sides.
const z = 1.959964

// estimate draws conclusions for all clusters: the ratio estimate of a cluster sample with its linearised variance
// (Cochran, Sampling Techniques, 3rd ed., 9A.3), as an effective number of independent observations in Wilson's interval,
// which holds for shares near 0 and 1 too.
func (c *clusters) estimate(complete bool) Estimate {
	out := Estimate{Looked: c.people, Count: c.match, Total: c.people, Low: c.match, High: c.match, Exact: complete}
	if c.looked == c.ids || c.people == 0 {
		return out
	}
	n, people := float64(c.n), float64(c.people)
	p := float64(c.match) / people
	total := people * float64(c.ids) / float64(c.looked)
	unseen := 1 - float64(c.looked)/float64(c.ids)
	effective := people / unseen
	if c.n > 1 {
		residual := (c.yy - 2*p*c.ym + p*p*c.mm) / (n - 1)
		if variance := unseen * residual * n / (people * people); variance > 0 {
			effective = min(effective, p*(1-p)/variance)
		}
	}
	middle := (p + z*z/(2*effective)) / (1 + z*z/effective)
	half := z / (1 + z*z/effective) * math.Sqrt(p*(1-p)/effective+z*z/(4*effective*effective))
	out.Total = int(math.Round(total))
	out.Count = int(math.Round(p * total))
	out.Low = max(c.match, int(math.Floor((middle-half)*total)))
	out.High = max(out.Count, min(out.Total-(c.people-c.match), int(math.Ceil((middle+half)*total))))
	return out
}

// moment brings everything up: what was told is in the store, and every timer due has fired. It gives the time and the
// history of that moment.
func (e *Engine) moment(ctx context.Context) (history History, now int64, err error) {
	var unsaved error
	err = e.do(ctx, func() {
		if unsaved = e.saved(context.WithoutCancel(ctx)); unsaved != nil {
			return
		}
		for now = e.now(); e.nextDue != 0 && e.nextDue <= now; now = e.now() {
			e.fireDue(context.WithoutCancel(ctx))
		}
		history = e.Store.History()
	})
	return history, now, cmp.Or(err, unsaved)
}

// scanChunk is how many profiles a pass over all reads at a time.
const scanChunk = 512

// scan shows each living profile as it was committed, with its events when they are wanted, at one moment: every timer
// due by then has fired.
func (e *Engine) scan(ctx context.Context, l look, each func(p *profile.Profile, events []*event.Event, now int64) error) error {
	history, now, err := e.moment(ctx)
	if err != nil {
		return err
	}
	defer history.Close()
	for from := int64(1); ; {
		profiles, last, of, err := e.read(ctx, history, l, from, math.MaxInt64, scanChunk)
		if err != nil || last == 0 {
			return err
		}
		for _, p := range profiles {
			if err := each(p, of(p), now); err != nil {
				return err
			}
		}
		from = last + 1
	}
}
