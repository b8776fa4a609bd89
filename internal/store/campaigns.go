package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/profile"
)

const runColumns = `id, campaign, version, template_version, definition, status, cursor, enqueued,
	recipients, queued, sent, bounced, failed, skipped, in_doubt, started_at, finished_at`

func readRun(r Row) (campaign.Run, error) {
	run := campaign.Run{
		ID: r.Int(0), Campaign: r.Text(1), Version: int(r.Int(2)), Template: int(r.Int(3)), Status: campaign.Status(r.Text(5)),
		Cursor: r.Int(6), Enqueued: r.Int(7) != 0,
		Progress: campaign.Progress{
			Recipients: r.Int(8), Queued: r.Int(9), Sent: r.Int(10), Bounced: r.Int(11), Failed: r.Int(12),
			Skipped: r.Int(13), InDoubt: r.Int(14),
		},
		StartedAt: timeOf(r.Int(15)),
	}
	if !r.Null(16) {
		run.FinishedAt = timeOf(r.Int(16))
	}
	if err := json.Unmarshal(r.Bytes(4), &run.Definition); err != nil {
		return run, fmt.Errorf("store: run of campaign %s: %w", run.Campaign, err)
	}
	return run, nil
}

func findRun(c *Conn, name string) (run campaign.Run, found bool, err error) {
	found, err = c.One(`SELECT `+runColumns+` FROM campaign_runs WHERE campaign = $1`, []any{name}, func(r Row) error {
		run, err = readRun(r)
		return err
	})
	return run, found, err
}

// CampaignRun finds the run of a campaign; false when it was never sent.
func (s *Store) CampaignRun(ctx context.Context, name string) (run campaign.Run, found bool, err error) {
	err = s.read(ctx, func(c *Conn) error {
		run, found, err = findRun(c, name)
		return err
	})
	return run, found, err
}

// CampaignRuns lists all runs by campaign.
func (s *Store) CampaignRuns(ctx context.Context) (map[string]campaign.Run, error) {
	runs := map[string]campaign.Run{}
	list, err := s.runs(ctx, `SELECT `+runColumns+` FROM campaign_runs`)
	for _, run := range list {
		runs[run.Campaign] = run
	}
	return runs, err
}

func (s *Store) runs(ctx context.Context, query string) (list []campaign.Run, err error) {
	err = s.read(ctx, func(c *Conn) error {
		return c.Query(query, nil, func(r Row) error {
			run, err := readRun(r)
			list = append(list, run)
			return err
		})
	})
	return list, err
}

// Start implements campaign.Ledger.
func (s *Store) Start(ctx context.Context, run campaign.Run) (started campaign.Run, created bool, err error) {
	definition, err := json.Marshal(run.Definition)
	if err != nil {
		return run, false, fault.Wrap(fault.Internal, err, "the campaign cannot be written")
	}
	err = s.Update(ctx, func(c *Conn) error {
		if _, err := c.Exec(`DELETE FROM campaign_runs WHERE campaign = $1 AND status = 'sent' AND recipients = 0`, run.Campaign); err != nil {
			return err
		}
		n, err := c.Exec(`INSERT INTO campaign_runs (campaign, version, template_version, definition, status, cursor, enqueued, started_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (campaign) DO NOTHING`,
			run.Campaign, run.Version, run.Template, string(definition), string(run.Status), run.Cursor, 0, run.StartedAt.UnixMicro())
		if err != nil {
			return err
		}
		created = n == 1
		started, _, err = findRun(c, run.Campaign)
		return err
	})
	return started, created, err
}

// Unfinished implements campaign.Ledger.
func (s *Store) Unfinished(ctx context.Context) (mine []campaign.Run, err error) {
	all, err := s.runs(ctx, `SELECT `+runColumns+` FROM campaign_runs WHERE status = 'sending' AND enqueued = 0 ORDER BY id`)
	for _, run := range all {
		claimed, err := s.Claim(ctx, runClaim(run.ID))
		if err != nil {
			return nil, err
		}
		if claimed {
			mine = append(mine, run)
		}
	}
	return mine, err
}

// runClaim names the enqueueing of a run's audience.
func runClaim(runID int64) string { return fmt.Sprint("campaign run ", runID) }

// Pause implements campaign.Ledger.
func (s *Store) Pause(ctx context.Context, name string) (campaign.Run, bool, error) {
	return s.moveRun(ctx, name, campaign.Sending, campaign.Paused)
}

// Resume implements campaign.Ledger. A run that finished its last messages while it was paused becomes Sent.
func (s *Store) Resume(ctx context.Context, name string) (campaign.Run, bool, error) {
	return s.moveRun(ctx, name, campaign.Paused, campaign.Sending)
}

