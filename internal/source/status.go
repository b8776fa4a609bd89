package source

import "time"

// State is what a source is doing.
type State string

// The states.
const (
	Paused   State = "paused"   // by its definition
	Starting State = "starting" // connecting for the first time since it was defined or the program began
	Running  State = "running"
	Troubled State = "troubled" // it cannot read; Problem says why, and it tries again by itself
	Full     State = "full"     // it has stopped because its quarantine is full
)

// Status is how a source is doing, as far as this process knows.
type Status struct {
	State      State
	Since      time.Time   // of State; zero where it is not known
	Problem    string      // what is wrong and what to do about it; "" for nothing
	Read       int64       // messages since this process began
	Accepted   int64       // events that they became
	Passed     int64       // messages that the mapping did not want, and empty ones
	Rejected   int64       // messages that went to quarantine
	Lost       int64       // messages that were gone from the topic before they were read
	LastAt     time.Time   // timestamp of the newest message that was read; zero before the first
	Partitions []Partition // empty where they are not known
	CheckedAt  time.Time   // when the partitions were last asked after; zero for never
}

// Partition is how far the reading of a partition is.
type Partition struct {
	Partition int32
	Position  int64         // offset of the next message to be read
	End       int64         // offset after the last one
	Lag       int64         // messages between
	Behind    time.Duration // how late the reading is, 0 without a lag; -1 where that is not known
}

// Lag is the messages that wait in all partitions, if that is known.
func (s Status) Lag() (messages int64, known bool) {
	for _, p := range s.Partitions {
		messages += p.Lag
	}
	return messages, len(s.Partitions) > 0
}

// Behind is that of the slowest partition, if it is known of each.
func (s Status) Behind() (most time.Duration, known bool) {
	for _, p := range s.Partitions {
		if p.Behind < 0 {
			return 0, false
		}
		most = max(most, p.Behind)
	}
	return most, len(s.Partitions) > 0
}
