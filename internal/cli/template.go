package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type templateCommand struct {
	List   templateList   `cmd:"" help:"List templates."`
	Get    templateGet    `cmd:"" help:"Show one template."`
	Put    templatePut    `cmd:"" aliases:"set" help:"Create or change a template."`
	Delete templateDelete `cmd:"" help:"Delete a template."`
	Render templateRender `cmd:"" help:"Show the mail that one customer would get."`
}

type templateList struct{ connection }

func (c *templateList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/templates", nil, 0, []column{
		{"NAME", "name"}, {"FORMAT", "format"}, {"VERSION", "version"}, {"CHANGED", "updated_at"}, {"SUBJECT", "subject"},
	})
}

type templateGet struct {
	connection
	Name string `arg:"" help:"Name of the template."`
}

func (c *templateGet) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodGet, under("templates", c.Name), nil)
}

type templatePut struct {
	connection
	Name      string `arg:"" help:"Name of the template."`
	File      string `short:"f" required:"" help:"File with the body, MJML or HTML with Liquid; - for standard input." placeholder:"FILE"`
	Format    string `help:"mjml or html; by the end of the file's name without it." placeholder:"FORMAT"`
	Subject   string `required:"" help:"The subject, with Liquid." placeholder:"TEXT"`
	Preheader string `help:"What mail programs show after the subject, with Liquid." placeholder:"TEXT"`
	TextFile  string `help:"File with a plain-text part; one is made from the body without it." placeholder:"FILE"`
}

func (*templatePut) Help() string {
	return `Example:

  tailorbird template put welcome -f welcome.mjml --subject "Hello {{ first_name | default: 'there' }}"`
}

func (c *templatePut) Run(ctx context.Context) error {
	body := map[string]string{"subject": c.Subject, "preheader": c.Preheader, "format": c.Format}
	var err error
	if body["body"], err = readText(c.streams, c.File); err != nil {
		return err
	}
	if c.TextFile != "" {
		if body["text"], err = readText(c.streams, c.TextFile); err != nil {
			return err
		}
	}
	if c.Format == "" {
		body["format"] = "mjml"
		if strings.HasPrefix(filepath.Ext(c.File), ".htm") {
			body["format"] = "html"
		}
	}
	return c.show(ctx, http.MethodPut, under("templates", c.Name), body)
}

type templateDelete struct {
	connection
	Name string `arg:"" help:"Name of the template."`
}

func (c *templateDelete) Run(ctx context.Context) error {
	return c.remove(ctx, under("templates", c.Name), "template "+c.Name)
}

type templateRender struct {
	connection
	Name string `arg:"" help:"Name of the template."`
	person
	HTML bool `name:"html" help:"Print the HTML part instead of the plain text."`
}

func (*templateRender) Help() string {
	return `Examples:

  tailorbird template render welcome email:ada@example.com
  tailorbird template render welcome user_id:42 --html > welcome.html`
}

func (c *templateRender) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		var answer json.RawMessage
		if err := api.Call(ctx, http.MethodPost, under("templates", c.Name, "render"), identifiedBy(c.Who), &answer); err != nil {
			return err
		}
		if c.JSON {
			return c.print(answer)
		}
		var mail struct {
			Subject, Preheader, HTML, Text string
			Warnings                       []struct{ Message string }
		}
		if err := json.Unmarshal(answer, &mail); err != nil {
			return fault.Wrap(fault.Internal, err, "the mail cannot be read")
		}
		for _, w := range mail.Warnings {
			fmt.Fprintf(c.streams.Err, "warning: %s\n", w.Message)
		}
		if c.HTML {
			fmt.Fprintln(c.streams.Out, mail.HTML)
			return nil
		}
		fmt.Fprintf(c.streams.Out, "Subject: %s\nPreheader: %s\n\n%s\n", mail.Subject, mail.Preheader, mail.Text)
		return nil
	})
}
