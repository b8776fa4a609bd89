package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// idOf is the id of the customer that p names.
func (p person) idOf(ctx context.Context, api *client.Client) (string, error) {
	profile, err := p.profile(ctx, api)
	if err != nil {
		return "", err
	}
	var found struct{ ID string }
	if err := json.Unmarshal(profile, &found); err != nil {
		return "", fault.Wrap(fault.Internal, err, "the profile cannot be read")
	}
	return found.ID, nil
}

// onProfile makes a call under a customer and prints its answer.
func (c *connection) onProfile(ctx context.Context, who person, method string, body any, rest ...string) error {
	return c.with(ctx, func(api *client.Client) error {
		id, err := who.idOf(ctx, api)
		if err != nil {
			return err
		}
		var answer json.RawMessage
		if err := api.Call(ctx, method, under("profiles", id, rest...), body, &answer); err != nil || len(answer) == 0 {
			return err
		}
		return c.print(answer)
	})
}

type profileMerge struct {
	connection
	person
	With string `arg:"" help:"The other one: an id or an identifier."`
	Note string `help:"Why, for whoever reads it later." placeholder:"TEXT"`
}

func (*profileMerge) Help() string {
	return `Makes two profiles one, because you know that they are one customer. It can be undone.

Example:

  tailorbird profile merge email:ada@example.com email:ada@work.example --note 'told us by phone'`
}

func (c *profileMerge) Run(ctx context.Context) error {
	body := identifiedBy(c.With)
	body["note"] = c.Note
	return c.onProfile(ctx, c.person, http.MethodPost, body, "merge")
}

type profileUnmerge struct {
	connection
	ID   string `arg:"" help:"Id of the profile that was merged into another, as merged shows it."`
	Note string `help:"Why, for whoever reads it later." placeholder:"TEXT"`
}

func (*profileUnmerge) Help() string {
	return `Takes a merge back: both profiles are as if they had never met, and what came since goes where its identifiers point.
No event joins them again, until "tailorbird profile allow" or a merge by hand.

Example:

  tailorbird profile get email:ada@example.com --json | jq -r '.merged[].profile_id'
  tailorbird profile unmerge ID --note 'two people, one browser'`
}

func (c *profileUnmerge) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodPost, under("profiles", c.ID, "unmerge"), map[string]string{"note": c.Note})
}

type profileApart struct {
	connection
	person
	From string `arg:"" help:"Id of the other one."`
	Note string `help:"Why, for whoever reads it later." placeholder:"TEXT"`
}

func (c *profileApart) Run(ctx context.Context) error {
	return c.onProfile(ctx, c.person, http.MethodPut, map[string]string{"note": c.Note}, "apart", c.From)
}

type profileAllow struct {
	connection
	person
	With string `arg:"" help:"Id of the other one."`
}

func (c *profileAllow) Run(ctx context.Context) error {
	return c.onProfile(ctx, c.person, http.MethodDelete, nil, "apart", c.With)
}

type profileHistory struct {
	connection
	person
	Segment string `help:"Of this segment only." placeholder:"NAME"`
	Limit   int    `help:"At most so many; 0 for all." default:"50"`
}

func (c *profileHistory) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		id, err := c.idOf(ctx, api)
		if err != nil {
			return err
		}
		query := url.Values{}
		if c.Segment = strings.TrimSpace(c.Segment); c.Segment != "" {
			query.Set("segment", c.Segment)
		}
		return c.printList(api.List(ctx, under("profiles", id, "memberships"), query, c.Limit), []column{
			{"TIME", "at"}, {"SEGMENT", "segment"}, {"ENTERED", "entered"}, {"SINCE", "since"}, {"CAUSE", "cause"}, {"EVENT", "message_id"},
		})
	})
}

type segmentHistory struct {
	connection
	Name  string `arg:"" help:"Name of the segment."`
	Limit int    `help:"At most so many days; 0 for all." default:"30"`
}

func (c *segmentHistory) Run(ctx context.Context) error {
	return c.list(ctx, under("segments", c.Name, "history"), nil, c.Limit, []column{
		{"DAY", "day"}, {"ENTERED", "entered"}, {"LEFT", "left"}, {"CUSTOMERS", "members"},
	})
}
