package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/tailorbird/tailorbird/examples/starters"
	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type traitCommand struct {
	List   traitList   `cmd:"" help:"List computed traits."`
	Get    traitGet    `cmd:"" help:"Show one computed trait."`
	Put    traitPut    `cmd:"" aliases:"set" help:"Create or change a computed trait."`
	Delete traitDelete `cmd:"" help:"Delete a computed trait."`

	Preview traitPreview `cmd:"" help:"Show what an expression would give for some customers, and how many have a value, without saving it."`
	New     traitNew     `cmd:"" help:"Print definitions to begin with: RFM, lifecycle, engagement, interests."`
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

type traitPreview struct {
	connection
	Expression string `arg:"" optional:"" help:"The expression."`
	File       string `short:"f" help:"File with the expression; - for standard input." placeholder:"FILE"`
}

func (*traitPreview) Help() string {
	return `Example:

  tailorbird trait preview 'events("Product Viewed").most_common(e, e.properties.category)'`
}

func (c *traitPreview) Run(ctx context.Context) error {
	expression, err := text(c.streams, "an expression", c.Expression, c.File)
	if err != nil {
		return err
	}
	return c.with(ctx, func(api *client.Client) error {
		var answer json.RawMessage
		if err := api.Call(ctx, http.MethodPost, "/api/v1/traits/preview", map[string]string{"expression": expression}, &answer); err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(c.streams.Out, answer)
		}
		var preview struct {
			Count, Total, Low, High, Looked int
			Exact                           bool
			Items                           []json.RawMessage
			Warnings                        []warning
		}
		if err := json.Unmarshal(answer, &preview); err != nil {
			return fault.Wrap(fault.Internal, err, "the answer cannot be read")
		}
		for _, w := range preview.Warnings {
			w.tell(c.streams.Err, "expression")
		}
		if preview.Exact {
			fmt.Fprintf(c.streams.Out, "%d of %d customers have a value\n\n", preview.Count, preview.Total)
		} else {
			fmt.Fprintf(c.streams.Out, "about %d of %d customers have a value (%d to %d with 95 %% confidence, from %d)\n\n",
				preview.Count, preview.Total, preview.Low, preview.High, preview.Looked)
		}
		return writeTable(c.streams.Out, each(preview.Items), []column{{"CUSTOMER", "profile.label"}, {"VALUE", "value"}, {"ID", "profile.id"}})
	})
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
