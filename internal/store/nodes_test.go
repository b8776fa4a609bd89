package store

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/segment/query"
)

// gone makes what s did so far the doing of a process that is gone.
func gone(t *testing.T, s *Store) {
	t.Helper()
	err := s.Update(context.Background(), func(c *Conn) error {
		_, err := c.Exec(`DELETE FROM nodes`)
		return err
	})
	if err == nil {
		err = s.join(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// be makes s a node of another id.
func be(s *Store, id int64) { s.lives.Store(&[]int64{id}) }

// another adds a node that lives, and gives a function that makes s the one or the other.
func another(t *testing.T, s *Store) (self, other func()) {
	t.Helper()
	mine, theirs := s.NodeID(), int64(0)
	err := s.Update(t.Context(), func(c *Conn) (err error) {
		theirs, err = c.Insert(`INSERT INTO nodes (name, started_at, seen_at) VALUES ('other', 0, ` + c.dialect.now + `)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() { be(s, mine) }, func() { be(s, theirs) }
}

func TestWorkIsClaimedByOneNodeUntilItIsGone(t *testing.T) {
	s := open(t)
	self, other := another(t, s)
	claim := func(want bool) {
		t.Helper()
		if mine, err := s.Claim(t.Context(), "filling"); err != nil || mine != want {
			t.Fatalf("claimed: %v, want %v (%v)", mine, want, err)
		}
	}
	claim(true)
	claim(true)
	other()
	claim(false)
	self()
	if err := s.Release(t.Context(), "filling"); err != nil {
		t.Fatal(err)
	}
	other()
	claim(true)
	self()
	claim(false)
	gone(t, s)
	claim(true)
}

// A query that is due is run by one node, however many ask, and by another once that is gone.
func TestAQueryIsRunByOneNodeUntilItIsGone(t *testing.T) {
	s, ctx, now := open(t), t.Context(), time.UnixMicro(1)
	self, other := another(t, s)
	if err := s.FollowQueries(ctx, []query.Plan{{Segment: "one", SQL: "SELECT 1", Schedule: "1h"}}, now); err != nil {
		t.Fatal(err)
	}
	var claims [8]query.Run
	var asking sync.WaitGroup
	for i := range claims {
		asking.Go(func() {
			run, found, _, err := s.ClaimQuery(ctx, now)
			if err != nil {
				t.Error(err)
			}
			if found {
				claims[i] = run
			}
		})
	}
	asking.Wait()
	mine := slices.DeleteFunc(claims[:], func(r query.Run) bool { return r.ID == 0 })
	if len(mine) != 1 {
		t.Fatalf("claimed by %d", len(mine))
	}
	claim := func() (query.Run, bool) {
		t.Helper()
		run, found, _, err := s.ClaimQuery(ctx, now.Add(2*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return run, found
	}
	other()
	if run, found := claim(); found {
		t.Fatalf("it runs, and is claimed: %+v", run)
	}
	self()
	silent := s.NodeID()
	gone(t, s)
	taken, found := claim()
	if !found || taken.Segment != "one" {
		t.Fatalf("taken over: %+v", taken)
	}
	// The one that was only slow changes nothing of what is another's by now.
	survivor := s.NodeID()
	be(s, silent)
	mine[0].Status, mine[0].FinishedAt = query.Done, now.Add(time.Minute)
	if err := s.FinishQuery(ctx, mine[0], nil); err != nil {
		t.Fatal(err)
	}
	be(s, survivor)
	if run, found := claim(); found {
		t.Fatalf("given away: %+v", run)
	}
	taken.Status, taken.FinishedAt = query.Done, now.Add(2*time.Hour)
	if err := s.FinishQuery(ctx, taken, nil); err != nil {
		t.Fatal(err)
	}
	if states, err := s.QueryStates(ctx); err != nil || states["one"].Running || states["one"].ResultAt.IsZero() {
		t.Errorf("%+v, %v", states, err)
	}
}

// TestANodeTakenForDeadSendsNothingTwice has a node fall silent with messages at every stage, while another takes over.
func TestANodeTakenForDeadSendsNothingTwice(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	addMembers(t, s, "all", people(3)...)
	sendToAll(t, s)
	outbox := NewOutbox(s)
	silent := s.NodeID()
	jobs, _, err := outbox.Claim(ctx, sendingDay, 3)
	if err != nil || len(jobs) != 3 {
		t.Fatalf("%v %v", jobs, err)
	}
	claimed, sending, sent := jobs[0], jobs[1], jobs[2]
	for _, job := range []deliver.Job{sending, sent} {
		if _, err := outbox.MarkSending(ctx, job.ID, "x"); err != nil {
			t.Fatal(err)
		}
	}

	gone(t, s)
	if n, err := outbox.Recover(ctx); err != nil || n != 2 {
		t.Fatalf("%d in doubt: %v", n, err)
	}
	taken, _, err := outbox.Claim(ctx, sendingDay, 3)
	if err != nil || len(taken) != 1 || taken[0].ID != claimed.ID {
		t.Fatalf("taken over: %v %v", taken, err)
	}
	survivor := s.NodeID()

	// The silent one was only slow. It may not send what it has lost, nor say what became of it, but it knows what the
	// server said.
	be(s, silent)
	if _, err := outbox.MarkSending(ctx, claimed.ID, "x"); err == nil {
		t.Error("a node sends what another has taken over")
	}
	for _, outcome := range []deliver.Outcome{
		{ID: claimed.ID, Status: deliver.StatusQueued, At: sendingDay, Next: sendingDay},
		{ID: sending.ID, Status: deliver.StatusQueued, At: sendingDay, Next: sendingDay},
		{ID: sent.ID, Status: deliver.StatusSent, At: sendingDay},
	} {
		if err := outbox.Finish(ctx, outcome); err != nil {
			t.Fatal(err)
		}
	}
	be(s, survivor)
	if again, _, err := outbox.Claim(ctx, sendingDay, 3); err != nil || len(again) != 0 {
		t.Errorf("given again: %v %v", again, err)
	}
	if _, err := outbox.MarkSending(ctx, claimed.ID, "x"); err != nil {
		t.Error(err)
	}
	if err := outbox.Finish(ctx, deliver.Outcome{ID: claimed.ID, Status: deliver.StatusSent, At: sendingDay}); err != nil {
		t.Error(err)
	}
	run, _, err := s.CampaignRun(ctx, "spring")
	if p := run.Progress; err != nil || p.Sent != 2 || p.InDoubt != 1 || p.Queued != 0 {
		t.Errorf("%+v %v", p, err)
	}
}

// TestANodeTakenForDeadStillKnowsWhatBecameOfItsMail falls silent while the mail server answers, and comes back before anybody
// else looked at what it had in hand.
func TestANodeTakenForDeadStillKnowsWhatBecameOfItsMail(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	outbox := NewOutbox(s)
	job := sendingOne(t, s, outbox)
	before := s.NodeID()
	if err := s.Update(ctx, func(c *Conn) error { _, err := c.Exec(`DELETE FROM nodes`); return err }); err != nil {
		t.Fatal(err)
	}
	if err := s.beat(ctx); err != nil || s.NodeID() == before {
		t.Fatalf("node %d did not join anew: %v", before, err)
	}
	if err := outbox.Finish(ctx, deliver.Outcome{ID: job.ID, Status: deliver.StatusSent, At: sendingDay}); err != nil {
		t.Fatal(err)
	}
	if doubtful, err := outbox.Recover(ctx); err != nil || doubtful != 0 {
		t.Errorf("%d in doubt: %v", doubtful, err)
	}
	run, _, err := s.CampaignRun(ctx, "spring")
	if p := run.Progress; err != nil || p.Sent != 1 || p.InDoubt != 0 {
		t.Errorf("%+v %v", p, err)
	}
}

// Commands that use the database beside the servers take no part of what servers share.
func TestOnlyNodesThatServeAreCounted(t *testing.T) {
	s := open(t)
	serving := func() (n int) {
		nodes, err := s.Nodes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range nodes {
			if node.Serves {
				n++
			}
		}
		return n
	}
	if n := serving(); n != 0 {
		t.Errorf("%d serve", n)
	}
	if err := s.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	another(t, s)
	if n := serving(); n != 1 {
		t.Errorf("%d serve", n)
	}
	gone(t, s)
	if n := serving(); n != 1 {
		t.Errorf("after it was taken for gone, %d serve", n)
	}
	if err := s.Update(t.Context(), func(c *Conn) error {
		_, err := c.Exec(`INSERT INTO nodes (name, started_at, seen_at, serves) VALUES ('silent', 0, ` + c.dialect.now + ` - 11000000, 1)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n := serving(); n != 1 {
		t.Errorf("beside one that has been silent for eleven seconds, %d serve", n)
	}
}

// What one node has claimed another does not give up.
func TestAClaimIsGivenUpByItsNodeAlone(t *testing.T) {
	s := open(t)
	self, other := another(t, s)
	if mine, err := s.Claim(t.Context(), "filling"); err != nil || !mine {
		t.Fatal(mine, err)
	}
	other()
	if err := s.Release(t.Context(), "filling"); err != nil {
		t.Fatal(err)
	}
	if mine, err := s.Claim(t.Context(), "filling"); err != nil || mine {
		t.Errorf("claimed by both: %v %v", mine, err)
	}
	self()
}
