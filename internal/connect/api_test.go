package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// importServer answers like the import endpoint: it names what is wrong with events, as far as it is told to.
type importServer struct {
	mu       sync.Mutex
	taken    map[string]int
	requests int
	before   func(w http.ResponseWriter, request int) bool // true if it has answered
	silent   bool                                          // does not say which events are wrong
}

func (s *importServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if user, _, _ := r.BasicAuth(); user != "secret" || r.URL.Path != "/v1/import" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.before != nil && s.before(w, s.requests) {
		return
	}
	var body struct {
		Batch []struct{ MessageID, UserID string }
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		panic(err)
	}
	problem := map[string]any{"title": "Bad Request", "detail": "some events are wrong", "status": 400}
	var wrong []map[string]any
	for i, e := range body.Batch {
		if e.UserID == "" {
			wrong = append(wrong, map[string]any{"message": "it is required", "location": fmt.Sprintf("body.batch[%d].userId", i)})
		}
	}
	if len(wrong) > 0 {
		if !s.silent {
			problem["errors"] = wrong
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(problem)
		return
	}
	for _, e := range body.Batch {
		s.taken[e.MessageID]++
	}
	_, _ = io.WriteString(w, `{"success":true}`)
}

func startAPI(t *testing.T, s *importServer, key string) (*API, *[]time.Duration) {
	t.Helper()
	s.taken = map[string]int{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	waits := &[]time.Duration{}
	api := NewAPI(server.Client(), server.URL+"/", key)
	api.wait = func(ctx context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return ctx.Err()
	}
	return api, waits
}

func someEvents(wrong ...int) []json.RawMessage {
	var batch []json.RawMessage
	for i := range 20 {
		user := fmt.Sprintf(`,"userId":"u%d"`, i)
		if slices.Contains(wrong, i) {
			user = ""
		}
		batch = append(batch, json.RawMessage(fmt.Sprintf(`{"messageId":"m%d"%s}`, i, user)))
	}
	return batch
}

func TestAPIDropsWrongEvents(t *testing.T) {
	for _, silent := range []bool{false, true} {
		server := &importServer{silent: silent}
		api, _ := startAPI(t, server, "secret")
		rejected, err := api.Import(t.Context(), someEvents(0, 7, 8, 19))
		if err != nil {
			t.Fatal(err)
		}
		reason := "userId: it is required"
		if silent {
			reason = "some events are wrong"
		}
		slices.SortFunc(rejected, func(a, b Rejection) int { return a.Index - b.Index })
		if want := []Rejection{{0, reason}, {7, reason}, {8, reason}, {19, reason}}; !slices.Equal(rejected, want) {
			t.Errorf("silent %v: rejected %+v", silent, rejected)
		}
		if len(server.taken) != 16 {
			t.Errorf("silent %v: taken %v", silent, server.taken)
		}
		for id, times := range server.taken {
			if times != 1 {
				t.Errorf("silent %v: %s was taken %d times", silent, id, times)
			}
		}
	}
}

func TestAPIWaitsForABusyServer(t *testing.T) {
	server := &importServer{before: func(w http.ResponseWriter, request int) bool {
		switch request {
		case 1:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.Header().Set("Date", "Sat, 10 Dec 2011 08:00:00 GMT")
			w.Header().Set("Retry-After", "Sat, 10 Dec 2011 08:00:09 GMT")
			w.WriteHeader(http.StatusTooManyRequests)
		case 3:
			w.WriteHeader(http.StatusBadGateway)
		case 4:
			panic(http.ErrAbortHandler) // the connection breaks
		default:
			return false
		}
		return true
	}}
	api, waits := startAPI(t, server, "secret")
	if rejected, err := api.Import(t.Context(), someEvents()); err != nil || len(rejected) > 0 {
		t.Fatal(rejected, err)
	}
	if want := []time.Duration{7 * time.Second, 9 * time.Second, firstPause, 2 * firstPause}; !slices.Equal(*waits, want) {
		t.Errorf("waited %v, want %v", *waits, want)
	}
	if len(server.taken) != 20 {
		t.Errorf("%d events were taken", len(server.taken))
	}
}

func TestAPIGivesUp(t *testing.T) {
	down := &importServer{before: func(w http.ResponseWriter, _ int) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}}
	api, waits := startAPI(t, down, "secret")
	if _, err := api.Import(t.Context(), someEvents()); fault.CodeOf(err) != fault.Unavailable || len(*waits) != attempts-1 {
		t.Errorf("%v after %d waits", err, len(*waits))
	}
	closed := &importServer{}
	api, waits = startAPI(t, closed, "wrong key")
	if _, err := api.Import(t.Context(), someEvents()); fault.CodeOf(err) != fault.Unauthorized || len(*waits) != 0 {
		t.Errorf("%v after %d waits", err, len(*waits))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := api.Import(ctx, someEvents()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that the context ended", err)
	}
}

// The whole way: a file, a server that refuses some events, the rejects file.
func TestImportThroughAPI(t *testing.T) {
	text := &strings.Builder{}
	fmt.Fprintln(text, "id,order")
	for i := range 3_000 {
		user := fmt.Sprint("u", i)
		if i%100 == 5 {
			user = ""
		}
		fmt.Fprintf(text, "%s,o%d\n", user, i)
	}
	path := writeFile(t, "orders.csv", text.String())
	server := &importServer{}
	api, _ := startAPI(t, server, "secret")
	config := ImportConfig{Path: path, BatchEvents: 70, Mapping: mustMapping(t, `
event: '"Seen"'
user_id: row.id
anonymous_id: row.order
timestamp: '"2020-01-01T00:00:00Z"'
`)}
	for run := range 2 {
		summary, err := Import(t.Context(), config, api)
		if err != nil {
			t.Fatal(err)
		}
		if summary.Events != 2_970 || summary.RowsRejected != 30 || summary.EventsRejected != 30 {
			t.Errorf("summary %+v", summary)
		}
		rows := readRejects(t, summary.Rejected)
		lines := map[string]bool{}
		for _, row := range rows[1:] {
			lines[row[0]] = row[1] == "userId: it is required"
		}
		if len(lines) != 30 || !lines["7"] || !lines["2907"] {
			t.Errorf("rejected lines %v", lines)
		}
		// The second run names the same messages, so that a server keeps one of each.
		if len(server.taken) != 2_970 || server.taken[firstID(server)] != run+1 {
			t.Errorf("run %d: %d messages", run, len(server.taken))
		}
	}
}

func firstID(s *importServer) string {
	for id := range s.taken {
		return id
	}
	return ""
}

// TestAPISaysThatItWaits tells of another attempt where the server has answered before, and ends at once where none ever did.
func TestAPISaysThatItWaits(t *testing.T) {
	api, waits := startAPI(t, &importServer{before: func(w http.ResponseWriter, request int) bool {
		if request == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return request == 1
	}}, "secret")
	var told []string
	api.Waiting = func(_ error, attempt, of int) { told = append(told, fmt.Sprintf("%d of %d", attempt, of)) }
	if _, err := api.Import(t.Context(), someEvents()); err != nil || !slices.Equal(told, []string{"2 of 12"}) || len(*waits) != 1 {
		t.Errorf("%v, told %v, %d waits", err, told, len(*waits))
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	nobody := NewAPI(http.DefaultClient, gone.URL, "secret")
	nobody.wait = func(context.Context, time.Duration) error { t.Error("it waited"); return nil }
	if _, err := nobody.Import(t.Context(), someEvents()); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
}
