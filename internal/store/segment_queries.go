package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/segment"
	"github.com/tailorbird/tailorbird/internal/segment/query"
)

// keptRuns is how many runs of a query are kept.
const keptRuns = 50

// queriesSubject is what Conn.Serial makes changes of who runs which query wait for.
const queriesSubject = "segment queries"

// FollowQueries implements query.Ledger.
func (s *Store) FollowQueries(ctx context.Context, plans []query.Plan, now time.Time) error {
	return s.Update(ctx, func(c *Conn) error {
		if err := c.Serial(queriesSubject); err != nil {
			return err
		}
		known := map[string]query.Plan{}
		err := c.Query(`SELECT segment, sql, schedule FROM segment_queries`, nil, func(r Row) error {
			known[r.Text(0)] = query.Plan{Segment: r.Text(0), SQL: r.Text(1), Schedule: r.Text(2)}
			return nil
		})
		if err != nil {
			return err
		}
		for _, p := range plans {
			if err := followQuery(c, p, known[p.Segment], now); err != nil {
				return err
			}
			delete(known, p.Segment)
		}
		for gone := range known { // its result goes with the rule (forgetResult), which may stay where the engine is refused others
			for _, table := range []string{"segment_queries", "segment_runs"} {
				if _, err := c.Exec(`DELETE FROM `+table+` WHERE segment = $1`, gone); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func followQuery(c *Conn, p, before query.Plan, now time.Time) (err error) {
	switch {
	case p == before:
		return nil
	case before.Segment == "":
		_, err = c.Exec(`INSERT INTO segment_queries (segment, sql, schedule, next_run_at, cause, actor, asked, result_rows, columns)
			VALUES ($1, $2, $3, $4, $5, '', '', 0, '[]')`, p.Segment, p.SQL, p.Schedule, now.UnixMicro(), query.ByChange)
	case p.SQL != before.SQL:
		_, err = c.Exec(`UPDATE segment_queries SET sql = $2, schedule = $3, next_run_at = $4, cause = $5 WHERE segment = $1`,
			p.Segment, p.SQL, p.Schedule, now.UnixMicro(), query.ByChange)
	default:
		next, err := nextRun(p.Schedule, now)
		if err != nil {
			return err
		}
		_, err = c.Exec(`UPDATE segment_queries SET schedule = $2, next_run_at = CASE WHEN next_run_at <= $3 THEN next_run_at ELSE $4 END WHERE segment = $1`,
			p.Segment, p.Schedule, now.UnixMicro(), next)
		return err
	}
	return err
}

// nextRun is when a schedule has its next run, NULL for never.
func nextRun(schedule string, now time.Time) (any, error) {
	s, err := segment.ParseSchedule(schedule)
	return microsOrNull(s.Next(now)), err
}

// AskQuery implements query.Ledger.
func (s *Store) AskQuery(ctx context.Context, name, by string, now time.Time) error {
	return s.Update(ctx, func(c *Conn) error {
		n, err := c.Exec(`UPDATE segment_queries SET next_run_at = $2, cause = $3, actor = $4 WHERE segment = $1`, name, now.UnixMicro(), query.ByDemand, by)
		if err == nil && n == 0 {
			err = fault.New(fault.NotFound, "there is no SQL segment %s", name)
		}
		return err
	})
}

// ClaimQuery implements query.Ledger. What a node was running that is gone is due at once.
func (s *Store) ClaimQuery(ctx context.Context, now time.Time) (run query.Run, found bool, next time.Time, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		run, found, next = query.Run{Status: query.Running, StartedAt: now}, false, time.Time{}
		if err := c.Serial(queriesSubject); err != nil {
			return err
		}
		var schedule string
		_, err := c.One(`SELECT segment, sql, schedule, cause, actor, CASE WHEN node_id <> 0 THEN 0 ELSE next_run_at END AS due FROM segment_queries
			WHERE next_run_at IS NOT NULL AND node_id = 0 OR node_id <> 0 AND NOT `+notGone+` ORDER BY due, segment LIMIT 1`, nil, func(r Row) error {
			next = timeOf(r.Int(5))
			found = !next.After(now)
			run.Segment, run.SQL, schedule, run.Cause, run.By = r.Text(0), r.Text(1), r.Text(2), r.Text(3), r.Text(4)
			return nil
		})
		if err != nil || !found {
			return err
		}
		after, err := nextRun(schedule, now)
		if err != nil {
			return err
		}
		if _, err := c.Exec(`UPDATE segment_runs SET status = $2, finished_at = $3, error = 'the program was stopped' WHERE segment = $1 AND status = $4`,
			run.Segment, string(query.Interrupted), now.UnixMicro(), string(query.Running)); err != nil {
			return err
		}
		if _, err := c.Exec(`UPDATE segment_queries SET next_run_at = $2, cause = $3, actor = '', asked = sql, node_id = $4 WHERE segment = $1`,
			run.Segment, after, query.BySchedule, s.NodeID()); err != nil {
			return err
		}
		run.ID, err = c.Insert(`INSERT INTO segment_runs (segment, cause, actor, status, started_at) VALUES ($1, $2, $3, $4, $5)`,
			run.Segment, run.Cause, run.By, string(query.Running), now.UnixMicro())
		return err
	})
	return run, found, next, err
}

// FinishQuery implements query.Ledger. Where another node has taken the query over, it says what became of the run alone.
func (s *Store) FinishQuery(ctx context.Context, run query.Run, columns []string) error {
	names, err := json.Marshal(append([]string{}, columns...))
	if err != nil {
		return err
	}
	return s.Update(ctx, func(c *Conn) error {
		if _, err := c.Exec(`UPDATE segment_runs SET status = $2, finished_at = $3, listed = $4, added = $5, removed = $6, changed = $7, unknown = $8,
				twice = $9, error = $10 WHERE id = $1`,
			run.ID, string(run.Status), run.FinishedAt.UnixMicro(), run.Listed, run.Added, run.Removed, run.Changed, run.Unknown, run.Twice, run.Error); err != nil {
			return err
		}
		var err error
		switch run.Status {
		case query.Done:
			_, err = c.Exec(`UPDATE segment_queries SET node_id = 0, result_at = $2, result_rows = $3, columns = $4 WHERE segment = $1 AND asked = $5 AND node_id = $6`,
				run.Segment, run.StartedAt.UnixMicro(), run.Listed, string(names), run.SQL, s.NodeID())
		case query.Interrupted:
			_, err = c.Exec(`UPDATE segment_queries SET node_id = 0, next_run_at = $2, cause = $3, actor = $4 WHERE segment = $1 AND node_id = $5`,
				run.Segment, run.FinishedAt.UnixMicro(), run.Cause, run.By, s.NodeID())
		default:
			_, err = c.Exec(`UPDATE segment_queries SET node_id = 0 WHERE segment = $1 AND node_id = $2`, run.Segment, s.NodeID())
		}
		if err != nil {
			return err
		}
		_, err = c.Exec(`DELETE FROM segment_runs WHERE segment = $1 AND id <= (SELECT id FROM segment_runs WHERE segment = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`,
			run.Segment, keptRuns)
		return err
	})
}

// resultPage is how many rows of a result are read at a time.
const resultPage = 20_000

// ResultRows implements query.Ledger.
func (s *Store) ResultRows(ctx context.Context, name string, each func(profileID int64, columns string) error) error {
	last, more := int64(-1<<63), true
	for more {
		more = false
		err := s.read(ctx, func(c *Conn) error {
			return c.Query(`SELECT profile_id, columns FROM segment_results WHERE segment = $1 AND profile_id > $2 ORDER BY profile_id LIMIT $3`,
				[]any{name, last, resultPage}, func(r Row) error {
					last, more = r.Int(0), true
					return each(last, r.Text(1))
				})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// QueryStates implements query.Ledger.
func (s *Store) QueryStates(ctx context.Context) (map[string]query.State, error) {
	states := map[string]query.State{}
	err := s.read(ctx, func(c *Conn) error {
		err := c.Query(`SELECT segment, next_run_at, node_id <> 0 AND `+notGone+`, result_at, result_rows, columns FROM segment_queries`, nil, func(r Row) error {
			st := query.State{Running: r.Int(2) == 1, Rows: int(r.Int(4))}
			if r.Int(1) != 0 {
				st.NextRunAt = timeOf(r.Int(1))
			}
			if !r.Null(3) {
				st.ResultAt = timeOf(r.Int(3))
			}
			if err := json.Unmarshal([]byte(r.Text(5)), &st.Columns); err != nil {
				return fault.Wrap(fault.Internal, err, "the columns of %s cannot be read", r.Text(0))
			}
			states[r.Text(0)] = st
			return nil
		})
		if err != nil {
			return err
		}
		return c.Query(`SELECT `+queryRunColumns+` FROM segment_runs WHERE id IN (SELECT max(id) FROM segment_runs GROUP BY segment)`, nil, func(r Row) error {
			run := queryRun(r)
			if st, ok := states[run.Segment]; ok {
				st.Last = run
				states[run.Segment] = st
			}
			return nil
		})
	})
	return states, err
}

const queryRunColumns = `id, segment, cause, actor, status, started_at, finished_at, listed, added, removed, changed, unknown, twice, error`

func queryRun(r Row) query.Run {
	run := query.Run{
		ID: r.Int(0), Segment: r.Text(1), Cause: r.Text(2), By: r.Text(3), Status: query.Status(r.Text(4)), StartedAt: timeOf(r.Int(5)),
		Listed: int(r.Int(7)), Added: int(r.Int(8)), Removed: int(r.Int(9)), Changed: int(r.Int(10)), Unknown: int(r.Int(11)), Twice: int(r.Int(12)),
		Error: r.Text(13),
	}
	if !r.Null(6) {
		run.FinishedAt = timeOf(r.Int(6))
	}
	return run
}

// QueryRuns implements query.Ledger.
func (s *Store) QueryRuns(ctx context.Context, name string) (runs []query.Run, err error) {
	err = s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT `+queryRunColumns+` FROM segment_runs WHERE segment = $1 ORDER BY id DESC`, []any{name}, func(r Row) error {
			runs = append(runs, queryRun(r))
			return nil
		})
	})
	return runs, err
}

// writeGiven records rows of results that changed.
func writeGiven(c *Conn, b *engine.Batch) error {
	var rows [][]any
	for _, g := range b.Given {
		if g.Gone {
			if _, err := c.Exec(`DELETE FROM segment_results WHERE segment = $1 AND profile_id = $2`, g.Segment, g.ProfileID); err != nil {
				return err
			}
			continue
		}
		columns, err := columnsText(g.Columns)
		if err != nil {
			return err
		}
		rows = append(rows, []any{g.Segment, g.ProfileID, columns, b.Now})
	}
	return c.ExecEach(`INSERT INTO segment_results (segment, profile_id, columns, since) VALUES ($1, $2, $3, $4)
		ON CONFLICT (segment, profile_id) DO UPDATE SET columns = excluded.columns`, rows)
}

// columnsText is the stored form of a row's further columns, the same for the same columns.
func columnsText(columns map[string]any) (string, error) {
	if len(columns) == 0 {
		return query.NoColumns, nil
	}
	text, err := json.Marshal(columns)
	return string(text), fault.Wrap(fault.Internal, err, "a row cannot be kept")
}

// forgetResult voids the result of a segment whose rule begins anew: its query is due at once.
func forgetResult(c *Conn, key string) error {
	name, is := strings.CutPrefix(key, "segment ")
	if !is {
		return nil
	}
	_, err := c.Exec(`DELETE FROM segment_results WHERE segment = $1`, name)
	if err == nil {
		_, err = c.Exec(`UPDATE segment_queries SET result_at = NULL, result_rows = 0, next_run_at = 0, cause = $2 WHERE segment = $1`, name, query.ByChange)
	}
	return err
}

// TransitionsOf implements engine.MergeStore.
func (s *Store) TransitionsOf(ctx context.Context, profiles []int64) ([]engine.Transition, error) {
	var all []engine.Transition
	h := s.historyOf(profiles)
	defer h.Close()
	for _, id := range profiles {
		err := h.records(ctx, id, id+1, func(r record) error {
			if isEvent(r) {
				return nil
			}
			transitions, err := decodeTransitions(r)
			all = append(all, transitions...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
