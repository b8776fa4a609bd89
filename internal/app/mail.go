package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"slices"
	"sync"

	"github.com/tailorbird/tailorbird/internal/campaign"
	"github.com/tailorbird/tailorbird/internal/content"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/deliver"
	"github.com/tailorbird/tailorbird/internal/fault"
	"github.com/tailorbird/tailorbird/internal/server"
	"github.com/tailorbird/tailorbird/internal/store"
)

// openMail makes everything that writes and sends mail, and the handler, which shows it. Nothing is sent yet.
func (a *App) openMail(ctx context.Context, templates *templates) error {
	key, err := a.store.Secret(ctx, "link_key", 32)
	if err != nil {
		return err
	}
	tokens, err := deliver.NewTokens(key)
	if err != nil {
		return err
	}
	url := a.config.SMTPURL
	if url == "" {
		if a.sink, err = deliver.OpenSink(ctx, store.NewMailbox(a.store, a.now), a.log); err != nil {
			return err
		}
		url = a.sink.URL()
	}
	hello, err := os.Hostname()
	if err != nil || hello == "" {
		hello = "localhost"
	}
	if a.relay, err = deliver.NewRelay(url, hello, deliver.DefaultTimeouts); err != nil {
		return err
	}
	outbox := store.NewOutbox(a.store)
	if a.sink != nil {
		outbox = store.NewSinkOutbox(a.store)
	}
	a.feedback = newFeedback(a.engine.Ingest, outbox, a.log)
	a.sender = &deliver.Sender{
		Outbox: outbox, Transport: a.relay, Now: a.now, Log: a.log, Settled: a.feedback.settled,
		Composer: &deliver.SignedComposer{
			Source: &source{app: a, templates: templates}, Keys: store.NewSendingKeys(a.store, rand.Reader, a.now),
			Tokens: tokens, Base: a.publicURL(), Now: a.now,
		},
	}
	a.casts = &campaign.Broadcaster{Audience: filled{a}, Ledger: a.store, Wake: a.sender.Wake, Now: a.now, Log: a.log}
	a.outbox = outbox
	a.handler = a.newHandler(templates, tokens)
	return nil
}

// filled is the audience of campaigns: segments once they hold for everybody.
type filled struct{ app *App }

// Members implements campaign.Audience.
func (f filled) Members(ctx context.Context, segment string, after int64, limit int) ([]campaign.Member, error) {
	if err := f.app.engine.WaitFilled(ctx); err != nil {
		return nil, err
	}
	return f.app.store.Members(ctx, segment, after, limit)
}

// source writes the content of messages. It implements deliver.Source.
type source struct {
	app       *App
	templates *templates

	mu   sync.Mutex
	runs map[int64]broadcast // what a run sends never changes
}

// broadcast is what a message is written from.
type broadcast struct {
	campaign campaign.Definition
	template *content.Template
}

// Content implements deliver.Source. A campaign that runs is written as it was when it was sent; a test message as the
// campaign now is.
func (s *source) Content(ctx context.Context, job deliver.Job, links *deliver.Links) (deliver.Content, error) {
	cast, err := s.broadcast(ctx, job)
	if err != nil {
		return deliver.Content{}, err
	}
	var profileID *int64
	if job.ProfileID != 0 {
		profileID = &job.ProfileID
	}
	data, err := s.templates.data(ctx, profileID)
	if err != nil {
		return deliver.Content{}, err
	}
	data["campaign"] = map[string]any{"name": job.Campaign}
	mail, err := cast.template.Render(ctx, data, content.UTM(cast.campaign.UTM).Tag(links))
	if err != nil {
		return deliver.Content{}, err
	}
	from, err := deliver.ParseAddress(cast.campaign.From)
	if err != nil {
		return deliver.Content{}, err
	}
	c := deliver.Content{From: from, Subject: mail.Subject, HTML: mail.HTML, Text: mail.Text}
	if reply := cast.campaign.ReplyTo; reply != "" {
		if c.ReplyTo, err = deliver.ParseAddress(reply); err != nil {
			return deliver.Content{}, err
		}
	}
	return c, nil
}

