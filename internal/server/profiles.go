package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/identity"
	"github.com/tailorbird/tailorbird/internal/profile"
)

// Profiles reads profiles. Ids are internal ones; a View carries the outside's.
type Profiles interface {
	// ProfileID reads a public id. A profile that merged gives the one that took it. NotFound where there is none.
	ProfileID(ctx context.Context, public string) (int64, error)
	// FindProfile gives the profile that holds an identifier; NotFound where there is none.
	FindProfile(ctx context.Context, id identity.Identifier) (int64, error)
	// ProfileBy shows the profile that holds an identifier; NotFound where there is none.
	ProfileBy(ctx context.Context, id identity.Identifier) (profile.View, error)
	// SearchProfiles gives a page of profiles and the cursor of the next one: all of them newest first, or those whom a text
	// means, which may be fewer than a page holds though more follow.
	SearchProfiles(ctx context.Context, q profile.Query) (ids []int64, next string, err error)
	// ProfileViews shows profiles in the order of ids. Those that are no more are left out.
	ProfileViews(ctx context.Context, ids []int64) ([]profile.View, error)
	// ProfileLabels gives the public id and the label of profiles.
	ProfileLabels(ctx context.Context, ids []int64) (map[int64]profile.Name, error)
	// Timeline gives a page of a profile's events, newest first, and the cursor of the next one.
	Timeline(ctx context.Context, profileID int64, before string, limit int) (events []*event.Event, next string, err error)
}

type listProfilesInput struct {
	Paging
	Query      string `query:"q" maxLength:"256" doc:"The beginning of any identifier, or of a word of the name. Customers with such an identifier come first. Names are looked through 200,000 customers a page, newest first, so that a page may be short, or empty: go on with next_cursor"`
	Identifier string `query:"identifier" maxLength:"600" doc:"type:value, such as email:ada@example.com; gives at most one"`
	Segment    string `query:"segment" maxLength:"64" doc:"Members of this segment only"`
}

func (s *server) listProfiles(ctx context.Context, in *listProfilesInput) (answer[page[profile.View]], error) {
	if in.Identifier != "" {
		views, err := s.profilesBy(ctx, in)
		return answer[page[profile.View]]{pageOf(views, "")}, err
	}
	if in.Segment != "" {
		if _, err := s.config.Definitions.Get(ctx, definition.Segment, in.Segment); err != nil {
			return answer[page[profile.View]]{}, err
		}
	}
	ids, next, err := s.config.Profiles.SearchProfiles(ctx, profile.Query{Text: in.Query, Segment: in.Segment, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return answer[page[profile.View]]{}, err
	}
	views, err := s.config.Profiles.ProfileViews(ctx, ids)
	return answer[page[profile.View]]{pageOf(views, next)}, err
}

// profilesBy shows the profile that holds the identifier asked for, if there is one.
func (s *server) profilesBy(ctx context.Context, in *listProfilesInput) ([]profile.View, error) {
	if in.Query != "" || in.Segment != "" {
		return nil, fault.Field("query.identifier", "cannot be combined with q or segment")
	}
	id, err := s.identified("query.identifier", in.Identifier)
	if err != nil {
		return nil, err
	}
	view, err := s.config.Profiles.ProfileBy(ctx, id)
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []profile.View{view}, nil
}

func (s *server) identified(field, text string) (identity.Identifier, error) {
	id, ok := identity.Parse(text)
	if !ok {
		return id, fault.Field(field, "is %.80q; write type:value, such as email:ada@example.com or user_id:42", text)
	}
	return id, nil
}

// ProfileRef is the path parameter of one profile.
type ProfileRef struct {
	ID string `path:"id" doc:"The profile's id"`
}

func (s *server) getProfile(ctx context.Context, in *ProfileRef) (answer[profile.View], error) {
	id, err := s.config.Profiles.ProfileID(ctx, in.ID)
	if err != nil {
		return answer[profile.View]{}, err
	}
	view, err := s.viewProfile(ctx, id)
	return answer[profile.View]{view}, err
}

func (s *server) viewProfile(ctx context.Context, id int64) (profile.View, error) {
	views, err := s.config.Profiles.ProfileViews(ctx, []int64{id})
	if err == nil && len(views) == 0 {
		err = fault.New(fault.NotFound, "there is no such profile")
	}
	if err != nil {
		return profile.View{}, err
	}
	return views[0], nil
}

// RenderFor is a profile given by either way of naming one.
type RenderFor struct {
	ProfileID  string `json:"profile_id,omitempty" maxLength:"64"`
	Identifier string `json:"identifier,omitempty" maxLength:"600" doc:"type:value, such as email:ada@example.com"`
}

// profileOf finds the profile that a body names; ok is false where it names none.
func (s *server) profileOf(ctx context.Context, w RenderFor) (id int64, ok bool, err error) {
	switch {
	case w.ProfileID != "" && w.Identifier != "":
		return 0, false, fault.Field("identifier", "cannot be combined with profile_id")
	case w.ProfileID != "":
		id, err = s.config.Profiles.ProfileID(ctx, w.ProfileID)
		return id, true, err
	case w.Identifier != "":
		parsed, err := s.identified("identifier", w.Identifier)
		if err != nil {
			return 0, false, err
		}
		id, err = s.config.Profiles.FindProfile(ctx, parsed)
		return id, true, err
	}
	return 0, false, nil
}

// Event is something that a profile did.
type Event struct {
	MessageID    string     `json:"message_id"`
	Type         event.Type `json:"type" enum:"track,identify,page,screen,group,alias"`
	Name         string     `json:"name"`
	Properties   Object     `json:"properties" doc:"The properties, or the traits of identify and group"`
	Timestamp    time.Time  `json:"timestamp" doc:"When it happened, corrected for the sender's clock"`
	ReceivedAt   time.Time  `json:"received_at"`
	ProfileID    string     `json:"profile_id,omitempty"`
	ProfileLabel string     `json:"profile_label,omitempty"`
}

func eventOf(e *event.Event) Event {
	return Event{
		MessageID: e.MessageID, Type: e.Type, Name: e.Name, Properties: Object(e.Payload), Timestamp: e.Timestamp, ReceivedAt: e.ReceivedAt,
	}
}

type listProfileEventsInput struct {
	ProfileRef
	Paging
}

func (s *server) listProfileEvents(ctx context.Context, in *listProfileEventsInput) (answer[page[Event]], error) {
	id, err := s.config.Profiles.ProfileID(ctx, in.ID)
	if err != nil {
		return answer[page[Event]]{}, err
	}
	events, next, err := s.config.Profiles.Timeline(ctx, id, in.Cursor, in.Limit)
	list := make([]Event, len(events))
	for i, e := range events {
		list[i] = eventOf(e)
	}
	return answer[page[Event]]{pageOf(list, next)}, err
}
