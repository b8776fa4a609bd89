package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type campaignCommand struct {
	List   campaignList   `cmd:"" help:"List campaigns."`
	Get    campaignGet    `cmd:"" help:"Show one campaign and how far it is."`
	Put    campaignPut    `cmd:"" aliases:"set" help:"Create or change a campaign."`
	Delete campaignDelete `cmd:"" help:"Delete a campaign that was never sent."`
	Test   campaignTest   `cmd:"" help:"Send one mail of a campaign to yourself."`
	Send   campaignSend   `cmd:"" help:"Send a campaign to its segment; asking twice sends once."`
	Pause  campaignPause  `cmd:"" help:"Stop sending for now."`
	Resume campaignResume `cmd:"" help:"Go on sending."`
	Report campaignReport `cmd:"" help:"Show what a campaign was worth."`
}

type campaignList struct{ connection }

func (c *campaignList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/campaigns", nil, 0, []column{
		{"NAME", "name"},
		{"STATUS", "status"},
		{"SEGMENT", "segment"},
		{"TEMPLATE", "template"},
		{"RECIPIENTS", "progress.recipients"},
		{"SENT", "progress.sent"},
		{"STARTED", "started_at"},
	})
}

type namedCampaign struct {
	connection
	Name string `arg:"" help:"Name of the campaign."`
}

type campaignGet struct{ namedCampaign }

func (c *campaignGet) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodGet, under("campaigns", c.Name), nil)
}

type campaignPut struct {
	namedCampaign
	Segment          string `required:"" help:"Whom it goes to." placeholder:"NAME"`
	Template         string `required:"" help:"What it says." placeholder:"NAME"`
	From             string `required:"" help:"Who it comes from, such as \"Shop <news@shop.example>\"." placeholder:"ADDRESS"`
	ReplyTo          string `help:"Where answers go." placeholder:"ADDRESS"`
	UTMSource        string `name:"utm-source" help:"utm_source of links." placeholder:"TEXT"`
	UTMMedium        string `name:"utm-medium" help:"utm_medium of links." placeholder:"TEXT"`
	UTMCampaign      string `name:"utm-campaign" help:"utm_campaign of links." placeholder:"TEXT"`
	ConversionEvent  string `help:"Name of the event that counts as success." placeholder:"EVENT"`
	ConversionValue  string `help:"Property of that event that holds the revenue." placeholder:"PROPERTY"`
	ConversionWindow string `help:"How long after an open or a click it counts, such as 5d." placeholder:"DURATION"`
}

func (*campaignPut) Help() string {
	return `Example:

  tailorbird campaign put spring --segment frequent --template welcome --from 'Shop <news@shop.example>'`
}

func (c *campaignPut) Run(ctx context.Context) error {
	body := map[string]any{"segment": c.Segment, "template": c.Template, "from": c.From}
	put := func(in map[string]any, name, value string) {
		if value != "" {
			in[name] = value
		}
	}
	put(body, "reply_to", c.ReplyTo)
	put(body, "conversion_event", c.ConversionEvent)
	put(body, "conversion_value", c.ConversionValue)
	put(body, "conversion_window", c.ConversionWindow)
	utm := map[string]any{}
	put(utm, "source", c.UTMSource)
	put(utm, "medium", c.UTMMedium)
	put(utm, "campaign", c.UTMCampaign)
	if len(utm) > 0 {
		body["utm"] = utm
	}
	return c.show(ctx, http.MethodPut, under("campaigns", c.Name), body)
}

type campaignDelete struct{ namedCampaign }

func (c *campaignDelete) Run(ctx context.Context) error {
	return c.remove(ctx, under("campaigns", c.Name), "campaign "+c.Name)
}

type campaignTest struct {
	namedCampaign
	To      string `required:"" help:"Where the mail goes." placeholder:"ADDRESS"`
	Profile string `help:"Id of the profile whose mail it is; a member of the segment without it." placeholder:"ID"`
}

func (c *campaignTest) Run(ctx context.Context) error {
	body := map[string]string{"to": c.To}
	if c.Profile != "" {
		body["profile_id"] = c.Profile
	}
	return c.show(ctx, http.MethodPost, under("campaigns", c.Name, "test"), body)
}

type campaignSend struct {
	namedCampaign
	Wait bool `help:"Come back when every message has left."`
}

func (*campaignSend) Help() string {
	return `Example:

  tailorbird campaign send spring --wait --server http://127.0.0.1:8080`
}

func (c *campaignSend) Run(ctx context.Context) error {
	if c.Wait && c.Server == "" {
		return badUsage("--wait needs --server: messages leave while a server runs")
	}
	return c.with(ctx, func(api *client.Client) error {
		var answer json.RawMessage
		if err := api.Call(ctx, http.MethodPost, under("campaigns", c.Name, "send"), nil, &answer); err != nil {
			return err
		}
		if c.Server == "" {
			fmt.Fprintln(c.streams.Err, "the campaign is queued; its messages leave when a server runs on this data")
		}
		if c.Wait {
			var err error
			if answer, err = c.finished(ctx, api); err != nil {
				return err
			}
		}
		return c.print(answer)
	})
}

// sending is what a campaign says of its progress.
type sending struct {
	Status   string
	Progress struct {
		Recipients, Queued, Sent, Failed, Skipped int
		InDoubt                                   int `json:"in_doubt"`
	}
}

const askAgain = 250 * time.Millisecond

// finished waits until the campaign is sent or paused, and gives it then.
func (c *campaignSend) finished(ctx context.Context, api *client.Client) (json.RawMessage, error) {
	bar := newProgress(c.streams.Err, "sending", 0)
	defer bar.end()
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		var answer json.RawMessage
		if err := api.Get(ctx, under("campaigns", c.Name), &answer); err != nil {
			return nil, err
		}
		var now sending
		if err := json.Unmarshal(answer, &now); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "the campaign cannot be read")
		}
		p := now.Progress
		bar.set(int64(p.Sent+p.Failed+p.Skipped+p.InDoubt), int64(p.Recipients))
		if now.Status != "sending" {
			return answer, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type campaignPause struct{ namedCampaign }

func (c *campaignPause) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodPost, under("campaigns", c.Name, "pause"), nil)
}

type campaignResume struct{ namedCampaign }

func (c *campaignResume) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodPost, under("campaigns", c.Name, "resume"), nil)
}

type campaignReport struct{ namedCampaign }

func (*campaignReport) Help() string {
	return `All counts are of people. What machines opened and clicked is counted apart.`
}

func (c *campaignReport) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodGet, under("campaigns", c.Name, "report"), nil)
}
