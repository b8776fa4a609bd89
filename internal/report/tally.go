package report

import (
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
)

// maxDays bounds the chart of a report; older days are left out of it, not of the counts.
const maxDays = 366

// Tally adds up a campaign's report from what is known of its messages. The order of calls does not matter, save that
// Report comes last.
type Tally struct {
	report      Campaign
	first, last time.Time
	days        map[string]*Day
	converted   map[int64]bool
}

// NewTally begins the report of a campaign.
func NewTally(campaign string) *Tally {
	return &Tally{report: Campaign{Campaign: campaign, Links: []Link{}, Days: []Day{}}, days: map[string]*Day{}, converted: map[int64]bool{}}
}

// Began says when sending began.
func (t *Tally) Began(at time.Time) { t.first, t.last = at, at }

// Messages adds n messages with a status, and the reason where they were skipped. A message that was refused or came
// back counts as sent and bounced: delivered is what is left.
func (t *Tally) Messages(status, reason string, n int) {
	t.report.Recipients += n
	switch status {
	case "sent":
		t.report.Sent += n
	case "bounced":
		t.report.Sent += n
		t.report.Bounced += n
	case "failed":
		t.report.Failed += n
	case "in_doubt":
		t.report.InDoubt += n
	case "skipped":
		t.skipped(reason, n)
	}
}

func (t *Tally) skipped(reason string, n int) {
	s := &t.report.Skipped
	switch reason {
	case "suppressed", "complained", "bounced", "manual":
		s.Suppressed += n
	case "unsubscribed":
		s.Unsubscribed += n
	case "no_address":
		s.NoAddress += n
	case "duplicate_address":
		s.DuplicateAddress += n
	case "render_failed":
		s.RenderFailed += n
	}
}

// Response adds that one message was responded to in one way (the name of the event), for the first time at first.
// machine tells what no person did. status is the message's.
func (t *Tally) Response(name string, machine bool, first time.Time, status string) {
	switch {
	case name == event.NameEmailBounced:
		if status == "sent" { // else it was counted when the server refused it
			t.report.Bounced++
		}
	case name == event.NameEmailOpened && machine:
		t.report.MachineOpened++
	case name == event.NameEmailClicked && machine:
		t.report.MachineClicked++
	case name == event.NameEmailOpened:
		t.report.Opened++
		t.day(first).Opened++
	case name == event.NameEmailClicked:
		t.report.Clicked++
		t.day(first).Clicked++
	case name == event.NameUnsubscribed:
		t.report.Unsubscribed++
	case name == event.NameEmailComplained:
		t.report.Complained++
	}
}

// Link adds a link that so many people clicked; the most clicked comes first.
func (t *Tally) Link(url string, people int) {
	t.report.Links = append(t.report.Links, Link{URL: url, Clicks: people})
}

// Conversion adds one conversion that a message earned. Several of one message are one person with more revenue.
func (t *Tally) Conversion(message int64, at time.Time, revenue float64) {
	d := t.day(at)
	d.Revenue += revenue
	t.report.Revenue += revenue
	if !t.converted[message] {
		t.converted[message] = true
		t.report.Converted++
		d.Converted++
	}
}

func (t *Tally) day(at time.Time) *Day {
	if at.After(t.last) {
		t.last = at
	}
	if at.Before(t.first) {
		t.first = at
	}
	date := at.UTC().Format(time.DateOnly)
	if t.days[date] == nil {
		t.days[date] = &Day{Date: date}
	}
	return t.days[date]
}

// Report gives what was added up.
func (t *Tally) Report() Campaign {
	r := t.report
	r.Delivered = r.Sent - r.Bounced
	if t.first.IsZero() {
		return r
	}
	for _, date := range Days(t.first, t.last, maxDays) {
		d := Day{Date: date}
		if have := t.days[date]; have != nil {
			d = *have
		}
		r.Days = append(r.Days, d)
	}
	return r
}
