package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type matchCommand struct {
	Run      matchRun      `cmd:"" help:"Look for customers who are probably there twice."`
	List     matchList     `cmd:"" help:"List the pairs that wait for a decision, the most probable first."`
	Accept   matchAccept   `cmd:"" help:"Merge the two customers of a pair."`
	Reject   matchReject   `cmd:"" help:"Say that a pair is two customers; it is not suggested again."`
	Undo     matchUndo     `cmd:"" help:"Take a decision back: what was merged is two customers again, and the pair waits."`
	Settings matchSettings `cmd:"" help:"Show or change what is merged, what is asked about, and when."`
}

const matches = "/api/v1/matches"

type matchRun struct{ connection }

// matchState is how a run stands.
type matchState struct {
	Status, Stage, Error string
	Progress             float64
	Pending              int
	Summary              struct {
		Profiles, Queued, Merged int
		Compared                 int64
		Estimated                float64
	}
}

// stages are the shares of a run that are over when each stage begins.
var stages = map[string]float64{"reading": 0, "blocking": 0.1, "learning": 0.15, "scoring": 0.35, "grouping": 0.9, "keeping": 0.92}

func (s matchState) done() float64 {
	begin, end := stages[s.Stage], 1.0
	for _, other := range stages {
		if other > begin {
			end = min(end, other)
		}
	}
	return begin + s.Progress*(end-begin)
}

func (c *matchRun) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		if err := api.Call(ctx, http.MethodPost, matches+"/run", nil, nil); err != nil {
			return err
		}
		bar := newProgress(c.streams.Err, "matching", 1000)
		defer bar.end()
		for {
			var answer json.RawMessage
			if err := api.Get(ctx, matches+"/run", &answer); err != nil {
				return err
			}
			var state matchState
			if err := json.Unmarshal(answer, &state); err != nil {
				return err
			}
			if state.Status != "running" {
				bar.end()
				return c.tell(state, answer)
			}
			bar.set(int64(1000*state.done()), 1000)
			const patience = 300 * time.Millisecond
			timer := time.NewTimer(patience)
			select {
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			case <-timer.C:
			}
		}
	})
}

func (c *matchRun) tell(state matchState, answer json.RawMessage) error {
	if state.Status != "done" {
		return fault.New(fault.Internal, "the search for probable matches ended early: %s", state.Error)
	}
	if c.JSON {
		return writeJSON(c.streams.Out, answer)
	}
	s := state.Summary
	fmt.Fprintf(c.streams.Out, "%d customers, %d pairs compared: about %.0f pairs are one customer\n%d merged, %d wait for a decision; see tailorbird match list\n",
		s.Profiles, s.Compared, s.Estimated, s.Merged, state.Pending)
	return nil
}

type matchList struct {
	connection
	Status string `help:"pending, accepted, rejected or merged." enum:"pending,accepted,rejected,merged" default:"pending"`
	Limit  int    `help:"At most so many; 0 for all." default:"50"`
}

func (c *matchList) Run(ctx context.Context) error {
	return c.list(ctx, matches, url.Values{"status": {c.Status}}, c.Limit, []column{
		{"ID", "id"}, {"PROBABILITY", "probability"}, {"CUSTOMERS", "profiles"}, {"REASON", "reason"},
	})
}

type oneMatch struct {
	connection
	ID string `arg:"" help:"Id of the pair, as list shows it."`
}

type matchAccept struct{ oneMatch }

func (c *matchAccept) Run(ctx context.Context) error {
	return c.show(ctx, http.MethodPost, under("matches", c.ID, "accept"), nil)
}

type matchReject struct{ oneMatch }

func (c *matchReject) Run(ctx context.Context) error {
	return c.decide(ctx, "reject", "is two customers, and is not suggested again")
}

type matchUndo struct{ oneMatch }

func (c *matchUndo) Run(ctx context.Context) error {
	return c.decide(ctx, "undo", "waits for a decision again")
}

func (c *oneMatch) decide(ctx context.Context, verb, said string) error {
	return c.with(ctx, func(api *client.Client) error {
		if err := api.Call(ctx, http.MethodPost, under("matches", c.ID, verb), nil, nil); err != nil {
			return err
		}
		fmt.Fprintf(c.streams.Err, "%s %s\n", c.ID, said)
		return nil
	})
}

type matchSettings struct {
	connection
	Review    *float64          `help:"Least probability at which a pair is put before a person." placeholder:"P"`
	Merge     *float64          `help:"Least probability at which a pair is merged without asking." placeholder:"P"`
	Automatic *bool             `help:"Whether pairs may be merged without asking." negatable:""`
	Every     *int              `help:"Hours between two runs; 0: only on demand." placeholder:"HOURS"`
	Field     map[string]string `help:"What a trait holds where its name does not tell, such as nickname=given_name or note=ignored; replaces those given before." placeholder:"TRAIT=KIND"`
}

func (*matchSettings) Help() string {
	return `Examples:

  tailorbird match settings
  tailorbird match settings --automatic --merge 0.995 --every 24`
}

func (c *matchSettings) Run(ctx context.Context) error {
	change := map[string]any{}
	if c.Review != nil {
		change["review"] = *c.Review
	}
	if c.Merge != nil {
		change["merge"] = *c.Merge
	}
	if c.Automatic != nil {
		change["automatic"] = *c.Automatic
	}
	if c.Every != nil {
		change["every_hours"] = *c.Every
	}
	if c.Field != nil {
		change["fields"] = c.Field
	}
	if len(change) == 0 {
		return c.show(ctx, http.MethodGet, matches+"/settings", nil)
	}
	return c.show(ctx, http.MethodPut, matches+"/settings", change)
}
