package source

import "time"

// Limits of the quarantine.
const (
	MaxQuarantined = 100_000 // messages of one source; then it stops
	MaxKeptValue   = 1 << 20 // bytes of a value; of a longer one the beginning is kept
)

// Message is a message of a topic as it came.
type Message struct {
	Topic     string            `json:"topic"`
	TopicID   string            `json:"topic_id"` // of the topic's life: one that is made anew has another; "" where the broker has none
	Partition int32             `json:"partition"`
	Offset    int64             `json:"offset"`
	Key       []byte            `json:"key"`
	Value     []byte            `json:"value"` // nil for a tombstone
	Headers   map[string]string `json:"headers"`
	Timestamp time.Time         `json:"timestamp"`
}

// Quarantined is a message that could not become an event.
type Quarantined struct {
	ID       int64
	Source   string
	Message  Message
	Size     int    // bytes of the value as it came; more than len(Message.Value) where only the beginning is kept
	Reason   string // what is wrong, beginning with the field to blame
	At       time.Time
	Attempts int
}

// Clipped reports whether only the beginning of the message is kept, so that it cannot be tried again.
func (q Quarantined) Clipped() bool { return q.Size > len(q.Message.Value) }
