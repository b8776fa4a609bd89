// Package review is what becomes of probable matches: runs that look for them, the queue in which they wait for a person,
// and the decisions. What is sure enough is merged without asking, where the user allows it; what was rejected is never
// suggested again.
package review

import (
	"context"
	"maps"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity/match"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Status is where a candidate stands.
type Status string

// The states of a candidate.
const (
	Pending  Status = "pending"  // waits for a person
	Accepted Status = "accepted" // a person said that both are one customer
	Rejected Status = "rejected" // a person said that they are not
	Merged   Status = "merged"   // was sure enough to be merged without asking
)

// Candidate is a pair of profiles that are probably one customer.
type Candidate struct {
	ID int64
	// A and B are the profiles, A the older one. Of an accepted one they are what they were before.
	A, B        int64
	Probability float64
	Bits        float64 // log2 of the odds
	Evidence    []match.Evidence
	Status      Status
	FoundAt     time.Time
	DecidedAt   time.Time // zero while pending
	DecidedBy   string
}

// RunStatus is how a run stands.
type RunStatus string

// The states of a run.
const (
	Running     RunStatus = "running"
	Done        RunStatus = "done"
	Failed      RunStatus = "failed"
	Interrupted RunStatus = "interrupted" // the program stopped
)

// Run is one search for probable matches.
type Run struct {
	ID         int64
	Status     RunStatus
	StartedAt  time.Time
	FinishedAt time.Time
	Stage      string  // what is being done: reading, or a stage of match, or keeping
	Progress   float64 // of the stage, 0 to 1
	Error      string
	Result     Summary
}

// Summary is what a run found.
type Summary struct {
	Profiles   int            `json:"profiles" doc:"Profiles that tell enough to be compared"`
	Compared   int64          `json:"compared" doc:"Pairs that were compared"`
	Estimated  float64        `json:"estimated" doc:"How many pairs of one customer there are, as far as the data tell"`
	Households float64        `json:"households" doc:"Pairs of two customers of one household"`
	Queued     int            `json:"queued" doc:"Pairs that wait for a decision"`
	Merged     int            `json:"merged" doc:"Pairs merged without asking"`
	Cut        int            `json:"cut" doc:"Groups of profiles so large that only neighbours in them were compared"`
	Dropped    int            `json:"dropped" doc:"Pairs left out because there were too many"`
	Fields     []match.Learnt `json:"fields" doc:"What was compared, and the weights that were learnt"`
}

// Settings are what a user decides.
type Settings struct {
	// Review is the least probability at which a pair is put before a person.
	Review float64 `json:"review"`
	// Merge is the least probability at which a pair is merged without asking, where Automatic allows it.
	Merge     float64 `json:"merge"`
	Automatic bool    `json:"automatic"`
	// Every is how many hours lie between two runs; 0: only on demand.
	Every int `json:"every_hours"`
	// Fields gives traits, by path, and identifier types, after "identifier:", the kind of what they hold.
	Fields map[string]match.Kind `json:"fields"`
}

// DefaultSettings ask a person about everything, and run on demand.
func DefaultSettings() Settings {
	return Settings{Review: match.DefaultThreshold, Merge: 0.99, Fields: map[string]match.Kind{}}
}

// Bounds of settings.
const (
	mostHours  = 24 * 365
	mostFields = 200
)

// Check reports the first setting that cannot be.
func (s Settings) Check() error {
	switch {
	case !(s.Review >= 0.01 && s.Review <= 0.999):
		return fault.Field("review", "must be a probability from 0.01 to 0.999")
	case !(s.Merge >= 0.5 && s.Merge <= 1):
		return fault.Field("merge", "must be a probability from 0.5 to 1")
	case s.Merge < s.Review:
		return fault.Field("merge", "must not be under review: what is merged without asking must be surer than what is asked about")
	case s.Every < 0 || s.Every > mostHours:
		return fault.Field("every_hours", "must be 0 (on demand) to %d", mostHours)
	case len(s.Fields) > mostFields:
		return fault.Field("fields", "can name %d traits at most", mostFields)
	}
	_, err := new(match.Survey).Sources(s.Fields)
	return err
}

func (s Settings) clone() Settings {
	s.Fields = maps.Clone(s.Fields)
	if s.Fields == nil {
		s.Fields = map[string]match.Kind{}
	}
	return s
}

// Profiles reads profiles.
type Profiles interface {
	// Settle returns once what follows from the events acknowledged before can be read.
	Settle(ctx context.Context, profiles ...int64) error
	// LastProfileID is the highest id of a profile, 0 when there is none.
	LastProfileID(ctx context.Context) (int64, error)
	// ProfileRange reads the living profiles with from ≤ id < to, and the highest id looked at; at most limit.
	ProfileRange(ctx context.Context, from, to int64, limit int) (profiles []*profile.Profile, last int64, err error)
	// Survivors follows merges: the living profile of each id, absent where there is none.
	Survivors(ctx context.Context, ids []int64) (map[int64]int64, error)
}

// Merger makes two profiles one and takes that back.
type Merger interface {
	// Merge makes two profiles one, the older of which survives; NotFound where one does not exist, Conflict where they are
	// one already.
	Merge(ctx context.Context, a, b int64, cause engine.MergeCause) (survivor int64, err error)
	// Unmerge takes back the merge that made a profile a part of another; NotFound where it is none.
	Unmerge(ctx context.Context, loser int64, actor, note string) (*engine.Unmerged, error)
}

// Claims tell whose a work is that one process at a time may do. A claim of a process that is gone is nobody's.
type Claims interface {
	// Claim reports whether the work of that name is this process's: it was, or nobody's.
	Claim(ctx context.Context, name string) (mine bool, err error)
	// Release gives it up.
	Release(ctx context.Context, name string) error
}

// Ledger keeps runs, candidates and settings.
type Ledger interface {
	MatchSettings(ctx context.Context) (Settings, bool, error)
	SaveMatchSettings(ctx context.Context, s Settings) error
	// LastMatchRun gives the newest run, false where there was none.
	LastMatchRun(ctx context.Context) (Run, bool, error)
	// SaveMatchRun writes a run and gives its id; a new one has the id 0.
	SaveMatchRun(ctx context.Context, run Run) (int64, error)
	// ReplaceCandidates makes these the pending ones. Pairs that were decided stay as they are.
	ReplaceCandidates(ctx context.Context, candidates []Candidate) error
	// Candidate gives one by its id; NotFound where there is none.
	Candidate(ctx context.Context, id int64) (Candidate, error)
	// DecideCandidate moves a candidate from one status to another; Conflict where it is not in the first. survivor is the
	// profile that both became, 0 for none: other pending pairs of either become pairs of that one.
	DecideCandidate(ctx context.Context, id int64, from, to Status, by string, at time.Time, survivor int64) error
	// RejectedPairs gives the profiles of all rejected candidates.
	RejectedPairs(ctx context.Context) ([][2]int64, error)
}
