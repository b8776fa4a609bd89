package connect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// API imports through POST /v1/import of a Tailorbird server. It is safe for concurrent use.
type API struct {
	client   *http.Client
	url      string
	writeKey string
	wait     func(context.Context, time.Duration) error
	reached  atomic.Bool // the server has answered before

	// Waiting, if set before the first use, is told why an attempt is made again, and which one of how many it is. Calls may overlap.
	Waiting func(reason error, attempt, attempts int)
}

// NewAPI makes an Importer for the server at baseURL. The client's transport decides how it is reached, so that the
// same code serves a server in this process.
func NewAPI(client *http.Client, baseURL, writeKey string) *API {
	return &API{client: client, url: strings.TrimSuffix(baseURL, "/") + "/v1/import", writeKey: writeKey, wait: pause}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Import implements Importer. Events that the server finds wrong are left out and the rest is sent again; where the
// server does not say which they are, the batch is halved until it is known. It waits as long as Retry-After says,
// and repeats what a broken connection left open.
func (a *API) Import(ctx context.Context, batch []json.RawMessage) ([]Rejection, error) {
	places := make([]int, len(batch))
	for i := range places {
		places[i] = i
	}
	return a.send(ctx, batch, places)
}

// send sends the events of a batch that stand at places.
func (a *API) send(ctx context.Context, batch []json.RawMessage, places []int) ([]Rejection, error) {
	var rejected []Rejection
	for len(places) > 0 {
		refused, err := a.post(ctx, body(batch, places))
		if err != nil || refused == nil {
			return rejected, err
		}
		bad := refused.byPlace(len(places))
		switch {
		case len(bad) > 0:
			var rest []int
			for i, place := range places {
				if reason, ok := bad[i]; ok {
					rejected = append(rejected, Rejection{place, reason})
				} else {
					rest = append(rest, place)
				}
			}
			places = rest
		case len(places) == 1:
			return append(rejected, Rejection{places[0], refused.reason()}), nil
		default:
			first, err := a.send(ctx, batch, places[:len(places)/2])
			if err != nil {
				return nil, err
			}
			second, err := a.send(ctx, batch, places[len(places)/2:])
			return append(append(rejected, first...), second...), err
		}
	}
	return rejected, nil
}

func body(batch []json.RawMessage, places []int) []byte {
	size := len(`{"batch":[]}`)
	for _, place := range places {
		size += len(batch[place]) + 1
	}
	to := append(make([]byte, 0, size), `{"batch":[`...)
	for i, place := range places {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(to, batch[place]...)
	}
	return append(to, `]}`...)
}

// How patient an import is with a server that does not answer or is busy.
const (
	attempts   = 12
	firstPause = 250 * time.Millisecond
	lastPause  = 30 * time.Second
	longest    = 5 * time.Minute // of a Retry-After
)

// post sends one request until it has an answer. A refusal of the content is not an error.
func (a *API) post(ctx context.Context, body []byte) (*refusalAnswer, error) {
	backoff := firstPause
	var last error
	for attempt := range attempts {
		answer, retryAfter, err := a.once(ctx, body)
		if err == nil {
			return answer, nil
		}
		if code := fault.CodeOf(err); ctx.Err() != nil || (code != fault.Unavailable && code != fault.RateLimited) {
			return nil, err
		}
		last = err
		if attempt == attempts-1 {
			break
		}
		if a.Waiting != nil {
			a.Waiting(err, attempt+2, attempts)
		}
		if retryAfter == 0 {
			retryAfter = backoff
			backoff = min(2*backoff, lastPause)
		}
		if err := a.wait(ctx, min(retryAfter, longest)); err != nil {
			return nil, err
		}
	}
	return nil, fault.Wrap(fault.Unavailable, last, "the server did not take a batch in %d attempts; run the import again later", attempts)
}

// once sends one request once. Errors that are worth another attempt have the code Unavailable or RateLimited.
func (a *API) once(ctx context.Context, body []byte) (*refusalAnswer, time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return nil, 0, fault.Wrap(fault.Invalid, err, "the server's address is not sound")
	}
	request.SetBasicAuth(a.writeKey, "")
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return nil, 0, a.unreachable(err)
	}
	a.reached.Store(true)
	defer response.Body.Close()
	const most = 4 << 20
	content, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return nil, 0, fault.Wrap(fault.Unavailable, err, "the server's answer broke off")
	}
	refused := &refusalAnswer{}
	if json.Unmarshal(content, refused) != nil || refused.reason() == "" {
		refused.Title = "the server answered " + response.Status
	}
	cause := errors.New(refused.reason())
	switch status := response.StatusCode; {
	case status/100 == 2:
		return nil, 0, nil
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return refused, 0, nil
	case status == http.StatusTooManyRequests:
		return nil, retryAfter(response), fault.Wrap(fault.RateLimited, cause, "the server limits the rate")
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return nil, 0, fault.Wrap(fault.Unauthorized, cause, "the server does not accept the write key")
	case status == http.StatusNotFound:
		return nil, 0, fault.Wrap(fault.NotFound, cause, "there is no import at %s: is it a Tailorbird server?", a.url)
	case status >= 500:
		return nil, retryAfter(response), fault.Wrap(fault.Unavailable, cause, "the server has a problem")
	}
	return nil, 0, fault.Wrap(fault.Internal, cause, "the server's answer is not understood")
}

// unreachable is Unavailable, unless no connection was ever made: that is more likely a wrong address, which is said at once.
func (a *API) unreachable(err error) error {
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" && !a.reached.Load() {
		return fault.Wrap(fault.NotFound, err, "no server answers at %s", strings.TrimSuffix(a.url, "/v1/import"))
	}
	return fault.Wrap(fault.Unavailable, err, "the server does not answer")
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3), 0 where there is none. A date counts from the
// answer's own Date, so that clocks need not agree.
func retryAfter(response *http.Response) time.Duration {
	value := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 3600)) * time.Second
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	from, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return max(until.Sub(from), 0)
}

// refusalAnswer is a problem document (RFC 9457) whose errors may say which events are wrong.
type refusalAnswer struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
}

func (r *refusalAnswer) reason() string {
	if r.Detail != "" {
		return r.Detail
	}
	return r.Title
}

// byPlace gives the reason for each event that the answer names, such as batch[3].userId or body.batch[3].userId.
func (r *refusalAnswer) byPlace(events int) map[int]string {
	bad := map[int]string{}
	for _, e := range r.Errors {
		_, after, ok := strings.Cut(e.Location, "batch[")
		number, field, closed := strings.Cut(after, "]")
		place, err := strconv.Atoi(number)
		if !ok || !closed || err != nil || place < 0 || place >= events {
			continue
		}
		reason := e.Message
		if field = strings.TrimPrefix(field, "."); field != "" {
			reason = field + ": " + reason
		}
		if earlier, twice := bad[place]; twice {
			reason = earlier + "; " + reason
		}
		bad[place] = reason
	}
	return bad
}
