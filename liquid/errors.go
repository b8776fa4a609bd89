package liquid

import (
	"errors"
	"strconv"
	"strings"
)

// Kind says what class of problem an Error is.
type Kind uint8

// The kinds of errors. Those from SourceLimit on mean that a limit of Limits was reached.
const (
	// SyntaxError is a template that cannot be parsed.
	SyntaxError Kind = iota + 1
	// ArgumentError is a filter or tag given a value it cannot work with.
	ArgumentError
	// ZeroDivisionError is a division or remainder by zero.
	ZeroDivisionError
	// UndefinedVariableError is a missing variable where strict variables are on.
	UndefinedVariableError
	// UndefinedFilterError is a filter that no one registered.
	UndefinedFilterError
	// PartialError is a partial template that could not be loaded.
	PartialError
	// ObjectError is an object whose loading failed; Unwrap gives the cause.
	ObjectError
	// InternalError is a panic in a filter, tag, drop or object that the application registered.
	InternalError
	// Canceled is a context that ended; Unwrap gives its error.
	Canceled
	// SourceLimit is a source longer than Limits.Source.
	SourceLimit
	// DepthLimit is nesting of blocks, expressions or partials deeper than Limits.Depth.
	DepthLimit
	// StepLimit is a rendering that took more than Limits.Steps.
	StepLimit
	// OutputLimit is an output longer than Limits.Output.
	OutputLimit
	// MemoryLimit is a rendering whose intermediate values outgrew Limits.Memory.
	MemoryLimit
	// TimeLimit is a rendering that took longer than Limits.Time.
	TimeLimit
)

var kindNames = [...]string{
	SyntaxError: "syntax", ArgumentError: "argument", ZeroDivisionError: "zero_division", UndefinedVariableError: "undefined_variable",
	UndefinedFilterError: "undefined_filter", PartialError: "partial", ObjectError: "object", InternalError: "internal",
	Canceled: "canceled", SourceLimit: "limit_source", DepthLimit: "limit_depth", StepLimit: "limit_steps",
	OutputLimit: "limit_output", MemoryLimit: "limit_memory", TimeLimit: "limit_time",
}

// String returns the kind in snake case, for logs and wire formats.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "unknown"
}

// Error is the one error type of this package. Parse and Render return only *Error.
type Error struct {
	Kind     Kind
	Template string // name of the partial; empty for the template itself
	Line     int    // from 1; 0 when unknown
	Column   int    // from 1, in characters; 0 when unknown
	Message  string // without the position
	Err      error  // cause, if any
}

// Error returns the message with its position.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("liquid: ")
	if e.Template != "" {
		b.WriteString(e.Template)
		b.WriteString(": ")
	}
	if e.Line > 0 {
		b.WriteString("line ")
		b.WriteString(strconv.Itoa(e.Line))
		b.WriteString(", column ")
		b.WriteString(strconv.Itoa(e.Column))
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Limit reports whether the error means that a limit was reached.
func (e *Error) Limit() bool { return e.Kind >= SourceLimit }

// fatal reports whether the error ends a rendering in lax mode too.
func (e *Error) fatal() bool { return e.Kind == Canceled || e.Limit() }

// inline is the text that lax mode writes in place of what failed.
func (e *Error) inline() string {
	word := "Liquid error"
	if e.Kind == SyntaxError {
		word = "Liquid syntax error"
	}
	return word + " (line " + strconv.Itoa(e.Line) + "): " + e.Message
}

func newError(kind Kind, message string) *Error { return &Error{Kind: kind, Message: message} }

// asError turns what a filter, tag or object returned into an *Error, keeping one that already is.
func asError(err error, kind Kind) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: kind, Message: err.Error(), Err: err}
}

// at fills in the position, once.
func (e *Error) at(p *program, offset int32) *Error {
	if e.Line == 0 {
		located := *e
		located.Template = p.name
		located.Line, located.Column = p.position(int(offset))
		return &located
	}
	return e
}
