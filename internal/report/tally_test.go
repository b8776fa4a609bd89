package report

import (
	"reflect"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
)

func TestATallyCountsPeople(t *testing.T) {
	began := time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC)
	tally := NewTally("spring")
	tally.Began(began)
	tally.Messages("sent", "", 8)
	tally.Messages("bounced", "bounced", 1)
	tally.Messages("failed", "expired", 2)
	tally.Messages("in_doubt", "", 1)
	tally.Messages("queued", "", 3)
	tally.Messages("skipped", "unsubscribed", 4)
	tally.Messages("skipped", "suppressed", 1)
	tally.Messages("skipped", "no_address", 1)
	tally.Messages("skipped", "duplicate_address", 1)
	tally.Messages("skipped", "render_failed", 1)
	tally.Response(event.NameEmailOpened, false, began.Add(time.Hour), "sent")
	tally.Response(event.NameEmailOpened, true, began, "sent")
	tally.Response(event.NameEmailOpened, false, began.Add(3*time.Hour), "sent")
	tally.Response(event.NameEmailClicked, false, began.Add(3*time.Hour), "sent")
	tally.Response(event.NameEmailClicked, true, began, "sent")
	tally.Response(event.NameEmailBounced, false, began, "sent")
	tally.Response(event.NameEmailBounced, false, began, "bounced") // the same bounce, told twice
	tally.Response(event.NameUnsubscribed, false, began, "sent")
	tally.Response(event.NameEmailComplained, false, began, "sent")
	tally.Conversion(7, began.Add(50*time.Hour), 10)
	tally.Conversion(7, began.Add(51*time.Hour), 5.5)
	tally.Conversion(8, began.Add(3*time.Hour), 1)
	tally.Link("https://shop.example/a", 1)
	want := Campaign{
		Campaign: "spring", Recipients: 23, Sent: 9, Delivered: 7, Bounced: 2, Opened: 2, Clicked: 1, Unsubscribed: 1, Complained: 1,
		Converted: 2, Revenue: 16.5, MachineOpened: 1, MachineClicked: 1, Failed: 2, InDoubt: 1,
		Skipped: Skipped{Suppressed: 1, Unsubscribed: 4, NoAddress: 1, DuplicateAddress: 1, RenderFailed: 1},
		Links:   []Link{{"https://shop.example/a", 1}},
		Days: []Day{
			{Date: "2026-03-01", Opened: 1},
			{Date: "2026-03-02", Opened: 1, Clicked: 1, Converted: 1, Revenue: 1},
			{Date: "2026-03-03"},
			{Date: "2026-03-04", Converted: 1, Revenue: 15.5},
		},
	}
	if got := tally.Report(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAnUnsentCampaignHasOnlyZeros(t *testing.T) {
	want := Campaign{Campaign: "draft", Links: []Link{}, Days: []Day{}}
	if got := NewTally("draft").Report(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestDaysHaveNoGapsAndABound(t *testing.T) {
	last := time.Date(2024, 3, 1, 1, 0, 0, 0, time.UTC)
	if got := Days(last.Add(-26*time.Hour), last, 10); !reflect.DeepEqual(got, []string{"2024-02-28", "2024-02-29", "2024-03-01"}) {
		t.Errorf("over a leap day: %v", got)
	}
	if got := Days(last.AddDate(-5, 0, 0), last, 2); !reflect.DeepEqual(got, []string{"2024-02-29", "2024-03-01"}) {
		t.Errorf("bounded: %v", got)
	}
	if got := Days(last, last.AddDate(0, 0, -1), 5); len(got) != 0 {
		t.Errorf("backwards: %v", got)
	}
}
