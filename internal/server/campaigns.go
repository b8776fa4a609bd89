package server

import (
	"context"
	"time"

	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/report"
)

// Campaigns sends.
type Campaigns interface {
	// CampaignStates tells how far every campaign is that was ever sent.
	CampaignStates(ctx context.Context) (map[string]CampaignState, error)
	// Send begins to send a campaign; one that was begun already is left alone.
	Send(ctx context.Context, name string) error
	// Pause stops sending, Resume goes on; Conflict where the campaign is in no state for it.
	Pause(ctx context.Context, name string) error
	Resume(ctx context.Context, name string) error
	// Test sends one message to an address, filled in for a profile or a made-up one, and gives its public id.
	Test(ctx context.Context, name, to string, profile *int64) (messageID string, err error)
}

// Reports reads what came of messages.
type Reports interface {
	// CampaignReport gives the report of a campaign; one that was never sent has only zeros.
	CampaignReport(ctx context.Context, campaign string) (report.Campaign, error)
	// Messages gives a page of messages, newest first, and the cursor of the next one.
	Messages(ctx context.Context, q report.Messages) (list []report.Message, next string, err error)
}

// CampaignState is how far a campaign is.
type CampaignState struct {
	Status     string // draft, sending, sent or paused; empty is draft
	Progress   Progress
	StartedAt  *time.Time
	FinishedAt *time.Time
}

// Progress counts a campaign's messages.
type Progress struct {
	Recipients int `json:"recipients"`
	Queued     int `json:"queued"`
	Sent       int `json:"sent"`
	Failed     int `json:"failed"`
	Skipped    int `json:"skipped"`
	InDoubt    int `json:"in_doubt"`
}

// CampaignSpec is what defines a campaign.
type CampaignSpec struct {
	Segment          string `json:"segment" minLength:"1" maxLength:"64" doc:"Who gets it"`
	Template         string `json:"template" minLength:"1" maxLength:"64" doc:"What it says"`
	From             string `json:"from" minLength:"3" maxLength:"320" example:"Shop <news@shop.example>"`
	ReplyTo          string `json:"reply_to,omitempty" maxLength:"320"`
	UTM              *UTM   `json:"utm,omitempty" doc:"Added to the links"`
	ConversionEvent  string `json:"conversion_event,omitempty" maxLength:"512" doc:"The event that counts as a success; Order Completed where it is missing"`
	ConversionValue  string `json:"conversion_value,omitempty" maxLength:"512" doc:"Its property that holds the revenue; total where it is missing, and revenue where that is"`
	ConversionWindow string `json:"conversion_window,omitempty" maxLength:"32" doc:"How long after an open or click it counts, such as 36h or 5d, the default"`
}

// UTM is what analytics tools read from links.
type UTM struct {
	Source   string `json:"source,omitempty" maxLength:"200"`
	Medium   string `json:"medium,omitempty" maxLength:"200"`
	Campaign string `json:"campaign,omitempty" maxLength:"200"`
}

// Campaign is a template sent to a segment.
type Campaign struct {
	CampaignSpec
	Name       string     `json:"name"`
	Version    int        `json:"version"`
	Status     string     `json:"status" enum:"draft,sending,sent,paused"`
	Progress   Progress   `json:"progress"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

func campaignOf(d definition.Definition, state CampaignState) (Campaign, error) {
	spec, err := specOf[CampaignSpec](d)
	if state.Status == "" {
		state.Status = "draft"
	}
	return Campaign{
		CampaignSpec: spec, Name: d.Name, Version: d.Version, Status: state.Status, Progress: state.Progress,
		StartedAt: state.StartedAt, FinishedAt: state.FinishedAt, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}, err
}

func (s *server) listCampaigns(ctx context.Context, in *Paging) (answer[page[Campaign]], error) {
	states, err := s.config.Campaigns.CampaignStates(ctx)
	if err != nil {
		return answer[page[Campaign]]{}, err
	}
	return listDefined(ctx, s, definition.Campaign, in, func(d definition.Definition) (Campaign, error) {
		return campaignOf(d, states[d.Name])
	})
}

func (s *server) getCampaign(ctx context.Context, in *DefinitionName) (answer[Campaign], error) {
	d, err := s.config.Definitions.Get(ctx, definition.Campaign, in.Name)
	if err != nil {
		return answer[Campaign]{}, err
	}
	states, err := s.config.Campaigns.CampaignStates(ctx)
	if err != nil {
		return answer[Campaign]{}, err
	}
	campaign, err := campaignOf(d, states[d.Name])
	return answer[Campaign]{campaign}, err
}

type putCampaignInput struct {
	DefinitionName
	Body CampaignSpec
}

func (s *server) putCampaign(ctx context.Context, in *putCampaignInput) (answer[Campaign], error) {
	if err := s.put(ctx, definition.Campaign, in.Name, in.Body); err != nil {
		return answer[Campaign]{}, err
	}
	return s.getCampaign(ctx, &in.DefinitionName)
}

func (s *server) sendCampaign(ctx context.Context, in *DefinitionName) (answer[Campaign], error) {
	return s.steer(ctx, in, s.config.Campaigns.Send)
}

func (s *server) pauseCampaign(ctx context.Context, in *DefinitionName) (answer[Campaign], error) {
	return s.steer(ctx, in, s.config.Campaigns.Pause)
}

func (s *server) resumeCampaign(ctx context.Context, in *DefinitionName) (answer[Campaign], error) {
	return s.steer(ctx, in, s.config.Campaigns.Resume)
}

// steer does something to a campaign that exists, and shows it as it then is.
func (s *server) steer(ctx context.Context, in *DefinitionName, do func(context.Context, string) error) (answer[Campaign], error) {
	if _, err := s.config.Definitions.Get(ctx, definition.Campaign, in.Name); err != nil {
		return answer[Campaign]{}, err
	}
	if err := do(ctx, in.Name); err != nil {
		return answer[Campaign]{}, err
	}
	return s.getCampaign(ctx, in)
}

type testCampaignInput struct {
	DefinitionName
	Body struct {
		To string `json:"to" minLength:"3" maxLength:"320" doc:"Where the test message goes"`
		RenderFor
	}
}

// TestMessage is a test message under way.
type TestMessage struct {
	MessageID string `json:"message_id"`
	To        string `json:"to"`
}

func (s *server) testCampaign(ctx context.Context, in *testCampaignInput) (answer[TestMessage], error) {
	if _, err := s.config.Definitions.Get(ctx, definition.Campaign, in.Name); err != nil {
		return answer[TestMessage]{}, err
	}
	var profile *int64
	id, named, err := s.profileOf(ctx, in.Body.RenderFor)
	if err != nil {
		return answer[TestMessage]{}, err
	}
	if named {
		profile = &id
	}
	message, err := s.config.Campaigns.Test(ctx, in.Name, in.Body.To, profile)
	return answer[TestMessage]{TestMessage{MessageID: message, To: in.Body.To}}, err
}

func (s *server) getReport(ctx context.Context, in *DefinitionName) (answer[report.Campaign], error) {
	if _, err := s.config.Definitions.Get(ctx, definition.Campaign, in.Name); err != nil {
		return answer[report.Campaign]{}, err
	}
	r, err := s.config.Reports.CampaignReport(ctx, in.Name)
	return answer[report.Campaign]{r}, err
}
