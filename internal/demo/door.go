package demo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// How long the driver asks again where the server says "later" or cannot be reached.
const (
	patience   = 90 * time.Second
	firstPause = 200 * time.Millisecond
	longPause  = 10 * time.Second
	maxAnswer  = 16 << 20 // bytes
)

// door is how the driver speaks to the server.
type door struct {
	base, writeKey, apiKey string
	client                 *http.Client
}

func newDoor(c *Config) *door {
	client := *c.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &door{base: c.BaseURL, writeKey: c.WriteKey, apiKey: c.APIKey, client: &client}
}

// track posts a body to the tracking API.
func (d *door) track(ctx context.Context, path string, body []byte) error {
	return d.send(ctx, "POST", path, body, nil, func(r *http.Request) { r.SetBasicAuth(d.writeKey, "") })
}

// get reads from the management API.
func (d *door) get(ctx context.Context, path string, answer any) error {
	return d.send(ctx, "GET", path, nil, answer, d.bearer)
}

// post writes to the management API.
func (d *door) post(ctx context.Context, path string, value, answer any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "a request cannot be written")
	}
	return d.send(ctx, "POST", path, body, answer, d.bearer)
}

func (d *door) bearer(r *http.Request) { r.Header.Set("Authorization", "Bearer "+d.apiKey) }

// send makes one request, again and again while the server says that it is busy or does not answer.
func (d *door) send(ctx context.Context, method, path string, body []byte, answer any, sign func(*http.Request)) error {
	deadline, pause := time.Now().Add(patience), firstPause
	for {
		r, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(body))
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "%s is not an address", d.base+path)
		}
		sign(r)
		if body != nil {
			r.Header.Set("Content-Type", "application/json")
		}
		err = d.once(r, answer)
		var f *fault.Error
		if err == nil || ctx.Err() != nil || !errors.As(err, &f) || f.Code != fault.Unavailable && f.Code != fault.RateLimited || time.Now().After(deadline) {
			return err
		}
		if f.RetryAfter > 0 {
			pause = min(f.RetryAfter, longPause)
		}
		if !wait(ctx, pause) {
			return ctx.Err()
		}
		pause = min(pause*2, longPause)
	}
}

// once makes a request and reads its answer.
func (d *door) once(r *http.Request, answer any) error {
	response, err := d.client.Do(r)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the server at %s does not answer", d.base)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the server's answer broke off")
	}
	if response.StatusCode >= 300 {
		return refusal(r, response, body)
	}
	if answer == nil {
		return nil
	}
	return fault.Wrap(fault.Internal, json.Unmarshal(body, answer), "the answer of %s cannot be read", r.URL.Path)
}

// refusal turns an answer other than success into a fault.
func refusal(r *http.Request, response *http.Response, body []byte) error {
	var problem struct {
		Code   fault.Code `json:"code"`
		Title  string     `json:"title"`
		Detail string     `json:"detail"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
			Line     int    `json:"line"`
			Column   int    `json:"column"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &problem) != nil || problem.Code == "" {
		problem.Code = codeOf(response.StatusCode)
	}
	f := fault.New(problem.Code, "%s %s answered %s: %s", r.Method, r.URL.Path, response.Status, cmp.Or(problem.Detail, problem.Title))
	if len(problem.Errors) > 0 {
		e := problem.Errors[0]
		f.Field, f.Line, f.Column, f.Message = e.Location, e.Line, e.Column, e.Message
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		f.RetryAfter = time.Duration(seconds) * time.Second
	}
	return f
}

func codeOf(status int) fault.Code {
	switch status {
	case http.StatusUnauthorized:
		return fault.Unauthorized
	case http.StatusForbidden:
		return fault.Forbidden
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusTooManyRequests:
		return fault.RateLimited
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return fault.Unavailable
	}
	if status >= 500 {
		return fault.Internal
	}
	return fault.Invalid
}

// wait pauses; false where the context ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
