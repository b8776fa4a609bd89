package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestCodeSurvivesWrapping(t *testing.T) {
	err := fmt.Errorf("loading: %w", Field("userId", "is missing"))
	if got := CodeOf(err); got != Invalid {
		t.Fatalf("code of a wrapped error: %q", got)
	}
	if got := CodeOf(errors.New("disk")); got != Internal {
		t.Fatalf("code of a foreign error: %q", got)
	}
	if got := CodeOf(nil); got != "" {
		t.Fatalf("code of nil: %q", got)
	}
}

func TestAllFlattensJoinedErrors(t *testing.T) {
	err := errors.Join(Field("a", "one"), errors.Join(Field("b", "two"), errors.New("three")))
	var fields []string
	for _, f := range All(err) {
		fields = append(fields, f.Field+"/"+string(f.Code))
	}
	if got, want := fmt.Sprint(fields), "[a/invalid b/invalid /internal]"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestErrorNamesThePosition(t *testing.T) {
	err := &Error{Code: Invalid, Field: "condition", Line: 2, Column: 7, Message: "unknown function", Cause: errors.New("x")}
	if got, want := err.Error(), "condition:2:7: unknown function: x"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}
