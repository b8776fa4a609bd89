package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
)

// The overrides of one customer.
type overrideCommand struct {
	Segment overrideSegment `cmd:"" help:"Put a customer into a segment, or keep them out, whatever events say."`
	Trait   overrideTrait   `cmd:"" help:"Say what a trait is, whatever events say."`
	Lift    overrideLift    `cmd:"" help:"Let events count again."`
	List    overrideList    `cmd:"" help:"List what was ever said of a customer, newest first."`
}

// overrideTerm is how long an override holds, and why.
type overrideTerm struct {
	Until moment `help:"When it ends by itself; without it, when it is lifted." placeholder:"TIME"`
	Note  string `help:"Why, for whoever reads it later." placeholder:"TEXT"`
}

func (t overrideTerm) body(member string, value any) map[string]any {
	body := map[string]any{member: value, "note": t.Note}
	if !t.Until.IsZero() {
		body["until"] = t.Until.Format(time.RFC3339Nano)
	}
	return body
}

type overrideSegment struct {
	connection
	person
	Name string `arg:"" help:"Name of the segment."`
	In   string `arg:"" enum:"in,out" help:"in or out."`
	overrideTerm
}

func (*overrideSegment) Help() string {
	return `Example:

  tailorbird profile override segment email:ada@example.com vips in --until 2026-12-31T00:00:00Z --note 'promised by support'`
}

func (c *overrideSegment) Run(ctx context.Context) error {
	return c.onProfile(ctx, c.person, http.MethodPut, c.body("in", c.In == "in"), "overrides", "segment", c.Name)
}

type overrideTrait struct {
	connection
	person
	Name  string `arg:"" help:"Name of the trait, told or computed."`
	Value string `arg:"" help:"JSON, such as 5, true, null or \"gold\"; anything else is taken as text."`
	overrideTerm
}

func (c *overrideTrait) Run(ctx context.Context) error {
	var value any
	if err := json.Unmarshal([]byte(c.Value), &value); err != nil {
		value = c.Value
	}
	return c.onProfile(ctx, c.person, http.MethodPut, c.body("value", value), "overrides", "trait", c.Name)
}

type overrideLift struct {
	connection
	person
	Kind string `arg:"" enum:"segment,trait" help:"segment or trait."`
	Name string `arg:"" help:"Its name."`
}

func (c *overrideLift) Run(ctx context.Context) error {
	return c.onProfile(ctx, c.person, http.MethodDelete, nil, "overrides", c.Kind, c.Name)
}

type overrideList struct {
	connection
	person
	Limit int `help:"At most so many; 0 for all." default:"50"`
}

func (c *overrideList) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		id, err := c.idOf(ctx, api)
		if err != nil {
			return err
		}
		return c.printList(api.List(ctx, under("profiles", id, "overrides"), nil, c.Limit), []column{
			{"KIND", "kind"},
			{"NAME", "name"},
			{"VALUE", "value"},
			{"SINCE", "since"},
			{"UNTIL", "until"},
			{"BY", "by"},
			{"LIFTED", "lifted_at"},
			{"NOTE", "note"},
		})
	})
}
