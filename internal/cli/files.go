package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// definitionFiles are a directory to be made true.
type definitionFiles struct {
	connection
	Dir   string `arg:"" help:"Directory of YAML files, each with one definition or several between lines of ---."`
	Prune bool   `help:"Delete definitions that have no file."`
}

type planCommand struct{ definitionFiles }

func (*planCommand) Help() string {
	return `Example:

  tailorbird plan definitions/ && tailorbird apply definitions/

Each file has a kind (trait, segment, template, campaign, source), a name, and the fields of the definition:

  kind: segment
  name: frequent
  condition: events("Order Completed").within("90d").count() > 5

A template may keep its body beside it: body_file: welcome.mjml.`
}

func (c *planCommand) Run(ctx context.Context) error { return c.apply(ctx, true) }

type applyCommand struct{ definitionFiles }

func (*applyCommand) Help() string {
	return `All files are applied together or, where one of them is wrong, none.`
}

func (c *applyCommand) Run(ctx context.Context) error { return c.apply(ctx, false) }

// wireDefinition is a definition as the API has it.
type wireDefinition struct {
	Kind definition.Kind `json:"kind"`
	Name string          `json:"name"`
	Spec json.RawMessage `json:"spec"`
}

// change is what the API says of one definition.
type change struct {
	Kind, Name, Action string
	Fields             []struct {
		Field    string
		Old, New json.RawMessage
	}
	Warnings []warning // of a segment or a computed trait
}

// warning is what the API doubts at a place of a text.
type warning struct {
	Message, Location string
	Line, Column      int
}

// tell writes a warning about a text.
func (w warning) tell(to io.Writer, text string) {
	if w.Line > 0 {
		text = fmt.Sprintf("%s:%d:%d", text, w.Line, w.Column)
	}
	fmt.Fprintf(to, "warning: %s: %s\n", text, w.Message)
}

func (c *definitionFiles) apply(ctx context.Context, dryRun bool) error {
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		return badUsage("there is no directory %s", c.Dir)
	}
	files, err := definition.ReadFiles(os.DirFS(c.Dir))
	if err != nil {
		return err
	}
	request := struct {
		Definitions []wireDefinition `json:"definitions"`
		DryRun      bool             `json:"dry_run"`
		Prune       bool             `json:"prune"`
	}{[]wireDefinition{}, dryRun, c.Prune}
	for _, f := range files {
		request.Definitions = append(request.Definitions, wireDefinition{f.Kind, f.Name, f.Spec})
	}
	return c.with(ctx, func(api *client.Client) error {
		var answer json.RawMessage
		if err := api.Call(ctx, http.MethodPost, "/api/v1/definitions/apply", request, &answer); err != nil {
			return inFiles(err, files)
		}
		if c.JSON {
			return writeJSON(c.streams.Out, answer)
		}
		var outcome struct{ Changes []change }
		if err := json.Unmarshal(answer, &outcome); err != nil {
			return fault.Wrap(fault.Internal, err, "the answer cannot be read")
		}
		writeChanges(c.streams.Out, outcome.Changes, dryRun)
		c.warn(ctx, api, files, outcome.Changes)
		return nil
	})
}

// expressionFields are where definitions have an expression.
var expressionFields = map[definition.Kind]string{definition.Segment: "condition", definition.Trait: "expression"}

// warn tells likely mistakes in the definitions that are new or change.
func (c *definitionFiles) warn(ctx context.Context, api *client.Client, files []definition.File, changes []change) {
	touched := map[definition.Ref]change{}
	for _, ch := range changes {
		if ch.Action == "create" || ch.Action == "update" {
			touched[definition.Ref{Kind: definition.Kind(ch.Kind), Name: ch.Name}] = ch
		}
	}
	for _, f := range files {
		ch, is := touched[f.Ref]
		for _, w := range ch.Warnings {
			w.tell(c.streams.Err, f.Path+": "+expressionFields[f.Kind])
		}
		if !is || f.Kind != definition.Template {
			continue
		}
		var mail struct{ Warnings []warning }
		if err := api.Call(ctx, http.MethodPost, "/api/v1/templates/preview", f.Spec, &mail); err != nil {
			for _, wrong := range fault.All(err) {
				fmt.Fprintf(c.streams.Err, "warning: %s: %v\n", f.Path, wrong)
			}
		}
		for _, w := range mail.Warnings {
			w.tell(c.streams.Err, f.Path+": "+w.Location)
		}
	}
}

// inFiles puts the path of the file in the place of "segment[vip].", with which the API names a definition.
func inFiles(err error, files []definition.File) error {
	var named []error
	for _, f := range fault.All(err) {
		clone := *f
		for _, file := range files {
			prefix := fmt.Sprintf("%s[%s]", file.Kind, file.Name)
			if rest, is := strings.CutPrefix(clone.Field, prefix); is {
				clone.Field = strings.TrimSuffix(file.Path+": "+strings.TrimPrefix(rest, "."), ": ")
			}
		}
		named = append(named, &clone)
	}
	return errors.Join(named...)
}

var marks = map[string]string{"create": "+", "update": "~", "delete": "-"}

func writeChanges(w io.Writer, changes []change, dryRun bool) {
	counts := map[string]int{}
	for _, c := range changes {
		counts[c.Action]++
		if c.Action == "unchanged" {
			continue
		}
		fmt.Fprintf(w, "%s %s %s\n", marks[c.Action], c.Kind, c.Name)
		if c.Action != "update" {
			continue
		}
		for _, f := range c.Fields {
			fmt.Fprintf(w, "    %s: %s → %s\n", f.Field, clip(f.Old), clip(f.New))
		}
	}
	summary := "Applied: %d created, %d changed, %d deleted, %d unchanged.\n"
	if dryRun {
		summary = "Plan: %d to create, %d to change, %d to delete, %d unchanged.\n"
	}
	fmt.Fprintf(w, summary,
		counts["create"], counts["update"], counts["delete"], counts["unchanged"])
}

// clip shows a value of JSON on one line.
func clip(value json.RawMessage) string {
	if len(value) == 0 {
		return "nothing"
	}
	return cell(string(value))
}

type exportCommand struct {
	connection
	Dir string `arg:"" help:"Directory to write into; it is made where it does not exist."`
}

func (*exportCommand) Help() string {
	return `Files of definitions that no longer exist are left alone: put the directory under version control.`
}

func (c *exportCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(api *client.Client) error {
		count := 0
		for object, err := range api.List(ctx, "/api/v1/definitions", nil, 0) {
			if err != nil {
				return err
			}
			var d wireDefinition
			if err := json.Unmarshal(object, &d); err != nil {
				return fault.Wrap(fault.Internal, err, "a definition cannot be read")
			}
			if err := c.write(definition.Entry{Ref: definition.Ref{Kind: d.Kind, Name: d.Name}, Spec: d.Spec}); err != nil {
				return err
			}
			count++
		}
		fmt.Fprintf(c.streams.Err, "wrote %d definitions into %s\n", count, c.Dir)
		return nil
	})
}

func (c *exportCommand) write(entry definition.Entry) error {
	files, err := entry.Files()
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(c.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // definitions are for the whole team
			return fault.Wrap(fault.Invalid, err, "the directory cannot be made")
		}
		if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // as above
			return fault.Wrap(fault.Invalid, err, "the file cannot be written")
		}
	}
	return nil
}
