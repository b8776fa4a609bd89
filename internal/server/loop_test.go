package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/tailorbird/tailorbird/internal/app"
	"github.com/tailorbird/tailorbird/internal/report"
)

// running is the program with its network and its mail, asked through its handler.
func running(t *testing.T) *site {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{})
	a, err := app.Open(ctx, app.Config{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", PublicURL: "https://news.shop.example", APIKey: adminKey, WriteKey: writeKey, Version: "test", Now: start,
		Ready: func(string) { close(ready) }, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	<-ready
	return &site{Handler: a.Handler()}
}

// letter is what one person got.
type letter struct {
	ID, To, HTML, DKIM string
	Headers            []struct{ Name, Value string }
}

// links are the parts of a letter that lead back.
func (l letter) links(kind string) []string {
	var paths []string
	for _, m := range regexp.MustCompile(`https://news\.shop\.example(/`+kind+`/[A-Za-z0-9_.-]+)`).FindAllStringSubmatch(l.HTML, -1) {
		paths = append(paths, m[1])
	}
	return paths
}

func TestWhatCustomersDoWithMailIsReported(t *testing.T) {
	s := running(t)
	var people strings.Builder
	for i := range 5 {
		fmt.Fprintf(&people, `{"type":"identify","userId":"u%d","traits":{"email":"u%d@example.com"}},`, i, i)
	}
	body := `<p><a href="https://shop.example/a">A</a> <a href="https://shop.example/b">B</a> <a href="{{ unsubscribe_url }}">stop</a></p>`
	s.run(t, []step{
		{"people", track(`{"batch":[` + people.String() + `{"type":"identify","userId":"mute","traits":{"name":"No address"}}]}`), 200, nil, nil, ""},
		{"definitions", request{method: "POST", path: "/api/v1/definitions/apply", body: `{"definitions":[
			{"kind":"segment","name":"all","spec":{"condition":"true"}},
			{"kind":"template","name":"hello","spec":{"subject":"Hello","format":"html","body":` + fmt.Sprintf("%q", body) + `}},
			{"kind":"campaign","name":"spring","spec":{"segment":"all","template":"hello","from":"Shop <news@shop.example>"}}]}`}, 200, nil, nil, ""},
		{"suppress one", request{method: "POST", path: "/api/v1/suppressions", body: `{"email":"u4@example.com"}`}, 201, nil, nil, ""},
	})
	s.settle(t)
	s.run(t, []step{{"send", request{method: "POST", path: "/api/v1/campaigns/spring/send"}, 202, nil, nil, ""}})
	for t.Context().Err() == nil && read[struct{ Status string }](t, s.do(t, request{method: "GET", path: "/api/v1/campaigns/spring"})).Status != "sent" {
	}

	letters := map[string]letter{}
	for _, item := range read[list](t, s.do(t, request{method: "GET", path: "/api/v1/mailbox?campaign=spring"})).Items {
		l := read[letter](t, s.do(t, request{method: "GET", path: "/api/v1/mailbox/" + item.ID}))
		letters[l.To] = l
		if l.DKIM != "pass" || len(l.links("c")) != 2 || len(l.links("o")) != 1 || len(l.links("u")) != 1 {
			t.Errorf("mail to %s: DKIM %s, %s", l.To, l.DKIM, l.HTML)
		}
	}
	if len(letters) != 4 {
		t.Fatalf("mail to %d people", len(letters))
	}
	one, two, three := letters["u0@example.com"], letters["u1@example.com"], letters["u2@example.com"]
	for range 3 { // people, not events
		s.follow(t, "GET", one.links("o")[0], firefox, "")
		s.follow(t, "GET", one.links("c")[0], firefox, "")
	}
	s.follow(t, "GET", one.links("c")[1], firefox, "")
	s.follow(t, "GET", two.links("o")[0], "Mozilla/5.0", "")
	s.follow(t, "GET", two.links("c")[0], firefox, "")
	s.follow(t, "GET", three.links("c")[0], "curl/8.5.0", "")
	s.follow(t, "POST", three.links("u")[0], "", "List-Unsubscribe=One-Click")
	s.run(t, []step{{"orders", track(`{"batch":[
		{"type":"track","userId":"u0","messageId":"o1","event":"Order Completed","properties":{"total":10.5}},
		{"type":"track","userId":"u0","messageId":"o2","event":"Order Completed","properties":{"total":2}},
		{"type":"track","userId":"u0","messageId":"o2","event":"Order Completed","properties":{"total":2}},
		{"type":"track","userId":"u1","messageId":"o3","event":"Order Completed","properties":{"revenue":5}},
		{"type":"track","userId":"u2","messageId":"o4","event":"Order Completed","properties":{"total":100}},
		{"type":"track","userId":"u3","messageId":"o5","event":"Order Completed","properties":{"total":1000}}]}`), 200, nil, nil, ""}})

	got := read[report.Campaign](t, s.do(t, request{method: "GET", path: "/api/v1/campaigns/spring/report"}))
	want := report.Campaign{
		Campaign: "spring", Recipients: 6, Sent: 4, Delivered: 4, Opened: 1, Clicked: 2, Unsubscribed: 1, Converted: 2, Revenue: 17.5,
		MachineOpened: 1, MachineClicked: 1, Skipped: report.Skipped{Suppressed: 1, NoAddress: 1},
		Links: []report.Link{{URL: got.Links[0].URL, Clicks: 2}, {URL: got.Links[1].URL, Clicks: 1}},
		Days:  []report.Day{{Date: "2026-03-01", Opened: 1, Clicked: 2, Converted: 2, Revenue: 17.5}},
	}
	if !reflect.DeepEqual(got, want) || !strings.HasPrefix(got.Links[0].URL, "https://shop.example/a") {
		t.Errorf("report\n got %+v\nwant %+v", got, want)
	}
	s.run(t, []step{
		{"messages, newest first", request{method: "GET", path: "/api/v1/messages?campaign=spring&limit=4"}, 200, map[string]any{"items.#": 4.0, "items.0.status": "skipped"}, nil, ""},
		{"of one person", request{method: "GET", path: "/api/v1/messages?profile=" + s.profile(t, "u0")}, 200, map[string]any{
			"items.#": 1.0, "items.0.to": "u0@example.com", "items.0.status": "sent", "items.0.revenue": 12.5, "items.0.subject": "Hello",
			"items.0.profile_id": s.profile(t, "u0"), "items.0.unsubscribed_at": nil,
		}, nil, ""},
		{"who left", request{method: "GET", path: "/api/v1/profiles?identifier=user_id:u2"}, 200, map[string]any{"items.0.subscribed": false}, nil, ""},
		{"and comes back", request{method: "POST", path: three.links("u")[0], body: "action=subscribe", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 200, nil, nil, ""},
		{"is back", request{method: "GET", path: "/api/v1/profiles?identifier=user_id:u2"}, 200, map[string]any{"items.0.subscribed": true}, nil, ""},
		{"the overview agrees", request{method: "GET", path: "/api/v1/overview?days=1"}, 200, map[string]any{
			"days.0.sent": 4.0, "days.0.opened": 1.0, "days.0.clicked": 2.0, "days.0.revenue": 17.5, "messages": 4.0, "profiles": 6.0, "days.0.profiles": 6.0,
		}, nil, ""},
		{"the DNS to publish", request{method: "GET", path: "/api/v1/sending-domains"}, 200, map[string]any{"items.0.domain": "shop.example", "items.0.dns.0.type": "TXT"}, nil, ""},
	})
	first := read[list](t, s.do(t, request{method: "GET", path: "/api/v1/messages?campaign=spring&limit=4"}))
	rest := read[list](t, s.do(t, request{method: "GET", path: "/api/v1/messages?campaign=spring&limit=4&cursor=" + first.Next}))
	if len(rest.Items) != 2 || rest.Next != "" {
		t.Errorf("the second page has %d, next %q", len(rest.Items), rest.Next)
	}

	// A test message reaches somebody who is no customer: what she does changes nothing.
	test := read[struct {
		MessageID string `json:"message_id"`
	}](t, s.do(t, request{method: "POST", path: "/api/v1/campaigns/spring/test", body: `{"to":"tester@shop.example","identifier":"user_id:u0"}`}))
	var mail list
	for t.Context().Err() == nil && len(mail.Items) == 0 {
		mail = read[list](t, s.do(t, request{method: "GET", path: "/api/v1/mailbox?to=tester@shop.example"}))
	}
	trial := read[letter](t, s.do(t, request{method: "GET", path: "/api/v1/mailbox/" + mail.Items[0].ID}))
	if w := s.follow(t, "GET", trial.links("o")[0], firefox, ""); w.Code != 200 || test.MessageID == "" {
		t.Errorf("the test's pixel: %d", w.Code)
	}
	if w := s.follow(t, "POST", trial.links("u")[0], firefox, ""); w.Code != 200 {
		t.Errorf("the test's unsubscribe: %d", w.Code)
	}
	s.run(t, []step{
		{"nobody new", request{method: "GET", path: "/api/v1/profiles?identifier=email:tester@shop.example"}, 200, map[string]any{"items.#": 0.0}, nil, ""},
		{"nobody left", request{method: "GET", path: "/api/v1/profiles?identifier=user_id:u0"}, 200, map[string]any{"items.0.subscribed": true}, nil, ""},
		{"no report changed", request{method: "GET", path: "/api/v1/campaigns/spring/report"}, 200, map[string]any{"recipients": 6.0, "opened": 1.0}, nil, ""},
	})
}

// profile is the id of the person with a user id.
func (s *site) profile(t *testing.T, user string) string {
	t.Helper()
	return read[list](t, s.do(t, request{method: "GET", path: "/api/v1/profiles?identifier=user_id:" + user})).Items[0].ID
}
