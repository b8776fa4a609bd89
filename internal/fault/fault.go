// Package fault is the one error type of Tailorbird. An Error says what kind of failure it is (Code), which input
// caused it (Field, Line, Column) and what to do about it (Message). Adapters translate the code: the server into an
// HTTP status, the command line into an exit status. Nobody inspects error text.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code classifies a failure by who can mend it.
type Code string

// The codes, and the HTTP status that each becomes.
const (
	Invalid      Code = "invalid"      // 400 or 422: the input is wrong; Field names it
	Unauthorized Code = "unauthorized" // 401: no key, or an unknown one
	Forbidden    Code = "forbidden"    // 403: the key lacks the scope
	NotFound     Code = "not_found"    // 404: no such object
	Conflict     Code = "conflict"     // 409: the object is in a state that forbids it
	TooLarge     Code = "too_large"    // 413: the input is over a documented limit
	RateLimited  Code = "rate_limited" // 429: too many requests; RetryAfter says when
	Unavailable  Code = "unavailable"  // 503: overloaded or stopping; RetryAfter says when
	Internal     Code = "internal"     // 500: our defect
)

// Error is a failure that a caller can act upon.
type Error struct {
	Code       Code
	Message    string        // what is wrong and how to mend it, for people
	Field      string        // the input's path, such as "batch[3].userId"; empty where none is to blame
	Line       int           // 1-based position inside Field's text; 0 where it has none
	Column     int           // 1-based, in characters
	RetryAfter time.Duration // for RateLimited and Unavailable
	Setting    string        // of the program that is to blame, by its name in the config file; empty where none is
	Cause      error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Setting != "" {
		b.WriteString(SettingName(e.Setting) + ": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	return b.String()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an error about no particular field.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Field makes an Invalid error that names the field to blame.
func Field(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Setting makes an Invalid error that names the setting to blame, such as redis_url.
func Setting(name, format string, args ...any) *Error {
	return &Error{Code: Invalid, Setting: name, Message: fmt.Sprintf(format, args...)}
}

// SettingName is how people give a setting: --redis-url (TAILORBIRD_REDIS_URL).
func SettingName(setting string) string {
	return "--" + strings.ReplaceAll(setting, "_", "-") + " (TAILORBIRD_" + strings.ToUpper(setting) + ")"
}

// Wrap gives cause a code and a sentence. A nil cause gives nil.
func Wrap(code Code, cause error, format string, args ...any) error {
	if cause == nil {
		return nil
	}
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// CodeOf is the code of the first Error in err's chain, Internal where there is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var f *Error
	if errors.As(err, &f) {
		return f.Code
	}
	return Internal
}

// All lists every Error in err: one for a plain Error, several for a joined one. A foreign error becomes Internal.
func All(err error) []*Error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Error
		for _, e := range joined.Unwrap() {
			all = append(all, All(e)...)
		}
		return all
	}
	var f *Error
	if errors.As(err, &f) {
		return []*Error{f}
	}
	return []*Error{{Code: Internal, Message: "unexpected failure", Cause: err}}
}
