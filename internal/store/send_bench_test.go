package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/deliver"
)

// BenchmarkSend measures messages through outbox, signing, SMTP and the sink, all durable.
func BenchmarkSend(b *testing.B) {
	s, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var members []campaign.Member
	for i := range b.N {
		members = append(members, campaign.Member{ProfileID: int64(i + 1), Email: fmt.Sprintf("p%d@x.example", i+1), Subscribed: true})
	}
	addMembers(b, s, "all", members...)
	log := slog.New(slog.DiscardHandler)
	sink, err := deliver.OpenSink(b.Context(), NewMailbox(s, time.Now), log)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	relay, err := deliver.NewRelay(sink.URL(), "localhost", deliver.DefaultTimeouts)
	if err != nil {
		b.Fatal(err)
	}
	tokens, _ := deliver.NewTokens([]byte(strings.Repeat("k", 32)))
	composer := &deliver.SignedComposer{Source: greeting{}, Keys: NewSendingKeys(s, rand.Reader, time.Now), Tokens: tokens, Base: "https://t.example", Now: time.Now}
	sender := &deliver.Sender{Outbox: NewSinkOutbox(s), Composer: composer, Transport: relay, Now: time.Now, Log: log}
	broadcaster := &campaign.Broadcaster{Audience: s, Ledger: s, Wake: sender.Wake, Now: time.Now, Log: log}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	if _, err := broadcaster.Send(ctx, "c", campaign.Definition{Segment: "all"}, 1, 1); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if err := broadcaster.Advance(ctx); err != nil {
		b.Fatal(err)
	}
	go func() { _ = sender.Run(ctx) }()
	for {
		run, _, err := s.CampaignRun(ctx, "c")
		if err != nil {
			b.Fatal(err)
		}
		if run.Status == campaign.Sent {
			break
		}
		<-time.After(10 * time.Millisecond)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
