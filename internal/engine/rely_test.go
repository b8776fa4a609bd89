package engine_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/store"
	"github.com/tailorbird/tailorbird/internal/store/storetest"
)

// TestNodesThatReadATopicAgree has each sender's events be a partition, which again and again is another node's, and sometimes
// two nodes' at once.
func TestNodesThatReadATopicAgree(t *testing.T) {
	f := startNodesWith(t, 3, func(_ int, c *engine.Config) { c.Doubt = time.Millisecond })
	var next [6]int64 // offset of each partition
	nodesAgree(t, f, func(partition, node int, e *event.Event) error {
		at := engine.Position{Topic: "events/1", Partition: int32(partition), From: next[partition], Next: next[partition] + 1}
		readers := []int{node}
		if at.From%4 == 3 {
			readers = append(readers, (node+1)%len(f.nodes))
		}
		outcomes := make([]error, len(readers))
		var reading sync.WaitGroup
		for i, reader := range readers {
			reading.Go(func() { outcomes[i] = f.nodes[reader].IngestAt(t.Context(), only(e), []engine.Position{at}) })
		}
		reading.Wait()
		applied := 0
		for _, err := range outcomes {
			if err == nil {
				applied++
			}
		}
		if applied > 1 {
			t.Errorf("what stands at %d of partition %d was applied %d times", at.From, partition, applied)
		}
		positions, err := f.nodes[0].store.Positions(t.Context(), at.Topic)
		switch stored := positions[at.Partition]; {
		case err != nil:
			return err
		case stored == at.Next:
			next[partition]++
			return nil
		case stored != at.From || applied > 0:
			t.Errorf("partition %d was applied up to %d, and stored is %d", partition, at.From, stored)
		}
		return outcomes[0]
	})
}

// TestANodeThatWasWrongForgetsNoMoreThanThat has a node rely on what it remembers of somebody whom another one has changed.
func TestANodeThatWasWrongForgetsNoMoreThanThat(t *testing.T) {
	const customers = 50
	f := startNodesWith(t, 2, func(_ int, c *engine.Config) { c.Doubt = time.Hour })
	f.define(0, map[string]string{"thrice": `events("Order").count() == 3`})
	if err := f.nodes[0].WaitFilled(t.Context()); err != nil {
		t.Fatal(err)
	}
	order := func(node, n int, users ...int) {
		t.Helper()
		var events []*event.Event
		for _, user := range users {
			body := track(fmt.Sprint("u", user), "Order", nil)
			body["messageId"] = fmt.Sprint("order ", n, " of ", user)
			events = append(events, decoded(t, epoch, body))
		}
		if err := f.nodes[node].Ingest(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
	everybody := make([]int, customers)
	for i := range everybody {
		everybody[i] = i
	}
	f.alone(0)
	order(0, 1, everybody...)
	f.alone(1)
	order(1, 2, 7)
	f.alone(0)
	order(0, 3, 7, 8)                                                       // relies, and is wrong
	err := f.nodes[0].store.Update(t.Context(), func(c *store.Conn) error { // nobody else can be read
		_, err := c.Exec(`UPDATE profiles SET state = '' WHERE id NOT IN ($1, $2)`, f.owner("u7"), f.owner("u8"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.alone(0)
	order(0, 4, everybody...) // does not rely any more
	for user, want := range map[int]bool{7: false, 8: true, 9: false} {
		if in := f.nodes[1].profile("user_id", fmt.Sprint("u", user)).InSegment("thrice"); in != want {
			t.Errorf("u%d has ordered thrice: %v", user, in)
		}
	}
	f.agree()
}

// TestACommitThatTakesLongerThanATransactionMayStandStill has a group rely on one whose commit waits for so long that its own
// transaction is ended by the database.
func TestACommitThatTakesLongerThanATransactionMayStandStill(t *testing.T) {
	address := storetest.Postgres(t)
	impatient, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	parameters := impatient.Query()
	parameters.Set("idle_in_transaction_session_timeout", "700")
	parameters.Set("lock_timeout", "60000")
	parameters.Set("application_name", t.Name()[:40])
	impatient.RawQuery = parameters.Encode()
	f := startNodesAt(t, impatient.String(), 1, func(_ int, c *engine.Config) { c.Doubt = time.Hour })
	f.define(0, map[string]string{"thrice": `events("Order").count() == 3`})
	if err := f.nodes[0].WaitFilled(t.Context()); err != nil {
		t.Fatal(err)
	}
	operator, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = operator.Close() })
	until := func(count string, want int) (n int) {
		t.Helper()
		for patience := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
			if err := operator.QueryRowContext(t.Context(), count, t.Name()[:40]).Scan(&n); err != nil || n == want {
				return n
			}
			if time.Now().After(patience) {
				t.Fatalf("%d, and not %d: %s", n, want, count)
			}
		}
	}
	order := func(n int) error {
		body := track("u", "Order", nil)
		body["messageId"] = fmt.Sprint("order ", n)
		return f.nodes[0].Ingest(t.Context(), only(decoded(t, epoch, body)))
	}
	if err := order(1); err != nil {
		t.Fatal(err)
	}
	slow, err := operator.BeginTx(t.Context(), nil)
	if err == nil {
		_, err = slow.ExecContext(t.Context(), `LOCK TABLE daily_counts IN EXCLUSIVE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	outcomes := make(chan error, 2)
	go func() { outcomes <- order(2) }()
	const of = `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND `
	until(of+`wait_event_type = 'Lock'`, 1)
	go func() { outcomes <- order(3) }()
	until(of+`state = 'idle in transaction'`, 1)
	until(of+`state = 'idle in transaction'`, 0)
	if err := slow.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-outcomes, <-outcomes); err != nil {
		t.Error(err)
	}
	if !f.nodes[0].profile("user_id", "u").InSegment("thrice") {
		t.Error("an order is missing, or counts twice")
	}
	f.agree()
}
