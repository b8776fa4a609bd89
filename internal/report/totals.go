package report

// Totals counts everything that there is.
type Totals struct {
	Profiles int
	Events   int
	Segments map[string]int // members by segment
	Messages map[string]int // messages by status
}

// Sent counts the messages that left.
func (t Totals) Sent() int { return t.Messages["sent"] + t.Messages["bounced"] }

// Daily is what happened on one day of the whole shop. Opens and clicks are of people, not machines.
type Daily struct {
	Date     string  `json:"date" format:"date"`
	Events   int     `json:"events"`
	Profiles int     `json:"profiles" doc:"New on that day"`
	Sent     int     `json:"sent"`
	Opened   int     `json:"opened"`
	Clicked  int     `json:"clicked"`
	Revenue  float64 `json:"revenue" doc:"Earned by campaigns"`
}
