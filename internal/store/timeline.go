package store

import (
	"context"
	"encoding/hex"
	"slices"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Timeline lists a profile's events, newest first, those of the profiles merged into it among them. before continues
// after the page that gave it as next; next is empty at the end.
func (s *Store) Timeline(ctx context.Context, profileID int64, before string, limit int) (page []*event.Event, next string, err error) {
	p, err := s.Profile(ctx, profileID)
	if err != nil {
		return nil, "", err
	}
	events, err := s.profileEvents(ctx, append([]int64{profileID}, p.Absorbed...))
	if err != nil {
		return nil, "", err
	}
	slices.Reverse(events)
	if before != "" {
		key, err := hex.DecodeString(before)
		if err != nil || len(key) != eventKeySize {
			return nil, "", fault.Field("cursor", "is not one that this list gave")
		}
		events = slices.DeleteFunc(events, func(e *event.Event) bool { return slices.Compare(eventKey(0, e), key) >= 0 })
	}
	if len(events) > limit {
		events = events[:limit]
		next = hex.EncodeToString(eventKey(0, events[limit-1]))
	}
	return events, next, nil
}
