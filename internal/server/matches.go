package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/identity/match"
	"github.com/tailorbird/tailorbird/internal/identity/review"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Matcher looks for probable matches and carries out what is decided about them.
type Matcher interface {
	// Start begins a run; Conflict while another goes on.
	Start(ctx context.Context) (review.Run, error)
	// Last gives the run that goes on, else the newest one; false where there was none.
	Last(ctx context.Context) (review.Run, bool, error)
	Settings(ctx context.Context) (review.Settings, error)
	// Change sets the settings; Invalid where they cannot be.
	Change(ctx context.Context, s review.Settings) (review.Settings, error)
	// Accept merges a pending pair and gives the profile that both became, Reject has it never suggested again, and
	// Undo takes that back. They are NotFound for no pair, and Conflict for one in another state.
	Accept(ctx context.Context, id int64, by string) (survivor int64, err error)
	Reject(ctx context.Context, id int64, by string) error
	Undo(ctx context.Context, id int64, by string) error
}

// Candidates reads the queue of probable matches.
type Candidates interface {
	// Candidates gives a page of the candidates of a status, and the cursor of the next one.
	Candidates(ctx context.Context, status review.Status, cursor string, limit int) (list []review.Candidate, next string, err error)
	// Candidate gives one by its id; NotFound where there is none.
	Candidate(ctx context.Context, id int64) (review.Candidate, error)
	// PendingCandidates counts the candidates that wait.
	PendingCandidates(ctx context.Context) (int64, error)
	// CandidateID reads a public id, PublicCandidateID makes it; NotFound for one that is none.
	CandidateID(public string) (int64, error)
	PublicCandidateID(id int64) string
	// Survivors follows merges: the living profile of each id, absent where there is none.
	Survivors(ctx context.Context, ids []int64) (map[int64]int64, error)
}

func (s *server) matchRoutes() {
	const v1 = "/api/v1/matches"
	get(s, access.Read, v1, "listMatches", "Pairs of profiles that are probably one customer, the most probable first", s.listMatches)
	post(s, access.Write, v1+"/{id}/accept", "acceptMatch", "Merge the two profiles of a match", s.acceptMatch)
	post(s, access.Write, v1+"/{id}/reject", "rejectMatch", "Say that a match is two customers; it is not suggested again", s.rejectMatch)
	post(s, access.Write, v1+"/{id}/undo", "undoMatch", "Take a decision back; the match waits again", s.undoMatch)
	accept(s, access.Write, v1+"/run", "runMatches", "Look for probable matches now", s.runMatches)
	get(s, access.Read, v1+"/run", "getMatchRun", "How the last search for probable matches stands", s.getMatchRun)
	get(s, access.Read, v1+"/settings", "getMatchSettings", "What is merged, what is asked about, and when", s.getMatchSettings)
	put(s, access.Write, v1+"/settings", "putMatchSettings", "Change what is merged, what is asked about, and when", s.putMatchSettings)
}

// Match is a pair of profiles that are probably one customer.
type Match struct {
	ID          string           `json:"id"`
	Status      review.Status    `json:"status" enum:"pending,accepted,rejected,merged"`
	Probability float64          `json:"probability" doc:"That both are one customer, from 0 to 1"`
	Reason      string           `json:"reason" doc:"The evidence in one sentence"`
	Evidence    []match.Evidence `json:"evidence" doc:"What speaks for the match first, what speaks against it last"`
	Profiles    []profile.View   `json:"profiles" doc:"The two profiles, the older one first; of a match that was merged, the one that both became"`
	FoundAt     time.Time        `json:"found_at"`
	DecidedAt   *time.Time       `json:"decided_at" doc:"null while pending"`
	DecidedBy   string           `json:"decided_by" doc:"The key with which it was decided; empty for the program itself"`
}

type listMatchesInput struct {
	Paging
	Status review.Status `query:"status" enum:"pending,accepted,rejected,merged" default:"pending" doc:"Which ones"`
}

func (s *server) listMatches(ctx context.Context, in *listMatchesInput) (answer[page[Match]], error) {
	found, next, err := s.config.Candidates.Candidates(ctx, in.Status, in.Cursor, in.Limit)
	if err != nil {
		return answer[page[Match]]{}, err
	}
	list := make([]Match, len(found))
	for i, c := range found {
		if list[i], err = s.matchOf(ctx, c); err != nil {
			return answer[page[Match]]{}, err
		}
	}
	return answer[page[Match]]{pageOf(list, next)}, nil
}

func (s *server) matchOf(ctx context.Context, c review.Candidate) (Match, error) {
	ids := []int64{c.A, c.B}
	if c.Status != review.Pending {
		alive, err := s.config.Candidates.Survivors(ctx, ids)
		if err != nil {
			return Match{}, err
		}
		ids = ids[:0]
		for _, id := range [...]int64{alive[c.A], alive[c.B]} {
			if id != 0 && (len(ids) == 0 || ids[0] != id) {
				ids = append(ids, id)
			}
		}
	}
	views, err := s.config.Profiles.ProfileViews(ctx, ids)
	return Match{
		ID: s.config.Candidates.PublicCandidateID(c.ID), Status: c.Status, Probability: c.Probability,
		Reason: match.Sentence(c.Evidence), Evidence: rounded(c.Evidence), Profiles: views, FoundAt: c.FoundAt.UTC(),
		DecidedAt: moment(c.DecidedAt), DecidedBy: c.DecidedBy,
	}, err
}

func rounded(all []match.Evidence) []match.Evidence {
	list := make([]match.Evidence, len(all))
	for i, e := range all {
		e.Bits = match.Round(e.Bits)
		list[i] = e
	}
	return list
}

