package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tailorbird/tailorbird/internal/event"
	"github.com/tailorbird/tailorbird/internal/fault"
)

func basic(key string) map[string]string {
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"))}
}

func TestEveryCallOfSegmentsSpecificationIsTaken(t *testing.T) {
	s := open(t)
	cases := []struct {
		paths []string
		body  string
		want  event.Event
	}{
		{[]string{"identify", "i"}, `{"userId":"u","traits":{"email":"a@b.example"}}`, event.Event{Type: event.Identify, Name: "Identified"}},
		{[]string{"track", "t"}, `{"userId":"u","event":"Bought","properties":{"x":1}}`, event.Event{Type: event.Track, Name: "Bought"}},
		{[]string{"page", "p"}, `{"anonymousId":"u"}`, event.Event{Type: event.Page, Name: "Page Viewed"}},
		{[]string{"screen", "s"}, `{"userId":"u"}`, event.Event{Type: event.Screen, Name: "Screen Viewed"}},
		{[]string{"group", "g"}, `{"userId":"u","groupId":"g"}`, event.Event{Type: event.Group, Name: "Group Joined"}},
		{[]string{"alias", "a"}, `{"userId":"u","previousId":"v"}`, event.Event{Type: event.Alias, Name: "Aliased"}},
		{[]string{"batch", "b"}, `{"batch":[{"type":"track","userId":"u","event":"Bought"}]}`, event.Event{Type: event.Track, Name: "Bought"}},
		{[]string{"import"}, `{"batch":[{"type":"track","userId":"u","event":"Bought"}]}`, event.Event{Type: event.Track, Name: "Bought", Historical: true}},
	}
	for _, c := range cases {
		for _, path := range c.paths {
			w := s.do(t, request{method: "POST", path: "/v1/" + path, body: c.body, header: basic(writeKey)})
			if w.Code != http.StatusOK || w.Body.String() != `{"success":true}` || w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			got := s.inbox.take()
			if len(got) != 1 || got[0].Type != c.want.Type || got[0].Name != c.want.Name || got[0].Historical != c.want.Historical {
				t.Errorf("%s: %+v", path, got)
			}
		}
	}
}

func TestTheWriteKeyMayComeThreeWays(t *testing.T) {
	s := open(t)
	one := `{"userId":"u","event":"X"%s}`
	many := `{"batch":[{"type":"track","userId":"u","event":"X"}]%s}`
	inBody := `,"writeKey":"` + writeKey + `"`
	cases := []struct {
		name, path, body string
		header           map[string]string
		status           int
		code             string
	}{
		{"basic", "track", fmt.Sprintf(one, ""), basic(writeKey), 200, ""},
		{"bearer", "batch", fmt.Sprintf(many, ""), map[string]string{"Authorization": "Bearer " + writeKey}, 200, ""},
		{"body of one", "track", fmt.Sprintf(one, inBody), nil, 200, ""},
		{"body of many", "batch", fmt.Sprintf(many, inBody), nil, 200, ""},
		{"none", "track", fmt.Sprintf(one, ""), nil, 401, "unauthorized"},
		{"none, and bad input", "batch", `{"batch":7}`, nil, 401, "unauthorized"},
		{"empty", "track", fmt.Sprintf(one, ""), basic(""), 401, "unauthorized"},
		{"unknown", "track", fmt.Sprintf(one, ""), basic("who-is-this"), 401, "unauthorized"},
		{"unknown in the body", "track", fmt.Sprintf(one, `,"writeKey":"who"`), nil, 401, "unauthorized"},
	}
	for _, c := range cases {
		w := s.do(t, request{method: "POST", path: "/v1/" + c.path, body: c.body, key: "none", header: c.header})
		if w.Code != c.status {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if accepted := len(s.inbox.take()) == 1; accepted != (c.status == 200) {
			t.Errorf("%s: accepted %v", c.name, accepted)
		}
		if c.status != 200 {
			if p := problemIn(t, w); p.Code != c.code || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic") {
				t.Errorf("%s: %+v", c.name, p)
			}
		}
	}
	key := read[struct{ Key string }](t, s.do(t, request{method: "POST", path: "/api/v1/keys", body: `{"name":"reader","scopes":["read"]}`}))
	if w := s.do(t, request{method: "POST", path: "/v1/track", body: fmt.Sprintf(one, ""), header: basic(key.Key)}); w.Code != http.StatusForbidden {
		t.Errorf("a reading key tracked: %d", w.Code)
	}
}

