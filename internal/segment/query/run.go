package query

import (
	"context"
	"time"
)

// The causes of a run.
const (
	BySchedule = "schedule"
	ByChange   = "change" // the query is new, or another than before
	ByDemand   = "demand"
)

// Status is how a run stands.
type Status string

// The statuses of a run.
const (
	Running     Status = "running"
	Done        Status = "done"
	Failed      Status = "failed"
	Interrupted Status = "interrupted" // the program stopped, or the query changed meanwhile
)

// Run is one run of a segment's query.
type Run struct {
	ID         int64
	Segment    string
	SQL        string // what was asked
	Cause      string
	By         string // who asked, for ByDemand
	Status     Status
	StartedAt  time.Time
	FinishedAt time.Time
	Listed     int // customers in the result
	Added      int // of these, new ones
	Removed    int // customers that are not in it any more
	Changed    int // customers whose further columns changed
	Unknown    int // rows that named no customer
	Twice      int // rows that named a customer again; the first one counts
	Error      string
}

// Plan is what there is to be run.
type Plan struct{ Segment, SQL, Schedule string }

// State is how the query of a segment stands.
type State struct {
	NextRunAt time.Time // zero: when somebody asks
	Running   bool
	ResultAt  time.Time // when the result that holds was read; zero: there is none yet
	Rows      int       // of that result
	Columns   []string  // that it has beside profile_id
	Last      Run       // the newest; ID 0 for none
}

// late is how long after its time a query may begin before that is worth a warning.
const late = 10 * time.Minute

// Overdue reports whether the query should have run by now and has not begun.
func (s State) Overdue(now time.Time) bool {
	return !s.Running && !s.NextRunAt.IsZero() && now.Sub(s.NextRunAt) > late
}

// Ledger keeps plans, runs and results. Where several programs share one database, claiming is what keeps them from
// running a query twice.
type Ledger interface {
	// FollowQueries makes these the plans. What is new or changed is due now; what is not among them is forgotten. The
	// result of a query stays for as long as the engine follows a rule that asks for it.
	FollowQueries(ctx context.Context, plans []Plan, now time.Time) error
	// AskQuery makes a query due now. NotFound where there is none.
	AskQuery(ctx context.Context, segment, by string, now time.Time) error
	// ClaimQuery begins a run of the query that has been due for the longest time, which is this process's from then on, as
	// long as it is there; false where none is due. next is when one will be; zero: never.
	ClaimQuery(ctx context.Context, now time.Time) (run Run, found bool, next time.Time, err error)
	// FinishQuery records how a run ended. One that was interrupted is due again; the columns are those of one that is done.
	FinishQuery(ctx context.Context, run Run, columns []string) error
	// ResultRows calls each with the rows that hold.
	ResultRows(ctx context.Context, segment string, each func(profileID int64, columns string) error) error
	// QueryStates tells how each query stands, by segment.
	QueryStates(ctx context.Context) (map[string]State, error)
	// QueryRuns lists the runs of a segment's query, newest first.
	QueryRuns(ctx context.Context, segment string) ([]Run, error)
}
