package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type sourceCommand struct {
	List       sourceList       `cmd:"" help:"List sources and how they are doing."`
	Get        sourceGet        `cmd:"" help:"Show one source: its definition, what is wrong, and how far it is."`
	Pause      sourcePause      `cmd:"" help:"Stop reading a source."`
	Resume     sourceResume     `cmd:"" help:"Go on reading a source where it stopped."`
	Delete     sourceDelete     `cmd:"" help:"Delete a source."`
	Quarantine sourceQuarantine `cmd:"" help:"List messages that could not become events, or show one."`
	Retry      sourceRetry      `cmd:"" help:"Try messages in quarantine again."`
	Discard    sourceDiscard    `cmd:"" help:"Discard messages in quarantine."`
}

func (*sourceCommand) Help() string {
	return `Sources are defined in files; see plan and apply:

  kind: source
  name: orders
  brokers: [kafka-1.example.com:9092]
  topic: shop.orders
  mapping:
    event: '"Order Completed"'
    user_id: row.customer_id
    properties: {total: row.total}`
}

type sourceList struct{ connection }

func (c *sourceList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/sources", nil, 0, []column{
		{"NAME", "name"},
		{"TOPIC", "topic"},
		{"STATE", "status.state"},
		{"LAG", "status.lag"},
		{"BEHIND (S)", "status.behind_seconds"},
		{"QUARANTINED", "quarantined"},
		{"PROBLEM", "status.problem"},
	})
}

type sourceNamed struct {
	connection
	Name string `arg:"" help:"Name of the source."`
}

type sourceGet struct{ sourceNamed }

func (c *sourceGet) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodGet, under("sources", c.Name), nil)
}

type sourcePause struct{ sourceNamed }

func (c *sourcePause) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodPost, under("sources", c.Name, "pause"), nil)
}

type sourceResume struct{ sourceNamed }

func (c *sourceResume) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodPost, under("sources", c.Name, "resume"), nil)
}

type sourceDelete struct{ sourceNamed }

func (c *sourceDelete) Run(ctx context.Context) error {
	return c.remove(ctx, under("sources", c.Name), "source "+c.Name)
}

type sourceQuarantine struct {
	connection
	Name  string `arg:"" optional:"" help:"Name of a source; of all sources without it."`
	ID    string `help:"Show this message whole." placeholder:"ID"`
	Limit int    `help:"At most so many." default:"100" placeholder:"N"`
}

func (c *sourceQuarantine) Run(ctx context.Context) error {
	if c.ID != "" {
		return c.show(ctx, http.MethodGet, under("quarantine", c.ID), nil)
	}
	query := url.Values{}
	if c.Name != "" {
		query.Set("source", c.Name)
	}
	return c.list(ctx, "/api/v1/quarantine", query, c.Limit, []column{
		{"ID", "id"}, {"SOURCE", "source"}, {"PARTITION", "partition"}, {"OFFSET", "offset"}, {"AT", "at"}, {"TRIED", "attempts"}, {"REASON", "reason"},
	})
}

type sourceRetry struct {
	sourceNamed
	ID string `help:"This message only." placeholder:"ID"`
}

// Run tries again what is in quarantine, a page at a time, and tells what became of it.
func (c *sourceRetry) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		var total retried
		if c.ID != "" {
			if err := api.Call(ctx, http.MethodPost, under("quarantine", c.ID, "retry"), nil, &total); err != nil {
				return err
			}
			return total.print(c.streams.Out)
		}
		for cursor, more := "", true; more; {
			var page retried
			body := map[string]string{"source": c.Name, "cursor": cursor}
			if err := api.Call(ctx, http.MethodPost, "/api/v1/quarantine/retry", body, &page); err != nil {
				return err
			}
			total = retried{Taken: total.Taken + page.Taken, Failed: total.Failed + page.Failed, Reason: cmp.Or(total.Reason, page.Reason)}
			cursor, more = page.NextCursor, page.NextCursor != ""
		}
		return total.print(c.streams.Out)
	})
}

// retried is what became of messages that were tried again.
type retried struct {
	Taken, Failed int
	Reason        string
	NextCursor    string `json:"next_cursor"`
}

func (r retried) print(w io.Writer) error {
	text := fmt.Sprintf("%d taken, %d failed\n", r.Taken, r.Failed)
	if r.Reason != "" {
		text += fmt.Sprintf("the first reason: %s\n", r.Reason)
	}
	_, err := io.WriteString(w, text)
	return err
}

type sourceDiscard struct {
	sourceNamed
	ID string `help:"This message only." placeholder:"ID"`
}

func (c *sourceDiscard) Run(ctx context.Context) error {
	if c.ID != "" {
		return c.remove(ctx, under("quarantine", c.ID), "message "+c.ID)
	}
	return c.show(ctx, http.MethodPost, "/api/v1/quarantine/discard", map[string]string{"source": c.Name})
}

type secretCommand struct {
	List   secretList   `cmd:"" help:"List secrets; their values are never shown."`
	Set    secretSet    `cmd:"" help:"Set a secret that definitions name, such as the password of a source."`
	Delete secretDelete `cmd:"" help:"Forget a secret."`
}

type secretList struct{ connection }

func (c *secretList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/secrets", nil, 0, []column{{"NAME", "name"}, {"SET", "set_at"}, {"BY", "set_by"}})
}

type secretSet struct {
	connection
	Name string `arg:"" help:"Name of the secret."`
	File string `short:"f" help:"File with the value; standard input without it." default:"-" placeholder:"FILE"`
}

func (*secretSet) Help() string {
	return `The value is read from a file or standard input, never from the command line, which others can see; one line end at
its end is left out.

Example:

  tailorbird secret set kafka-password < password.txt`
}

func (c *secretSet) Run(ctx context.Context) error {
	value, err := readText(c.streams, c.File)
	if err != nil {
		return err
	}
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if value == "" {
		return fault.New(fault.Invalid, "the value is empty")
	}
	return c.show(ctx, http.MethodPut, under("secrets", c.Name), map[string]string{"value": value})
}

type secretDelete struct {
	connection
	Name string `arg:"" help:"Name of the secret."`
}

func (c *secretDelete) Run(ctx context.Context) error {
	return c.remove(ctx, under("secrets", c.Name), "secret "+c.Name)
}