func TestBadInputNamesEachPlaceAndAppliesNothing(t *testing.T) {
	s := open(t)
	good := `{"type":"track","userId":"u","event":"X"}`
	wrong := strings.Repeat(`{"type":"track","event":"X"},`, 30)
	cases := []struct {
		path, body string
		status     int
		locations  []string
	}{
		{"track", `{"event":"X"}`, 400, []string{"userId"}},
		{"track", `{"userId":"u"}`, 400, []string{"event"}},
		{"track", `nonsense`, 400, nil},
		{"track", ``, 400, nil},
		{"identify", `{"userId":"u","traits":[]}`, 400, []string{"traits"}},
		{"track", `null`, 400, nil},
		{"track", `{"userId":{"a":1},"event":"X"}`, 400, []string{"userId"}},
		{"track", "{\"userId\":\"u\",\"event\":\"\xff\"}", 400, nil},
		{"batch", "{\"batch\":[" + good + "],\"x\":\"\xc3\x28\"}", 400, nil},
		{"batch", `[]`, 400, nil},
		{"batch", `null`, 400, nil},
		{"batch", `{"batch":[` + good, 400, []string{"batch"}},
		{"batch", `{"batch":[null]}`, 400, []string{"batch[0]"}},
		{"batch", `{"batch":[]}`, 400, []string{"batch"}},
		{"batch", `{}`, 400, []string{"batch"}},
		{"batch", `{"batch":{"a":1}}`, 400, []string{"batch"}},
		{"batch", `{"batch":[` + good + `,{"type":"track","event":"X"},` + good + `,7,{"userId":"u"}]}`, 400, []string{"batch[1].userId", "batch[3]", "batch[4].type"}},
		{"batch", `{"sentAt":"now","batch":[` + good + `]}`, 400, []string{"sentAt"}},
		{"batch", `{"sentAt":17,"batch":[` + good + `]}`, 400, []string{"sentAt"}},
		{"batch", `{"context":"x","batch":[` + good + `]}`, 400, []string{"context"}},
		{"batch", `{"batch":[` + strings.TrimSuffix(wrong, ",") + `]}`, 400, every(20, "batch[%d].userId")},
		{"track", pad(good, event.MaxEventBytes+1), 400, nil},
		{"batch", `{"batch":[` + pad(good, event.MaxEventBytes+1) + `]}`, 400, []string{"batch[0]"}},
		{"batch", `{"batch":[` + pad(good, event.MaxBatchBytes) + `]}`, 400, []string{"batch"}},
		{"import", `{"batch":[` + pad(good, event.MaxImportEventBytes+1) + `]}`, 400, []string{"batch[0]"}},
		{"batch", `{"batch":[` + pad(good, 3<<20) + `]}`, 413, nil},
		{"import", `{"batch":[` + pad(good, 9<<20) + `]}`, 413, nil},
	}
	for _, c := range cases {
		name := fmt.Sprintf("%s %.60s", c.path, c.body)
		w := s.do(t, request{method: "POST", path: "/v1/" + c.path, body: c.body, header: basic(writeKey)})
		if w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
			continue
		}
		if p := problemIn(t, w); !reflect.DeepEqual(p.locations(), c.locations) {
			t.Errorf("%s: locations %q, want %q (%s)", name, p.locations(), c.locations, p.Detail)
		}
		if got := s.inbox.take(); len(got) != 0 {
			t.Errorf("%s: %d events were applied", name, len(got))
		}
	}
	for path, size := range map[string]int{"batch": event.MaxEventBytes, "import": event.MaxImportEventBytes} {
		body := `{"batch":[` + pad(good, size) + `]}`
		if w := s.do(t, request{method: "POST", path: "/v1/" + path, body: body, header: basic(writeKey)}); w.Code != 200 {
			t.Errorf("%s: an event of exactly %d bytes: %d %s", path, size, w.Code, w.Body)
		}
	}
}

