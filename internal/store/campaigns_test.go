package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/profile"
)

var sendingDay = time.Date(2011, 12, 10, 9, 0, 0, 0, time.UTC)

// people are p1, p2, … who may be written to.
func people(n int) (members []campaign.Member) {
	for i := range n {
		members = append(members, campaign.Member{ProfileID: int64(i + 1), Email: fmt.Sprintf("p%d@x.example", i+1), Subscribed: true})
	}
	return members
}

// sendingOne has a message to one person on its way.
func sendingOne(t *testing.T, s *Store, outbox *Outbox) deliver.Job {
	t.Helper()
	addMembers(t, s, "all", people(1)...)
	sendToAll(t, s)
	jobs, _, err := outbox.Claim(t.Context(), sendingDay, 1)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%v %v", jobs, err)
	}
	if _, err := outbox.MarkSending(t.Context(), jobs[0].ID, "x"); err != nil {
		t.Fatal(err)
	}
	return jobs[0]
}

// sendToAll queues the campaign spring for the segment all, by the broadcaster that it gives.
func sendToAll(t *testing.T, s *Store) *campaign.Broadcaster {
	t.Helper()
	b := &campaign.Broadcaster{Audience: s, Ledger: s, Wake: func() {}, Now: func() time.Time { return sendingDay }, Log: slog.New(slog.DiscardHandler)}
	if _, err := b.Send(t.Context(), "spring", campaign.Definition{Segment: "all"}, 1, 1); err != nil {
		t.Fatal(err)
	}
	if err := b.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// addMembers puts people into a segment, as the engine does.
func addMembers(t interface{ Fatal(...any) }, s *Store, segment string, members ...campaign.Member) {
	err := s.Update(context.Background(), func(c *Conn) error {
		if _, err := c.Exec(`INSERT INTO rules (key, fingerprint, built, born) VALUES ($1, 'it', 1, 1) ON CONFLICT DO NOTHING`, "segment "+segment); err != nil {
			return err
		}
		for _, m := range members {
			p := profile.New(m.ProfileID, 0)
			p.Traits.Set("email", profile.Trait{Value: m.Email})
			if !m.Subscribed {
				p.Subscription = profile.Trait{Value: false}
			}
			traits, err := json.Marshal(map[string]string{"email": m.Email})
			if err != nil {
				return err
			}
			if _, err := c.Exec(`INSERT INTO profiles (id, traits, computed, preferences, subscribed, created_at, updated_at, first_seen_at, last_seen_at, state)
				VALUES ($1, $2, '{}', '{}', $3, 0, 0, 0, 0, $4)`, m.ProfileID, string(traits), m.Subscribed, p.State()); err != nil {
				return err
			}
			if _, err := c.Exec(`INSERT INTO memberships (segment, profile_id, since) VALUES ($1, $2, 0)`, segment, m.ProfileID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type messageRow struct {
	profile               int64
	email, status, reason string
}

func messageRows(t interface{ Fatal(...any) }, s *Store, campaignName string) (rows []messageRow) {
	err := s.View(context.Background(), func(c *Conn) error {
		return c.Query(`SELECT profile_id, email, status, reason FROM messages WHERE campaign = $1 AND run_id > 0 ORDER BY id`, []any{campaignName}, func(r Row) error {
			rows = append(rows, messageRow{r.Int(0), r.Text(1), r.Text(2), r.Text(3)})
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestRunsAgainstADirectComputation draws audiences, chunk sizes, pauses and repeated requests, and compares the rows
// with what a loop over the members says.
func TestRunsAgainstADirectComputation(t *testing.T) {
	s := open(t)
	ctx, round := t.Context(), 0
	for email, reason := range map[string]deliver.Reason{"barred@x.example": deliver.Complained, "left@x.example": deliver.Unsubscribed} {
		if _, err := s.Suppress(ctx, deliver.Suppression{Email: email, Reason: reason, Since: sendingDay}); err != nil {
			t.Fatal(err)
		}
	}
	nextProfile := int64(0)
	rapid.Check(t, func(t *rapid.T) {
		round++
		name := fmt.Sprint("c", round)
		var members []campaign.Member
		for range rapid.IntRange(0, 25).Draw(t, "members") {
			nextProfile++
			members = append(members, campaign.Member{
				ProfileID: nextProfile, Subscribed: rapid.IntRange(0, 4).Draw(t, "subscribed") > 0,
				Email: rapid.SampledFrom([]string{"", "broken", "Barred@x.example", "Left@x.example", "a@x.example", "A@X.example ", fmt.Sprintf("p%d@x.example", nextProfile)}).Draw(t, "email"),
			})
		}
		addMembers(t, s, name, members...)
		for finished := false; !finished; {
			b := &campaign.Broadcaster{Audience: s, Ledger: s, Wake: func() {}, Chunk: rapid.IntRange(1, 9).Draw(t, "chunk"), Now: func() time.Time { return sendingDay }, Log: slog.New(slog.DiscardHandler)}
			if _, err := b.Send(ctx, name, campaign.Definition{Segment: name}, 3, 4); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "pause") {
				if _, err := b.Pause(ctx, name); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Advance(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Resume(ctx, name); err != nil {
				t.Fatal(err)
			}
			run, _, err := s.CampaignRun(ctx, name)
			if err != nil || run.Definition.Segment != name || run.Version != 3 || run.Template != 4 {
				t.Fatalf("%+v %v", run, err)
			}
			finished = run.Enqueued
		}
		var want []messageRow
		var progress campaign.Progress
		taken := map[string]bool{}
		for _, m := range members {
			email, err := deliver.NormalizeEmail(m.Email)
			row := messageRow{m.ProfileID, email, "skipped", ""}
			switch {
			case err != nil:
				row.reason = "no_address"
			case !m.Subscribed:
				row.reason = "unsubscribed"
			case taken[email]:
				row.reason = "duplicate_address"
			case email == "barred@x.example":
				row.reason = "suppressed"
			case email == "left@x.example": // asked through another profile, perhaps
				row.reason = "unsubscribed"
			default:
				row.status, taken[email] = "queued", true
				progress.Queued++
			}
			if row.status == "skipped" {
				progress.Skipped++
			}
			progress.Recipients++
			want = append(want, row)
		}
		if got := messageRows(t, s, name); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
		run, _, err := s.CampaignRun(ctx, name)
		if err != nil || run.Progress != progress || (run.Status == campaign.Sent) != (progress.Queued == 0) {
			t.Fatalf("%+v, want %+v", run, progress)
		}
	})
}

// inOrder sorts jobs that are due at the same time, which come in any order.
func inOrder(jobs []deliver.Job) {
	slices.SortFunc(jobs, func(a, b deliver.Job) int { return cmp.Compare(a.ID, b.ID) })
}

func TestOutboxKeepsItsContract(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	addMembers(t, s, "all", people(8)...)
	b := sendToAll(t, s)
	outbox := NewOutbox(s)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	claim := func(at time.Time, limit int) []deliver.Job {
		t.Helper()
		jobs, _, err := outbox.Claim(ctx, at, limit)
		must(err)
		return jobs
	}
	mark := func(job deliver.Job) deliver.Reason {
		t.Helper()
		reason, err := outbox.MarkSending(ctx, job.ID, "Hello")
		must(err)
		return reason
	}

	first := claim(sendingDay, 5)
	inOrder(first)
	if len(first) != 5 || first[0].To != fmt.Sprintf("p%d@x.example", first[0].ProfileID) || first[0].Campaign != "spring" || !first[0].FirstAttemptAt.IsZero() {
		t.Fatalf("%+v", first)
	}
	if id, ok := s.InternalID(MessageKind, first[0].PublicID); !ok || id != first[0].ID {
		t.Errorf("public id %s", first[0].PublicID)
	}
	if rest := claim(sendingDay, 10); len(rest) != 3 {
		t.Fatalf("claimed again: %+v", rest)
	}
	at := sendingDay.Add(time.Minute)

	must(errOf(mark(first[0]), ""))
	must(outbox.Finish(ctx, deliver.Outcome{ID: first[0].ID, Status: deliver.StatusSent, At: at}))
	// Suppressed and unsubscribed meanwhile: not even at the last moment.
	_, err := s.Suppress(ctx, deliver.Suppression{Email: first[1].To, Reason: deliver.Manual, Since: at})
	must(err)
	must(errOf(mark(first[1]), deliver.Suppressed))
	_, err = s.Suppress(ctx, deliver.Suppression{Email: first[1].To, Reason: deliver.Unsubscribed, Since: at})
	must(err)
	must(errOf(mark(first[1]), deliver.Unsubscribed))
	must(outbox.Finish(ctx, deliver.Outcome{ID: first[1].ID, Status: deliver.StatusSkipped, Reason: deliver.Suppressed, At: at}))
	must(s.Update(ctx, func(c *Conn) error {
		_, err := c.Exec(`UPDATE profiles SET merged_into = 99 WHERE id = $1`, first[2].ProfileID)
		if err == nil {
			_, err = c.Exec(`INSERT INTO profiles SELECT 99, 1, traits, computed, preferences, subscribed <> subscribed, created_at, updated_at, first_seen_at, last_seen_at, NULL, NULL, state FROM profiles WHERE id = 1`)
		}
		return err
	}))
	must(errOf(mark(first[2]), deliver.Unsubscribed))
	must(outbox.Finish(ctx, deliver.Outcome{ID: first[2].ID, Status: deliver.StatusSkipped, Reason: deliver.Unsubscribed, At: at}))
	// A bad address is suppressed with the outcome.
	must(errOf(mark(first[3]), ""))
	must(outbox.Finish(ctx, deliver.Outcome{ID: first[3].ID, Status: deliver.StatusBounced, Reason: deliver.Bounced, Suppress: true, At: at}))
	list, _, err := s.Suppressions(ctx, "", 10)
	must(err)
	if len(list) != 2 || list[1].Email != first[3].To || list[1].Reason != deliver.Bounced {
		t.Errorf("suppressions %+v", list)
	}
	// Deferred: comes again at its time, not before, and not while the campaign is paused.
	later := at.Add(time.Hour)
	must(outbox.Finish(ctx, deliver.Outcome{ID: first[4].ID, Status: deliver.StatusQueued, At: at, Next: later}))
	jobs, next, err := outbox.Claim(ctx, at, 10)
	must(err)
	if len(jobs) != 0 || !next.Equal(later) {
		t.Errorf("%+v %s", jobs, next)
	}
	_, err = b.Pause(ctx, "spring")
	must(err)
	if jobs := claim(later, 10); len(jobs) != 0 {
		t.Errorf("paused: %+v", jobs)
	}
	_, err = b.Resume(ctx, "spring")
	must(err)
	if jobs := claim(later, 10); len(jobs) != 1 || jobs[0].Attempts != 1 || !jobs[0].FirstAttemptAt.Equal(at) {
		t.Fatalf("%+v", jobs)
	}
	// A message that another has marked is not marked twice.
	must(errOf(mark(first[4]), ""))
	if _, err := outbox.MarkSending(ctx, first[4].ID, "x"); err == nil {
		t.Error("marked twice")
	}

	// The process dies with one message in sending and three never claimed to an end.
	gone(t, s)
	if n, err := outbox.Recover(ctx); err != nil || n != 1 {
		t.Fatalf("recovered %d: %v", n, err)
	}
	for _, job := range claim(later, 10) {
		must(errOf(mark(job), ""))
		must(outbox.Finish(ctx, deliver.Outcome{ID: job.ID, Status: deliver.StatusSent, At: later}))
	}
	run, _, err := s.CampaignRun(ctx, "spring")
	must(err)
	want := campaign.Progress{Recipients: 8, Sent: 4, Bounced: 1, Skipped: 2, InDoubt: 1}
	if run.Status != campaign.Sent || run.Progress != want || !run.FinishedAt.Equal(later) {
		t.Errorf("%+v", run)
	}
	// An operator decides that the one in doubt did not arrive.
	must(outbox.Requeue(ctx, first[4].ID, later))
	if err := outbox.Requeue(ctx, first[4].ID, later); err == nil {
		t.Error("requeued twice")
	}
	for _, job := range claim(later, 10) {
		must(errOf(mark(job), ""))
		must(outbox.Finish(ctx, deliver.Outcome{ID: job.ID, Status: deliver.StatusSent, At: later}))
	}
	if run, _, err = s.CampaignRun(ctx, "spring"); err != nil || run.Status != campaign.Sent || run.Progress.Sent != 5 || run.Progress.InDoubt != 0 {
		t.Errorf("%+v %v", run, err)
	}
	to, err := s.Recipient(ctx, first[0].ID)
	if err != nil || to.Email != "p1@x.example" || to.Campaign != "spring" || !to.SentAt.Equal(at) || to.MessageID != first[0].PublicID {
		t.Errorf("%+v %v", to, err)
	}
	if _, err := s.Recipient(ctx, 1<<40); err == nil {
		t.Error("a recipient of nothing")
	}
}

// TestRecoveryAsksTheSinkOnlyForItsOwn kills a process before each kind of server and starts another before each.
func TestRecoveryAsksTheSinkOnlyForItsOwn(t *testing.T) {
	kinds := map[string]func(*Store) *Outbox{"relay": NewOutbox, "sink": NewSinkOutbox}
	for before, first := range kinds {
		for after, second := range kinds {
			t.Run(before+" then "+after, func(t *testing.T) {
				s := open(t)
				ctx := t.Context()
				_ = sendingOne(t, s, first(s))
				if n, err := second(s).Recover(ctx); err != nil || n != 0 {
					t.Fatalf("%d messages of a process that is there were recovered: %v", n, err)
				}
				gone(t, s)
				doubtful, err := second(s).Recover(ctx)
				if err != nil {
					t.Fatal(err)
				}
				want, inDoubt := "in_doubt", 1
				if before == "sink" && after == "sink" { // the mailbox does not have it
					want, inDoubt = "queued", 0
				}
				if got := messageRows(t, s, "spring")[0].status; got != want || doubtful != inDoubt {
					t.Errorf("%s, %d in doubt", got, doubtful)
				}
			})
		}
	}
}

// TestOutcomesAreNewsUntilTold sends, bounces and skips, and a test message besides.
func TestOutcomesAreNewsUntilTold(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	addMembers(t, s, "all", people(3)...)
	sendToAll(t, s)
	outbox := NewOutbox(s)
	if _, err := outbox.EnqueueTest(ctx, "spring", 2, "tester@x.example", sendingDay); err != nil {
		t.Fatal(err)
	}
	jobs, _, err := outbox.Claim(ctx, sendingDay, 10)
	if err != nil || len(jobs) != 4 {
		t.Fatalf("%v %v", jobs, err)
	}
	inOrder(jobs)
	var want []string
	for _, job := range jobs {
		outcome := deliver.Outcome{ID: job.ID, Status: deliver.StatusSent, At: sendingDay.Add(time.Duration(job.ID) * time.Second), Detail: "250 fine"}
		switch job.ProfileID {
		case 2:
			outcome.Status, outcome.Reason, outcome.Detail = deliver.StatusBounced, deliver.Bounced, "550 nobody"
		case 3:
			outcome.Status, outcome.Reason = deliver.StatusSkipped, deliver.Suppressed
		}
		if job.RunID == 0 {
			outcome.Status = deliver.StatusSent
		}
		if err := outbox.Finish(ctx, outcome); err != nil {
			t.Fatal(err)
		}
		if job.RunID > 0 && job.ProfileID != 3 {
			want = append(want, fmt.Sprint(job.PublicID, job.ProfileID, job.Campaign, outcome.Status, outcome.Detail, outcome.At.UTC()))
		}
	}
	news := func() (got []string, ids []int64) {
		t.Helper()
		list, err := NewSinkOutbox(s).Untold(ctx, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range list {
			got = append(got, fmt.Sprint(n.Job.PublicID, n.Job.ProfileID, n.Job.Campaign, n.Outcome.Status, n.Outcome.Detail, n.Outcome.At.UTC()))
			ids = append(ids, n.Job.ID)
		}
		return got, ids
	}
	got, ids := news()
	if fmt.Sprint(got) != fmt.Sprint(want) || len(got) != 2 {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if err := outbox.Told(ctx, ids[:1]); err != nil {
		t.Fatal(err)
	}
	if got, _ := news(); fmt.Sprint(got) != fmt.Sprint(want[1:]) {
		t.Errorf("after telling one: %v", got)
	}
}

// errOf makes an unexpected reason an error.
func errOf(got, want deliver.Reason) error {
	if got != want {
		return fmt.Errorf("reason %q, want %q", got, want)
	}
	return nil
}

func TestSuppressionList(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	for i, step := range []struct{ reason, stands deliver.Reason }{
		{deliver.Bounced, deliver.Bounced}, {deliver.Complained, deliver.Complained}, {deliver.Manual, deliver.Complained}, {deliver.Unsubscribed, deliver.Complained},
	} {
		got, err := s.Suppress(ctx, deliver.Suppression{Email: "a@x.example", Reason: step.reason, Since: sendingDay})
		if err != nil || got.Reason != step.stands {
			t.Errorf("step %d: %+v %v", i, got, err)
		}
	}
	for _, email := range []string{"b@x.example", "c@x.example"} {
		if _, err := s.Suppress(ctx, deliver.Suppression{Email: email, Reason: deliver.Manual, Since: sendingDay}); err != nil {
			t.Fatal(err)
		}
	}
	page, next, err := s.Suppressions(ctx, "", 2)
	if err != nil || len(page) != 2 || next != "b@x.example" {
		t.Errorf("%+v %s %v", page, next, err)
	}
	if page, next, err = s.Suppressions(ctx, next, 2); err != nil || len(page) != 1 || next != "" {
		t.Errorf("%+v %s %v", page, next, err)
	}
	if err := s.Unsuppress(ctx, "a@x.example"); err != nil {
		t.Error(err)
	}
	if err := s.Unsuppress(ctx, "a@x.example"); err == nil || !strings.Contains(err.Error(), "a@x.example") {
		t.Error(err)
	}
}
