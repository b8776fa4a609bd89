package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/client"
	"github.com/tailorbird/tailorbird/internal/fault"
)

// over runs a test through the network and in the process: both must look the same.
func over(t *testing.T, handler http.Handler, test func(t *testing.T, c *client.Client)) {
	t.Helper()
	t.Run("network", func(t *testing.T) {
		server := httptest.NewServer(handler)
		defer server.Close()
		test(t, open(t, client.Config{URL: server.URL}))
	})
	t.Run("in process", func(t *testing.T) {
		test(t, open(t, client.Config{URL: "http://in.process", HTTP: client.InProcess(handler)}))
	})
}

func open(t *testing.T, config client.Config) *client.Client {
	t.Helper()
	config.APIKey, config.WriteKey = "api", "write"
	c, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func problem(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func TestRefusalsBecomeFaults(t *testing.T) {
	over(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer api" {
			problem(w, http.StatusUnauthorized, `{"code":"unauthorized"}`)
			return
		}
		problem(w, http.StatusUnprocessableEntity, `{"code":"invalid","detail":"…","errors":[
			{"message":"is not known","location":"body.condition","line":2,"column":5},
			{"message":"is too long","location":"body.description"}]}`)
	}), func(t *testing.T, c *client.Client) {
		err := c.Call(t.Context(), "PUT", "/api/v1/segments/vip", map[string]string{"condition": "x"}, nil)
		faults := fault.All(err)
		if len(faults) != 2 {
			t.Fatalf("%d faults in %v", len(faults), err)
		}
		first := *faults[0]
		if want := (fault.Error{Code: fault.Invalid, Message: "is not known", Field: "condition", Line: 2, Column: 5}); first != want {
			t.Errorf("first fault %+v, want %+v", first, want)
		}
		if faults[1].Field != "description" {
			t.Errorf("second fault blames %q", faults[1].Field)
		}
	})
}

func TestAnswersOfProxiesHaveACodeToo(t *testing.T) {
	over(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusNotFound) }),
		func(t *testing.T, c *client.Client) {
			err := c.Get(t.Context(), "/api/v1/segments/vip", nil)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.NotFound || !strings.Contains(f.Message, "GET /api/v1/segments/vip") {
				t.Errorf("got %v", err)
			}
		})
}

func TestBusyServersAreAskedAgain(t *testing.T) {
	calls := 0
	over(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls%3 != 0 {
			problem(w, http.StatusServiceUnavailable, `{"code":"unavailable"}`)
			return
		}
		fmt.Fprint(w, `{"name":"vip"}`)
	}), func(t *testing.T, c *client.Client) {
		var segment struct{ Name string }
		if err := c.Get(t.Context(), "/api/v1/segments/vip", &segment); err != nil || segment.Name != "vip" {
			t.Errorf("got %+v, %v", segment, err)
		}
	})
}

func TestListsAreReadPageByPage(t *testing.T) {
	const total = 450
	over(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var from, limit int
		from, _ = strconv.Atoi(r.URL.Query().Get("cursor"))
		limit, _ = strconv.Atoi(r.URL.Query().Get("limit"))
		page := struct {
			Items      []int  `json:"items"`
			NextCursor string `json:"next_cursor,omitempty"`
		}{}
		for i := from; i < min(total, from+limit); i++ {
			page.Items = append(page.Items, i)
		}
		if from+limit < total {
			page.NextCursor = fmt.Sprint(from + limit)
		}
		_ = json.NewEncoder(w).Encode(page)
	}), func(t *testing.T, c *client.Client) {
		for limit, want := range map[int]int{0: total, 1: 1, 200: 200, 201: 201, 1000: total} {
			got := 0
			for item, err := range c.List(t.Context(), "/api/v1/profiles", nil, limit) {
				if err != nil || string(item) != fmt.Sprint(got) {
					t.Fatalf("item %d is %s, %v", got, item, err)
				}
				got++
			}
			if got != want {
				t.Errorf("limit %d: %d items, want %d", limit, got, want)
			}
		}
	})
}

func TestTrackSendsABatchWithTheWriteKey(t *testing.T) {
	over(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		var body struct{ Batch []string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || user != "write" || !slices.Equal(body.Batch, []string{"a", "b"}) {
			problem(w, http.StatusBadRequest, `{"code":"invalid","errors":[{"message":"is bad","location":"batch[1].userId"}]}`)
			return
		}
		fmt.Fprint(w, `{"success":true}`)
	}), func(t *testing.T, c *client.Client) {
		if err := c.Track(t.Context(), []json.RawMessage{[]byte(`"a"`), []byte(`"b"`)}); err != nil {
			t.Error(err)
		}
		var f *fault.Error
		if err := c.Track(t.Context(), []json.RawMessage{[]byte(`"c"`)}); !errors.As(err, &f) || f.Field != "batch[1].userId" {
			t.Errorf("got %v", err)
		}
	})
}

// TestImportLeavesOutWhatIsRefused stands against a server that takes all or nothing and names at most two bad events.
func TestImportLeavesOutWhatIsRefused(t *testing.T) {
	var taken []string
	over(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, _, _ := r.BasicAuth(); user != "write" || r.URL.Path != "/v1/import" {
			problem(w, http.StatusUnauthorized, `{"code":"unauthorized"}`)
			return
		}
		var body struct{ Batch []string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			problem(w, http.StatusBadRequest, `{"code":"invalid"}`)
			return
		}
		var faults []string
		for i, event := range body.Batch {
			if strings.HasPrefix(event, "bad") && len(faults) < 2 {
				faults = append(faults, fmt.Sprintf(`{"message":"is bad","location":"batch[%d].userId"}`, i))
			}
		}
		if len(faults) > 0 {
			problem(w, http.StatusBadRequest, `{"code":"invalid","errors":[`+strings.Join(faults, ",")+`]}`)
			return
		}
		taken = body.Batch
		fmt.Fprint(w, `{"success":true}`)
	}), func(t *testing.T, c *client.Client) {
		var batch []json.RawMessage
		for _, event := range []string{"bad1", "a", "bad2", "bad3", "b", "c", "bad4"} {
			batch = append(batch, json.RawMessage(`"`+event+`"`))
		}
		refused, err := c.Import(t.Context(), batch)
		if err != nil || !slices.Equal(taken, []string{"a", "b", "c"}) {
			t.Fatalf("taken %v, %v", taken, err)
		}
		var at []int
		for _, r := range refused {
			if at = append(at, r.Index); r.Reason != "userId: is bad" {
				t.Errorf("reason %q", r.Reason)
			}
		}
		if !slices.Equal(at, []int{0, 2, 3, 6}) {
			t.Errorf("refused %v", at)
		}
	})
}

// TestWhoWaitsIsToldWhy has a server that is unavailable longer than the client is patient.
func TestWhoWaitsIsToldWhy(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusServiceUnavailable, `{"code":"unavailable","detail":"the database is away"}`)
	})
	var told []string
	c := open(t, client.Config{
		URL: "http://in.process", HTTP: client.InProcess(handler), Patience: time.Second,
		Waiting: func(refused error) { told = append(told, refused.Error()) },
	})
	begun := time.Now()
	err := c.Get(t.Context(), "/api/v1/segments", nil)
	if took := time.Since(begun); fault.CodeOf(err) != fault.Unavailable || took < time.Second || took > 10*time.Second {
		t.Errorf("%v after %s", err, took)
	}
	if !slices.Equal(told, []string{"the database is away"}) {
		t.Errorf("told %q", told)
	}
}
