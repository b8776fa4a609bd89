// Package client speaks Tailorbird's API: the tracking endpoints and the management API, as any program outside would.
// The command line uses it, over the network or straight into the handler of a program in the same process.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// How long a Client asks again where the server is busy or does not answer.
const (
	patience   = 60 * time.Second
	firstPause = 100 * time.Millisecond
	longPause  = 5 * time.Second
	maxAnswer  = 64 << 20 // bytes
)

// Config says which server. URL is required; a key is, where a call needs it.
type Config struct {
	URL      string       // of the server, such as http://127.0.0.1:8080
	APIKey   string       // of the management API
	WriteKey string       // of the tracking API
	HTTP     *http.Client // default: one that waits a minute for an answer
	// Patience is how long a server is asked again that is Unavailable; default a minute, which is also how long one is that is
	// only busy.
	Patience time.Duration
	Waiting  func(refused error) // called once for a call that is made again, with what the server said first; may be nil
}

// Client makes calls. It may be used by several goroutines.
type Client struct {
	base             string
	apiKey, writeKey string
	http             *http.Client
	patience         time.Duration // with a server that is Unavailable
	waiting          func(error)
	reached          atomic.Bool // the server has answered before
}

// New makes a Client; Invalid for an address that is none.
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fault.Field("server", "%q is not an address such as http://127.0.0.1:8080", config.URL)
	}
	c := &Client{
		base: strings.TrimSuffix(config.URL, "/"), apiKey: config.APIKey, writeKey: config.WriteKey, http: config.HTTP,
		patience: cmp.Or(config.Patience, patience), waiting: config.Waiting,
	}
	if c.http == nil {
		c.http = &http.Client{Timeout: time.Minute}
	}
	return c, nil
}

// URL is the address of the server, without a final slash.
func (c *Client) URL() string { return c.base }

// Call makes one call of the management API. A nil in sends no body; a nil out drops the answer; a *json.RawMessage
// takes it as it is. The fault carries the code and the places that the server names; a Client asks again while the
// server is busy, for a minute, or unavailable, for as long as Config says.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fault.Wrap(fault.Internal, err, "the request cannot be written")
		}
	}
	once := rand.Text() // so that asking again does not do it again
	return c.send(ctx, method, path, body, out, func(r *http.Request) {
		if c.apiKey != "" {
			r.Header.Set("Authorization", "Bearer "+c.apiKey)
		}
		if method == http.MethodPost {
			r.Header.Set("Idempotency-Key", once)
		}
	})
}

// Get reads one object of the management API.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.Call(ctx, http.MethodGet, path, nil, out)
}

// Download writes what stands at path of the management API to w, however long that takes. Nothing has been written where
// the server refuses.
func (c *Client) Download(ctx context.Context, path string, w io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "%s is not an address", c.base+path)
	}
	r.Header.Set("Authorization", "Bearer "+c.apiKey)
	patient := *c.http
	patient.Timeout = 0
	response, err := patient.Do(r)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // what there is of it
		return refusal(response, answer)
	}
	_, err = io.Copy(w, response.Body)
	return fault.Wrap(fault.Unavailable, err, "%s was not read to its end", path)
}

// List reads the items of a list, page by page as they are asked for, at most limit of them (0 for all).
func (c *Client) List(ctx context.Context, path string, query url.Values, limit int) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		page := url.Values{}
		for name, values := range query {
			page[name] = values
		}
		for count := 0; ; {
			size := 200
			if limit > 0 {
				size = min(size, limit-count)
			}
			page.Set("limit", strconv.Itoa(size))
			var list struct {
				Items      []json.RawMessage `json:"items"`
				NextCursor string            `json:"next_cursor"`
			}
			if err := c.Get(ctx, path+"?"+page.Encode(), &list); err != nil {
				yield(nil, err)
				return
			}
			for _, item := range list.Items {
				if !yield(item, nil) {
					return
				}
				if count++; count == limit {
					return
				}
			}
			if list.NextCursor == "" {
				return
			}
			page.Set("cursor", list.NextCursor)
		}
	}
}

func (c *Client) send(ctx context.Context, method, path string, body []byte, out any, sign func(*http.Request)) error {
	begun, pause := time.Now(), firstPause
	for first := true; ; first = false {
		err := c.once(ctx, method, path, body, out, sign)
		var f *fault.Error
		if err != nil && ctx.Err() != nil {
			return ctx.Err() // what the server makes of that does not matter
		}
		busy := errors.As(err, &f) && (f.Code == fault.Unavailable || f.Code == fault.RateLimited || f.Code == fault.Conflict && f.RetryAfter > 0)
		if !busy || time.Since(begun) > c.patienceWith(f) {
			return err
		}
		if first && c.waiting != nil {
			c.waiting(err)
		}
		if !wait(ctx, max(pause, min(f.RetryAfter, longPause))) {
			return err
		}
		pause = min(2*pause, longPause)
	}
}

func (c *Client) patienceWith(refused *fault.Error) time.Duration {
	if refused.Code == fault.Unavailable {
		return c.patience
	}
	return patience
}

func (c *Client) once(ctx context.Context, method, path string, body []byte, out any, sign func(*http.Request)) error {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "%s is not an address", c.base+path)
	}
	sign(r)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	c.reached.Store(true)
	defer response.Body.Close()
	answer := bytes.NewBuffer(make([]byte, 0, min(max(response.ContentLength, 0)+bytes.MinRead, maxAnswer)))
	if _, err := answer.ReadFrom(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return c.unreachable(ctx, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return refusal(response, answer.Bytes())
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *json.RawMessage:
		*out = answer.Bytes()
		return nil
	}
	return fault.Wrap(fault.Internal, json.Unmarshal(answer.Bytes(), out), "the answer of %s cannot be read", path)
}

// unreachable is Unavailable, so that the call is made again: a server that answered before may be starting anew. One that
// never did is more likely a wrong address, which is said at once.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	code := fault.Unavailable
	if !c.reached.Load() {
		code = fault.NotFound
	}
	return fault.Wrap(code, err, "%s does not answer", c.base)
}

// refusal turns problem details into faults, one for each place to blame.
func refusal(response *http.Response, answer []byte) error {
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
	if json.Unmarshal(answer, &problem) != nil || problem.Code == "" {
		problem.Code = codeOf(response.StatusCode)
	}
	var after time.Duration
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		after = time.Duration(seconds) * time.Second
	}
	if len(problem.Errors) == 0 {
		request := response.Request
		message := cmp.Or(problem.Detail, problem.Title, request.Method+" "+request.URL.Path+" answered "+response.Status)
		return &fault.Error{Code: problem.Code, Message: message, RetryAfter: after}
	}
	var faults []error
	for _, e := range problem.Errors {
		faults = append(faults, &fault.Error{
			Code: problem.Code, Message: e.Message, Field: strings.TrimPrefix(e.Location, "body."),
			Line: e.Line, Column: e.Column, RetryAfter: after,
		})
	}
	if len(faults) == 1 {
		return faults[0]
	}
	return errors.Join(faults...)
}

// codeOf serves answers without a code, such as those of a proxy in between.
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
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case http.StatusTooManyRequests:
		return fault.RateLimited
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fault.Unavailable
	}
	if status >= http.StatusInternalServerError {
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
