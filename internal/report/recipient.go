package report

import (
	"time"
)

// Recipient is whom a message went to.
type Recipient struct {
	MessageID string // as the outside knows it
	Campaign  string
	Email     string
	ProfileID int64     // whose it is; 0 for a test message, which goes to no customer
	SentAt    time.Time // zero while it has not left
}

// Message is one message of a campaign to one person, and what came of it.
type Message struct {
	ID             string     `json:"id"`
	Campaign       string     `json:"campaign"`
	ProfileID      string     `json:"profile_id"`
	To             string     `json:"to"`
	Status         string     `json:"status" enum:"queued,sending,sent,bounced,failed,skipped,in_doubt"`
	Reason         string     `json:"reason" doc:"Why it was skipped, failed or bounced; empty otherwise"`
	CreatedAt      time.Time  `json:"created_at"`
	SentAt         *time.Time `json:"sent_at"`
	OpenedAt       *time.Time `json:"opened_at" doc:"The first open by a person"`
	ClickedAt      *time.Time `json:"clicked_at" doc:"The first click by a person"`
	UnsubscribedAt *time.Time `json:"unsubscribed_at"`
	Revenue        float64    `json:"revenue"`
	Subject        string     `json:"subject"`
}

// Messages says which messages are asked for. An empty field asks for all.
type Messages struct {
	Campaign string
	Profile  int64  // 0: of all
	Cursor   string // of the page before
	Limit    int
}
