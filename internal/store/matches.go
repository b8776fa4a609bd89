package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity/review"
)

// MatchKind is the kind of the public ids of probable matches.
const MatchKind = "match"

const matchSetting = "match"

// MatchSettings implements review.Ledger.
func (s *Store) MatchSettings(ctx context.Context) (settings review.Settings, found bool, err error) {
	err = s.read(ctx, func(c *Conn) error {
		found, err = c.One(`SELECT value FROM settings WHERE name = $1`, []any{matchSetting}, func(r Row) error {
			return json.Unmarshal([]byte(r.Text(0)), &settings)
		})
		return err
	})
	return settings, found, err
}

// SaveMatchSettings implements review.Ledger.
func (s *Store) SaveMatchSettings(ctx context.Context, settings review.Settings) error {
	text, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	return s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			matchSetting, string(text))
		return err
	})
}

// LastMatchRun implements review.Ledger.
func (s *Store) LastMatchRun(ctx context.Context) (run review.Run, found bool, err error) {
	err = s.read(ctx, func(c *Conn) error {
		found, err = c.One(`SELECT id, status, started_at, finished_at, error, summary FROM match_runs ORDER BY id DESC LIMIT 1`, nil,
			func(r Row) error {
				run = review.Run{ID: r.Int(0), Status: review.RunStatus(r.Text(1)), StartedAt: timeOf(r.Int(2)), Error: r.Text(4)}
				if !r.Null(3) {
					run.FinishedAt, run.Progress = timeOf(r.Int(3)), 1
				}
				return json.Unmarshal([]byte(r.Text(5)), &run.Result)
			})
		return err
	})
	return run, found, err
}

// SaveMatchRun implements review.Ledger.
func (s *Store) SaveMatchRun(ctx context.Context, run review.Run) (id int64, err error) {
	summary, err := json.Marshal(run.Result)
	if err != nil {
		return 0, err
	}
	err = s.Update(ctx, func(c *Conn) error {
		if run.ID != 0 {
			id = run.ID
			_, err := c.Exec(`UPDATE match_runs SET status = $1, finished_at = $2, error = $3, summary = $4 WHERE id = $5`,
				string(run.Status), microsOrNull(run.FinishedAt), run.Error, string(summary), run.ID)
			return err
		}
		id, err = c.Insert(`INSERT INTO match_runs (status, started_at, error, summary) VALUES ($1, $2, $3, $4)`,
			string(run.Status), run.StartedAt.UnixMicro(), run.Error, string(summary))
		return err
	})
	return id, err
}

func microsOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// candidatesPerCommit keeps the writer free for events.
const candidatesPerCommit = 500

