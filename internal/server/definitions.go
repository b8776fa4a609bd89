package server

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tailorbird/tailorbird/internal/access"
	"github.com/tailorbird/tailorbird/internal/definition"
	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// Version is one entry of a definition's history.
type Version struct {
	Version   int       `json:"version"`
	Deleted   bool      `json:"deleted" doc:"This version deleted it"`
	Spec      Object    `json:"spec,omitempty" doc:"The definition as it was, without kind and name"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by" doc:"The name of the key"`
}

type versionsInput struct {
	DefinitionName
	Paging
}

// definitions registers what every kind has alike: history and deletion.
func definitions(s *server, path string, kind definition.Kind) {
	noun := string(kind)
	name := strings.ToUpper(noun[:1]) + noun[1:]
	get(s, access.Read, path+"/{name}/versions", "list"+name+"Versions", "The history of a "+noun+", newest first",
		func(ctx context.Context, in *versionsInput) (answer[page[Version]], error) {
			return s.listVersions(ctx, kind, in)
		})
	remove(s, changing(kind), path+"/{name}", "delete"+name, "Delete a "+noun+"; its history stays",
		func(ctx context.Context, in *DefinitionName) (nothing, error) {
			return nothing{}, s.config.Definitions.Delete(ctx, kind, in.Name, caller(ctx).Name)
		})
}

// changing is the scope that changing a kind needs. A source names servers and the passwords that they are sent, so that
// it is a matter for those who may see to keys.
func changing(kind definition.Kind) access.Scope {
	if kind == definition.Source {
		return access.Admin
	}
	return access.Write
}

// mayChange is Forbidden where the caller's key is not enough for one of the changes.
func mayChange(ctx context.Context, changes []definition.Change) error {
	key := caller(ctx)
	for _, c := range changes {
		if scope := changing(c.Kind); c.Action != definition.Unchanged && !key.Allows(scope) {
			return fault.New(fault.Forbidden, "the key %q lacks the scope %s, which changing the %s needs", key.Name, scope, c.Ref)
		}
	}
	return nil
}

func (s *server) listVersions(ctx context.Context, kind definition.Kind, in *versionsInput) (answer[page[Version]], error) {
	versions, err := s.config.Definitions.Versions(ctx, kind, in.Name)
	if err != nil {
		return answer[page[Version]]{}, err
	}
	list := make([]Version, len(versions))
	for i, v := range versions {
		list[i] = Version{Version: v.Version, Deleted: v.Spec == nil, Spec: Object(v.Spec), CreatedAt: v.At, CreatedBy: v.By}
	}
	return cut(list, in.Paging)
}

// listDefined gives a page of the definitions of a kind by name; the cursor is the last name of the page before.
func listDefined[T any](ctx context.Context, s *server, kind definition.Kind, in *Paging, show func(definition.Definition) (T, error)) (answer[page[T]], error) {
	all, err := s.config.Definitions.All(ctx)
	if err != nil {
		return answer[page[T]]{}, err
	}
	rest := all.Of(kind)
	for len(rest) > 0 && rest[0].Name <= in.Cursor {
		rest = rest[1:]
	}
	next := ""
	if len(rest) > in.Limit {
		rest = rest[:in.Limit]
		next = rest[len(rest)-1].Name
	}
	items := make([]T, len(rest))
	for i, d := range rest {
		if items[i], err = show(d); err != nil {
			return answer[page[T]]{}, err
		}
	}
	return answer[page[T]]{pageOf(items, next)}, nil
}

