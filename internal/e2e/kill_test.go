package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func setting(t *testing.T, name string, normal int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return normal
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 {
		t.Fatalf("%s=%s is not a positive number", name, text)
	}
	return value
}

// chance is the source of the random moments; the seed is printed, so that a failure can be tried again.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := setting(t, "TAILORBIRD_SEED", 1)
	t.Logf("TAILORBIRD_SEED=%d", seed)
	return rand.New(rand.NewPCG(uint64(seed), 0))
}

// TestKillDuringIngest kills the server in the middle of ingest, again and again. In the end every acknowledged event is
// there once, no other is there twice, and profiles and segments are what the events say.
func TestKillDuringIngest(t *testing.T) {
	kills := setting(t, "TAILORBIRD_KILLS", 20)
	random := chance(t)
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, data, nil)
	call(t, s.Client, "PUT", "/api/v1/traits/order_count", map[string]string{"expression": `events("Order Completed").count()`})
	define(t, s.Client, "buyers", `events("Order Completed").within("7d").count() > 3`)
	books := &books{state: map[string]state{}}
	for kill := range kills {
		ingestUntilKilled(t, s, books, random, kill)
		s = serve(t, data, nil)
		if kill%2 == 0 {
			books.repeatUnknown(t, s)
		}
	}
	books.check(t, s)
	if status := s.end(syscall.SIGTERM); status != 0 {
		t.Errorf("SIGTERM: exit status %d\n%s", status, s.stderr.String())
	}
	t.Log(strings.TrimSpace(must(t, nil, "segment", "verify", "--data", data)))
}

type state int

const (
	sent         state = iota // the answer never came
	acknowledged              // 200
)

// books know of every event that was sent.
type books struct {
	mu    sync.Mutex
	next  int
	state map[string]state
	batch map[string]map[string]any // the event of a message id whose answer never came
}

const buyers = 40

// draw makes a batch and notes it as sent.
func (b *books) draw(size int) []map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.batch == nil {
		b.batch = map[string]map[string]any{}
	}
	var events []map[string]any
	for range size {
		b.next++
		id := fmt.Sprintf("order-%d", b.next)
		e := map[string]any{
			"type": "track", "event": "Order Completed", "messageId": id, "userId": fmt.Sprintf("buyer-%d", b.next%buyers),
			"properties": map[string]any{"order_id": id, "total": float64(b.next%100) + 0.5},
		}
		b.state[id], b.batch[id] = sent, e
		events = append(events, e)
	}
	return events
}

func (b *books) acknowledge(events []map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range events {
		id := e["messageId"].(string)
		b.state[id] = acknowledged
		delete(b.batch, id)
	}
}

// repeatUnknown sends what has no answer again, as an SDK does: half of it may be stored already.
func (b *books) repeatUnknown(t *testing.T, s *server) {
	t.Helper()
	b.mu.Lock()
	var again []map[string]any
	for _, e := range b.batch {
		again = append(again, e)
	}
	b.mu.Unlock()
	track(t, s.Client, again)
	b.acknowledge(again)
}