func (s *Store) moveRun(ctx context.Context, name string, from, to campaign.Status) (run campaign.Run, found bool, err error) {
	err = s.Update(ctx, func(c *Conn) error {
		if _, err := c.Exec(`UPDATE campaign_runs SET status = $3 WHERE campaign = $1 AND status = $2`, name, string(from), string(to)); err != nil {
			return err
		}
		if run, found, err = findRun(c, name); err != nil || !found {
			return err
		}
		if err := finishRun(c, run.ID, run.StartedAt); err != nil {
			return err
		}
		run, _, err = findRun(c, name)
		return err
	})
	return run, found, err
}

// finishRun makes a run Sent that has nothing left to do: the condition of campaign.Progress.Finished. It finished when
// its last message was sent, or at the latest at the time given.
func finishRun(c *Conn, runID int64, at time.Time) error {
	_, err := c.Exec(`UPDATE campaign_runs SET status = 'sent',
			finished_at = `+c.dialect.greatest+`($2, started_at, coalesce((SELECT max(sent_at) FROM messages WHERE run_id = $1), 0))
		WHERE id = $1 AND status = 'sending' AND enqueued = 1 AND queued = 0`, runID, at.UnixMicro())
	return err
}

// Enqueue implements campaign.Ledger.
func (s *Store) Enqueue(ctx context.Context, runID, from, next int64, recipients []campaign.Recipient, last bool, now time.Time) error {
	return s.Update(ctx, func(c *Conn) error {
		var name string
		going, err := c.One(`SELECT campaign FROM campaign_runs WHERE id = $1 AND status = 'sending' AND cursor = $2 AND enqueued = 0`+c.dialect.forUpdate,
			[]any{runID, from}, func(r Row) error { name = r.Text(0); return nil })
		if err != nil || !going {
			return err
		}
		var queued, skipped int64
		for _, r := range recipients {
			if r.Skip == "" {
				if r.Skip, err = barrier(c, runID, r.Email); err != nil {
					return err
				}
			}
			status := deliver.StatusQueued
			if r.Skip != "" {
				status = deliver.StatusSkipped
			}
			n, err := c.Exec(`INSERT INTO messages (run_id, campaign, profile_id, email, status, reason, next_attempt_at, created_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (run_id, profile_id) WHERE run_id > 0 DO NOTHING`,
				runID, name, r.ProfileID, r.Email, string(status), string(r.Skip), now.UnixMicro())
			if err != nil {
				return err
			}
			if r.Skip != "" {
				skipped += n
				continue
			}
			queued += n
			if n > 0 {
				if err := holdAddress(c, runID, r.Email); err != nil {
					return err
				}
			}
		}
		if _, err := c.Exec(`UPDATE campaign_runs SET cursor = $2, enqueued = $3, recipients = recipients + $4 + $5, queued = queued + $4, skipped = skipped + $5
			WHERE id = $1`, runID, next, last, queued, skipped); err != nil {
			return err
		}
		if last {
			if err := release(c, runClaim(runID)); err != nil {
				return err
			}
		}
		return finishRun(c, runID, now)
	})
}

// barrier tells what all messages and suppressions know against sending to an address.
func barrier(c *Conn, runID int64, email string) (deliver.Reason, error) {
	taken, err := c.Int(`SELECT count(*) FROM run_addresses WHERE run_id = $1 AND email = $2`, runID, email)
	if err != nil || taken > 0 {
		return deliver.DuplicateAddress, err
	}
	return suppressedFor(c, email)
}

// holdAddress keeps other messages of a run from an address. It fails with Conflict, then or with the transaction, where one has it.
func holdAddress(c *Conn, runID int64, email string) error {
	return c.ExecEach(`INSERT INTO run_addresses (run_id, email) VALUES ($1, $2)`, [][]any{{runID, email}})
}

// freeAddress lets another message of a run have an address whose message was skipped.
func freeAddress(c *Conn, runID int64, email string) error {
	return c.ExecEach(`DELETE FROM run_addresses WHERE run_id = $1 AND email = $2`, [][]any{{runID, email}})
}

// Members implements campaign.Audience. The address is profile.Address. It fails with Unavailable while the segment does
// not hold for everybody yet.
func (s *Store) Members(ctx context.Context, segment string, after int64, limit int) (list []campaign.Member, err error) {
	err = s.View(ctx, func(c *Conn) error {
		if err := checkBuilt(c, segment); err != nil {
			return err
		}
		return c.Query(`SELECT m.profile_id, p.state FROM memberships m JOIN profiles p ON p.id = m.profile_id
			WHERE m.segment = $1 AND m.profile_id > $2 ORDER BY m.profile_id LIMIT $3`, []any{segment, after, limit},
			func(r Row) error {
				p, err := profile.FromState(r.Int(0), r.Bytes(1))
				if err != nil {
					return err
				}
				list = append(list, campaign.Member{ProfileID: p.ID, Email: p.Address(), Subscribed: p.Subscribed()})
				return nil
			})
	})
	return list, err
}