// put writes a definition on behalf of the caller.
func (s *server) put(ctx context.Context, kind definition.Kind, name string, spec any) error {
	if err := definition.CheckName(name); err != nil {
		return inPath(err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the definition cannot be written")
	}
	_, err = s.config.Definitions.Put(ctx, kind, name, text, caller(ctx).Name)
	return err
}

// inPath says that a field stands in the path.
func inPath(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	moved := *f
	moved.Field = "path." + f.Field
	return &moved
}

// Definition is anything that people define.
type Definition struct {
	Kind    definition.Kind `json:"kind" enum:"trait,segment,template,campaign,source"`
	Name    string          `json:"name"`
	Version int             `json:"version"`
	Spec    Object          `json:"spec" doc:"The body of the PUT of its kind"`
}

func (s *server) listDefinitions(ctx context.Context, in *Paging) (answer[page[Definition]], error) {
	all, err := s.config.Definitions.All(ctx)
	if err != nil {
		return answer[page[Definition]]{}, err
	}
	list := []Definition{}
	for _, d := range all.All() {
		list = append(list, Definition{Kind: d.Kind, Name: d.Name, Version: d.Version, Spec: Object(d.Spec)})
	}
	return cut(list, *in)
}

type applyInput struct {
	Body struct {
		Definitions []struct {
			Kind definition.Kind `json:"kind" enum:"trait,segment,template,campaign,source"`
			Name string          `json:"name"`
			Spec Object          `json:"spec" doc:"The body of the PUT of its kind"`
		} `json:"definitions" maxItems:"10000"`
		DryRun bool `json:"dry_run,omitempty" doc:"Check and compare, change nothing"`
		Prune  bool `json:"prune,omitempty" doc:"Delete what is not listed"`
	}
}

// Changes is what applying changes, or would.
type Changes struct {
	Changes []Change `json:"changes"`
}

// Change is what happens to one definition.
type Change struct {
	Kind   definition.Kind   `json:"kind"`
	Name   string            `json:"name"`
	Action definition.Action `json:"action" enum:"create,update,delete,unchanged"`
	Fields []Field           `json:"fields" doc:"What differs"`

	Warnings []expr.Warning `json:"warnings,omitempty" doc:"Names in a new or changed condition or expression that are not known"`
}

// Field is one difference; an absent side is null.
type Field struct {
	Field string          `json:"field" doc:"With dots for nested members"`
	Old   json.RawMessage `json:"old"`
	New   json.RawMessage `json:"new"`
}

func (s *server) applyDefinitions(ctx context.Context, in *applyInput) (answer[Changes], error) {
	entries := make([]definition.Entry, len(in.Body.Definitions))
	for i, d := range in.Body.Definitions {
		entries[i] = definition.Entry{Ref: definition.Ref{Kind: d.Kind, Name: d.Name}, Spec: json.RawMessage(d.Spec)}
	}
	options := definition.Options{By: caller(ctx).Name, DryRun: true, Prune: in.Body.Prune}
	changes, err := s.config.Definitions.Apply(ctx, entries, options)
	if err == nil && !in.Body.DryRun {
		if err := mayChange(ctx, changes); err != nil {
			return answer[Changes]{}, err
		}
		options.DryRun = false
		changes, err = s.config.Definitions.Apply(ctx, entries, options)
	}
	if err != nil {
		return answer[Changes]{}, problemOf(err, "") // its fields name definitions, not members of the body
	}
	out := Changes{Changes: make([]Change, len(changes))}
	for i, c := range changes {
		fields := make([]Field, len(c.Fields))
		for j, f := range c.Fields {
			fields[j] = Field{Field: f.Name, Old: f.Old, New: f.New}
		}
		out.Changes[i] = Change{Kind: c.Kind, Name: c.Name, Action: c.Action, Fields: fields}
	}
	return answer[Changes]{out}, s.warnOf(ctx, entries, out.Changes)
}

// warnOf warns of names in conditions and expressions that are new or changed. What the entries define is known,
// whether it has been made or not.
func (s *server) warnOf(ctx context.Context, entries []definition.Entry, changes []Change) error {
	texts := map[definition.Ref]string{}
	for _, e := range entries {
		texts[e.Ref] = expressionOf(e)
	}
	known, err := s.known(ctx, slices.Collect(maps.Values(texts))...)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case e.Kind == definition.Segment:
			known.Segments = append(known.Segments, e.Name)
		case e.Kind == definition.Trait && known.Traits != nil:
			known.Traits = append(known.Traits, e.Name)
		}
	}
	for i, c := range changes {
		if c.Action == definition.Create || c.Action == definition.Update {
			changes[i].Warnings = expr.Warnings(texts[definition.Ref{Kind: c.Kind, Name: c.Name}], known)
		}
	}
	return nil
}

// expressionOf is the condition of a segment or the expression of a computed trait, "" for what has none. The entry has
// been checked.
func expressionOf(e definition.Entry) string {
	switch e.Kind {
	case definition.Segment:
		spec, _ := definition.Decode[SegmentSpec](e.Spec)
		return spec.Condition
	case definition.Trait:
		spec, _ := definition.Decode[TraitSpec](e.Spec)
		return spec.Expression
	}
	return ""
}

// specOf reads a stored spec; one that cannot be read is our defect.
func specOf[T any](d definition.Definition) (T, error) {
	var spec T
	err := json.Unmarshal(d.Spec, &spec)
	return spec, fault.Wrap(fault.Internal, err, "the stored %s cannot be read", d.Ref)
}
