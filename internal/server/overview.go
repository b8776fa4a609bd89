package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/report"
)

// Loop is the engine as far as its health is concerned.
type Loop interface {
	// Status tells how the loop is doing. Where it fails, because the database does not answer, it tells what is known without it.
	Status(ctx context.Context) (LoopStatus, error)
	// Pulse is what of it this process knows at once, without the database.
	Pulse() LoopStatus
	// Recent gives the newest events, newest first.
	Recent(ctx context.Context, limit int) ([]Happening, error)
}

// Overview counts.
type Overview interface {
	// Totals counts everything that there is.
	Totals(ctx context.Context) (report.Totals, error)
	// Daily counts by day in UTC, for the days from first to last, each present, oldest first.
	Daily(ctx context.Context, first, last time.Time) ([]report.Daily, error)
}

// Happening is an event and whose it is.
type Happening struct {
	ProfileID int64
	Event     *event.Event
}

// LoopStatus is the state of the loop.
type LoopStatus struct {
	EventsPerSecond  float64       `json:"events_per_second"`
	QueueDepth       int           `json:"queue_depth" doc:"Events waiting for the engine"`
	QueueCapacity    int           `json:"queue_capacity"`
	CommitMS         float64       `json:"commit_ms" doc:"Recent mean time of a commit, in milliseconds"`
	LastEventAt      *time.Time    `json:"last_event_at"`
	NextTimerAt      *time.Time    `json:"next_timer_at"`
	TimersOverdue    float64       `json:"timers_overdue_seconds" doc:"How late the oldest timer is"`
	MessagesQueued   int           `json:"messages_queued"`
	Stream           *SourceStatus `json:"stream" doc:"How the topic that events go through is read; null where there is none"`
	Nodes            []LoopNode    `json:"nodes" doc:"The processes that use the database"`
	BuildingSegments []string      `json:"building_segments"`
	Status           string        `json:"status" enum:"ok,degraded"`
	Problems         []string      `json:"problems" doc:"What is wrong, for people"`
}

// LoopNode is a process that uses the database.
type LoopNode struct {
	Name      string    `json:"name"`
	StartedAt time.Time `json:"started_at"`
	SeenAt    time.Time `json:"seen_at" doc:"When it last said that it is there; one that has been silent for ten seconds is gone"`
	Self      bool      `json:"self" doc:"Whether it is the one that answers"`
}

// OverviewPage is the first page of the web application.
type OverviewPage struct {
	Now          time.Time      `json:"now"`
	Profiles     int            `json:"profiles"`
	Events       int            `json:"events"`
	Messages     int            `json:"messages" doc:"Sent"`
	Segments     int            `json:"segments"`
	Days         []report.Daily `json:"days" doc:"Oldest first, every day present, in UTC"`
	Loop         LoopStatus     `json:"loop"`
	RecentEvents []Event        `json:"recent_events" doc:"Newest first"`
}

type overviewInput struct {
	Days int `query:"days" minimum:"1" maximum:"366" default:"14"`
}

const recentEvents = 20

func (s *server) getOverview(ctx context.Context, in *overviewInput) (answer[OverviewPage], error) {
	none := answer[OverviewPage]{}
	now := s.config.Now().UTC()
	totals, err := s.config.Overview.Totals(ctx)
	if err != nil {
		return none, err
	}
	days, err := s.config.Overview.Daily(ctx, now.AddDate(0, 0, 1-in.Days), now)
	if err != nil {
		return none, err
	}
	loop, err := s.config.Loop.Status(ctx)
	if err != nil {
		return none, err
	}
	recent, err := s.recent(ctx)
	if err != nil {
		return none, err
	}
	all, err := s.config.Definitions.All(ctx)
	if err != nil {
		return none, err
	}
	loop.Nodes = pageOf(loop.Nodes, "").Items
	loop.BuildingSegments, loop.Problems = pageOf(loop.BuildingSegments, "").Items, pageOf(loop.Problems, "").Items
	return answer[OverviewPage]{OverviewPage{
		Now: now, Profiles: totals.Profiles, Events: totals.Events, Messages: totals.Sent(), Segments: len(all.Of(definition.Segment)),
		Days: days, Loop: loop, RecentEvents: recent,
	}}, nil
}

func (s *server) recent(ctx context.Context) ([]Event, error) {
	happenings, err := s.config.Loop.Recent(ctx, recentEvents)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(happenings))
	for i, h := range happenings {
		ids[i] = h.ProfileID
	}
	people, err := s.config.Profiles.ProfileLabels(ctx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Event, len(happenings))
	for i, h := range happenings {
		list[i] = eventOf(h.Event)
		list[i].ProfileID, list[i].ProfileLabel = people[h.ProfileID].ID, people[h.ProfileID].Label
	}
	return list, nil
}
