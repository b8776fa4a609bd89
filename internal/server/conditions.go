package server

import (
	"cmp"
	"context"
	"errors"

	"github.com/tailorbird/tailorbird/internal/expr"
	"github.com/tailorbird/tailorbird/internal/fault"
)

type conditionTreeInput struct {
	Body struct {
		Text *string    `json:"text,omitempty" maxLength:"10000" doc:"A condition, to be shown in a form"`
		Tree *expr.Node `json:"tree,omitempty" doc:"A form's condition, to be written as text"`
		As   string     `json:"as,omitempty" enum:"condition,value" doc:"value for the expression of a computed trait; condition when left out"`
	}
}

// ConditionTree is a condition both ways, as text and as the tree that a form shows.
type ConditionTree struct {
	Text     string         `json:"text"`
	Tree     expr.Node      `json:"tree" doc:"What no form can show is a node of kind text"`
	Warnings []expr.Warning `json:"warnings" doc:"Names in the text that are not known"`
}

// conditionTree reads a condition as a tree or writes a tree as a condition. The answer is always one that compiles, and
// its tree is the one that its text reads as.
func (s *server) conditionTree(ctx context.Context, in *conditionTreeInput) (answer[ConditionTree], error) {
	var out ConditionTree
	field := "text"
	switch {
	case (in.Body.Text == nil) == (in.Body.Tree == nil):
		return answer[ConditionTree]{}, fault.Field("text", "give either text or tree")
	case in.Body.Tree != nil:
		field = "tree"
		text, err := expr.Text(*in.Body.Tree)
		if err != nil {
			return answer[ConditionTree]{}, inside(field, err)
		}
		out.Text = text
	default:
		out.Text = *in.Body.Text
	}
	compile, value := expr.Condition, in.Body.As == "value"
	if value {
		compile = expr.Value
	}
	var err error
	if _, err = compile(out.Text); err != nil {
		if in.Body.Tree != nil {
			err = cmp.Or(expr.CheckTree(*in.Body.Tree, value), err)
		}
		return answer[ConditionTree]{}, inside(field, err)
	}
	if out.Tree, err = expr.Tree(out.Text); err != nil {
		return answer[ConditionTree]{}, inside(field, err)
	}
	out.Warnings, err = s.warnings(ctx, out.Text)
	return answer[ConditionTree]{out}, err
}

// inside says of an expression's errors which member of the body they are in.
func inside(member string, err error) error {
	var faults []error
	for _, f := range fault.All(err) {
		located := *f
		located.Field = member
		if f.Field != "" {
			located.Field += "." + f.Field
		}
		faults = append(faults, &located)
	}
	return errors.Join(faults...)
}
