package definition

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Action is what happens to one definition.
type Action string

// The actions.
const (
	Create    Action = "create"
	Update    Action = "update"
	Delete    Action = "delete"
	Unchanged Action = "unchanged"
)

// Change is what a plan does to one definition.
type Change struct {
	Ref
	Action Action
	Fields []Field // what differs, by name; every field of a created or deleted definition
}

// Field is one difference.
type Field struct {
	Name     string
	Old, New json.RawMessage // nil where it is absent
}

// difference compares two canonical specs field by field; members of nested objects are named with dots, "utm.source".
func difference(old, updated json.RawMessage) []Field {
	fields := []Field{}
	compare("", members(old), members(updated), &fields)
	return fields
}

func compare(prefix string, old, updated map[string]json.RawMessage, fields *[]Field) {
	names := maps.Clone(old)
	if names == nil {
		names = map[string]json.RawMessage{}
	}
	maps.Copy(names, updated)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := old[name], updated[name]
		switch {
		case bytes.Equal(a, b):
		case members(a) != nil && members(b) != nil:
			compare(prefix+name+".", members(a), members(b), fields)
		default:
			*fields = append(*fields, Field{Name: prefix + name, Old: a, New: b})
		}
	}
}

// members reads a JSON object; nil for any other value.
func members(object json.RawMessage) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if len(object) == 0 || object[0] != '{' || json.Unmarshal(object, &m) != nil {
		return nil
	}
	return m
}

// plan compares the entries with what is there.
func (r *Registry) plan(entries []Entry, before Set, prune bool) ([]Change, Set, []problem) {
	after := before.clone()
	listed := map[Ref]bool{}
	changes := []Change{}
	var problems []problem
	for _, e := range entries {
		spec, err := r.normalise(e)
		if err == nil && listed[e.Ref] {
			err = fault.Field("name", "is defined twice")
		}
		if err != nil {
			problems = append(problems, problem{e.Ref, err})
			continue
		}
		listed[e.Ref] = true
		old, existed := before.byRef[e.Ref]
		change := Change{Ref: e.Ref, Action: Create, Fields: difference(old.Spec, spec)}
		if existed && bytes.Equal(old.Spec, spec) {
			change.Action = Unchanged
		} else if existed {
			change.Action = Update
		}
		changes = append(changes, change)
		after.byRef[e.Ref] = Definition{Ref: e.Ref, Version: old.Version, Spec: spec, CreatedAt: old.CreatedAt}
	}
	if prune {
		for ref, old := range before.byRef {
			if !listed[ref] {
				changes = append(changes, Change{Ref: ref, Action: Delete, Fields: difference(old.Spec, nil)})
				delete(after.byRef, ref)
			}
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return compareRefs(a.Ref, b.Ref) })
	return changes, after, problems
}

func (r *Registry) normalise(e Entry) (json.RawMessage, error) {
	if err := CheckKind(e.Kind); err != nil {
		return nil, err
	}
	if err := CheckName(e.Name); err != nil {
		return nil, err
	}
	spec, err := canonical(e.Spec)
	if err != nil {
		return nil, err
	}
	if normalise := r.config.Rules[e.Kind].Normalise; normalise != nil {
		if spec, err = normalise(e.Name, spec); err != nil {
			return nil, err
		}
	}
	return canonical(spec)
}