// pad makes the JSON object n bytes long.
func pad(object string, n int) string {
	head := strings.TrimSuffix(object, "}") + `,"properties":{"x":"`
	return head + strings.Repeat("a", max(0, n-len(head)-3)) + `"}}`
}

func every(n int, format string) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf(format, i))
	}
	return list
}

func TestTheBatchsContextAndSentAtHoldForItsEvents(t *testing.T) {
	s := open(t)
	body := `{"sentAt":"2026-03-01T13:00:05Z","context":{"ip":"1.2.3.4"},"batch":[
		{"type":"track","userId":"u","event":"X","timestamp":"2026-03-01T13:00:00Z"},
		{"type":"track","userId":"u","event":"X","timestamp":"2026-03-01T13:00:00Z","sentAt":"2026-03-01T13:00:01Z","context":{"ip":"5.6.7.8"}}]}`
	read[any](t, s.do(t, request{method: "POST", path: "/v1/batch", body: body, header: basic(writeKey)}))
	got := s.inbox.take()
	if string(got[0].Context) != `{"ip":"1.2.3.4"}` || !got[0].Timestamp.Equal(start.Add(-5*time.Second)) {
		t.Errorf("inherited: %s %v", got[0].Context, got[0].Timestamp)
	}
	if string(got[1].Context) != `{"ip":"5.6.7.8"}` || !got[1].Timestamp.Equal(start.Add(-time.Second)) {
		t.Errorf("own: %s %v", got[1].Context, got[1].Timestamp)
	}
}

func TestGzipIsBoundedAfterDecompression(t *testing.T) {
	s := open(t)
	send := func(body []byte) *httptest.ResponseRecorder {
		header := basic(writeKey)
		header["Content-Encoding"] = "gzip"
		return s.do(t, request{method: "POST", path: "/v1/batch", body: string(body), header: header})
	}
	small := `{"batch":[{"type":"track","userId":"u","event":"X"}]}`
	if w := send(zipped(small)); w.Code != 200 || len(s.inbox.take()) != 1 {
		t.Errorf("gzip: %d %s", w.Code, w.Body)
	}
	if w := send(zipped(strings.Repeat(" ", 64<<20))); w.Code != 413 {
		t.Errorf("a bomb: %d %s", w.Code, w.Body)
	}
	if w := send([]byte(small)); w.Code != 400 {
		t.Errorf("not gzip: %d %s", w.Code, w.Body)
	}
	if w := send(zipped(small)[:20]); w.Code != 400 {
		t.Errorf("cut off: %d %s", w.Code, w.Body)
	}
	header := basic(writeKey)
	header["Content-Encoding"] = "br"
	w := s.do(t, request{method: "POST", path: "/v1/batch", body: small, header: header})
	if p := problemIn(t, w); w.Code != 400 || p.Errors[0].Location != "header.Content-Encoding" {
		t.Errorf("brotli: %+v", p)
	}
}

func zipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

