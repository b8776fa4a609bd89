package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/report"
)

// TestAReportCountsPeople sends a campaign to eight, of whom some respond, more than once and in more than one way.
func TestAReportCountsPeople(t *testing.T) {
	s, ctx := open(t), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	members := people(8)
	members[7].Email = members[0].Email // the eighth is passed over
	addMembers(t, s, "all", members...)
	sendToAll(t, s)
	outbox := NewOutbox(s)
	jobs, _, err := outbox.Claim(ctx, sendingDay, 10)
	must(err)
	messages := map[int64]int64{} // by profile
	for _, job := range jobs {
		messages[job.ProfileID] = job.ID
		outcome := deliver.Outcome{ID: job.ID, Status: deliver.StatusSent, At: sendingDay}
		if job.ProfileID == 7 {
			outcome.Status, outcome.Reason = deliver.StatusBounced, deliver.Bounced
		}
		_, err := outbox.MarkSending(ctx, job.ID, "Hello")
		must(err)
		must(outbox.Finish(ctx, outcome))
	}
	next := sendingDay.Add(24 * time.Hour)
	fact := func(profile int64, name, link string, machine bool, at time.Time) engine.Fact {
		return engine.Fact{MessageID: messages[profile], ProfileID: profile, Name: name, Link: link, Machine: machine, At: at.UnixMicro()}
	}
	order := func(profile int64, id string, revenue float64, at time.Time) engine.ConversionFact {
		return engine.ConversionFact{MessageID: messages[profile], ProfileID: profile, Event: id, At: at.UnixMicro(), Revenue: revenue}
	}
	orders := []engine.ConversionFact{order(1, "o1", 10, next), order(1, "o2", 2.5, next), order(2, "o3", 4, sendingDay)}
	must(s.Update(ctx, func(c *Conn) error {
		return writeMailFacts(c, []engine.Fact{
			fact(1, "Email Opened", "", false, sendingDay), fact(1, "Email Opened", "", false, next),
			fact(2, "Email Opened", "", false, next), fact(3, "Email Opened", "", true, sendingDay),
			fact(1, "Email Link Clicked", "https://a", false, sendingDay), fact(1, "Email Link Clicked", "https://b", false, next),
			fact(2, "Email Link Clicked", "https://b", false, next), fact(4, "Email Link Clicked", "https://a", true, next),
			fact(5, "Unsubscribed", "", false, next), fact(6, "Email Marked as Spam", "", false, next),
			fact(6, "Email Bounced", "", false, next), fact(7, "Email Bounced", "", false, sendingDay), // the latter was refused at once
		}, orders)
	}))
	must(s.Update(ctx, func(c *Conn) error { return writeMailFacts(c, nil, orders[:1]) })) // it is told once more
	got, err := s.CampaignReport(ctx, "spring")
	must(err)
	want := report.Campaign{
		Campaign: "spring", Recipients: 8, Sent: 7, Delivered: 5, Bounced: 2, Opened: 2, Clicked: 2, Unsubscribed: 1, Complained: 1,
		Converted: 2, Revenue: 16.5, MachineOpened: 1, MachineClicked: 1, Skipped: report.Skipped{DuplicateAddress: 1},
		Links: []report.Link{{URL: "https://b", Clicks: 2}, {URL: "https://a", Clicks: 1}},
		Days: []report.Day{
			{Date: "2011-12-10", Opened: 1, Clicked: 1, Converted: 1, Revenue: 4}, {Date: "2011-12-11", Opened: 1, Clicked: 1, Converted: 1, Revenue: 12.5},
		},
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	to, err := s.Recipient(ctx, messages[3])
	if err != nil || to.ProfileID != 3 || to.Email != "p3@x.example" {
		t.Errorf("%+v %v", to, err)
	}
	list, _, err := s.Messages(ctx, report.Messages{Campaign: "spring", Limit: 20})
	if err != nil || len(list) != 8 || list[0].Reason != "duplicate_address" || list[7].Revenue != 12.5 || !list[7].OpenedAt.Equal(sendingDay) {
		t.Errorf("%+v %v", list, err)
	}
	days, err := s.Daily(ctx, sendingDay, next)
	if err != nil || len(days) != 2 || days[0].Opened != 1 || days[1].Opened != 2 || days[1].Clicked != 2 || days[0].Sent != 6 {
		t.Errorf("%+v %v", days, err)
	}
}
