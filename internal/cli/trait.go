package cli

import (
	"context"
	"io"
	"net/http"

	"github.com/tailorbird/tailorbird/examples/starters"
)

type traitCommand struct {
	List   traitList   `cmd:"" help:"List computed traits."`
	Get    traitGet    `cmd:"" help:"Show one computed trait."`
	Put    traitPut    `cmd:"" aliases:"set" help:"Create or change a computed trait."`
	Delete traitDelete `cmd:"" help:"Delete a computed trait."`
	New    traitNew    `cmd:"" help:"Print definitions to begin with: RFM, lifecycle, engagement, interests."`
}

type traitList struct{ connection }

func (c *traitList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/traits", nil, 0, []column{
		{"NAME", "name"}, {"TYPE", "type"}, {"STATUS", "status"}, {"VERSION", "version"}, {"EXPRESSION", "expression"},
	})
}

type traitGet struct {
	connection
	Name string `arg:"" help:"Name of the trait."`
}

func (c *traitGet) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodGet, under("traits", c.Name), nil)
}

type traitPut struct {
	connection
	Name        string `arg:"" help:"Name of the trait."`
	Expression  string `help:"The expression." placeholder:"CEL"`
	File        string `short:"f" help:"File with the expression; - for standard input." placeholder:"FILE"`
	Description string `help:"What the trait is for." placeholder:"TEXT"`
}

func (*traitPut) Help() string {
	return `Example:

  tailorbird trait put lifetime_value --expression 'events("Order Completed").sum(e, e.properties.total)'`
}

func (c *traitPut) Run(ctx context.Context) error {
	expression, err := text(c.streams, "--expression", c.Expression, c.File)
	if err != nil {
		return err
	}
	return c.show(ctx, http.MethodPut, under("traits", c.Name),
		map[string]string{"expression": expression, "description": c.Description})
}

type traitDelete struct {
	connection
	Name string `arg:"" help:"Name of the trait."`
}

func (c *traitDelete) Run(ctx context.Context) error {
	return c.remove(ctx, under("traits", c.Name), "trait "+c.Name)
}

type traitNew struct {
	Starter  string `arg:"" enum:"rfm,lifecycle,engagement,interests" help:"rfm, lifecycle, engagement or interests."`
	Event    string `help:"The event that counts; Order Completed, for interests Product Viewed, without it." placeholder:"NAME"`
	Property string `help:"Its property that counts; total, for interests category, without it." placeholder:"NAME"`
}

func (*traitNew) Help() string {
	return `Example:

  tailorbird trait new rfm --event "Invoice Paid" --property amount > definitions/rfm.yaml
  tailorbird apply definitions/`
}

func (c *traitNew) Run(streams Streams) error {
	text, err := starters.Text(c.Starter, c.Event, c.Property)
	if err == nil {
		_, err = io.WriteString(streams.Out, text)
	}
	return err
}
