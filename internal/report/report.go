package report

import "time"

// Campaign is the report of one campaign. All counts are of people.
type Campaign struct {
	Campaign       string  `json:"campaign"`
	Recipients     int     `json:"recipients" doc:"People in the segment when the campaign was sent"`
	Sent           int     `json:"sent" doc:"Accepted by the mail server"`
	Delivered      int     `json:"delivered" doc:"Sent and not bounced"`
	Bounced        int     `json:"bounced"`
	Opened         int     `json:"opened" doc:"People whose mail program loaded its pictures"`
	Clicked        int     `json:"clicked"`
	Unsubscribed   int     `json:"unsubscribed"`
	Complained     int     `json:"complained"`
	Converted      int     `json:"converted" doc:"People with a conversion that the campaign earned by last touch"`
	Revenue        float64 `json:"revenue" doc:"The worth of those conversions, in the shop's currency"`
	MachineOpened  int     `json:"machine_opened" doc:"Messages whose pictures a machine loaded"`
	MachineClicked int     `json:"machine_clicked" doc:"Messages whose links a machine followed"`
	Failed         int     `json:"failed"`
	Skipped        Skipped `json:"skipped"`
	InDoubt        int     `json:"in_doubt" doc:"Messages whose answer was pending when the process died; not sent again"`
	Links          []Link  `json:"links" nullable:"false" doc:"Most clicked first"`
	Days           []Day   `json:"days" nullable:"false" doc:"Oldest first, from the first day of sending; days in UTC"`
}

// Skipped says why people in the segment were not mailed.
type Skipped struct {
	Suppressed       int `json:"suppressed"`
	Unsubscribed     int `json:"unsubscribed"`
	NoAddress        int `json:"no_address"`
	DuplicateAddress int `json:"duplicate_address"`
	RenderFailed     int `json:"render_failed"`
}

// Link is one link of a campaign's messages.
type Link struct {
	URL    string `json:"url"`
	Clicks int    `json:"clicks" doc:"People who clicked it"`
}

// Day is what happened on one day: people who first opened or clicked then, conversions then.
type Day struct {
	Date      string  `json:"date" format:"date"`
	Opened    int     `json:"opened"`
	Clicked   int     `json:"clicked"`
	Converted int     `json:"converted"`
	Revenue   float64 `json:"revenue"`
}

// Days lists the days from first to last in UTC, both included, at most limit of them (the newest), so that a chart has
// no gaps. A last before the first gives none.
func Days(first, last time.Time, limit int) []string {
	start, end := first.UTC().Truncate(24*time.Hour), last.UTC().Truncate(24*time.Hour)
	if earliest := end.AddDate(0, 0, 1-limit); start.Before(earliest) {
		start = earliest
	}
	days := []string{}
	for d := start; !d.After(end); d = d.AddDate(0, 0, 1) {
		days = append(days, d.Format(time.DateOnly))
	}
	return days
}
