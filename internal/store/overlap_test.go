package store

import "testing"

// A segment beside which there is no other shares nothing.
func TestOverlapWithNoOtherSegment(t *testing.T) {
	s := open(t)
	o, err := s.Overlap(t.Context(), "buyers", nil)
	if err != nil || o.Members != 0 || len(o.Shared) != 0 {
		t.Errorf("the overlap is %+v: %v", o, err)
	}
}
