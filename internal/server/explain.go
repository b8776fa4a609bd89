package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/engine"
)

// Explainer says why customers are, or were, in segments.
type Explainer interface {
	// Explain answers for a profile, by the definitions of the moment where the segment existed then, and else by today's.
	// NotFound where there is no such segment, or nothing was known of the profile.
	Explain(ctx context.Context, profileID int64, segment string, at time.Time, hindsight engine.Hindsight) (Why, error)
}

// Why is the reason for a membership, and the definition by which it was found.
type Why struct {
	engine.Reason
	Version    int    `json:"version" doc:"The segment's version that was asked"`
	Definition string `json:"definition" enum:"then,today" doc:"Whether the definitions are those of the moment, or today's because the segment did not exist then"`
	Known      string `json:"known" enum:"then,now"`
}

type explainInput struct {
	ProfileRef
	Segment string    `query:"segment" required:"true" minLength:"1" maxLength:"64" doc:"The segment's name"`
	At      time.Time `query:"at" doc:"The moment asked about; now without it"`
	Known   string    `query:"known" enum:"then,now" default:"then" doc:"then: by the events that had arrived by then. now: by all that happened by then, also where it arrived, or was imported, later"`
}

func (s *server) explain(ctx context.Context, in *explainInput) (answer[Why], error) {
	id, err := s.config.Identity.StoredProfileID(ctx, in.ID)
	if err != nil {
		return answer[Why]{}, err
	}
	at := in.At
	if now := s.config.Now(); at.IsZero() || at.After(now) {
		at = now
	}
	why, err := s.config.Explainer.Explain(ctx, id, in.Segment, at.UTC(), in.Known == "now")
	why.Known = in.Known
	return answer[Why]{why}, err
}