type matchInput struct {
	ID string `path:"id" doc:"The match's id"`
}

// Survivor is the profile that two became.
type Survivor struct {
	ProfileID string `json:"profile_id"`
}

func (s *server) acceptMatch(ctx context.Context, in *matchInput) (answer[Survivor], error) {
	id, err := s.config.Candidates.CandidateID(in.ID)
	if err != nil {
		return answer[Survivor]{}, err
	}
	survivor, err := s.config.Matcher.Accept(ctx, id, caller(ctx).Name)
	if err != nil {
		return answer[Survivor]{}, err
	}
	view, err := s.viewProfile(ctx, survivor)
	return answer[Survivor]{Survivor{view.ID}}, err
}

func (s *server) rejectMatch(ctx context.Context, in *matchInput) (answer[Match], error) {
	return s.decide(ctx, in.ID, func(id int64) error { return s.config.Matcher.Reject(ctx, id, caller(ctx).Name) })
}

func (s *server) undoMatch(ctx context.Context, in *matchInput) (answer[Match], error) {
	return s.decide(ctx, in.ID, func(id int64) error { return s.config.Matcher.Undo(ctx, id, caller(ctx).Name) })
}

// decide carries out a decision about one match, and shows what it is then.
func (s *server) decide(ctx context.Context, public string, do func(id int64) error) (answer[Match], error) {
	id, err := s.config.Candidates.CandidateID(public)
	if err == nil {
		err = do(id)
	}
	if err != nil {
		return answer[Match]{}, err
	}
	now, err := s.config.Candidates.Candidate(ctx, id)
	if err != nil {
		return answer[Match]{}, err
	}
	shown, err := s.matchOf(ctx, now)
	return answer[Match]{shown}, err
}

// MatchRun is a search for probable matches.
type MatchRun struct {
	Status     review.RunStatus `json:"status" enum:"never,running,done,failed,interrupted"`
	Stage      string           `json:"stage" doc:"While it runs: reading, blocking, learning, scoring, grouping or keeping"`
	Progress   float64          `json:"progress" doc:"Of the stage, from 0 to 1"`
	StartedAt  *time.Time       `json:"started_at"`
	FinishedAt *time.Time       `json:"finished_at"`
	Error      string           `json:"error,omitempty"`
	Pending    int              `json:"pending" doc:"Matches that wait for a decision now"`
	Summary    review.Summary   `json:"summary"`
}

func (s *server) matchRunOf(ctx context.Context, run review.Run) (answer[MatchRun], error) {
	pending, err := s.config.Candidates.PendingCandidates(ctx)
	if run.Result.Fields == nil {
		run.Result.Fields = []match.Learnt{}
	}
	return answer[MatchRun]{MatchRun{
		Status: run.Status, Stage: run.Stage, Progress: run.Progress, StartedAt: moment(run.StartedAt), FinishedAt: moment(run.FinishedAt),
		Error: run.Error, Pending: int(pending), Summary: run.Result,
	}}, err
}

func (s *server) runMatches(ctx context.Context, _ *nothing) (answer[MatchRun], error) {
	run, err := s.config.Matcher.Start(ctx)
	if err != nil {
		return answer[MatchRun]{}, err
	}
	return s.matchRunOf(ctx, run)
}

func (s *server) getMatchRun(ctx context.Context, _ *nothing) (answer[MatchRun], error) {
	run, found, err := s.config.Matcher.Last(ctx)
	if err != nil {
		return answer[MatchRun]{}, err
	}
	if !found {
		run.Status = "never"
	}
	return s.matchRunOf(ctx, run)
}

// MatchSettings are what is merged, what is asked about, and when.
type MatchSettings struct {
	Review    float64               `json:"review" doc:"The least probability at which a pair is put before a person"`
	Merge     float64               `json:"merge" doc:"The least probability at which a pair is merged without asking, where automatic allows it"`
	Automatic bool                  `json:"automatic" doc:"Whether pairs may be merged without asking"`
	Every     int                   `json:"every_hours" doc:"Hours between two runs; 0: only on demand"`
	Fields    map[string]match.Kind `json:"fields" doc:"What traits hold, by path, and identifier types, after \"identifier:\": where their names do not tell it, or \"ignored\""`
}

func (s *server) getMatchSettings(ctx context.Context, _ *nothing) (answer[MatchSettings], error) {
	found, err := s.config.Matcher.Settings(ctx)
	return answer[MatchSettings]{MatchSettings(found)}, err
}

type putMatchSettingsInput struct {
	Body struct {
		Review    *float64              `json:"review,omitempty"`
		Merge     *float64              `json:"merge,omitempty"`
		Automatic *bool                 `json:"automatic,omitempty"`
		Every     *int                  `json:"every_hours,omitempty"`
		Fields    map[string]match.Kind `json:"fields,omitempty"`
	}
}

// putMatchSettings changes the settings that the body has, and leaves the others.
func (s *server) putMatchSettings(ctx context.Context, in *putMatchSettingsInput) (answer[MatchSettings], error) {
	settings, err := s.config.Matcher.Settings(ctx)
	if err != nil {
		return answer[MatchSettings]{}, err
	}
	set(&settings.Review, in.Body.Review)
	set(&settings.Merge, in.Body.Merge)
	set(&settings.Automatic, in.Body.Automatic)
	set(&settings.Every, in.Body.Every)
	if in.Body.Fields != nil {
		settings.Fields = in.Body.Fields
	}
	changed, err := s.config.Matcher.Change(ctx, settings)
	return answer[MatchSettings]{MatchSettings(changed)}, err
}

// set takes a value that was given.
func set[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}
