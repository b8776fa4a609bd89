package definition

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// problem is what is wrong with one entry.
type problem struct {
	Ref
	err error
}

// plain joins the faults of problems as they are: with one definition in hand, its fields need no prefix.
func plain(problems []problem) error {
	var faults []error
	for _, p := range problems {
		faults = append(faults, p.err)
	}
	return errors.Join(faults...)
}

// named joins the faults of problems with the definition before each field.
func named(problems []problem) error {
	var faults []error
	for _, p := range problems {
		for _, f := range fault.All(p.err) {
			clone := *f
			clone.Field = strings.TrimSuffix(fmt.Sprintf("%s[%s].%s", p.Kind, p.Name, f.Field), ".")
			faults = append(faults, &clone)
		}
	}
	return errors.Join(faults...)
}

// check holds the result against the rules of its kinds.
func (r *Registry) check(ctx context.Context, changes []Change, before, after Set) []problem {
	problems := r.unresolved(before, after)
	for _, c := range changes {
		rules := r.config.Rules[c.Kind]
		var err error
		if (c.Action == Update || c.Action == Delete) && rules.Allow != nil {
			err = rules.Allow(ctx, c.Action, c.Name)
		}
		if (c.Action == Create || c.Action == Update) && rules.Check != nil && err == nil && len(problems) == 0 {
			err = rules.Check(ctx, c.Name, after.byRef[c.Ref].Spec, after)
		}
		if err != nil {
			problems = append(problems, problem{c.Ref, err})
		}
	}
	return problems
}

// unresolved finds the references that lead nowhere: Conflict where the target is being deleted, Invalid where it never
// was.
func (r *Registry) unresolved(before, after Set) (problems []problem) {
	deleted := map[Ref]bool{}
	for _, d := range before.All() {
		if _, stays := after.byRef[d.Ref]; !stays {
			deleted[d.Ref] = true
		}
	}
	users := map[Ref][]string{}
	used := func(target Ref, by Ref) {
		if name := by.String(); deleted[target] && !slices.Contains(users[target], name) {
			users[target] = append(users[target], name)
		}
	}
	for _, d := range after.All() {
		rules := r.config.Rules[d.Kind]
		if rules.Uses != nil {
			for _, use := range rules.Uses(d.Spec) {
				if _, there := after.byRef[use.Ref]; !there && !deleted[use.Ref] {
					problems = append(problems, problem{d.Ref, fault.Field(use.Field, "there is no %s; create it first", use.Ref)})
				}
				used(use.Ref, d.Ref)
			}
		}
		if rules.Reads != nil && len(deleted) > 0 {
			for _, ref := range rules.Reads(d.Spec) {
				used(ref, d.Ref)
			}
		}
	}
	for _, d := range before.All() {
		if by := users[d.Ref]; len(by) > 0 {
			problems = append(problems, problem{d.Ref, fault.New(fault.Conflict,
				"%s is used by %s; change or delete that first", d.Ref, strings.Join(by, ", "))})
		}
	}
	return problems
}
