package segment

import "time"

// Day is what became of a segment's membership on one day (UTC).
type Day struct {
	Day     time.Time `json:"day" doc:"The day's beginning, UTC"`
	Entered int64     `json:"entered" doc:"How often a customer entered"`
	Left    int64     `json:"left" doc:"How often a customer left"`
	Members int64     `json:"members" doc:"How many were in it at the day's end"`
}
