package server

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// Problem is an error answer: problem details (RFC 9457) with a code, and the places to blame.
type Problem struct {
	Type   string   `json:"type" example:"about:blank"`
	Title  string   `json:"title" doc:"The status in words"`
	Status int      `json:"status"`
	Detail string   `json:"detail" doc:"What is wrong and how to mend it"`
	Code   string   `json:"code" enum:"invalid,unauthorized,forbidden,not_found,conflict,too_large,rate_limited,unavailable,internal"`
	Errors []Detail `json:"errors,omitempty"`

	retryAfter time.Duration
	challenge  string // of WWW-Authenticate
}

// Detail is one place to blame.
type Detail struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty" doc:"Such as body.condition, query.limit or batch[3].userId"`
	Line     int    `json:"line,omitempty" doc:"From 1, inside the text of location"`
	Column   int    `json:"column,omitempty" doc:"From 1, in characters"`
}

// Error, GetStatus, GetHeaders and ContentType make a Problem what huma writes as it is.
func (p *Problem) Error() string { return p.Detail }

// GetStatus gives the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType gives problem details their media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders says when to try again, and how to authenticate.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	if p.challenge != "" {
		h.Set("WWW-Authenticate", p.challenge)
	}
	return h
}

// statuses is the one table from codes to HTTP. Invalid is 422 where the management API read a well-formed document,
// and 400 in the tracking API, as Segment has it.
var statuses = map[fault.Code]int{
	fault.Invalid:      http.StatusUnprocessableEntity,
	fault.Unauthorized: http.StatusUnauthorized,
	fault.Forbidden:    http.StatusForbidden,
	fault.NotFound:     http.StatusNotFound,
	fault.Conflict:     http.StatusConflict,
	fault.TooLarge:     http.StatusRequestEntityTooLarge,
	fault.RateLimited:  http.StatusTooManyRequests,
	fault.Unavailable:  http.StatusServiceUnavailable,
	fault.Internal:     http.StatusInternalServerError,
}

// problemOf turns any error into an answer. A field without a root belongs to root, such as "body". What went wrong
// inside is for the log, not for the answer.
func problemOf(err error, root string) *Problem {
	var done *Problem
	if errors.As(err, &done) {
		return done
	}
	faults := fault.All(err)
	first := faults[0]
	p := &Problem{Code: string(first.Code), Status: statuses[first.Code], retryAfter: first.RetryAfter}
	if p.Status == 0 || first.Code == fault.Internal {
		p.Code, p.Status, p.Detail = string(fault.Internal), http.StatusInternalServerError,
			"something went wrong on our side; the log of the server says more under the id in X-Request-Id"
		return p.titled()
	}
	for _, f := range faults {
		if f.Code != fault.Internal {
			p.Errors = append(p.Errors, Detail{Message: f.Message, Location: located(root, f.Field), Line: f.Line, Column: f.Column})
		}
	}
	p.Detail = sentence(p.Errors[0])
	if len(p.Errors) == 1 && p.Errors[0].Location == "" {
		p.Errors = nil // the detail says it all
	}
	if first.Code == fault.Unavailable && p.retryAfter == 0 {
		p.retryAfter = time.Second
	}
	return p.titled()
}

func (p *Problem) titled() *Problem {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	return p
}

func located(root, field string) string {
	if root == "" || field == "" {
		return field
	}
	for _, other := range []string{"query.", "path.", "header.", "body."} {
		if strings.HasPrefix(field, other) {
			return field
		}
	}
	return root + "." + field
}

func sentence(d Detail) string {
	if d.Location == "" {
		return d.Message
	}
	place := d.Location
	if d.Line > 0 {
		place += ", line " + strconv.Itoa(d.Line) + ", column " + strconv.Itoa(d.Column)
	}
	return place + ": " + d.Message
}

// write answers with the problem.
func (p *Problem) write(w http.ResponseWriter) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller has gone, if this fails
}

// notAllowed answers a method that a path does not have.
func notAllowed(w http.ResponseWriter, has ...string) {
	w.Header().Set("Allow", strings.Join(has, ", "))
	p := &Problem{Status: http.StatusMethodNotAllowed, Code: string(fault.Invalid), Detail: "only " + strings.Join(has, " and ") + " are answered here"}
	p.titled().write(w)
}

// missingMember is how huma shall say that a required member is missing: a form of our own, whose end is its name.
const missingMember = "missing "

// What huma finds wrong by itself (a member of the wrong type, an unknown one) becomes a Problem too, and lists are
// never null. Huma has no other door for this than its variables; they are set once, before any API exists.
func init() {
	huma.DefaultArrayNullable = false
	validation.MsgExpectedRequiredProperty = missingMember + "%s"
	validation.MsgUnexpectedProperty = "is unknown here; look for a misspelling"
	validation.MsgExpectedString = "must be a string"
	validation.MsgExpectedNumber = "must be a number"
	validation.MsgExpectedInteger = "must be a whole number"
	validation.MsgExpectedBoolean = "must be true or false"
	validation.MsgExpectedArray = "must be a list"
	validation.MsgExpectedObject = "must be an object"
	validation.MsgExpectedOneOf = "must be one of \"%s\""
	validation.MsgExpectedMinimumNumber = "must be at least %v"
	validation.MsgExpectedMaximumNumber = "must be at most %v"
	validation.MsgExpectedMinLength = "is too short; give at least %d characters"
	validation.MsgExpectedMaxLength = "is too long; at most %d characters are allowed"
	validation.MsgExpectedMinItems = "must have at least %d items"
	validation.MsgExpectedMaxItems = "has too many items; at most %d are allowed"
	huma.NewError = func(status int, message string, causes ...error) huma.StatusError {
		p := &Problem{Status: status, Detail: message, Code: codeOf(status)}
		for _, cause := range causes {
			if d, ok := cause.(huma.ErrorDetailer); ok {
				detail := d.ErrorDetail()
				message, location := detail.Message, detail.Location
				if name, missing := strings.CutPrefix(message, missingMember); missing {
					message, location = name+" is missing", located(location, name)
				}
				p.Errors = append(p.Errors, Detail{Message: message, Location: location})
			} else if cause != nil {
				p.Errors = append(p.Errors, Detail{Message: cause.Error(), Location: "body"})
			}
		}
		if len(p.Errors) > 0 {
			p.Detail = sentence(p.Errors[0])
		}
		return p.titled()
	}
}

func codeOf(status int) string {
	for code, s := range statuses {
		if s == status {
			return string(code)
		}
	}
	if status >= http.StatusInternalServerError {
		return string(fault.Internal)
	}
	return string(fault.Invalid)
}
