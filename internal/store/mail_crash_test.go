package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/deliver"
)

const (
	crashDirectory = "TAILORBIRD_CRASH_TEST_DIR"
	crashOutbox    = "TAILORBIRD_CRASH_TEST_OUTBOX"
)

var crashOutboxes = map[string]func(*Store) *Outbox{"any server": NewOutbox, "sink": NewSinkOutbox}

// TestMailProcess is not a test: TestKilledSendsLoseAndRepeatNothing runs it as a process of its own, and kills it.
func TestMailProcess(t *testing.T) {
	dir := os.Getenv(crashDirectory)
	if dir == "" {
		t.Skip("run by TestKilledSendsLoseAndRepeatNothing")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	sink, err := deliver.OpenSink(ctx, NewMailbox(s, time.Now), log)
	if err != nil {
		t.Fatal(err)
	}
	relay, err := deliver.NewRelay(sink.URL(), "localhost", deliver.DefaultTimeouts)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := deliver.NewTokens([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	composer := &deliver.SignedComposer{Source: greeting{}, Keys: NewSendingKeys(s, rand.Reader, time.Now), Tokens: tokens, Base: "https://t.example", Now: time.Now}
	sender := &deliver.Sender{Outbox: crashOutboxes[os.Getenv(crashOutbox)](s), Composer: composer, Transport: relay, Now: time.Now, Log: log}
	b := &campaign.Broadcaster{Audience: s, Ledger: s, Wake: sender.Wake, Chunk: 20, Now: time.Now, Log: log}
	if _, err := b.Send(ctx, "spring", campaign.Definition{Segment: "all"}, 1, 1); err != nil {
		t.Fatal(err)
	}
	go func() { _ = b.Run(ctx) }()
	go func() { _ = sender.Run(ctx) }()
	fmt.Fprintln(os.Stdout, "ready")
	for {
		run, _, err := s.CampaignRun(ctx, "spring")
		if err == nil && run.Status == campaign.Sent {
			fmt.Fprintln(os.Stdout, "finished")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

type greeting struct{}

func (greeting) Content(_ context.Context, job deliver.Job, links *deliver.Links) (deliver.Content, error) {
	return deliver.Content{From: deliver.Address{Email: "news@shop.example"}, Subject: "For " + job.To, HTML: `<a href="` + links.Click("https://shop.example") + `">` + job.To + `</a>`, Text: job.To}, nil
}

// TestKilledSendsLoseAndRepeatNothing kills the process that sends a campaign, again and again at random moments. Each
// recipient must have exactly one mail, save those whose answer was pending at a kill: they are in doubt, and have one or
// none. With the sink, which can be asked, there are none of those.
func TestKilledSendsLoseAndRepeatNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name := range crashOutboxes {
		t.Run(name, func(t *testing.T) {
			t.Setenv(crashOutbox, name)
			inDoubt := killedSend(t)
			if name == "sink" && inDoubt > 0 {
				t.Errorf("%d in doubt", inDoubt)
			}
		})
	}
}

func killedSend(t *testing.T) int {
	const people, kills = 1500, 20
	dir := t.TempDir()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var members []campaign.Member
	for i := range people {
		members = append(members, campaign.Member{ProfileID: int64(i + 1), Email: fmt.Sprintf("p%d@x.example", i+1), Subscribed: true})
	}
	addMembers(t, s, "all", members...)
	if _, err := NewSendingKeys(s, rand.Reader, time.Now).SigningKey(t.Context(), "shop.example"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for round := range kills + 1 {
		finished := runMailProcess(t, dir, round < kills)
		if finished && round < kills {
			t.Logf("finished before kill %d", round+1)
			break
		}
	}
	if s, err = Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	inDoubt := map[string]bool{}
	for _, row := range messageRows(t, s, "spring") {
		switch row.status {
		case "in_doubt":
			inDoubt[row.email] = true
		case "sent":
		default:
			t.Errorf("%+v", row)
		}
	}
	got := map[string]int{}
	for cursor := ""; ; {
		mails, next, err := s.Mails(t.Context(), "", "spring", cursor, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			got[m.To]++
			if m.Subject != "For "+m.To {
				t.Errorf("%s got %q", m.To, m.Subject)
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	for _, m := range members {
		if n := got[m.Email]; n != 1 && (n > 1 || !inDoubt[m.Email]) {
			t.Errorf("%s has %d mails, in doubt: %v", m.Email, n, inDoubt[m.Email])
		}
	}
	t.Logf("%d people, %d in doubt, of whom %d have no mail", people, len(inDoubt), people-len(got))
	mail, _, err := s.Mails(t.Context(), "", "spring", "", 1)
	if err != nil || len(mail) != 1 {
		t.Fatalf("%+v %v", mail, err)
	}
	whole, err := s.Mail(t.Context(), mail[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := deliver.ReadMail(whole.Raw, s.LookupTXT)
	if err != nil || shown.DKIM != deliver.DKIMPass {
		t.Errorf("dkim %s, %v", shown.DKIM, err)
	}
	return len(inDoubt)
}

// runMailProcess runs the process until it has finished, or for a random while before it is killed.
func runMailProcess(t *testing.T, dir string, kill bool) (finished bool) {
	t.Helper()
	process := exec.Command(os.Args[0], "-test.run=^TestMailProcess$", "-test.v")
	process.Env = append(os.Environ(), crashDirectory+"="+dir)
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		var text strings.Builder
		b := make([]byte, 4096)
		for {
			n, err := out.Read(b)
			if err != nil {
				return
			}
			text.Write(b[:n])
			lines <- text.String()
		}
	}()
	var death <-chan time.Time
	limit := time.After(2 * time.Minute)
	for text := ""; ; {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("the process ended: %s", text)
			}
			text = line
			if strings.Contains(text, "ready") && death == nil && kill {
				death = time.After(time.Duration(mathrand.IntN(120)) * time.Millisecond)
			}
			finished = strings.Contains(text, "finished")
		case <-death:
			_ = process.Process.Kill()
			go func() {
				for range lines {
				}
			}()
			_ = process.Wait()
			return finished
		case <-limit:
			_ = process.Process.Kill()
			t.Fatalf("not finished: %s", text)
		}
		if finished {
			_ = process.Process.Kill()
			go func() {
				for range lines {
				}
			}()
			_ = process.Wait()
			return true
		}
	}
}
