package segment

// Overlap is how many members of one segment others have too.
type Overlap struct {
	Members int            // of the segment
	Looked  int            // members that were looked up in the others; all of them, or a part spread evenly over them
	Shared  map[string]int // of those looked at, by the other segment
}

// Of tells how many members the segment has in common with another; an estimate where not all were looked at.
func (o Overlap) Of(other string) int {
	if o.Looked == 0 {
		return 0
	}
	return int((int64(o.Shared[other])*int64(o.Members) + int64(o.Looked)/2) / int64(o.Looked))
}