// ReplaceCandidates implements review.Ledger.
func (s *Store) ReplaceCandidates(ctx context.Context, candidates []review.Candidate) error {
	err := s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`DELETE FROM match_candidates WHERE status = $1`, string(review.Pending))
		return err
	})
	for from := 0; err == nil && from < len(candidates); from += candidatesPerCommit {
		err = s.Update(ctx, func(c *Conn) error {
			for _, one := range candidates[from:min(from+candidatesPerCommit, len(candidates))] {
				if err := insertCandidate(c, one); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return err
}

// insertCandidate adds a candidate. Of a pair that is there, a rejection stands; an older merge, which was undone since,
// does not.
func insertCandidate(c *Conn, one review.Candidate) error {
	evidence, err := json.Marshal(one.Evidence)
	if err != nil {
		return err
	}
	_, err = c.Exec(`
		INSERT INTO match_candidates (a_id, b_id, probability, bits, evidence, status, found_at, decided_at, decided_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (a_id, b_id) DO UPDATE SET probability = excluded.probability, bits = excluded.bits, evidence = excluded.evidence,
			status = excluded.status, found_at = excluded.found_at, decided_at = excluded.decided_at, decided_by = excluded.decided_by
		WHERE match_candidates.status <> $10`,
		one.A, one.B, one.Probability, one.Bits, string(evidence), string(one.Status), one.FoundAt.UnixMicro(),
		microsOrNull(one.DecidedAt), one.DecidedBy, string(review.Rejected))
	return err
}

const candidateColumns = `m.id, m.a_id, m.b_id, m.probability, m.bits, m.evidence, m.status, m.found_at, m.decided_at, m.decided_by`

func readCandidate(r Row) (c review.Candidate, err error) {
	c = review.Candidate{
		ID: r.Int(0), A: r.Int(1), B: r.Int(2), Probability: r.Float(3), Bits: r.Float(4), Status: review.Status(r.Text(6)),
		FoundAt: timeOf(r.Int(7)), DecidedBy: r.Text(9),
	}
	if !r.Null(8) {
		c.DecidedAt = timeOf(r.Int(8))
	}
	return c, json.Unmarshal([]byte(r.Text(5)), &c.Evidence)
}

// Candidate implements review.Ledger.
func (s *Store) Candidate(ctx context.Context, id int64) (found review.Candidate, err error) {
	err = s.read(ctx, func(c *Conn) error {
		found, err = candidate(c, id)
		return err
	})
	return found, err
}

func candidate(c *Conn, id int64) (found review.Candidate, err error) {
	ok, err := c.One(`SELECT `+candidateColumns+` FROM match_candidates m WHERE m.id = $1`, []any{id}, func(r Row) error {
		found, err = readCandidate(r)
		return err
	})
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no such match; a newer run may have replaced it")
	}
	return found, err
}

// Candidates gives a page of the candidates of a status, and the cursor of the next one: pending ones by probability, those
// of them whose profiles both live; decided ones the latest first.
func (s *Store) Candidates(ctx context.Context, status review.Status, cursor string, limit int) (list []review.Candidate, next string, err error) {
	bits, id, err := candidateCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	query := `SELECT ` + candidateColumns + ` FROM match_candidates m
		WHERE m.status = $1 AND (coalesce(m.decided_at, 0) < CAST($2 AS DOUBLE PRECISION) OR coalesce(m.decided_at, 0) = CAST($2 AS DOUBLE PRECISION) AND m.id > $3)
		ORDER BY coalesce(m.decided_at, 0) DESC, m.id LIMIT $4`
	if status == review.Pending {
		query = `SELECT ` + candidateColumns + ` FROM match_candidates m
			JOIN profiles a ON a.id = m.a_id AND a.merged_into IS NULL JOIN profiles b ON b.id = m.b_id AND b.merged_into IS NULL
			WHERE m.status = $1 AND (m.bits < $2 OR m.bits = $2 AND m.id > $3) ORDER BY m.bits DESC, m.id LIMIT $4`
	}
	err = s.View(ctx, func(c *Conn) error {
		return c.Query(query, []any{string(status), bits, id, limit + 1}, func(r Row) error {
			one, err := readCandidate(r)
			list = append(list, one)
			return err
		})
	})
	if len(list) > limit {
		list = list[:limit]
		last := list[limit-1]
		at := last.Bits
		if status != review.Pending {
			at = float64(last.DecidedAt.UnixMicro())
		}
		next = fmt.Sprintf("%s_%d", strconv.FormatFloat(at, 'g', -1, 64), last.ID)
	}
	return list, next, err
}

func candidateCursor(cursor string) (at float64, id int64, err error) {
	if cursor == "" {
		return 1e300, 0, nil
	}
	number, rest, _ := strings.Cut(cursor, "_")
	at, err = strconv.ParseFloat(number, 64)
	if err == nil {
		id, err = strconv.ParseInt(rest, 10, 64)
	}
	if err != nil {
		return 0, 0, fault.Field("query.cursor", "is none that a list gave; pass next_cursor as it came")
	}
	return at, id, nil
}

// PendingCandidates counts the candidates that wait.
func (s *Store) PendingCandidates(ctx context.Context) (n int64, err error) {
	err = s.View(ctx, func(c *Conn) error {
		n, err = c.Int(`SELECT count(*) FROM match_candidates m
			JOIN profiles a ON a.id = m.a_id AND a.merged_into IS NULL JOIN profiles b ON b.id = m.b_id AND b.merged_into IS NULL
			WHERE m.status = $1`, string(review.Pending))
		return err
	})
	return n, err
}

// CandidateID reads a public id; NotFound for one that is none.
func (s *Store) CandidateID(public string) (int64, error) {
	id, ok := s.InternalID(MatchKind, public)
	if !ok {
		return 0, fault.New(fault.NotFound, "there is no match with the id %.40q", public)
	}
	return id, nil
}

// PublicCandidateID is the public id of a candidate.
func (s *Store) PublicCandidateID(id int64) string { return s.PublicID(MatchKind, id) }

// DecideCandidate implements review.Ledger.
func (s *Store) DecideCandidate(ctx context.Context, id int64, from, to review.Status, by string, at time.Time, survivor int64) error {
	return s.Update(ctx, func(c *Conn) error {
		n, err := c.Exec(`UPDATE match_candidates SET status = $1, decided_by = $2, decided_at = $3 WHERE id = $4 AND status = $5`,
			string(to), by, microsOrNull(at), id, string(from))
		if err != nil {
			return err
		}
		now, err := candidate(c, id)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "the match is %s already", now.Status)
		}
		if err != nil || survivor == 0 {
			return err
		}
		for _, gone := range [...]int64{now.A, now.B} {
			if gone != survivor {
				if err := redirectCandidates(c, gone, survivor); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// redirectCandidates makes the pending pairs of a profile that merged pairs of the one that took it. A pair that is there
// already, or that was decided, stays as it is.
func redirectCandidates(c *Conn, gone, survivor int64) error {
	_, err := c.Exec(`
		INSERT INTO match_candidates (a_id, b_id, probability, bits, evidence, status, found_at, decided_by)
		SELECT CASE WHEN other < $2 THEN other ELSE $2 END, CASE WHEN other < $2 THEN $2 ELSE other END, probability, bits, evidence, status, found_at, '' FROM (
		  SELECT CASE WHEN a_id = $1 THEN b_id ELSE a_id END AS other, probability, bits, evidence, status, found_at
		  FROM match_candidates WHERE (a_id = $1 OR b_id = $1) AND status = $3
		) moved WHERE other <> $2
		ON CONFLICT (a_id, b_id) DO NOTHING`, gone, survivor, string(review.Pending))
	return err
}

// RejectedPairs implements review.Ledger.
func (s *Store) RejectedPairs(ctx context.Context) (pairs [][2]int64, err error) {
	err = s.read(ctx, func(c *Conn) error {
		return c.Query(`SELECT a_id, b_id FROM match_candidates WHERE status = $1`, []any{string(review.Rejected)}, func(r Row) error {
			pairs = append(pairs, [2]int64{r.Int(0), r.Int(1)})
			return nil
		})
	})
	return pairs, err
}

// Survivors implements review.Profiles.
func (s *Store) Survivors(ctx context.Context, ids []int64) (map[int64]int64, error) {
	alive := make(map[int64]int64, len(ids))
	err := s.View(ctx, func(c *Conn) error {
		for _, id := range ids {
			into, err := survivor(c, id)
			if err != nil {
				return err
			}
			if into != 0 {
				alive[id] = into
			}
		}
		return nil
	})
	return alive, err
}