// ingestUntilKilled sends batches from several connections and kills the server after a random number of answers and a
// random moment more.
func ingestUntilKilled(t *testing.T, s *server, b *books, random *rand.Rand, kill int) {
	t.Helper()
	after, moment := int64(1+random.IntN(40)), time.Duration(random.Int64N(int64(15*time.Millisecond)))
	var answers atomic.Int64
	enough := make(chan struct{})
	var senders sync.WaitGroup
	for range 6 {
		senders.Go(func() {
			for {
				events := b.draw(20)
				status, err := postOnce(s.URL()+"/v1/batch", encode(t, events))
				if err != nil {
					return // killed
				}
				if status != http.StatusOK {
					continue // refused: the queue is full
				}
				b.acknowledge(events)
				if answers.Add(1) == after {
					close(enough)
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(patience):
		t.Fatalf("kill %d: no %d answers\n%s", kill, after, s.stderr.String())
	}
	<-time.After(moment)
	s.end(syscall.SIGKILL)
	senders.Wait()
}

// postOnce sends a batch and asks no second time; an error means that the answer never came.
func postOnce(address string, batch []json.RawMessage) (status int, err error) {
	body, err := json.Marshal(map[string]any{"batch": batch})
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.SetBasicAuth(writeKey, "")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusServiceUnavailable {
		panic(fmt.Sprintf("%s: %s", answer.Status, text))
	}
	return answer.StatusCode, nil
}

// check compares the stored events with the books.
func (b *books) check(t *testing.T, s *server) {
	t.Helper()
	found, perBuyer := map[string]int{}, 0
	for _, p := range list[profile](t, s.Client, "/api/v1/profiles", nil) {
		mine := 0
		for _, e := range list[event](t, s.Client, "/api/v1/profiles/"+p.ID+"/events", nil) {
			found[e.MessageID]++
			mine++
		}
		if count, _ := p.Computed["order_count"].(float64); int(count) != mine {
			t.Errorf("%s has %d orders, and order_count is %v", p.value("user_id"), mine, p.Computed["order_count"])
		}
		perBuyer++
	}
	lost, doubled, unknown := 0, 0, 0
	for id, state := range b.state {
		switch n := found[id]; {
		case n > 1:
			doubled++
		case state == acknowledged && n == 0:
			lost++
		case state == sent && n == 1:
			unknown++
		}
		delete(found, id)
	}
	if lost > 0 || doubled > 0 || len(found) > 0 || perBuyer > buyers {
		t.Errorf("%d acknowledged events lost, %d doubled, %d that nobody sent, %d profiles", lost, doubled, len(found), perBuyer)
	}
	t.Logf("%d events sent, %d of them without an answer, %d of those stored", len(b.state), len(b.batch), unknown)
}

// TestKillDuringSend kills the server in the middle of a campaign, again and again. Nobody gets two messages; whoever gets
// none is one whose message was being handed over when the server was killed, and is shown as in doubt.
func TestKillDuringSend(t *testing.T) {
	const connections = 4 // to the mail server
	kills := setting(t, "TAILORBIRD_KILLS", 20)
	recipients := 60 * kills
	random := chance(t)
	mailbox := newSink(t, 2*time.Millisecond)
	data := filepath.Join(t.TempDir(), "data")
	start := func() *server {
		return serve(t, data, nil, "--smtp-url", mailbox.url(), "--public-url", "http://127.0.0.1:9")
	}
	s := start()
	var customers []map[string]any
	for i := range recipients {
		customers = append(customers, map[string]any{
			"type": "identify", "messageId": fmt.Sprint("customer-", i), "userId": fmt.Sprint(i),
			"traits": map[string]any{"email": fmt.Sprintf("customer-%d@customers.example", i)},
		})
	}
	track(t, s.Client, customers)
	if got := define(t, s.Client, "everyone", "true"); got.Count != recipients {
		t.Fatalf("%d customers, want %d", got.Count, recipients)
	}
	call(t, s.Client, "PUT", "/api/v1/templates/hello", map[string]string{"subject": "Hello", "preheader": "", "format": "html", "body": "<p>Hello</p>"})
	call(t, s.Client, "PUT", "/api/v1/campaigns/hello", map[string]any{"segment": "everyone", "template": "hello", "from": "Shop <news@shop.example>"})
	call(t, s.Client, "POST", "/api/v1/campaigns/hello/send", nil)

	killed := 0
	for ; killed < kills && mailbox.count() < recipients-connections; killed++ {
		target := mailbox.count() + 1 + random.IntN(recipients/kills)
		waitForMail(t, mailbox, min(target, recipients-connections), s)
		<-time.After(time.Duration(random.Int64N(int64(8 * time.Millisecond))))
		s.end(syscall.SIGKILL)
		s = start()
	}
	call(t, s.Client, "POST", "/api/v1/campaigns/hello/send", nil) // asking again sends nothing again
	c := finished(t, s, "hello")
	checkDelivered(t, s, mailbox, c, recipients, killed, connections)
}

// waitForMail waits until the sink holds n mails.
func waitForMail(t *testing.T, mailbox *sink, n int, s *server) {
	t.Helper()
	deadline := time.After(patience)
	for mailbox.count() < n {
		select {
		case <-mailbox.accept:
		case <-deadline:
			t.Fatalf("%d mails, want %d\n%s", mailbox.count(), n, s.stderr.String())
		}
	}
}

func checkDelivered(t *testing.T, s *server, mailbox *sink, c campaign, recipients, killed, connections int) {
	t.Helper()
	delivered := map[string]int{}
	for _, m := range mailbox.received() {
		delivered[m.to[0]]++
	}
	for to, n := range delivered {
		if n > 1 {
			t.Errorf("%s got %d messages", to, n)
		}
	}
	status := map[string]int{}
	for _, m := range list[message](t, s.Client, "/api/v1/messages", map[string][]string{"campaign": {"hello"}}) {
		status[m.Status]++
		switch n := delivered[m.To]; {
		case m.Status == "sent" && n == 1, m.Status == "in_doubt" && n <= 1:
		default:
			t.Errorf("the message to %s is %s, and the mail server has %d", m.To, m.Status, n)
		}
	}
	p := c.Progress
	if status["sent"]+status["in_doubt"] != recipients || p.Sent != status["sent"] || p.InDoubt != status["in_doubt"] || p.Recipients != recipients {
		t.Errorf("%d recipients, messages %v, progress %+v", recipients, status, p)
	}
	if status["in_doubt"] > killed*connections {
		t.Errorf("%d messages in doubt after %d kills with %d connections", status["in_doubt"], killed, connections)
	}
	t.Logf("%d recipients, %d kills: %d messages sent, %d in doubt, of which %d arrived",
		recipients, killed, status["sent"], status["in_doubt"], len(delivered)-status["sent"])
}
