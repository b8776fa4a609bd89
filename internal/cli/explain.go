package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type segmentExplain struct {
	connection
	Name string `arg:"" help:"Name of the segment."`
	person
	At    moment `help:"The moment asked about; now without it." placeholder:"TIME"`
	Known string `help:"Whether to judge by the events that had arrived by then, or by all that happened by then." enum:"then,now" default:"then"`
}

func (*segmentExplain) Help() string {
	return `Examples:

  tailorbird segment explain frequent email:ada@example.com
  tailorbird segment explain frequent email:ada@example.com --at 2026-03-01T08:00:00Z`
}

func (c *segmentExplain) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		id, err := c.idOf(ctx, api)
		if err != nil {
			return err
		}
		query := url.Values{"segment": {c.Name}, "known": {c.Known}}
		if !c.At.IsZero() {
			query.Set("at", c.At.Format(time.RFC3339Nano))
		}
		var answer json.RawMessage
		if err := api.Get(ctx, under("profiles", id, "explain")+"?"+query.Encode(), &answer); err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(c.streams.Out, answer)
		}
		var reason membershipReason
		if err := json.Unmarshal(answer, &reason); err != nil {
			return fault.Wrap(fault.Internal, err, "the explanation cannot be read")
		}
		reason.write(c.streams.Out)
		return nil
	})
}

// membershipReason is the answer of explain as far as the terminal shows it.
type membershipReason struct {
	reasonPart
	At         string
	Since      string
	Version    int
	Definition string
	Uses       []reasonPart
}

type reasonPart struct {
	Kind, Name, Text string
	Value            any
	Overridden       *struct{ Since, Until, By, Note string }
	Explanation      *struct {
		NextChange string `json:"next_change"`
		Clause     reasonClause
	}
}

type reasonClause struct {
	Kind, Text, Sentence string
	Holds                bool
	Clauses              []reasonClause
	Evidence             []struct {
		Events []struct {
			MessageID string `json:"message_id"`
			Name, At  string
		}
		More int
	}
}

func (r membershipReason) write(w io.Writer) {
	verdict := "not in"
	if r.Value == true {
		verdict = "in"
	}
	fmt.Fprintf(w, "%s %s at %s", verdict, r.Name, r.At)
	if r.Since != "" {
		fmt.Fprintf(w, ", since %s", r.Since)
	}
	fmt.Fprintf(w, "\nby version %d", r.Version)
	if r.Definition == "today" {
		fmt.Fprint(w, ", today's: the segment did not exist then")
	}
	fmt.Fprintln(w)
	r.reasonPart.write(w)
	for _, part := range r.Uses {
		value := part.Value
		if value == nil {
			value = "none"
		}
		fmt.Fprintf(w, "\n%s %s: %v\n", part.Kind, part.Name, value)
		part.write(w)
	}
}

func (p reasonPart) write(w io.Writer) {
	if o := p.Overridden; o != nil {
		fmt.Fprintf(w, "  decided by %s since %s", o.By, o.Since)
		if o.Until != "" {
			fmt.Fprintf(w, " until %s", o.Until)
		}
		if o.Note != "" {
			fmt.Fprintf(w, ": %s", o.Note)
		}
		fmt.Fprintln(w)
	}
	if p.Explanation == nil {
		fmt.Fprintf(w, "  %s\n", p.Text)
		return
	}
	p.Explanation.Clause.write(w, "  ")
	if next := p.Explanation.NextChange; next != "" {
		fmt.Fprintf(w, "  changes at %s if nothing happens until then\n", next)
	}
}

func (c reasonClause) write(w io.Writer, indent string) {
	mark := "✗"
	if c.Holds {
		mark = "✓"
	}
	text := c.Sentence
	if text == "" {
		text = map[string]string{"all": "all of", "any": "any of", "not": "not"}[c.Kind]
	}
	if text == "" {
		text = c.Text
	}
	fmt.Fprintf(w, "%s%s %s\n", indent, mark, text)
	for _, part := range c.Clauses {
		part.write(w, indent+"  ")
	}
	for _, e := range c.Evidence {
		for _, event := range e.Events {
			fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%s    %s  %s  %s", indent, event.At, event.Name, event.MessageID), " "))
		}
		if e.More > 0 {
			fmt.Fprintf(w, "%s    and %d more\n", indent, e.More)
		}
	}
}