func TestAFullQueueSaysWhenToComeBack(t *testing.T) {
	s := open(t)
	s.inbox.fail = &fault.Error{Code: fault.Unavailable, Message: "the queue is full", RetryAfter: 1500 * time.Millisecond}
	w := s.do(t, request{method: "POST", path: "/v1/track", body: `{"userId":"u","event":"X"}`, header: basic(writeKey)})
	if p := problemIn(t, w); w.Code != 503 || w.Header().Get("Retry-After") != "2" || p.Code != "unavailable" {
		t.Errorf("%d, Retry-After %q, %+v", w.Code, w.Header().Get("Retry-After"), p)
	}
	s.inbox.fail = fmt.Errorf("secret detail of the disk")
	w = s.do(t, request{method: "POST", path: "/v1/track", body: `{"userId":"u","event":"X"}`, header: basic(writeKey)})
	if p := problemIn(t, w); w.Code != 500 || strings.Contains(w.Body.String(), "secret") || p.Code != "internal" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBrowsersMayTrackFromAnywhere(t *testing.T) {
	s := open(t)
	w := s.do(t, request{method: "OPTIONS", path: "/v1/t", key: "none", header: map[string]string{
		"Origin": "https://shop.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type",
	}})
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, r := range []request{{method: "GET", path: "/v1/track"}, {method: "PUT", path: "/v1/b"}, {method: "POST", path: "/v1/nothing"}} {
		want, allow := 405, "POST, OPTIONS"
		if r.method == "POST" {
			want, allow = 404, ""
		}
		w = s.do(t, r)
		if p := problemIn(t, w); p.Status != want || w.Header().Get("Allow") != allow {
			t.Errorf("%s %s: %+v, Allow %q", r.method, r.path, p, w.Header().Get("Allow"))
		}
	}
}

func FuzzTracking(f *testing.F) {
	f.Add("batch", []byte(`{"batch":[{"type":"track","userId":"u","event":"X","properties":{"a":[1,{"b":null}]}}],"sentAt":"2026-01-01T00:00:00Z"}`), false)
	f.Add("track", []byte(`{"userId":"u","event":"X"}`), false)
	f.Add("import", []byte(`{"batch":[{"type":"identify","anonymousId":1e3,"traits":{}},{}]}`), false)
	f.Add("batch", zipped(`{"batch":[null]}`), true)
	f.Add("b", []byte(`{"batch":["`), false)
	s := open(f)
	f.Fuzz(func(t *testing.T, path string, body []byte, compressed bool) {
		switch path {
		case "batch", "track", "import", "identify", "b":
		default:
			path = "batch"
		}
		header := basic(writeKey)
		if compressed {
			header["Content-Encoding"] = "gzip"
		}
		w := s.do(t, request{method: "POST", path: "/v1/" + path, body: string(body), header: header})
		events := s.inbox.take()
		switch w.Code {
		case 200:
			if depth := bytes.Count(body, []byte("[")) + bytes.Count(body, []byte("{")); !compressed && depth < 10_000 && !json.Valid(body) {
				t.Fatalf("accepted %q, which is no JSON", body)
			}
			for _, e := range events {
				if e.MessageID == "" || !e.Type.Valid() || e.Timestamp.IsZero() || e.Historical != (path == "import") {
					t.Fatalf("accepted %+v", e)
				}
			}
		case 400, 413:
			if len(events) > 0 {
				t.Fatalf("%d events of a refused request", len(events))
			}
			problemIn(t, w)
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

func BenchmarkBatchOf100(b *testing.B) {
	s := open(b)
	var body strings.Builder
	body.WriteString(`{"batch":[`)
	for i := range 100 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"type":"track","messageId":"m%d","userId":"user-%d","event":"Order Completed","timestamp":"2026-03-01T11:59:%02dZ",
			"context":{"library":{"name":"@segment/analytics-node","version":"2.1.3"}},
			"properties":{"order_id":"o%d","total":%d.50,"currency":"EUR","products":[{"product_id":"p1","sku":"s1","name":"A thing","price":12.5,"quantity":2},
			{"product_id":"p2","sku":"s2","name":"Another thing","price":3.25,"quantity":1}]}}`, i, i%40, i%60, i, i)
	}
	body.WriteString(`]}`)
	text := body.String()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if w := s.do(b, request{method: "POST", path: "/v1/batch", body: text, header: basic(writeKey)}); w.Code != 200 {
			b.Fatal(w.Body)
		}
		s.inbox.take()
	}
	b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