// broadcast gives what a job's message is written from.
func (s *source) broadcast(ctx context.Context, job deliver.Job) (broadcast, error) {
	if job.RunID == 0 {
		d, err := s.app.registry.Get(ctx, definition.Campaign, job.Campaign)
		if err != nil {
			return broadcast{}, err
		}
		cast, err := definition.Decode[campaign.Definition](d.Spec)
		if err != nil {
			return broadcast{}, err
		}
		t, err := s.app.registry.Get(ctx, definition.Template, cast.Template)
		if err != nil {
			return broadcast{}, err
		}
		return s.compiled(cast, t.Spec)
	}
	s.mu.Lock()
	known, ok := s.runs[job.RunID]
	s.mu.Unlock()
	if ok {
		return known, nil
	}
	run, found, err := s.app.store.CampaignRun(ctx, job.Campaign)
	if err != nil {
		return broadcast{}, err
	}
	if !found {
		return broadcast{}, fault.New(fault.Invalid, "the campaign %s has no run", job.Campaign)
	}
	versions, err := s.app.registry.Versions(ctx, definition.Template, run.Definition.Template)
	if err != nil {
		return broadcast{}, err
	}
	i := slices.IndexFunc(versions, func(v definition.Version) bool { return v.Version == run.Template })
	if i < 0 {
		return broadcast{}, fault.New(fault.Invalid, "version %d of the template %s is gone", run.Template, run.Definition.Template)
	}
	made, err := s.compiled(run.Definition, versions[i].Spec)
	if err != nil {
		return broadcast{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs == nil {
		s.runs = map[int64]broadcast{}
	}
	s.runs[job.RunID] = made
	return made, nil
}

func (s *source) compiled(cast campaign.Definition, spec json.RawMessage) (broadcast, error) {
	template, err := definition.Decode[server.TemplateSpec](spec)
	if err != nil {
		return broadcast{}, err
	}
	compiled, err := s.templates.compile(template)
	return broadcast{cast, compiled}, err
}

// campaigns carries out what the server is asked about campaigns.
type campaigns struct{ app *App }

func (c campaigns) CampaignStates(ctx context.Context) (map[string]server.CampaignState, error) {
	runs, err := c.app.store.CampaignRuns(ctx)
	if err != nil {
		return nil, err
	}
	states := map[string]server.CampaignState{}
	for name, run := range runs {
		p := run.Progress
		state := server.CampaignState{Status: string(run.Status), Progress: server.Progress{
			Recipients: int(p.Recipients), Queued: int(p.Queued), Sent: int(p.Sent), Failed: int(p.Failed + p.Bounced),
			Skipped: int(p.Skipped), InDoubt: int(p.InDoubt),
		}}
		if started := run.StartedAt; !started.IsZero() {
			state.StartedAt = &started
		}
		if finished := run.FinishedAt; !finished.IsZero() {
			state.FinishedAt = &finished
		}
		states[name] = state
	}
	return states, nil
}

// Send begins to send a campaign. Where its segment is still being filled, the first message waits for that. It is
// Conflict where nobody is in the segment: a campaign is sent once, and that would be it.
func (c campaigns) Send(ctx context.Context, name string) error {
	d, err := c.app.registry.Get(ctx, definition.Campaign, name)
	if err != nil {
		return err
	}
	if run, sent, err := c.app.store.CampaignRun(ctx, name); err != nil || sent && !run.ReachedNobody() {
		return err
	}
	cast, err := definition.Decode[campaign.Definition](d.Spec)
	if err != nil {
		return err
	}
	if err := c.somebodyIn(ctx, cast.Segment); err != nil {
		return err
	}
	t, err := c.app.registry.Get(ctx, definition.Template, cast.Template)
	if err != nil {
		return err
	}
	_, err = c.app.casts.Send(ctx, name, cast, d.Version, t.Version)
	return err
}

func (c campaigns) somebodyIn(ctx context.Context, segment string) error {
	first, err := c.app.store.Members(ctx, segment, 0, 1)
	switch {
	case fault.CodeOf(err) == fault.Unavailable && ctx.Err() == nil:
		return nil // it is being filled
	case err == nil && len(first) == 0:
		return fault.New(fault.Conflict, "nobody is in %s; the campaign stays a draft until somebody is", segment)
	}
	return err
}

func (c campaigns) Pause(ctx context.Context, name string) error {
	if err := c.underWay(ctx, name, "pause"); err != nil {
		return err
	}
	_, err := c.app.casts.Pause(ctx, name)
	return err
}

func (c campaigns) Resume(ctx context.Context, name string) error {
	if err := c.underWay(ctx, name, "resume"); err != nil {
		return err
	}
	_, err := c.app.casts.Resume(ctx, name)
	return err
}

// underWay is Conflict for a campaign that is not being sent, or not any more.
func (c campaigns) underWay(ctx context.Context, name, wish string) error {
	run, found, err := c.app.store.CampaignRun(ctx, name)
	switch {
	case err != nil:
		return err
	case !found:
		return fault.New(fault.Conflict, "the campaign %s is a draft, which has not been sent; there is nothing to %s", name, wish)
	case run.Status == campaign.Sent:
		return fault.New(fault.Conflict, "the campaign %s has been sent to the end; there is nothing left to %s", name, wish)
	}
	return nil
}

func (c campaigns) Test(ctx context.Context, name, to string, profileID *int64) (string, error) {
	if _, err := c.app.registry.Get(ctx, definition.Campaign, name); err != nil {
		return "", err
	}
	email, err := deliver.NormalizeEmail(to)
	if err != nil {
		return "", &fault.Error{Code: fault.Invalid, Field: "to", Message: err.Error()}
	}
	who := int64(0)
	if profileID != nil {
		who = *profileID
	}
	id, err := c.app.outbox.EnqueueTest(ctx, name, who, email, c.app.now())
	if err != nil {
		return "", err
	}
	c.app.sender.Wake()
	return c.app.store.PublicID(store.MessageKind, id), nil
}
