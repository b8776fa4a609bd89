package deliver

import "time"

// StoredMail is a mail that the sink keeps.
type StoredMail struct {
	ID         string // opaque
	From       string // as the header has it
	To         string // the envelope's recipient
	Subject    string // decoded
	ReceivedAt time.Time
	MessageID  string // the public id of the message that it is; empty where it is none of ours
	Campaign   string // its campaign; empty likewise
	Raw        []byte // empty in lists
}
