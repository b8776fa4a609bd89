package cli

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type profileCommand struct {
	Find   profileFind   `cmd:"" aliases:"list" help:"Find customers by any identifier or by name."`
	Get    profileGet    `cmd:"" help:"Show what is known of one customer."`
	Events profileEvents `cmd:"" help:"List what a customer did, newest first."`

	History  profileHistory  `cmd:"" help:"List when a customer entered and left segments, newest first."`
	Override overrideCommand `cmd:"" help:"Say what holds of a customer, whatever events say."`
	Merge    profileMerge    `cmd:"" help:"Make two profiles one."`
	Unmerge  profileUnmerge  `cmd:"" help:"Take a merge back."`
	Apart    profileApart    `cmd:"" help:"Make sure that no event joins two profiles."`
	Allow    profileAllow    `cmd:"" help:"Let events join two profiles again that are kept apart."`
}

var profileColumns = []column{
	{"IDENTIFIERS", "identifiers"}, {"CUSTOMER", "label"}, {"LAST SEEN", "last_seen_at"}, {"ID", "id"}, {"SEGMENTS", "segments"},
}

type profileFind struct {
	connection
	Text  string `arg:"" optional:"" help:"The beginning of an identifier or a name; nothing for all."`
	Limit int    `help:"At most so many; 0 for all." default:"50"`
}

func (*profileFind) Help() string {
	return `Examples:

  tailorbird profile find ada@
  tailorbird profile find --limit 0 --json`
}

func (c *profileFind) Run(ctx context.Context) error {
	query := url.Values{}
	if c.Text != "" {
		query.Set("q", c.Text)
	}
	return c.list(ctx, "/api/v1/profiles", query, c.Limit, profileColumns)
}

// person names a customer.
type person struct {
	Who string `arg:"" help:"Id of the profile, or an identifier such as email:ada@example.com or user_id:42."`
}

// profile asks for the customer.
func (p person) profile(ctx context.Context, api *client.Client) (json.RawMessage, error) {
	var profile json.RawMessage
	if !strings.Contains(p.Who, ":") {
		err := api.Get(ctx, under("profiles", p.Who), &profile)
		return profile, err
	}
	for found, err := range api.List(ctx, "/api/v1/profiles", url.Values{"identifier": {p.Who}}, 1) {
		return found, err
	}
	return nil, fault.New(fault.NotFound, "no customer has the identifier %s", p.Who)
}

type profileGet struct {
	connection
	person
}

func (*profileGet) Help() string {
	return `Examples:

  tailorbird profile get email:ada@example.com
  tailorbird profile get user_id:42 --json | jq .computed`
}

func (c *profileGet) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		profile, err := c.profile(ctx, api)
		if err != nil {
			return err
		}
		return c.print(profile)
	})
}

type profileEvents struct {
	connection
	person
	Limit int `help:"At most so many; 0 for all." default:"50"`
}

func (c *profileEvents) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		id, err := c.idOf(ctx, api)
		if err != nil {
			return err
		}
		return c.printList(api.List(ctx, under("profiles", id, "events"), nil, c.Limit), []column{
			{"TIME", "timestamp"}, {"TYPE", "type"}, {"NAME", "name"}, {"PROPERTIES", "properties"},
		})
	})
}

// identifiedBy is how a call names a customer: {"profile_id"} or {"identifier"}.
func identifiedBy(who string) map[string]string {
	if strings.Contains(who, ":") {
		return map[string]string{"identifier": who}
	}
	return map[string]string{"profile_id": who}
}
