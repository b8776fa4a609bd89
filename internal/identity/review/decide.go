package review

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity/match"
)

// Settings gives what the user decided, the defaults where nothing.
func (m *Matcher) Settings(ctx context.Context) (Settings, error) {
	s, found, err := m.Ledger.MatchSettings(ctx)
	if err != nil || !found {
		return DefaultSettings(), err
	}
	return s.clone(), nil
}

// Change sets the settings. They hold from the next run on. It is Invalid where they cannot be.
func (m *Matcher) Change(ctx context.Context, s Settings) (Settings, error) {
	s = s.clone()
	if err := s.Check(); err != nil {
		return Settings{}, err
	}
	if err := m.Ledger.SaveMatchSettings(ctx, s); err != nil {
		return Settings{}, err
	}
	m.prepare()
	select {
	case m.changed <- struct{}{}:
	default:
	}
	return s, nil
}

// Accept merges a pending pair and gives the profile that both became. by is who says so. Where events have made the two
// one meanwhile, that is all there is to do. It is Conflict for a pair that was decided.
func (m *Matcher) Accept(ctx context.Context, id int64, by string) (survivor int64, err error) {
	c, err := m.Ledger.Candidate(ctx, id)
	if err != nil {
		return 0, err
	}
	if c.Status != Pending {
		return 0, decided(c)
	}
	survivor, err = m.Merger.Merge(ctx, c.A, c.B, engine.MergeCause{Kind: engine.MergedByMatch, Actor: by, Note: match.Sentence(c.Evidence)})
	if fault.CodeOf(err) == fault.Conflict {
		alive, lost := m.Profiles.Survivors(ctx, []int64{c.A})
		survivor, err = alive[c.A], lost
	}
	if err != nil {
		return 0, err
	}
	return survivor, m.Ledger.DecideCandidate(ctx, id, Pending, Accepted, by, m.Now(), survivor)
}

// Reject says that a pending pair is two customers: it is not suggested again. It is Conflict for a pair that was decided.
func (m *Matcher) Reject(ctx context.Context, id int64, by string) error {
	c, err := m.Ledger.Candidate(ctx, id)
	if err != nil {
		return err
	}
	if c.Status != Pending {
		return decided(c)
	}
	return m.Ledger.DecideCandidate(ctx, id, Pending, Rejected, by, m.Now(), 0)
}

// Undo takes a decision back: what was merged lives on as two profiles, and the pair waits again. It is Conflict for a
// pair that waits, or whose merge was taken back elsewhere.
func (m *Matcher) Undo(ctx context.Context, id int64, by string) error {
	c, err := m.Ledger.Candidate(ctx, id)
	if err != nil {
		return err
	}
	switch c.Status {
	case Pending:
		return fault.New(fault.Conflict, "nothing was decided about the pair: it waits")
	case Accepted, Merged:
		_, err := m.Merger.Unmerge(ctx, c.B, by, "the match was taken back")
		if fault.CodeOf(err) == fault.NotFound {
			return fault.New(fault.Conflict, "the two are two customers already")
		}
		if err != nil {
			return err
		}
	}
	return m.Ledger.DecideCandidate(ctx, id, c.Status, Pending, "", time.Time{}, 0)
}

func decided(c Candidate) error {
	return fault.New(fault.Conflict, "the pair is %s already", c.Status)
}

// longestWait is how long the schedule sleeps at most: the clock may be set.
const longestWait = time.Hour

// Run begins runs on schedule until ctx ends.
func (m *Matcher) Run(ctx context.Context) error {
	m.prepare()
	for {
		wait := m.UntilDue(ctx)
		if wait <= 0 {
			if _, err := m.Start(ctx); err != nil && fault.CodeOf(err) != fault.Conflict && ctx.Err() == nil {
				m.Log.Error("the search for probable matches could not begin", "error", err)
			}
			wait = time.Minute
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-m.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// UntilDue is how long it is to the next run on schedule, or to looking again.
func (m *Matcher) UntilDue(ctx context.Context) time.Duration {
	s, err := m.Settings(ctx)
	if err != nil || s.Every == 0 {
		return longestWait
	}
	last, found, err := m.Last(ctx)
	switch {
	case err != nil || last.Status == Running:
		return time.Minute
	case !found:
		return 0
	}
	return min(longestWait, last.StartedAt.Add(time.Duration(s.Every)*time.Hour).Sub(m.Now()))
}
