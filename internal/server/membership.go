package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/engine"
	"github.com/tailorbird/tailorbird/internal/segment"
)

// Memberships keeps who entered and left segments, and when.
type Memberships interface {
	// Transitions gives a page of when a profile entered and left segments, newest first, and the cursor of the next one; of
	// one segment where it is named.
	Transitions(ctx context.Context, profileID int64, segment, before string, limit int) (page []engine.Transition, next string, err error)
	// SegmentHistory gives a page of the days on which customers entered or left a segment, newest first, and the cursor of
	// the next one.
	SegmentHistory(ctx context.Context, name, before string, limit int) (days []segment.Day, next string, err error)
	// PublicProfileID is how the outside calls a profile.
	PublicProfileID(id int64) string
}

func (s *server) membershipRoutes() {
	const v1 = "/api/v1"
	get(s, access.Read, v1+"/profiles/{id}/memberships", "listProfileMemberships", "When a profile entered and left segments, newest first", s.listTransitions)
	get(s, access.Read, v1+"/segments/{name}/history", "getSegmentHistory", "How many entered and left on each day, newest first", s.segmentHistory)
	get(s, access.Read, v1+"/profiles/{id}/explain", "explainMembership", "Why a profile is or was in a segment, or not", s.explain)
}

type segmentHistoryInput struct {
	DefinitionName
	Paging
}

func (s *server) segmentHistory(ctx context.Context, in *segmentHistoryInput) (answer[page[segment.Day]], error) {
	if _, err := s.config.Definitions.Get(ctx, definition.Segment, in.Name); err != nil {
		return answer[page[segment.Day]]{}, err
	}
	days, next, err := s.config.Memberships.SegmentHistory(ctx, in.Name, in.Cursor, in.Limit)
	return answer[page[segment.Day]]{pageOf(days, next)}, err
}

// Transition is a customer entering or leaving a segment.
type Transition struct {
	Segment   string     `json:"segment"`
	Entered   bool       `json:"entered" doc:"Entered, or else left"`
	At        time.Time  `json:"at" doc:"When it was found"`
	Since     *time.Time `json:"since,omitempty" doc:"For one that entered: from when on the condition has held"`
	Cause     string     `json:"cause" enum:"event,time,merge,unmerge,definition,deletion,override,sql"`
	MessageID string     `json:"message_id,omitempty" doc:"The event that did it"`
	ProfileID string     `json:"profile_id" doc:"The profile that it happened to; another one where that was merged into this"`
}

type listTransitionsInput struct {
	ProfileRef
	Paging
	Segment string `query:"segment" maxLength:"64" doc:"Of this segment only"`
}

func (s *server) listTransitions(ctx context.Context, in *listTransitionsInput) (answer[page[Transition]], error) {
	id, err := s.config.Profiles.ProfileID(ctx, in.ID)
	if err != nil {
		return answer[page[Transition]]{}, err
	}
	transitions, next, err := s.config.Memberships.Transitions(ctx, id, in.Segment, in.Cursor, in.Limit)
	list := make([]Transition, len(transitions))
	for i, t := range transitions {
		list[i] = Transition{
			Segment: t.Segment, Entered: t.Entered, At: time.UnixMicro(t.At).UTC(), Cause: t.Cause.Kind, MessageID: t.Cause.MessageID,
			ProfileID: s.config.Memberships.PublicProfileID(t.ProfileID),
		}
		if t.Entered {
			since := time.UnixMicro(t.Since).UTC()
			list[i].Since = &since
		}
	}
	return answer[page[Transition]]{pageOf(list, next)}, err
}
